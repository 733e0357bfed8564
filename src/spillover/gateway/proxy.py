"""Serve the proxy routes: read a request, hand it to the engine, write its answer, chunk by chunk.

This is the hot path. Refuses to know who may call, and everything that the engine decides.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from spillover.core.values import Operation, RoutingPolicy
from spillover.engine import Answer, Call, Rounds
from spillover.errors import RequestError, SpilloverError
from spillover.gateway.access import owner_of
from spillover.gateway.asgi import JSON, ClientLeft
from spillover.gateway.bodies import read_body
from spillover.gateway.dialects import PASSED, Way, passed_headers, passed_query
from spillover.gateway.recall import Recall, Remembered
from spillover.gateway.vigil import DAWDLE_S, Vigil
from spillover.gateway.visit import REQUEST_ID, answer_error
from spillover.protocols.conversation.fields import encode
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.misaddressed import read_chat
from spillover.protocols.openai_chat import error_body, read_request
from spillover.protocols.translate import broken_off

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.engine import Engine
    from spillover.gateway.asgi import Headers
    from spillover.gateway.visit import Visit

OPERATIONS: Final[dict[str, Operation]] = {
    "/v1/chat/completions": Operation.CHAT,
    "/v1/completions": Operation.COMPLETIONS,
    "/v1/embeddings": Operation.EMBEDDINGS,
}
_SESSION: Final = b"x-spillover-session"
_POLICY: Final = b"x-spillover-policy"
_SPEND: Final = b"x-spillover-spend"
_CACHE: Final = b"x-spillover-cache"
_CACHE_CONTROL: Final = b"cache-control"
_LONGEST_SESSION: Final = 256
_PASSED: Final = PASSED[Dialect.CHAT]
_NONE_PASSED: Final[Mapping[str, str]] = {}


def read_call(body: bytes, operation: Operation, headers: Headers, *, request_id: str) -> Call:
    """Return what a request asks the engine for.

    Raises `RequestError` for a body or headers that can't be understood.
    """
    session, policy = headers.get(_SESSION), headers.get(_POLICY)
    return Call(
        asked=read_chat(body) if operation is Operation.CHAT else read_request(body, operation),
        request_id=request_id,
        session=None if session is None else session[:_LONGEST_SESSION].decode("latin-1"),
        policy=None if policy is None else _policy(policy),
        spend=headers.get(_SPEND, b"").lower() == b"yes",
        passed_headers=_passed(headers),
    )


def _spoken_call(body: bytes, way: Way, visit: Visit) -> Call:
    """Return what a request in another dialect asks for; raises as `read_call` does."""
    headers, query = visit.headers, visit.scope["query_string"]
    session, policy = headers.get(_SESSION), headers.get(_POLICY)
    return Call(
        asked=way.read(body, query),
        request_id=visit.request_id,
        session=None if session is None else session[:_LONGEST_SESSION].decode("latin-1"),
        policy=None if policy is None else _policy(policy),
        spend=headers.get(_SPEND, b"").lower() == b"yes",
        passed_headers=passed_headers(headers, way.dialect),
        passed_query=passed_query(query, way.dialect),
    )


def _owned(call: Call, visit: Visit, *, goes_on: bool = False) -> Call:
    """Return a call with what decides whether a kept answer will do.

    What goes on from an answer that is remembered here is asked anew each time.
    """
    headers = visit.headers
    anew = headers.get(_CACHE, b"").lower() == b"no" or any(
        word in headers.get(_CACHE_CONTROL, b"").lower() for word in (b"no-store", b"no-cache")
    )
    client = owner_of(headers, visit.scope["query_string"])
    return replace(call, client=client, anew=anew or goes_on)


def _policy(written: bytes) -> RoutingPolicy:
    text = written.decode("latin-1").strip().lower()
    try:
        return RoutingPolicy(text)
    except ValueError:
        raise RequestError(
            f"x-spillover-policy: no routing policy is called {text[:40]!r} "
            f"(there are: {', '.join(RoutingPolicy)})"
        ) from None


def _passed(headers: Headers) -> Mapping[str, str]:
    if not any(name in headers for name in _PASSED):
        return _NONE_PASSED
    return passed_headers(headers, Dialect.CHAT)


class Proxy:
    """Serves conversations, completions and embeddings with an engine."""

    def __init__(self, engine: Engine, *, dawdle_s: float = DAWDLE_S) -> None:
        """Serve with `engine`; a client that sends nothing for `dawdle_s` seconds is given up."""
        self._engine = engine
        self._dawdle_s = dawdle_s
        self._rounds = Rounds()
        self.recall = Recall(time.monotonic)
        """What clients of OpenAI's Responses may go on from."""

    async def serve(self, visit: Visit, asked: Operation | Way, *, most: int) -> None:
        """Answer a request whose body may hold `most` bytes; raises nothing but to be cancelled."""
        vigil = Vigil(visit.receive, self._rounds, dawdle_s=self._dawdle_s)
        answer: Answer | None = None
        try:
            body = visit.body_at_hand(most)
            if body is None:
                body = await read_body(vigil.receive, visit.headers, most=most)
            vigil.heard_all()
            if isinstance(asked, Operation):
                call = read_call(body, asked, visit.headers, request_id=visit.request_id)
                del body
                if self._engine.keeps_answers:
                    call = _owned(call, visit)
                answer = await self._engine.answer(call)
            else:
                answer = await self._spoken_to(visit, asked, body)
            whole = answer.body
            if whole is not None:
                vigil.end()
                await visit.answer(answer.status, answer.headers, whole)
                return
            await visit.begin(answer.status, answer.headers)
            give = visit.giver()
            while await answer.pour(give):
                await visit.catch_up()
            vigil.end()
            await visit.end()
        except SpilloverError as error:
            vigil.end()
            await answer_error(visit, error)
        except ClientLeft:
            pass
        except asyncio.CancelledError:
            if not await _is_client_gone(visit, vigil):
                await break_off(visit, 503, "shutting_down", "the gateway is shutting down")
                raise
        finally:
            vigil.end()
            if answer is not None:
                await answer.aclose()

    async def _spoken_to(self, visit: Visit, asked: Way, body: bytes) -> Answer:
        """Return the answer to a client of another dialect than OpenAI's chat."""
        said, owner = body, b""
        if asked.dialect is Dialect.RESPONSES:
            owner = owner_of(visit.headers, visit.scope["query_string"])
            body = self.recall.completed(body, owner)
        call = _spoken_call(body, asked, visit)
        if self._engine.keeps_answers:
            call = _owned(call, visit, goes_on=body is not said)
        if asked.weighed is not None:
            headers = {"content-type": JSON, REQUEST_ID: visit.request_id}
            return Answer(200, headers, body=encode(asked.weighed(self._engine.weigh(call))))
        answer = await self._engine.answer(call)
        if asked.dialect is Dialect.RESPONSES:
            return Remembered(answer, self.recall, body, owner)
        return answer


async def _is_client_gone(visit: Visit, vigil: Vigil) -> bool:
    """Whether the running task was cancelled for its client, who left or is stuck."""
    vigil.end()
    if not vigil.left and not vigil.dawdled:
        return False
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    if vigil.dawdled:
        message = "the body did not arrive: for a while nothing, or hardly anything, came"
        await visit.refuse(408, "invalid_request", message, headers={"connection": "close"})
    return True


async def break_off(visit: Visit, status: int, code: str, message: str) -> None:
    """End an answer that can't go on: with an error, or, where it has begun, an error event."""
    if not visit.started:
        await visit.refuse(status, code, message)
        return
    body = error_body(code, message, request_id=visit.request_id)
    await visit.end(broken_off(body, status, visit.dialect))
