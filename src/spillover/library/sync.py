"""Use Spillover from code without an event loop: the same verbs, each waiting for its answer.

Refuses to do anything itself: an event loop in a thread of its own does.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from spillover.library.client import Spillover
from spillover.library.looping import LoopThread
from spillover.library.transports import client_library, sync_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path
    from typing import Unpack

    import httpx
    import httpx2

    from spillover.core.values import Usage
    from spillover.errors import Sent
    from spillover.library.answers import ChatAnswer, Chunk
    from spillover.library.asking import ChatFields, Messages
    from spillover.library.client import ChatStream
    from spillover.library.forms import ResponseFormat

T = TypeVar("T")


class SyncSpillover:
    """What `Spillover` is, for threads; made by `Spillover.open_sync`."""

    def __init__(self, llm: Spillover, loop: LoopThread) -> None:
        """Use `llm`, which lives on `loop`."""
        self._llm = llm
        self._loop = loop

    @classmethod
    @contextmanager
    def opened(cls, path: str | Path | None) -> Iterator[SyncSpillover]:
        """Open a configuration on an event loop in a new thread."""
        loop = LoopThread("spillover")
        try:
            opening = Spillover.open(path)
            llm = loop.run(opening.__aenter__())
            try:
                yield cls(llm, loop)
            finally:
                loop.run(opening.__aexit__(None, None, None))
        finally:
            loop.stop()

    @overload
    def chat(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: type[T],
        **fields: Unpack[ChatFields],
    ) -> ChatAnswer[T]: ...

    @overload
    def chat(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: Mapping[str, Any] | None = None,
        **fields: Unpack[ChatFields],
    ) -> ChatAnswer[Any]: ...

    def chat(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: Any = None,
        **fields: Unpack[ChatFields],
    ) -> ChatAnswer[Any]:
        """Return a whole answer; as `Spillover.chat`."""
        return self._loop.run(
            self._llm.chat(messages, model=model, response_format=response_format, **fields)
        )

    @overload
    def stream(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: type[T],
        **fields: Unpack[ChatFields],
    ) -> SyncChatStream[T]: ...

    @overload
    def stream(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: Mapping[str, Any] | None = None,
        **fields: Unpack[ChatFields],
    ) -> SyncChatStream[Any]: ...

    def stream(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: Any = None,
        **fields: Unpack[ChatFields],
    ) -> SyncChatStream[Any]:
        """Return an answer that comes in chunks; as `Spillover.stream`."""
        stream = self._llm.stream(messages, model=model, response_format=response_format, **fields)
        return SyncChatStream(stream, self._loop)

    def status(self) -> dict[str, Any]:
        """Return how every chain and profile stands: the document of `GET /api/status`."""
        return self._loop.run(self._llm.status())

    def explain(
        self,
        messages: Messages = "hi",
        *,
        model: str | None = None,
        response_format: ResponseFormat = None,
        **fields: Unpack[ChatFields],
    ) -> dict[str, Any]:
        """Return who would serve such a chat and why the others would not; nothing is sent."""
        return self._loop.run(
            self._llm.explain(messages, model=model, response_format=response_format, **fields)
        )

    def httpx_client(self) -> httpx.Client:
        """Return a client for SDKs on httpx; as `Spillover.httpx_client`."""
        client: httpx.Client = self._client("httpx")
        return client

    def httpx2_client(self) -> httpx2.Client:
        """Return a client for SDKs on httpx2; as `Spillover.httpx2_client`."""
        client: httpx2.Client = self._client("httpx2")
        return client

    def _client(self, library: str) -> Any:
        return sync_client(client_library(library), self._llm.app, self._loop)


class SyncChatStream(Generic[T]):
    """An answer that comes in chunks, for threads; iterate over it once.

    Leaving the loop early ends the call at its provider, and what it used is counted.
    """

    def __init__(self, stream: ChatStream[T], loop: LoopThread) -> None:
        """Read `stream`, which lives on `loop`."""
        self._stream = stream
        self._loop = loop

    @property
    def request_id(self) -> str:
        """The request's own name, as in logs and events."""
        return self._stream.request_id

    @property
    def profile(self) -> str | None:
        """Who serves it; None before the first chunk."""
        return self._stream.profile

    @property
    def trail(self) -> tuple[Sent, ...]:
        """Every send in order; empty before the stream's end."""
        return self._stream.trail

    @property
    def usage(self) -> Usage | None:
        """What was counted; None before the stream's end."""
        return self._stream.usage

    @property
    def answer(self) -> ChatAnswer[T]:
        """The whole answer, put together; raises RuntimeError before the stream's end."""
        return self._stream.answer

    def __iter__(self) -> Iterator[Chunk]:
        """Yield the chunks; leave the stream when the caller does."""
        chunks = aiter(self._stream)
        try:
            while (chunk := self._loop.run(_next(chunks))) is not None:
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        """Leave the stream; harmless when it has ended."""
        self._loop.run(self._stream.aclose())


async def _next(chunks: AsyncIterator[Chunk]) -> Chunk | None:
    return await anext(chunks, None)
