"""Run one HTTP request through an ASGI application in this process, and hand on its answer as it comes.

The application runs in a task of its own. Closing the exchange before the answer's end is a client
that leaves: the task is cancelled, and has ended when `aclose` returns.
Refuses to know which HTTP library asks and what the application does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from spillover.gateway.asgi import Message, Receive, Scope, Send

App: TypeAlias = "Callable[[Scope, Receive, Send], Awaitable[None]]"

MOST_HELD: Final = 1 << 18
"""Bytes of an answer that wait for a slow reader before the application does."""


class ExchangeBroken(Exception):
    """The application ended without ending its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A request, as ASGI's scope and body have it."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    """Names in lower case."""
    body: bytes

    def scope(self) -> Scope:
        """Return the ASGI scope, as if the request came from this machine to its loopback name."""
        headers = [(name, value) for name, value in self.headers if name != b"host"]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": self.query,
            "root_path": "",
            "headers": [(b"host", b"localhost"), *headers],
            "client": ("127.0.0.1", 0),
            "server": ("localhost", 80),
        }


class Exchange:
    """A request on its way through an application; made on the event loop that runs it."""

    def __init__(self, app: App, asking: Asking) -> None:
        """Begin; the application runs from the loop's next turn on."""
        loop = asyncio.get_running_loop()
        self._body: bytes | None = asking.body
        self._head: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = loop.create_future()
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._whole = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._left = asyncio.Event()
        self._task = asyncio.ensure_future(app(asking.scope(), self._receive, self._send))
        self._task.add_done_callback(self._ended)

    async def head(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Return status and headers when they are there.

        Raises `ExchangeBroken` when the application ends without an answer.
        """
        return await asyncio.shield(self._head)

    async def chunk(self) -> bytes:
        """Return the body's next bytes, b"" at its end; raises `ExchangeBroken` when it is cut."""
        while not self._chunks:
            if self._whole:
                return b""
            if self._task.done():
                raise self._broken()
            self._news.clear()
            await self._news.wait()
        chunk = self._chunks.popleft()
        self._held -= len(chunk)
        self._room.set()
        return chunk

    async def aclose(self) -> None:
        """Leave: cancel an application that has not ended, and wait until it has."""
        self._left.set()
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._head.set_result((message["status"], list(message.get("headers", ()))))
            return
        body = message.get("body", b"")
        if body:
            self._chunks.append(bytes(body))
            self._held += len(body)
        self._whole = not message.get("more_body", False)
        self._news.set()
        while self._held > MOST_HELD and not self._whole:
            self._room.clear()
            await self._room.wait()

    def _ended(self, task: asyncio.Future[None]) -> None:
        if not self._head.done():
            self._head.set_exception(self._broken())
            self._head.exception()  # it may be that nobody waits any more
        elif not task.cancelled():
            task.exception()
        self._news.set()

    def _broken(self) -> ExchangeBroken:
        if self._task.cancelled():
            return ExchangeBroken("the exchange was closed")
        error = self._task.exception()
        if error is None:
            return ExchangeBroken("the application ended without ending its answer")
        return ExchangeBroken(f"the application failed: {type(error).__name__}: {error}")
