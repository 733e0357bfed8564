"""Name what broke an exchange below the level of answers.

Refuses to know who carries bytes: it sees the errors of the system and of TLS alone.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Final

from spillover.core.evidence import TransportFault

_OF_KIND: Final[tuple[tuple[type[BaseException], TransportFault], ...]] = (
    # Most specific first: Python's errors inherit from each other.
    (socket.gaierror, TransportFault.DNS),
    (ssl.SSLError, TransportFault.TLS),
    (TimeoutError, TransportFault.CONNECT_TIMEOUT),
    (BrokenPipeError, TransportFault.BROKEN_PIPE),
    (ConnectionRefusedError, TransportFault.REFUSED),
    (ConnectionResetError, TransportFault.RESET),
    (ConnectionAbortedError, TransportFault.RESET),
)
_OF_NUMBER: Final = {
    errno.EHOSTUNREACH: TransportFault.UNREACHABLE,
    errno.ENETUNREACH: TransportFault.UNREACHABLE,
    errno.EADDRNOTAVAIL: TransportFault.UNREACHABLE,
    errno.EPIPE: TransportFault.BROKEN_PIPE,
    errno.ECONNREFUSED: TransportFault.REFUSED,
}


def fault_before_use(error: BaseException) -> TransportFault:
    """Return why there is no connection; an address that is none can't be reached."""
    if isinstance(error, (ValueError, UnicodeError)) and not isinstance(error, ssl.SSLError):
        return TransportFault.UNREACHABLE
    return _known(error) or TransportFault.REFUSED


def fault_in_use(error: BaseException) -> TransportFault:
    """Return what ended a connection that a request was sent on."""
    if isinstance(error, TimeoutError):  # the system gave up on a peer that no longer answers
        return TransportFault.RESET
    return _known(error) or TransportFault.RESET


def _known(error: BaseException) -> TransportFault | None:
    for kind, fault in _OF_KIND:
        if isinstance(error, kind):
            return fault
    return _OF_NUMBER.get(getattr(error, "errno", None) or 0)
