"""Take the port to listen on, or say who has it and which one is free.

Refuses to know what will listen.
"""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import closing
from typing import Final

from spillover.config.addresses import WILDCARDS, address_of
from spillover.errors import ConfigError, PortInUse, Problem
from spillover.upstream.holder import holder

_NEXT_PORTS: Final = 100
"""How many ports behind a taken one are tried."""
_HIGHEST_PORT: Final = 65_535


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket, port 0 being any free one.

    Raises `PortInUse`, and `ConfigError` for an address that this machine does not have or a port
    that the user may not take.
    """
    try:
        return _bound(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(port, holder=holder(port), free=_next_free(host, port)) from None
        found = f"{host!r}, port {port} ({error.strerror or error})"
        expected = "an address of this machine, and a port you may use (above 1023)"
        raise ConfigError(
            (Problem(file="", key="server.host", found=found, expected=expected),)
        ) from None


def url_of(listening: socket.socket) -> str:
    """Return the address to call a bound socket by: `http://127.0.0.1:4400`."""
    host, port = listening.getsockname()[:2]
    host = WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bound(host: str, port: int) -> socket.socket:
    family, address = _place(host, port)
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # where SO_REUSEADDR would take a port from who has it
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Two may bind the same address with SO_REUSEADDR: only listening tells.
        listening.listen(socket.SOMAXCONN)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def _place(host: str, port: int) -> tuple[int, tuple[object, ...]]:
    """Return family and address to bind; of a name's several, IPv4 first, as clients try it."""
    if host and "%" not in host and address_of(host) is not None:
        return socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port)
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    found.sort(key=lambda each: each[0] != socket.AF_INET)
    return found[0][0], found[0][4]


def _next_free(host: str, port: int) -> int | None:
    for candidate in range(port + 1, min(port + _NEXT_PORTS, _HIGHEST_PORT) + 1):
        try:
            with closing(_bound(host, candidate)):
                return candidate
        except OSError:
            continue
    return None
