"""Bring about connections: look a host up, try its addresses, agree on TLS.

Refuses to know requests, and how long all of this may take.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohappyeyeballs import start_connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohappyeyeballs import AddrInfoType

    from spillover.upstream.connection import Connection

DNS_S: Final = 30.0
"""How long an address is believed."""
NEXT_ADDRESS_S: Final = 0.25
"""How long one address is tried before the next is tried beside it (RFC 8305)."""
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a URL leads, and the part of a request's head that depends on nothing else."""

    scheme: str
    host: str
    port: int
    line: bytes
    """Request line and `Host` of a POST to it."""

    @classmethod
    def of(cls, url: str) -> Origin:
        """Return the origin of an absolute URL; raises `ValueError` for one that leads nowhere."""
        parts = urlsplit(url)
        host = parts.hostname
        if parts.scheme not in _PORTS or not host:
            raise ValueError(f"{url!r} is no address of a provider")
        port = parts.port or _PORTS[parts.scheme]
        authority = parts.netloc.rpartition("@")[2].encode(
            "idna" if not host.isascii() else "ascii"
        )
        target = parts.path or "/"
        if parts.query:
            target = f"{target}?{parts.query}"
        line = b"POST %b HTTP/1.1\r\nhost: %b\r\n" % (target.encode("ascii"), authority)
        return cls(parts.scheme, host, port, line)

    @property
    def key(self) -> tuple[str, str, int]:
        """What connections are kept by."""
        return self.scheme, self.host, self.port


class Dialler:
    """Connects to origins, and remembers their addresses for a while."""

    def __init__(self) -> None:
        """Begin knowing no address."""
        self._addresses: dict[tuple[str, int], tuple[float, list[AddrInfoType]]] = {}
        self._tls: ssl.SSLContext | None = None

    async def connect(self, origin: Origin, make: Callable[[], Connection]) -> Connection:
        """Return a new connection to `origin`; raises what the system, DNS or TLS raise."""
        loop = asyncio.get_running_loop()
        addresses = await self._looked_up(origin.host, origin.port)
        try:
            connected = await start_connection(
                addresses, happy_eyeballs_delay=NEXT_ADDRESS_S, interleave=1, loop=loop
            )
        except OSError:
            self._addresses.pop((origin.host, origin.port), None)  # they may be out of date
            raise
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secure = origin.scheme == "https"
            _, connection = await loop.create_connection(
                make,
                sock=connected,
                ssl=await self._context() if secure else None,
                server_hostname=origin.host if secure else None,
            )
        except BaseException:
            connected.close()
            raise
        return connection

    async def _looked_up(self, host: str, port: int) -> list[AddrInfoType]:
        loop = asyncio.get_running_loop()
        known = self._addresses.get((host, port))
        if known is not None and known[0] > loop.time():
            return known[1]
        found: list[AddrInfoType] = [*await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        self._addresses[host, port] = (loop.time() + DNS_S, found)
        return found

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            # The system's certificates take a moment to read.
            self._tls = await asyncio.to_thread(ssl.create_default_context)
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls
