"""Hold one connection to a provider: a request goes out on it, its answer comes in, again and again.

Refuses to know what answers say, who they are for and how connections come about.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from spillover.upstream.faults import fault_in_use
from spillover.upstream.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable


class Connection(asyncio.Protocol):
    """An open connection; `vacant` is called whenever it can take another request."""

    __slots__ = (
        "__weakref__",
        "_is_paused",
        "_loop",
        "_reply",
        "_transport",
        "_vacant",
        "idle_since",
        "sends_much",
    )

    def __init__(self, vacant: Callable[[Connection], None]) -> None:
        """Begin without a transport."""
        self.idle_since = 0.0
        """When it became vacant, by the clock that nobody sets."""
        self.sends_much = False
        """The request is so large that an answer may come before it is out."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._vacant = vacant
        self._reply: Reply | None = None
        self._is_paused = False

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the answer that is due."""
        reply = self._reply
        if reply is not None:
            reply.feed(data)
        else:  # they belong to no request: whatever they are, the connection is spoilt
            self._transport.abort()

    def eof_received(self) -> None:
        """End it at once: what is still to be sent would keep it open on this side."""
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the answer that is due."""
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.lost(None if error is None else fault_in_use(error))

    # What the pool and the answer ask.

    @property
    def is_open(self) -> bool:
        """Whether a request may go out on it."""
        return not self._transport.is_closing()

    def send(self, head: bytes, body: bytes) -> Reply:
        """Send a request; the answer comes in the returned reply."""
        self._reply = reply = Reply(self)
        self.sends_much = len(body) >= LARGE
        if self.sends_much:
            self._transport.writelines((head, body))
        else:
            self._transport.write(head + body)
        return reply

    def future(self) -> asyncio.Future[None]:
        """Return what can be waited for on the running loop."""
        if self._loop is None:  # asked for once: Python 3.11 asks the system each time
            self._loop = asyncio.get_running_loop()
        return self._loop.create_future()

    def pause(self) -> None:
        """Let the provider wait: the reader is slow."""
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._is_paused:
            self._is_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def release(self, *, keep: bool) -> None:
        """End what is under way; `keep` it for another request, else close it."""
        self._reply = None
        self.resume()
        # An answer that came before its request was out: the next would wait behind the rest.
        if keep and not self._transport.get_write_buffer_size():
            self._vacant(self)
        else:
            self.close()

    def close(self) -> None:
        """Close it at once; nothing that is still to be sent goes out."""
        self._transport.abort()


LARGE: Final = 1 << 16
"""Bodies from here on are not copied behind their head, and may not fit into sockets."""
