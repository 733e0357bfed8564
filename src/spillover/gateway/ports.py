"""Take the port to listen on, or say who has it and which one is free.

Refuses to know what will listen.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spillover.config.addresses import WILDCARDS, address_of
from spillover.errors import ConfigError, PortInUse, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEXT_PORTS: Final = 100
"""How many ports behind a taken one are tried."""
_LISTENING: Final = "0A"
"""The state's code in the kernel's tables."""
_INODE_FIELD: Final = 9
_LONGEST_COMMAND: Final = 120
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


def holder(port: int) -> str | None:
    """Return who listens on a port, as `name (pid 12)`; None where the system does not tell us."""
    inodes = set(_listeners(port))
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        if any(target in wanted for target in _open_files(process)):
            return f"{_command(process)} (pid {process.name})"
    return None


def _listeners(port: int) -> Iterator[str]:
    """Yield the inodes of the sockets that listen on a port, by Linux's tables."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[_INODE_FIELD]


def _open_files(process: Path) -> Iterator[str]:
    try:
        for name in os.listdir(process / "fd"):  # noqa: PTH208 - names alone are wanted
            yield os.readlink(process / "fd" / name)  # noqa: PTH115 - no path: socket:[12]
    except OSError:  # another user's process, or one that has just ended
        return


def _command(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "a process"
    text = " ".join(word.decode("utf-8", "replace") for word in words if word)
    return text[:_LONGEST_COMMAND] or "a process"
