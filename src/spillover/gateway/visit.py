"""One HTTP request and its answer: who asks for what, and how it is written back.

Every error has the shape of the client's dialect and names the request. Refuses to know routes and the engine.
"""

from __future__ import annotations

import itertools
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.errors import EditRefused, RequestError
from spillover.gateway.access import Arrival
from spillover.gateway.asgi import JSON, WRITER, encoded, headers_of
from spillover.gateway.bodies import BodyUnread, discard
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.openai_chat import error_body
from spillover.protocols.translate import redressed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spillover.engine import Give
    from spillover.errors import SpilloverError
    from spillover.gateway.access import Denial
    from spillover.gateway.asgi import Headers, Receive, Scope, Send, Writer

REQUEST_ID: Final = "x-spillover-request-id"
_ID_HEADERS: Final = (b"x-spillover-request-id", b"x-request-id")
_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_CHALLENGE: Final = {"www-authenticate": "Bearer"}
_UNAUTHORIZED: Final = 401
_encode: Final = msgspec.json.Encoder().encode


class RequestIds:
    """Ids that sort by the time they were given, and differ between processes."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Take the time from `now`, in epoch seconds."""
        self._now = now
        self._process = secrets.token_hex(2)
        self._numbers = itertools.count()

    def next(self) -> str:
        """Return a new id: eleven digits of milliseconds, three of order, four of the process."""
        milliseconds = int(self._now() * 1_000)
        return f"{milliseconds:011x}{next(self._numbers) & 0xFFF:03x}{self._process}"

    def of(self, headers: Headers) -> str:
        """Return the id a client gave its request, where it can stand in a log; else a new one."""
        for name in _ID_HEADERS:
            given = headers.get(name)
            if given is not None and _SANE_ID.fullmatch(given):
                return given.decode("ascii")
        return self.next()


class Visit:
    """A client's request, and the way back to it."""

    __slots__ = (
        "_given",
        "dialect",
        "headers",
        "method",
        "path",
        "receive",
        "request_id",
        "scope",
        "send",
        "started",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, ids: RequestIds) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers = headers_of(scope)
        self.request_id = ids.of(self.headers)
        self.dialect = Dialect.CHAT
        """What the client speaks: errors are told in it."""
        self._given: list[bytes] = []
        """Parts of the body that are still to be sent."""
        self.started = False
        """Whether an answer has begun: its status can't be changed any more."""

    def arrival(self, at: float) -> Arrival:
        """Return what decides whether it may come in, at an instant in epoch seconds."""
        client = self.scope.get("client")
        address = client[0] if client else ""
        return Arrival(self.method, self.headers, self.scope["query_string"], at, address)

    def body_at_hand(self, most: int) -> bytes | None:
        """Return the body if all of it is here, plain and not too large; None: it is to be read."""
        writer: Writer | None = self.scope.get(WRITER)
        if writer is None or b"content-encoding" in self.headers:
            return None
        return writer.body_at_hand(most)

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send an answer's status and headers; its body follows in chunks."""
        self.started = True
        raw = encoded(headers)
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    def giver(self) -> Give:
        """Return what sends a part of the body at once and says whether the client keeps up.

        If not, or if the server can only be awaited, `catch_up` is due before the next.
        """
        writer: Writer | None = self.scope.get(WRITER)
        return self._keep if writer is None else writer.write

    def _keep(self, body: bytes) -> bool:
        self._given.append(body)
        return False

    async def catch_up(self) -> None:
        """Wait until the client has what it was given, but for a little."""
        writer: Writer | None = self.scope.get(WRITER)
        if writer is not None:
            await writer.drained()
        given, self._given = self._given, []
        for body in given:
            await self.chunk(body)

    async def chunk(self, body: bytes) -> None:
        """Send a part of the body."""
        await self.send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, body: bytes = b"") -> None:
        """Send the last part of the body."""
        if self._given:
            await self.catch_up()
        await self.send({"type": "http.response.body", "body": body})

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send a whole answer."""
        self.started = True
        writer: Writer | None = self.scope.get(WRITER)
        if writer is not None:
            writer.answer(status, headers, body)
            return
        raw = encoded(headers)
        raw.append((b"content-length", b"%d" % len(body)))
        await self.send({"type": "http.response.start", "status": status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})

    async def answer_json(self, status: int, document: Any) -> None:
        """Send a whole answer of JSON, which nobody may keep."""
        headers = {
            "content-type": JSON,
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            REQUEST_ID: self.request_id,
        }
        await self.answer(status, headers, _encode(document))

    async def refuse(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send an error."""
        body = error_body(code, message, request_id=self.request_id, param=param)
        body = redressed(body, status, self.dialect)
        own = {"content-type": JSON, REQUEST_ID: self.request_id}
        await self.answer(status, {**own, **(headers or {})}, body)

    async def refuse_unread(self, status: int, code: str, message: str) -> None:
        """Send an error to a client that is still sending, and close when it had time to read it.

        A connection closed under a client that sends is reset, and its unread answer with it.
        """
        body = error_body(code, message, request_id=self.request_id)
        body = redressed(body, status, self.dialect)
        headers = {
            "content-type": JSON,
            "content-length": str(len(body)),
            "connection": "close",
            REQUEST_ID: self.request_id,
        }
        await self.begin(status, headers)
        await self.chunk(body)
        await discard(self.receive)
        await self.end()


async def turn_away(visit: Visit, denial: Denial) -> None:
    """Answer a request that may not come in; its body is not read."""
    challenge = _CHALLENGE if denial.status == _UNAUTHORIZED else {}
    headers = challenge | denial.headers
    await visit.refuse(denial.status, denial.code, denial.message, headers=headers)


async def answer_error(visit: Visit, error: SpilloverError) -> None:
    """Answer a request that can't be served with what its error says."""
    if isinstance(error, BodyUnread):
        await visit.refuse_unread(error.status, error.code, error.message)
        return
    if isinstance(error, EditRefused):
        await _refuse_edit(visit, error)
        return
    param = error.param if isinstance(error, RequestError) else None
    await visit.refuse(error.status, error.code, str(error), param=param)


async def _refuse_edit(visit: Visit, error: EditRefused) -> None:
    """Answer an edit that was not made with what stands in its way."""
    body = msgspec.json.decode(error_body(error.code, str(error), request_id=visit.request_id))
    problems = [problem.fields() for problem in error.problems]
    body["error"] |= {"problems": problems, **error.names}
    await visit.answer_json(error.status, body)
