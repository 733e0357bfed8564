"""The HTTP server: uvicorn's, with errors in our shape, bounded heads, and no hand on signals.

An answer's head leaves in one write with the first of its body, and idle connections are looked at
now and then instead of each having a timer: both cost more than all of the parsing.

Refuses to know what requests mean and when to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

import uvicorn
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from spillover.gateway.asgi import WRITER
from spillover.protocols.openai_chat import error_body

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from spillover.gateway.app import Gateway
    from spillover.gateway.asgi import Message, RawHeaders, Scope

log = logging.getLogger(__name__)

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

    idle_since = 0.0
    """When its last answer was whole, by the clock that nobody sets."""
    _unheeded = 0
    """Bytes since the last of a body, or of a whole request."""
    _running: RequestResponseCycle | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        writer = Writer(cycle, self)
        scope = cast("Scope", cycle.scope)
        scope[WRITER] = writer
        task = self.loop.create_task(app(scope, writer.receive, writer.send))
        self.tasks.add(task)
        task.add_done_callback(functools.partial(self._ended, cycle))

    def _ended(self, cycle: RequestResponseCycle, task: asyncio.Task[None]) -> None:
        """Close behind an answer that was not ended: nobody will end it any more."""
        self.tasks.discard(task)
        cast("Scope", cycle.scope).pop(
            WRITER, None
        )  # it refers back: the collector has enough to do
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a request ended in an error that nobody foresaw", exc_info=error)
        elif cycle.response_complete or cycle.disconnected:
            return
        self.transport.close()

    def on_response_complete(self) -> None:
        """Go on with the next request, if it is there already."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self.idle_since = time.monotonic()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request under way, for uvicorn tells the one that was received last."""
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; heads, trailers and chunks' extensions that grow without end are refused."""
        self._unheeded += len(data)
        left = memoryview(data)
        while left:
            try:
                self.parser.feed_data(left)
                break
            except HttpParserUpgrade as offer:
                left = left[offer.args[0] :]
                self._decline()
            except HttpParserError as error:
                self._refuse(b"400 Bad Request", f"this is not HTTP: {error}")
                break
        if self._unheeded > MOST_HEAD and not self.transport.is_closing():
            message = f"the request's headers are larger than {MOST_HEAD:,} bytes"
            self._refuse(b"431 Request Header Fields Too Large", message)

    # An offer to go on in another protocol (Java's client makes one with every request) ends the
    # parser's work behind the head. It is declined, as it may be: the head is read anew without it.

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()
            self.headers = []  # trailers are no headers

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._unheeded = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the body is whole."""
        self._unheeded = 0
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _decline(self) -> None:
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(b"405 Method Not Allowed", "this is no proxy for other hosts")
            return
        version = self.parser.get_http_version().encode("ascii")
        headers = [b"%s: %s\r\n" % each for each in self.headers if each[0] != b"upgrade"]
        head = b"%s %s HTTP/%s\r\n%s\r\n" % (method, self.url, version, b"".join(headers))
        self.parser = HttpRequestParser(self)
        self.parser.feed_data(head)

    def is_idle_since(self, before: float) -> bool:
        """Whether its last answer was whole `before` then, and nothing was asked since."""
        cycle: RequestResponseCycle | None = self.cycle
        is_answered = cycle is not None and cycle.response_complete
        return is_answered and not self.is_in_head and self.idle_since <= before

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
        running = self._running
        if running is None or running.response_complete or not running.response_started:
            self.transport.write(head % (status, len(body)) + body)
        # Else it would stand in the midst of the answer that is under way.
        self.transport.close()


_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus
}
_SEVERAL: Final = "a header of an answer holds a line break"
_BODILESS: Final = frozenset({204, 304})


class Writer:
    """Hands over one request, and writes its answer: the head together with the first of the body."""

    __slots__ = ("_chunked", "_connection", "_cycle", "_is_taken", "_left", "_start")

    def __init__(self, cycle: RequestResponseCycle, connection: Connection) -> None:
        """Write the answer of `cycle`, and tell `connection` when it is whole."""
        self._cycle = cycle
        self._connection = connection
        self._start: Message | None = None
        self._is_taken = False
        """The request's body was handed over, all of it at once."""
        self._chunked = False
        self._left = 0
        """Bytes of the body that were promised and not written."""

    async def receive(self) -> Message:
        """Return the next part of the request, or that its client left."""
        cycle = self._cycle
        if self._is_taken or cycle.more_body or cycle.disconnected:
            return await cycle.receive()  # type: ignore[return-value]
        self._is_taken = True  # as mostly: it came whole, so there is nothing to wait for
        cycle.message_event.clear()
        body, cycle.body = bytes(cycle.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Take a part of the answer; waits while the client reads too slowly."""
        cycle = self._cycle
        if cycle.disconnected:
            return
        if message["type"] == "http.response.start":
            self._start = message
            cycle.response_started = True
            cycle.waiting_for_100_continue = False
            return
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            cycle.transport.write(self._begun() + self._framed(body, more=False))
            self._end()
        elif not self.write(body):
            await cycle.flow.drain()

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Write a whole answer; raises `ValueError` for a header that would be several."""
        cycle = self._cycle
        if cycle.disconnected:
            return
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
            raise ValueError(_SEVERAL)
        if headers.get("connection") == "close":
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            lines += "connection: close\r\n"
        head = b"%bcontent-length: %d\r\n%b\r\n" % (
            _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status,
            len(body),
            lines.encode("latin-1", "replace"),
        )
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(head if cycle.scope["method"] == "HEAD" else head + body)
        self._end()

    def write(self, body: bytes) -> bool:
        """Write a part of the answer that is not the last; return whether the client keeps up."""
        cycle = self._cycle
        if cycle.disconnected:
            return True
        begun = b"" if self._start is None else self._begun()
        cycle.transport.write(begun + self._framed(body, more=True))
        return not cycle.flow.write_paused

    async def drained(self) -> None:
        """Wait until the client has read what was written, but for a little."""
        await self._cycle.flow.drain()

    def _begun(self) -> bytes:
        """Return the answer's head, once."""
        start, self._start = self._start, None
        return b"" if start is None else self._head(start["status"], start["headers"])

    def _head(self, status: int, headers: RawHeaders) -> bytes:
        cycle = self._cycle
        parts = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        length = closes = None
        for header in headers:
            parts.append(b"%b: %b\r\n" % header)
            if header[0] == b"content-length":
                length = int(header[1])
            elif header[0] == b"connection":
                closes = header[1] == b"close"
        if closes:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            parts.append(b"connection: close\r\n")
        if cycle.scope["method"] == "HEAD" or status in _BODILESS:
            self._left = -1
        elif length is None:
            self._chunked = True
            parts.append(b"transfer-encoding: chunked\r\n")
        else:
            self._left = length
        parts.append(b"\r\n")
        head = b"".join(parts)
        if head.count(b"\n") != len(parts):
            raise ValueError(_SEVERAL)
        return head

    def _framed(self, body: bytes, *, more: bool) -> bytes:
        if self._chunked:
            framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return framed if more else framed + b"0\r\n\r\n"
        if self._left < 0:  # an answer to HEAD has none
            return b""
        self._left -= len(body)
        if self._left < 0 or (self._left and not more):
            message = "an answer is longer or shorter than its content-length"
            raise ValueError(message)
        return body

    def _end(self) -> None:
        cycle = self._cycle
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        self._connection.on_response_complete()


class Sweeper:
    """Closes connections whose request never becomes whole, and those idle for long."""

    def __init__(self, connections: Iterable[Any], *, keep_s: float = KEEP_ALIVE_S) -> None:
        """Take the server's live set of connections; idle ones are kept for `keep_s`."""
        self._connections = connections
        self._keep_s = keep_s
        self._before: Mapping[Connection, object] = {}

    async def run(self, every_s: float = SWEEP_S) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            self.sweep()

    def sweep(self) -> None:
        """Close what is idle, and what was in the same head at the last sweep already."""
        before = time.monotonic() - self._keep_s
        all_ = [each for each in self._connections if isinstance(each, Connection)]
        for connection in all_:
            if connection.is_idle_since(before):
                connection.transport.close()
        found = {each: each.scope for each in all_ if each.is_in_head}
        for connection, scope in found.items():
            if connection in self._before and self._before[connection] is scope:
                connection.transport.close()
        self._before = found
