"""What broke an exchange gets the same name on every system and loop."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from spillover.core.evidence import TransportFault
from spillover.upstream.faults import fault_before_use, fault_in_use


@pytest.mark.parametrize(
    ("error", "before", "in_use"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), TransportFault.DNS, TransportFault.DNS),
        (ssl.SSLError(1, "x"), TransportFault.TLS, TransportFault.TLS),
        (ssl.SSLCertVerificationError(1, "x"), TransportFault.TLS, TransportFault.TLS),
        (TimeoutError(), TransportFault.CONNECT_TIMEOUT, TransportFault.RESET),
        (OSError(errno.ETIMEDOUT, "x"), TransportFault.CONNECT_TIMEOUT, TransportFault.RESET),
        (OSError(errno.EPIPE, "x"), TransportFault.BROKEN_PIPE, TransportFault.BROKEN_PIPE),
        (ConnectionRefusedError(), TransportFault.REFUSED, TransportFault.REFUSED),
        (ConnectionResetError(), TransportFault.RESET, TransportFault.RESET),
        (ConnectionAbortedError(), TransportFault.RESET, TransportFault.RESET),
        (OSError(errno.EHOSTUNREACH, "x"), TransportFault.UNREACHABLE, TransportFault.UNREACHABLE),
        (OSError(errno.ENETUNREACH, "x"), TransportFault.UNREACHABLE, TransportFault.UNREACHABLE),
        (OSError("several at once"), TransportFault.REFUSED, TransportFault.RESET),
        (OSError(errno.EMFILE, "x"), TransportFault.REFUSED, TransportFault.RESET),
        (RuntimeError("uvloop"), TransportFault.REFUSED, TransportFault.RESET),
        (ValueError("no URL"), TransportFault.UNREACHABLE, TransportFault.RESET),
        (UnicodeError("no host"), TransportFault.UNREACHABLE, TransportFault.RESET),
    ],
    ids=repr,
)
def test_an_error_has_a_name_before_and_in_use(
    error: Exception, before: TransportFault, in_use: TransportFault
) -> None:
    assert (fault_before_use(error), fault_in_use(error)) == (before, in_use)
