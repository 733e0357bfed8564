"""The HTTP server: uvicorn's, with errors in our shape, bounded heads, and no hand on signals.

Refuses to know what requests mean and when to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from spillover.protocols.openai_chat import error_body

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from spillover.gateway.app import Gateway

MOST_HEAD: Final = 1 << 16
"""Bytes of a request's line and headers."""
SWEEP_S: Final = 30.0
"""A head that is not whole after one to two of these is given up."""
KEEP_ALIVE_S: Final = 75
"""How long idle connections are kept: longer than clients keep theirs, for who sends into a
connection that is just being closed gets an error."""
BACKLOG: Final = 2_048


class Server(uvicorn.Server):
    """A server of one gateway."""

    def __init__(self, gateway: Gateway, *, grace_s: int, on_ready: Callable[[], None]) -> None:
        """Prepare; `on_ready` is called once clients can connect.

        After `should_exit` answers under way have `grace_s` seconds.
        """
        config = uvicorn.Config(
            gateway,
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=grace_s,
        )
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would end the process before the engine is closed."""
        yield

    def stop(self) -> None:
        """Stop with grace; called again, at once."""
        if self.should_exit:
            self.force_exit = True
            for task in self.server_state.tasks:
                task.cancel()
        self.should_exit = True


class Connection(HttpToolsProtocol):
    """One client's connection."""

    _head_bytes = 0
    _running: RequestResponseCycle | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request under way, for uvicorn tells the one that was received last."""
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that grows without end is refused."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
        except HttpParserError as error:
            self._refuse(b"400 Bad Request", f"this is not HTTP: {error}")
        if not self.is_in_head:
            if self._head_bytes:
                self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD and not self.transport.is_closing():
            message = f"the request's headers are larger than {MOST_HEAD:,} bytes"
            self._refuse(b"431 Request Header Fields Too Large", message)

    # An offer to go on in another protocol (Java's client makes one with every request) ends the
    # parser's work behind the head. It is declined, as it may be: the head is read anew without it.

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the body is whole."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _decline(self, rest: bytes) -> None:
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(b"405 Method Not Allowed", "this is no proxy for other hosts")
            return
        version = self.parser.get_http_version().encode("ascii")
        headers = [b"%s: %s\r\n" % each for each in self.headers if each[0] != b"upgrade"]
        head = b"%s %s HTTP/%s\r\n%s\r\n" % (method, self.url, version, b"".join(headers))
        self.parser = HttpRequestParser(self)
        self.data_received(head + rest)

    @property
    def is_in_head(self) -> bool:
        """Whether a request's head has begun, or the first is due, and is not whole."""
        cycle: RequestResponseCycle | None = self.cycle  # None until the first head is whole
        return cycle is None or (cycle.response_complete and self.scope is not cycle.scope)

    def _refuse(self, status: bytes, message: str) -> None:
        body = error_body("invalid_request", message)
        head = (
            b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n"
        )
        self.transport.write(head % (status, len(body)) + body)
        self.transport.close()


class Sweeper:
    """Closes connections whose request never becomes whole."""

    def __init__(self, connections: Iterable[Any]) -> None:
        """Take the server's live set of connections."""
        self._connections = connections
        self._before: Mapping[Connection, object] = {}

    async def run(self, every_s: float = SWEEP_S) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            self.sweep()

    def sweep(self) -> None:
        """Close what was in the same head at the last sweep already."""
        found = {
            each: each.scope
            for each in self._connections
            if isinstance(each, Connection) and each.is_in_head
        }
        for connection, scope in found.items():
            if connection in self._before and self._before[connection] is scope:
                connection.transport.close()
        self._before = found
