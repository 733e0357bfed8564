"""Carry requests straight to providers, over connections that are kept between requests.

Redirects are not followed, for they would take a credential elsewhere; nothing is sent but what was
ordered. Refuses to know what bodies say, and sets no time limit but that of connecting.
"""

from __future__ import annotations

import asyncio
import functools
import time
import weakref
from typing import TYPE_CHECKING, Final

from spillover.core.evidence import TransportFault
from spillover.upstream.connection import Connection
from spillover.upstream.dialling import Dialler, Origin
from spillover.upstream.exchange import Order, UpstreamBroken
from spillover.upstream.faults import fault_before_use

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from spillover.upstream.reply import Reply

IDLE_S: Final = 30.0
"""How long an idle connection is kept; providers drop theirs after a minute or more."""
_Key = tuple[str, str, int]


class DirectUpstream:
    """An `Upstream` without a proxy; made on the event loop that uses it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Begin without connections; without `tls`, what the system trusts is trusted."""
        self._dialler = Dialler(tls)
        self._origins: dict[str, Origin] = {}
        self._idle: dict[_Key, list[Connection]] = {}
        self._all: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._sweep: asyncio.TimerHandle | None = None

    async def open(self, order: Order, connected: Callable[[], None]) -> Reply:
        """Send the request and return when the head of the answer is there."""
        try:
            origin = self._origin(order.url)
            head = b"%b%bcontent-length: %d\r\n\r\n" % (
                origin.line if order.method == "POST" else _asking(order.method, origin),
                order.lines(),
                len(order.body),
            )
        except ValueError as error:
            raise UpstreamBroken(fault_before_use(error), str(error), never_sent=True) from error
        connection = self._kept(origin.key) or await self._connect(origin, order.connect_s)
        connected()
        reply = connection.send(head, order.body)
        try:
            if not reply.has_head:
                await reply.head()
        except BaseException:
            reply.close()
            raise
        return reply

    def _origin(self, url: str) -> Origin:
        origin = self._origins.get(url)
        if origin is None:
            origin = self._origins[url] = Origin.of(url)
        return origin

    def _kept(self, key: _Key) -> Connection | None:
        """Return the connection that was used last, so that the others may grow old."""
        idle = self._idle.get(key)
        while idle:
            connection = idle.pop()
            if connection.is_open:
                return connection
        return None

    async def _connect(self, origin: Origin, within_s: float) -> Connection:
        vacant = functools.partial(self._keep, origin.key)
        try:
            async with asyncio.timeout(within_s):
                connection = await self._dialler.connect(origin, lambda: Connection(vacant))
        except TimeoutError as error:
            message = f"no connection within {within_s:g} s"
            raise UpstreamBroken(fault_before_use(error), message, never_sent=True) from error
        except (OSError, ValueError, RuntimeError) as error:  # the last is uvloop's
            raise UpstreamBroken(fault_before_use(error), _said(error), never_sent=True) from error
        if not connection.is_open:
            fault, message = TransportFault.CLOSED_BEFORE_HEAD, "closed as soon as it was open"
            raise UpstreamBroken(fault, message, never_sent=True)
        self._all.add(connection)
        return connection

    def _keep(self, key: _Key, connection: Connection) -> None:
        connection.idle_since = time.monotonic()
        idle = self._idle.get(key)
        if idle is None:
            idle = self._idle[key] = []
        idle.append(connection)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(IDLE_S, self._sweep_idle)

    def _sweep_idle(self) -> None:
        """Close what was idle for too long; those used last stand at the end."""
        now = time.monotonic()
        self._sweep, before = None, now - IDLE_S
        for key, idle in list(self._idle.items()):
            while idle and (idle[0].idle_since <= before or not idle[0].is_open):
                idle.pop(0).close()
            if not idle:
                del self._idle[key]
        if self._idle:
            oldest = min(idle[0].idle_since for idle in self._idle.values())
            loop = asyncio.get_running_loop()
            self._sweep = loop.call_later(oldest - before, self._sweep_idle)

    async def close(self) -> None:
        """Close every connection."""
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in self._all:
            connection.close()
        self._all.clear()
        self._idle.clear()
        await asyncio.sleep(0)  # the loop closes their sockets in its next turn


def _asking(method: str, origin: Origin) -> bytes:
    """Return the request line and `Host` of another request than a POST."""
    return method.encode() + origin.line.removeprefix(b"POST")


def _said(error: BaseException) -> str:
    """Return an error's own words, without the numbers before them."""
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
