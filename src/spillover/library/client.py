"""Use Spillover inside one's own program: the gateway's engine and ledger, without the gateway.

Refuses to know HTTP: SDKs that speak it get a client whose requests end up here.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import msgspec

from spillover.engine import open_engine
from spillover.library.answers import (
    ChatAnswer,
    calls_of,
    first_of,
    reasoning_of,
    sent,
    text_of,
)
from spillover.library.asking import ChatFields, Messages, call_of
from spillover.library.assembling import Assembly
from spillover.library.finding import found_config
from spillover.library.forms import form_of
from spillover.library.refusing import error_of, interrupted
from spillover.protocols.sse import Splitter, payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path
    from typing import Unpack

    import httpx
    import httpx2

    from spillover.core.refusals import Ending
    from spillover.core.values import Usage
    from spillover.engine import Answer, Call, Engine
    from spillover.errors import Sent
    from spillover.library.answers import Chunk
    from spillover.library.exchange import App
    from spillover.library.forms import Form, ResponseFormat
    from spillover.library.sync import SyncSpillover

T = TypeVar("T")

CLOSE_WITHIN_S = 30.0
"""How long calls of other tasks are waited for when an opened library closes."""
_DONE = b"[DONE]"


class Spillover:
    """A chain's answers, from the first profile with room; made by `open`.

    It shares limits, cooldowns, pins and disabled profiles with every other process on the machine
    that uses the same state folder, a running gateway among them.
    """

    def __init__(self, engine: Engine) -> None:
        """Serve with `engine`, which the maker closes."""
        self._engine = engine
        self._app: App | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, path: str | Path | None = None) -> AsyncIterator[Spillover]:
        """Open a configuration file; None: the one that the gateway would find.

        Raises ConfigError with every problem of the file, LedgerError when counting is impossible.
        """
        loaded = await found_config(path, os.environ)
        engine = await open_engine(loaded)
        try:
            yield cls(engine)
        finally:
            await engine.close(grace_s=CLOSE_WITHIN_S)

    @classmethod
    @contextmanager
    def open_sync(cls, path: str | Path | None = None) -> Iterator[SyncSpillover]:
        """Open the same for code without an event loop; any number of threads may use it."""
        from spillover.library.sync import SyncSpillover  # noqa: PLC0415 - it imports this module

        with SyncSpillover.opened(path) as llm:
            yield llm

    @overload
    async def chat(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: type[T],
        **fields: Unpack[ChatFields],
    ) -> ChatAnswer[T]: ...

    @overload
    async def chat(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: Mapping[str, Any] | None = None,
        **fields: Unpack[ChatFields],
    ) -> ChatAnswer[Any]: ...

    async def chat(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: ResponseFormat = None,
        **fields: Unpack[ChatFields],
    ) -> ChatAnswer[Any]:
        """Return a whole answer.

        `model` is a chain, a profile or an alias; None: the default chain. `response_format` is a
        type (Pydantic's or one that msgspec reads), a JSON schema, or OpenAI's own: the answer's
        `parsed` is such a value. Cancelling the waiting task ends the call at its provider, and
        what it used is counted.
        Raises RequestError, NoProfileAvailable, AllAttemptsFailed, LedgerError.
        """
        form = form_of(response_format)
        call = call_of(messages, model=model, stream=False, fields=fields, form=form)
        answer = await self._engine.answer(call)
        if answer.status != HTTPStatus.OK or answer.body is None:
            raise error_of(answer)
        return _whole(msgspec.json.decode(answer.body), answer, call.request_id, form)

    @overload
    def stream(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: type[T],
        **fields: Unpack[ChatFields],
    ) -> ChatStream[T]: ...

    @overload
    def stream(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: Mapping[str, Any] | None = None,
        **fields: Unpack[ChatFields],
    ) -> ChatStream[Any]: ...

    def stream(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        response_format: ResponseFormat = None,
        **fields: Unpack[ChatFields],
    ) -> ChatStream[Any]:
        """Return an answer that comes in chunks: iterate over it.

        Fields and errors are those of `chat`, and StreamInterrupted when it breaks off behind its
        first content; nothing is sent before the first chunk is asked for.
        """
        form = form_of(response_format)
        call = call_of(messages, model=model, stream=True, fields=fields, form=form)
        return ChatStream(self._engine, call, form)

    async def status(self) -> dict[str, Any]:
        """Return how every chain and profile stands: the document of `GET /api/status`."""
        await self._engine.ledger.record()  # other processes' latest changes
        return self._engine.status()

    async def explain(
        self,
        messages: Messages = "hi",
        *,
        model: str | None = None,
        response_format: ResponseFormat = None,
        **fields: Unpack[ChatFields],
    ) -> dict[str, Any]:
        """Return who would serve such a chat and why the others would not; nothing is sent."""
        await self._engine.ledger.record()
        form = form_of(response_format)
        call = call_of(messages, model=model, stream=False, fields=fields, form=form)
        return self._engine.explain(call)

    def httpx_client(self) -> httpx.AsyncClient:
        """Return a client for SDKs on httpx; its requests run here, whatever host they name.

        Raises ImportError when httpx is not installed.
        """
        client: httpx.AsyncClient = self._client("httpx")
        return client

    def httpx2_client(self) -> httpx2.AsyncClient:
        """Return a client for SDKs on httpx2; its requests run here, whatever host they name.

        Raises ImportError when httpx2 is not installed.
        """
        client: httpx2.AsyncClient = self._client("httpx2")
        return client

    def _client(self, library: str) -> Any:
        from spillover.library import transports  # noqa: PLC0415 - few need it

        return transports.async_client(transports.client_library(library), self.app)

    @property
    def app(self) -> App:
        """The gateway's ASGI application over this engine, open to this process alone."""
        if self._app is None:
            from spillover.gateway import Gateway, Settings  # noqa: PLC0415 - few need it

            self._app = Gateway(self._engine, Settings())
        return self._app


class ChatStream(Generic[T]):
    """An answer that comes in chunks; iterate over it once.

    Leaving the loop early ends the call at its provider, and what it used is counted.
    """

    def __init__(self, engine: Engine, call: Call, form: Form[T] | None = None) -> None:
        """Hold what will be asked for at the first chunk."""
        self._engine = engine
        self._call = call
        self._form = form
        self._assembly = Assembly()
        self._whole: ChatAnswer[T] | None = None
        self._answer: Answer | None = None
        self._begun = False

    @property
    def request_id(self) -> str:
        """The request's own name, as in logs and events."""
        return self._call.request_id

    @property
    def profile(self) -> str | None:
        """Who serves it; None before the first chunk."""
        return None if self._answer is None else self._answer.headers.get("x-spillover-profile")

    @property
    def trail(self) -> tuple[Sent, ...]:
        """Every send in order; empty before the stream's end."""
        return _trail(None if self._answer is None else self._answer.ending)

    @property
    def usage(self) -> Usage | None:
        """What was counted; None before the stream's end."""
        return None if self._answer is None else self._answer.usage

    @property
    def answer(self) -> ChatAnswer[T]:
        """The whole answer, put together; raises RuntimeError before the stream's end."""
        if self._whole is None:
            raise RuntimeError("the stream has not been read to its end")
        return self._whole

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        """Yield the chunks."""
        # A generator that nothing but the reader's loop holds: it closes as soon as that is left.
        if self._begun:
            raise RuntimeError("a stream can be read once: ask for another")
        self._begun = True
        answer = self._answer = await self._engine.answer(self._call)
        if answer.status != HTTPStatus.OK:
            raise error_of(answer)
        splitter = Splitter()
        try:
            async for piece in answer:
                for event in splitter.feed(piece):
                    raw = _document(event, answer)
                    if raw is not None:
                        yield self._assembly.take(raw)
            self._whole = _whole(self._assembly.whole(), answer, self._call.request_id, self._form)
        finally:
            await answer.aclose()

    async def aclose(self) -> None:
        """Leave the stream; harmless when it has ended, or not begun."""
        self._begun = True
        if self._answer is not None:
            await self._answer.aclose()


def _document(event: bytes, answer: Answer) -> dict[str, Any] | None:
    """Return what an event says; None for one that carries nothing. Raises StreamInterrupted."""
    data = payload(event).data
    if data is None or data == _DONE:
        return None
    raw: dict[str, Any] = msgspec.json.decode(data)
    if "error" in raw:
        raise interrupted(answer.ending)
    return raw


def _whole(
    raw: dict[str, Any], answer: Answer, request_id: str, form: Form[Any] | None
) -> ChatAnswer[Any]:
    first = first_of(raw)
    message = first.get("message") or {}
    return ChatAnswer(
        text=text_of(message),
        reasoning=reasoning_of(message),
        tool_calls=tuple(calls_of(message)),
        finish_reason=first.get("finish_reason"),
        profile=answer.headers.get("x-spillover-profile", ""),
        trail=_trail(answer.ending),
        usage=answer.usage,
        request_id=request_id,
        raw=raw,
        form=form,
    )


def _trail(ending: Ending | None) -> tuple[Sent, ...]:
    return () if ending is None else sent(ending.trail)
