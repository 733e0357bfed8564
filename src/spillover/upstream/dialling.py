"""Bring about connections: look a host up, try its addresses, agree on TLS.

Refuses to know requests, and how long all of this may take.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

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
_AS_WRITTEN: Final = "!#$%&'()*+,/:;=?@[]~"
"""Signs of a URL that have a meaning there (RFC 3986), or stand for one."""
_NO_ADDRESS: Final = (
    "the URL is no provider's: http or https, a host, a port from 1 to 65535 if any"
)
"""The URL is not shown, for what was meant as its port or query may be a secret."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a URL leads, and the part of a request's head that depends on nothing else."""

    scheme: str
    host: str
    port: int
    url: str
    """The URL itself, in ASCII and without a login."""
    line: bytes
    """Request line and `Host` of a POST to it."""

    @classmethod
    def of(cls, url: str) -> Origin:
        """Return the origin of an absolute URL; raises `ValueError` for one that leads nowhere.

        A login in it is left out, for nothing is sent but what was ordered.
        """
        try:
            parts = urlsplit(url)
            usual = _PORTS[parts.scheme]
            port = usual if parts.port is None else parts.port
            host = (parts.hostname or "").encode("idna").decode("ascii")
            target = quote(parts.path or "/", _AS_WRITTEN)
            if parts.query:
                target = f"{target}?{quote(parts.query, _AS_WRITTEN)}"
        except (KeyError, ValueError):
            raise ValueError(_NO_ADDRESS) from None
        if not (host and port):
            raise ValueError(_NO_ADDRESS)
        name = f"[{host}]" if ":" in host else host
        authority = name if port == usual else f"{name}:{port}"
        line = f"POST {target} HTTP/1.1\r\nhost: {authority}\r\n".encode("ascii")
        return cls(parts.scheme, host, port, f"{parts.scheme}://{authority}{target}", line)

    @property
    def key(self) -> tuple[str, str, int]:
        """What connections are kept by."""
        return self.scheme, self.host, self.port


class Dialler:
    """Connects to origins, and remembers their addresses for a while."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Begin knowing no address; without `tls`, what the system trusts is trusted."""
        self._addresses: dict[tuple[str, int], tuple[float, list[AddrInfoType]]] = {}
        self._tls = tls

    async def connect(self, origin: Origin, make: Callable[[], Connection]) -> Connection:
        """Return a new connection to `origin`; raises what the system, DNS or TLS raise."""
        loop = asyncio.get_running_loop()
        addresses = await self._looked_up(origin.host, origin.port)
        try:
            connected = await start_connection(
                addresses, happy_eyeballs_delay=NEXT_ADDRESS_S, interleave=1, loop=loop
            )
        except BaseException:
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
            tls = await asyncio.to_thread(ssl.create_default_context)
            tls.set_alpn_protocols(["http/1.1"])
            self._tls = tls
        return self._tls
