"""Carry requests to providers through a proxy, with aiohttp.

Redirects are not followed, for they would take a credential elsewhere; cookies are not kept.
Refuses to know what bodies say and who wants a proxy, and sets no time limit but that of connecting.
"""

from __future__ import annotations

import errno
import io
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Literal

import aiohttp
from yarl import URL

from spillover.core.evidence import TransportFault
from spillover.upstream.dialling import Origin
from spillover.upstream.exchange import (
    Order,
    Take,
    UpstreamBroken,
    pour_what_is_read,
    read_bounded,
)
from spillover.upstream.faults import fault_before_use, fault_in_use
from spillover.upstream.unpacking import unpacker_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

IDLE_S: Final = 30.0
"""How long an idle connection is kept; providers drop theirs after a minute or more."""
DNS_S: Final = 30
"""How long an address is believed, in seconds."""
LARGE_BODY: Final = 1 << 20
"""Bodies from here on are sent in pieces, so that writing one does not hold up the event loop."""
READ_AHEAD: Final = 1 << 18
"""Bytes held while a slow client reads; twice this pauses the provider."""
HEADER_MOST: Final = 1 << 16
"""Bytes of one header; content policies and cookies of providers' front doors pass aiohttp's 8 KiB."""

_PROXIES: Final = frozenset({"http", "https"})
_OTHER_PROXY: Final = (
    "the environment's proxy is of another kind: only http and https proxies are used"
)
_RESET: Final = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})


class ProxiedUpstream:
    """aiohttp behind a proxy; made on the event loop that uses it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Begin without connections; without `tls`, what the system trusts is trusted."""
        self._tls: ssl.SSLContext | Literal[True] = tls or True
        self._sessions: dict[float, aiohttp.ClientSession] = {}

    async def open(
        self, order: Order, connected: Callable[[], None], proxy: str
    ) -> ProxiedExchange:
        """Send the request through `proxy` and return when the head of the answer is there."""
        wire = _Wire(connected)
        _under_way.set(wire)
        try:
            if URL(proxy).scheme not in _PROXIES:
                raise ValueError(_OTHER_PROXY)  # noqa: TRY301 - told as aiohttp's own
            order.lines()  # aiohttp would look only once there is a connection
            response = await self._session(order.connect_s).request(
                order.method,
                URL(Origin.of(order.url).url, encoded=True),
                data=order.body if len(order.body) < LARGE_BODY else io.BytesIO(order.body),
                headers=order.headers,
                allow_redirects=False,
                proxy=proxy,
                read_bufsize=READ_AHEAD,
                max_line_size=HEADER_MOST,
                max_field_size=HEADER_MOST,
            )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _broken(error, order, connected=wire.is_up) from error
        return ProxiedExchange(response)

    def _session(self, connect_s: float) -> aiohttp.ClientSession:
        session = self._sessions.get(connect_s)
        if session is None:
            connector = _Connector(
                limit=0, keepalive_timeout=IDLE_S, ttl_dns_cache=DNS_S, ssl=self._tls
            )
            session = self._sessions[connect_s] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=connect_s),
                skip_auto_headers={"User-Agent", "Accept", "Accept-Encoding"},
                trust_env=False,
                auto_decompress=False,
            )
        return session

    async def close(self) -> None:
        """Close every connection."""
        sessions = list(self._sessions.values())
        self._sessions.clear()
        for session in sessions:
            await session.close()


class ProxiedExchange:
    """An aiohttp response as an `Exchange`."""

    __slots__ = ("_protocol", "_response", "_unpacker", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        """Wrap a response whose head is there."""
        self._response = response
        connection = response.connection
        self._protocol = None if connection is None else connection.protocol
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._unpacker = unpacker_of(response.headers.get("content-encoding", ""))

    async def read(self) -> bytes:
        """Return the next bytes of the body, unpacked; empty at its end."""
        unpacker = self._unpacker
        if unpacker is None:
            return await self._read_packed()
        while not (unpacked := unpacker.next()):
            packed = await self._read_packed()
            if not packed:
                unpacker.end()
                break
            unpacker.feed(packed)
        return unpacked

    async def _read_packed(self) -> bytes:
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._broken(error) from error

    def _broken(self, error: BaseException) -> UpstreamBroken:
        """Name what ended the exchange inside its body; aiohttp's own words tell users nothing."""
        lost = None if self._protocol is None else self._protocol.exception()
        reset = getattr(lost, "errno", None) in _RESET or getattr(error, "errno", None) in _RESET
        return UpstreamBroken(TransportFault.RESET if reset else TransportFault.CUT, "")

    async def read_all(self, at_most: int) -> bytes:
        """Return the rest of the body."""
        return await read_bounded(self, at_most)

    async def pour(self, take: Take) -> None:
        """Hand over the body piece by piece as it is read."""
        await pour_what_is_read(self, take)

    def close(self) -> None:
        """Let go of the connection."""
        if self._response.content.is_eof():
            self._response.release()
        else:
            self._response.close()


class _Wire:
    """Whether one request has a connection to go out on."""

    __slots__ = ("_connected", "is_up")

    def __init__(self, connected: Callable[[], None]) -> None:
        self.is_up = False
        self._connected = connected

    def come_up(self) -> None:
        self.is_up = True
        self._connected()


_under_way: ContextVar[_Wire] = ContextVar("_under_way")
"""The request that the running task is opening."""


class _Connector(aiohttp.TCPConnector):
    """Says when a request has its connection; aiohttp's tracing would cost a third of a request."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        """Return a connection, kept or new."""
        connection = await super().connect(req, traces, timeout)
        _under_way.get().come_up()
        return connection


_FAULT_OF_TYPE: Final[tuple[tuple[type[BaseException], TransportFault], ...]] = (
    # Most specific first: aiohttp's errors inherit from each other and from Python's.
    (aiohttp.ClientConnectorDNSError, TransportFault.DNS),
    (aiohttp.ClientConnectorCertificateError, TransportFault.TLS),
    (aiohttp.ClientConnectorSSLError, TransportFault.TLS),
    (aiohttp.ServerDisconnectedError, TransportFault.CLOSED_BEFORE_HEAD),
    (aiohttp.ClientHttpProxyError, TransportFault.UNREACHABLE),
    (aiohttp.ClientResponseError, TransportFault.MALFORMED_HTTP),
)


def _broken(error: BaseException, order: Order, *, connected: bool) -> UpstreamBroken:
    """Name what ended an exchange before its head; `connected`: there was a connection."""
    says = str(getattr(error, "message", "") or error).partition("\n")[0].rstrip(":")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        says = f"the proxy denied the tunnel: {error.status} {error.message}"
    elif isinstance(error, TimeoutError) and not connected:
        says = f"no connection within {order.connect_s:g} s"  # aiohttp's words hold the URL
    known = next((fault for kind, fault in _FAULT_OF_TYPE if isinstance(error, kind)), None)
    fault = known or (fault_in_use(error) if connected else fault_before_use(error))
    return UpstreamBroken(fault, says, never_sent=not connected)
