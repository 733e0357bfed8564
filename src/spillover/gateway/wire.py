"""The HTTP server: uvicorn's, with errors in our shape, bounded heads, and no hand on signals.

Idle connections are looked at now and then instead of each having a timer, which would cost more than
all of the parsing.

Refuses to know what requests mean and when to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import uvicorn
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from spillover.gateway.asgi import WRITER
from spillover.gateway.writer import Writer
from spillover.protocols.openai_chat import error_body

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from spillover.gateway.app import Gateway

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

    cycle: Writer | None  # type: ignore[assignment]  # ours stands where uvicorn has its own
    """The request whose head came last; None before the first."""
    scope: dict[str, Any]  # type: ignore[assignment]  # likewise
    idle_since = 0.0
    """When its last answer was whole, by the clock that nobody sets."""
    _unheeded = 0
    """Bytes since the last of a body, or of a whole request."""
    _running: Writer | None = None
    """The request that is being answered, or was last."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the transport."""
        super().connection_made(transport)
        self._queue: deque[Writer] = deque()
        """Requests that came before the one under way was answered."""
        self._blank: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",
            # What follows is each request's own: with its place kept, a copy need not grow.
            "method": "",
            "path": "",
            "raw_path": b"",
            "query_string": b"",
            "headers": [],
            WRITER: None,
        }
        """The scope of a request, as far as it is known before."""

    def _start(self, writer: Writer) -> None:
        self._running = writer
        app: Any = self.app
        task = self.loop.create_task(app(writer.scope, writer.receive, writer.send))
        self.tasks.add(task)
        task.add_done_callback(functools.partial(self._ended, writer))

    def _ended(self, writer: Writer, task: asyncio.Task[None]) -> None:
        """Close behind an answer that was not ended: nobody will end it any more."""
        self.tasks.discard(task)
        del writer.scope[WRITER]  # it refers back: the collector has enough to do
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a request ended in an error that nobody foresaw", exc_info=error)
        elif writer.response_complete or writer.disconnected:
            return
        self.transport.close()

    def on_response_complete(self) -> None:
        """Go on with the next request, if it is there already."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self._queue:
            self._start(self._queue.popleft())
        else:
            self.idle_since = time.monotonic()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request under way, and the one that was received last."""
        self.connections.discard(self)
        for writer in (self._running, self.cycle):
            if writer is not None:
                writer.lose()
        self._running = self.cycle = None  # they refer back to us
        self.flow.resume_writing()
        if exc is None:
            self.transport.close()
        self.parser = None  # type: ignore[assignment]  # as uvicorn does

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

    def on_message_begin(self) -> None:
        """Begin to take a head."""
        self.url = b""
        self.scope = scope = self._blank.copy()
        self.headers = scope["headers"] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Begin to answer, or have the request wait for its turn."""
        parser, scope, url = self.parser, self.scope, self.url
        if parser.should_upgrade():
            return
        scope["method"] = parser.get_method().decode("ascii")
        version = parser.get_http_version()
        if version != "1.1":
            scope["http_version"] = version
        if url.startswith(b"/") and b"#" not in url:
            # As mostly, and the server's parser has seen that it is one.
            path, _, query = url.partition(b"?")
        else:
            parsed = parse_url(url)
            path, query = parsed.path, parsed.query or b""
        scope["raw_path"], scope["query_string"] = path, query
        scope["path"] = unquote(path.decode("ascii")) if b"%" in path else path.decode("ascii")
        self.headers = []  # trailers are no headers
        keep_alive = version != "1.0" and parser.should_keep_alive()
        before, writer = self.cycle, Writer(scope, self, keep_alive=keep_alive)
        self.cycle = writer
        if before is None or before.response_complete:
            self._start(writer)
        else:
            self.flow.pause_reading()
            self._queue.append(writer)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._unheeded = 0
        if self.cycle is not None:
            self.cycle.hear(body)

    def on_message_complete(self) -> None:
        """Note that the body is whole."""
        self._unheeded = 0
        if self.cycle is not None and not self.parser.should_upgrade():
            self.cycle.hear_end()

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
        is_answered = self.cycle is not None and self.cycle.response_complete
        return is_answered and not self.is_in_head and self.idle_since <= before

    @property
    def is_in_head(self) -> bool:
        """Whether a request's head has begun, or the first is due, and is not whole."""
        last = self.cycle  # None until the first head is whole
        return last is None or (last.response_complete and self.scope is not last.scope)

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
