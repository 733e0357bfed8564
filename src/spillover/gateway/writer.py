"""One request on its connection: its body is handed over, and its answer written.

An answer's head leaves in one write with the first of its body: two cost more than all of the parsing.
Refuses to know what is asked for, and how heads are read.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from spillover.gateway.asgi import WRITER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.gateway.asgi import Message, RawHeaders, Scope
    from spillover.gateway.wire import Connection

_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus
}
_SEVERAL: Final = "a header of an answer holds a line break"
_BODILESS: Final = frozenset({204, 304})


class Writer:
    """One request: its body comes in here, and its answer goes out, the head with the first of the body.

    It is what uvicorn calls a cycle, with nothing made before it is needed.
    """

    __slots__ = (
        "_chunked",
        "_connection",
        "_has_news",
        "_held",
        "_is_whole",
        "_left",
        "_news",
        "_parts",
        "_start",
        "disconnected",
        "keep_alive",
        "response_complete",
        "response_started",
        "scope",
    )

    def __init__(self, scope: Scope, connection: Connection, *, keep_alive: bool) -> None:
        """Take a request whose head is whole; `keep_alive`: its connection may serve another."""
        scope[WRITER] = self
        self.scope = scope
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_started = False
        self.response_complete = False
        self._connection = connection
        self._parts: list[bytes] = []
        """What came of the body and was not handed over."""
        self._held = 0
        """Bytes of that."""
        self._is_whole = False
        """The body has come to its end."""
        self._has_news = False
        """Something of the body, or its end, was not told yet."""
        self._news: asyncio.Event | None = None
        """What is waited on, made for the first who has to wait."""
        self._start: Message | None = None
        self._chunked = False
        self._left = 0
        """Bytes of the answer's body that were promised and not written."""

    # What the connection tells.

    def hear(self, body: bytes) -> None:
        """Take a part of the body; nobody wants it once there is an answer."""
        if self.response_complete:
            return
        self._parts.append(body)
        self._held += len(body)
        if self._held > HIGH_WATER_LIMIT:
            self._connection.flow.pause_reading()
        self._wake()

    def hear_end(self) -> None:
        """Note that the body is whole."""
        self._is_whole = True
        self._wake()

    def lose(self) -> None:
        """Note that the client left, if it has no answer yet."""
        self.disconnected = not self.response_complete
        self._wake()

    def _wake(self) -> None:
        self._has_news = True
        if self._news is not None:
            self._news.set()

    # What the application asks.

    def body_at_hand(self, most: int) -> bytes | None:
        """Return the body, once, if all of it is here: `most` bytes or less; None: receive it."""
        if self._is_whole and self._has_news and self._held <= most and not self.disconnected:
            return self._taken()
        return None

    async def receive(self) -> Message:
        """Return the next part of the request, or that its client left."""
        while not (self._has_news or self.disconnected or self.response_complete):
            await self._more()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self._taken(), "more_body": not self._is_whole}

    def _taken(self) -> bytes:
        body = b"".join(self._parts)
        self._parts.clear()
        if self._held > HIGH_WATER_LIMIT:
            self._connection.flow.resume_reading()
        self._held = 0
        self._has_news = False
        return body

    async def _more(self) -> None:
        """Wait for news of the client; one that asked whether to send its body is told to."""
        connection = self._connection
        connection.flow.resume_reading()
        news = self._news
        if news is None:
            news = self._news = asyncio.Event()
            is_due = not (self._is_whole or self.response_started)
            if is_due and _awaits_word(self.scope["headers"]):
                connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        news.clear()
        await news.wait()

    async def send(self, message: Message) -> None:
        """Take a part of the answer; waits while the client reads too slowly."""
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            self._start = message
            self.response_started = True
            return
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            self._connection.transport.write(self._begun() + self._framed(body, more=False))
            self._end()
        elif not self.write(body):
            await self.drained()

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Write a whole answer; raises `ValueError` for a header that would be several."""
        if self.disconnected:
            return
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
            raise ValueError(_SEVERAL)
        if headers.get("connection") == "close":
            self.keep_alive = False
        elif not self.keep_alive:
            lines += "connection: close\r\n"
        head = b"%bcontent-length: %d\r\n%b\r\n" % (
            _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status,
            len(body),
            lines.encode("latin-1", "replace"),
        )
        self.response_started = True
        self._connection.transport.write(head if self.scope["method"] == "HEAD" else head + body)
        self._end()

    def write(self, body: bytes) -> bool:
        """Write a part of the answer that is not the last; return whether the client keeps up."""
        if self.disconnected:
            return True
        connection = self._connection
        begun = b"" if self._start is None else self._begun()
        connection.transport.write(begun + self._framed(body, more=True))
        return not connection.flow.write_paused

    async def drained(self) -> None:
        """Wait until the client has read what was written, but for a little."""
        await self._connection.flow.drain()

    def _begun(self) -> bytes:
        """Return the answer's head, once."""
        start, self._start = self._start, None
        return b"" if start is None else self._head(start["status"], start["headers"])

    def _head(self, status: int, headers: RawHeaders) -> bytes:
        parts = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        length = closes = None
        for header in headers:
            parts.append(b"%b: %b\r\n" % header)
            if header[0] == b"content-length":
                length = int(header[1])
            elif header[0] == b"connection":
                closes = header[1] == b"close"
        if closes:
            self.keep_alive = False
        elif not self.keep_alive:
            parts.append(b"connection: close\r\n")
        if self.scope["method"] == "HEAD" or status in _BODILESS:
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
        self.response_complete = True
        self._wake()
        if not self.keep_alive:
            self._connection.transport.close()
        self._connection.on_response_complete()


def _awaits_word(headers: RawHeaders) -> bool:
    """Whether a client sends its body only when it is told to go on."""
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers)
