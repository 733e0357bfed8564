"""Speak HTTP/1.1 over one connection: whole requests in, plays performed byte for byte.

Refuses to know what the bytes mean. Times of a play are kept on an absolute schedule, so that a
late write never delays the next ones; a reader that does not read holds up its own play only.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol, cast

import httptools

from spillover.simulator.exchange import Performance, Request
from spillover.simulator.plays import Ending, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINGER_NOT: Final = struct.pack("ii", 1, 0)
"""Closing a socket with no time to linger resets the connection."""
_TCP: Final = (socket.AF_INET, socket.AF_INET6)
_NOT_HTTP: Final = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Stage(Protocol):
    """What decides the plays, and hears how they ended."""

    def handle(self, request: Request) -> Performance:
        """Return what to do about a request."""

    def finish(self, done: Performance, *, performed: bool, chars: int) -> None:
        """Hear whether all of a play was written, and how many characters of content."""


class Connection(asyncio.Protocol):
    """One client; requests sent ahead are answered in their order."""

    def __init__(
        self,
        stage: Stage,
        open_ones: set[Connection],
    ) -> None:
        """Take what decides the plays, and the set to be in while open."""
        self._stage = stage
        self._open_ones = open_ones
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._busy = False
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._target = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._playing: Performance | None = None
        self._steps: Iterator[Step] = iter(())
        self._next: Step | None = None
        self._began_at = 0.0
        self._chars = 0
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._is_told = False

    @property
    def idle(self) -> bool:
        """Whether no request is being answered or read."""
        return not self._busy and not self._headers

    def abort(self) -> None:
        """Drop the connection at once."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # By its verbs, not its class: uvloop's own derives from none.
        self._transport = cast("asyncio.Transport", transport)
        self._open_ones.add(self)
        own = transport.get_extra_info("socket")
        if own is not None and own.family in _TCP:
            # A listener made without a protocol number keeps asyncio from doing it.
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        """End whatever is being performed."""
        del exc
        self._open_ones.discard(self)
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._end(performed=False)

    def data_received(self, data: bytes) -> None:
        """Read on; what is no HTTP is told so."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The offer of another protocol is left alone: the request itself was answered.
            return
        except httptools.HttpParserCallbackError:
            # Not the client's fault: it must be seen, not answered.
            self.abort()
            raise
        except httptools.HttpParserError:
            self._transport.write(_NOT_HTTP)
            self._transport.close()

    def pause_writing(self) -> None:
        """Hold the play: the client does not read."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on; what is overdue goes out at once."""
        self._paused = False
        if self._playing is not None and self._timer is None:
            self._perform()

    def on_url(self, url: bytes) -> None:
        """Take (a part of) the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Invite the body, where the client waits to be."""
        expects = any(name == "expect" for name, _ in self._headers)
        if expects:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Answer the request, or have it wait for the one before."""
        parser = self._parser
        request = Request(
            method=parser.get_method().decode("latin-1"),
            target=self._target.decode("latin-1"),
            headers=tuple(self._headers),
            body=b"".join(self._body),
            chunked=parser.get_http_version() != "1.0",
            keep=parser.should_keep_alive(),
        )
        self._target, self._headers, self._body = b"", [], []
        if not self._busy and not self._waiting:
            self._begin(request)
        else:
            self._waiting.append(request)

    def _begin(self, request: Request) -> None:
        self._busy = True
        self._playing = self._stage.handle(request)
        self._steps = iter(self._playing.play.steps)
        self._began_at = self._loop.time()
        self._chars = 0
        self._next = next(self._steps, None)
        self._perform()

    def _perform(self) -> None:
        """Write every step that is due, then wait for the next one or for the reader."""
        self._timer = None
        transport = self._transport
        while (step := self._next) is not None:
            if self._paused:
                return
            due_at = self._began_at + step.at_s
            if step.at_s and due_at > self._loop.time():
                self._timer = self._loop.call_at(due_at, self._perform)
                return
            self._chars += step.chars
            self._next = next(self._steps, None)
            if self._next is None:
                self._tell_end()
            if step.data:
                transport.write(step.data)
        if self._playing is not None:
            self._close(self._playing.play.ending)

    def _close(self, ending: Ending) -> None:
        """Do what a play ends with."""
        transport = self._transport
        match ending:
            case Ending.KEEP:
                self._end(performed=True)
                if self._waiting:
                    self._loop.call_soon(self._resume)
            case Ending.CLOSE:
                self._end(performed=True)
                transport.close()
            case Ending.RESET:
                self._end(performed=True)
                _reset(transport)
            case Ending.STALL:
                # Ended by the client, in `connection_lost`.
                pass

    def _resume(self) -> None:
        if self._playing is None and self._waiting:
            self._begin(self._waiting.popleft())

    def _tell_end(self) -> None:
        """Have the answer counted before its last bytes leave: who has them may ask at once."""
        playing = self._playing
        if playing is not None and playing.play.ending is not Ending.STALL:
            self._is_told = True
            self._stage.finish(playing, performed=True, chars=self._chars)

    def _end(self, *, performed: bool) -> None:
        playing, self._playing = self._playing, None
        self._busy = False
        self._steps, self._next = iter(()), None
        is_told, self._is_told = self._is_told, False
        if playing is not None and not is_told:
            self._stage.finish(playing, performed=performed, chars=self._chars)


def _reset(transport: asyncio.Transport) -> None:
    """Send RST. A copy of the descriptor sets the option: not every loop's own socket lets us."""
    own = transport.get_extra_info("socket")
    if own is not None:
        with socket.socket(fileno=socket.dup(own.fileno())) as copy:
            copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
