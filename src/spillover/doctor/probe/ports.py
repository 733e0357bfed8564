"""Look at the gateway's port: try to take it, and ask what answers there.

Refuses to judge, and lets go of the port at once.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.config.addresses import WILDCARDS, address_of
from spillover.config.discovery import fetched
from spillover.config.secrets import Secret
from spillover.doctor.judge.ports import Bind, Port, excluded_ranges
from spillover.doctor.probe.processes import holder_of, printed
from spillover.doctor.probe.subject import this_system
from spillover.doctor.systems import System

if TYPE_CHECKING:
    from spillover.config.schema import Server
    from spillover.doctor.probe.subject import Subject

USUAL: Final = ("127.0.0.1", 4400)
_NEXT: Final = 100
_HIGHEST: Final = 65_535
_ASK_S: Final = 1.0
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM, 10013})
"""10013 is Windows' WSAEACCES."""
_TAKEN: Final = frozenset({errno.EADDRINUSE, 10048})


async def port(subject: Subject) -> Port:
    """Return how the port of a configuration is, or the usual one's."""
    server = None if subject.loaded is None else subject.loaded.config.server
    host, number = USUAL if server is None else (server.host, server.port)
    key = None if server is None else server.admin_key
    found = await asyncio.to_thread(_looked_at, host, number)
    config = None if subject.loaded is None else subject.loaded.path
    found = msgspec.structs.replace(found, config=config)
    if found.bind is not Bind.TAKEN:
        return found
    origin = origin_of(server)
    if (await told(f"{origin}/health/live") or {}).get("status") != "alive":
        return found
    health = await told(f"{origin}/health") or {"status": "unhealthy"}
    status = await told(f"{origin}/api/status", key if isinstance(key, Secret) else None) or {}
    return msgspec.structs.replace(
        found, gateway=str(health.get("status")), version=str(status.get("version", ""))
    )


def origin_of(server: Server | None) -> str:
    """Return where the gateway of a configuration is asked from this machine, or the usual one's."""
    host, number = USUAL if server is None else (server.host, server.port)
    address = WILDCARDS.get(host, host)
    return f"http://{f'[{address}]' if ':' in address else address}:{number}"


def _looked_at(host: str, number: int) -> Port:
    system = this_system()
    bind = _tried(host, number)
    found = Port(host=host, port=number, bind=bind)
    if bind in {Bind.FREE, Bind.NO_ADDRESS}:
        return found
    excluded: tuple[tuple[int, int], ...] = ()
    if system is System.WINDOWS:
        shown = printed("netsh", "int", "ipv4", "show", "excludedportrange", "protocol=tcp")
        excluded = excluded_ranges(shown)
    ports = range(number + 1, min(number + _NEXT, _HIGHEST) + 1)
    return msgspec.structs.replace(
        found,
        holder=holder_of(number, system) if bind is Bind.TAKEN else "",
        free=next((each for each in ports if _tried(host, each) is Bind.FREE), None),
        excluded=excluded,
    )


def _tried(host: str, number: int) -> Bind:
    """Take a port as the gateway does, and let go of it."""
    try:
        family, address = _place(host, number)
        with closing(socket.socket(family, socket.SOCK_STREAM)) as taken:
            if sys.platform != "win32":  # where it would take a port from who has it
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
            taken.listen(1)
    except OSError as error:
        if error.errno in _DENIED:
            return Bind.DENIED
        return Bind.TAKEN if error.errno in _TAKEN else Bind.NO_ADDRESS
    return Bind.FREE


def _place(host: str, number: int) -> tuple[int, tuple[object, ...]]:
    if address_of(host) is not None:
        return socket.AF_INET6 if ":" in host else socket.AF_INET, (host, number)
    rows = socket.getaddrinfo(host or None, number, type=socket.SOCK_STREAM)
    family, _, _, _, address = min(rows, key=lambda row: row[0] != socket.AF_INET)
    return family, address


async def told(url: str, key: Secret | None = None) -> dict[str, Any] | None:
    """Return what a gateway of ours answers; None: nothing that could be its own."""
    try:
        async with asyncio.timeout(_ASK_S):
            read = msgspec.json.decode(await fetched(url, key=key))
    except (OSError, TimeoutError, ValueError):
        return None
    return read if isinstance(read, dict) else None
