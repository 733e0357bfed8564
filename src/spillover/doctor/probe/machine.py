"""Look at the machine: versions, and whether it may connect to itself.

Refuses to judge.
"""

from __future__ import annotations

import socket
import sqlite3
import ssl
import sys
from typing import TYPE_CHECKING, Final

from spillover import __version__
from spillover.doctor.judge.machine import Machine
from spillover.doctor.probe.subject import this_system

if TYPE_CHECKING:
    from spillover.doctor.probe.subject import Subject

_WITHIN_S: Final = 2.0


def machine(subject: Subject) -> Machine:
    """Return what runs here."""
    return Machine(
        system=this_system(),
        spillover=__version__,
        python=sys.version_info[:3],
        executable=sys.executable,
        sqlite=sqlite3.sqlite_version_info,
        openssl=" ".join(ssl.OPENSSL_VERSION.split()[:2]),
        loopback_error=_loopback_error(),
        folder=str(subject.path.parent),
    )


def _loopback_error() -> str:
    """Connect to a socket of our own; return why that failed."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(_WITHIN_S)
            with socket.create_connection(listening.getsockname(), timeout=_WITHIN_S):
                listening.accept()[0].close()
    except OSError as error:
        return error.strerror or str(error) or type(error).__name__
    return ""
