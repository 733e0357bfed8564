"""A transport without a socket, for what is too fine to be timed over one: it notes what it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spillover.upstream import UpstreamBroken
from spillover.upstream.connection import Connection
from tests.upstream.serving import MOST

if TYPE_CHECKING:
    from spillover.upstream.reply import Reply


class Wire(asyncio.Transport):
    """The loop's end of a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.is_paused = False
        self.is_aborted = False
        self.unsent = 0

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.sent.append(data)

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True

    def pause_reading(self) -> None:
        assert not self.is_paused
        self.is_paused = True

    def resume_reading(self) -> None:
        assert self.is_paused
        self.is_paused = False

    def get_write_buffer_size(self) -> int:
        return self.unsent


class Wired:
    """A connection on such a wire; `vacated` counts how often it could take another request."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.vacated = 0
        self.connection = Connection(self._vacant)
        self.connection.connection_made(self.wire)

    def _vacant(self, connection: Connection) -> None:
        assert connection is self.connection
        self.vacated += 1

    def ask(self, *parts: bytes, ends: bool = False) -> Reply:
        """Return the reply to a request, the parts of an answer fed to it as they would come."""
        reply = self.connection.send(b"head", b"body")
        for part in parts:
            if not self.wire.is_aborted:
                self.connection.data_received(part)
        if ends:
            self.connection.connection_lost(None)
        return reply


def read(reply: Reply) -> bytes | UpstreamBroken:
    """Return what an answer that has come in full holds, or how it broke."""

    async def all_of_it() -> bytes:
        await reply.head()
        return await reply.read_all(MOST)

    # Nothing is waited for: the coroutine runs through at once, without a loop.
    running = all_of_it()
    try:
        running.send(None)
    except StopIteration as stopped:
        body: bytes = stopped.value
        return body
    except UpstreamBroken as broken:
        return broken
    finally:
        running.close()
    raise AssertionError("the answer has no end")
