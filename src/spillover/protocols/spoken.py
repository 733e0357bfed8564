"""Read what clients of other dialects than OpenAI's chat ask, and write any request for an upstream.

Where both sides speak one dialect the request's bytes pass, but for the model's name; a marked seal
(`carries_marks`) alone has it read and written anew. Refuses to know profiles and addresses.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from spillover.core.values import Demand, Operation, RoutingPolicy, Value
from spillover.protocols.chat.requests_in import read_fields as read_chat
from spillover.protocols.conversation.requests import Request, Target, Written
from spillover.protocols.conversation.seals import Dialect, carries_marks
from spillover.protocols.conversation.weight import demand_of
from spillover.protocols.gemini.requests_in import read_request as read_gemini
from spillover.protocols.openai_chat import Asked, InvalidRequest
from spillover.protocols.surrogates import whole_characters
from spillover.protocols.translate import READ_REQUEST, WRITE_REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode: Final = msgspec.json.Encoder().encode


class Spoken(Value, frozen=True, kw_only=True):
    """A client's request in another dialect than OpenAI's chat; it shows what `Asked` shows."""

    dialect: Dialect
    body: bytes
    request: Request
    array: bool = False
    """A client of Gemini's wants one JSON array: it did not ask for `alt=sse`."""

    @property
    def operation(self) -> Operation:
        """A conversation, always."""
        return Operation.CHAT

    @property
    def model(self) -> str | None:
        """What the client asks for; None: nothing."""
        return self.request.model

    @property
    def stream(self) -> bool:
        """Whether the answer is to come in pieces."""
        return self.request.stream

    @property
    def choices(self) -> int:
        """How many answers are to come."""
        return self.request.choices

    @property
    def client_wants_usage(self) -> bool:
        """Always: these dialects tell it unasked."""
        return self.request.wants_usage

    def demand(
        self,
        *,
        session: str | None = None,
        policy: RoutingPolicy | None = None,
        spend_allowed: bool = False,
    ) -> Demand:
        """Return what the core needs to know of this request."""
        return replace(
            demand_of(self.request), session=session, policy=policy, spend_allowed=spend_allowed
        )


def read_spoken_request(body: bytes, dialect: Dialect) -> Spoken:
    """Return what a client of Anthropic's protocol or of Responses asks; raises `InvalidRequest`."""
    body, request = _read_whole(body, READ_REQUEST[dialect])
    return Spoken(dialect=dialect, body=body, request=request)


def read_gemini_request(body: bytes, *, model: str, stream: bool, array: bool) -> Spoken:
    """Return what a client of Gemini asks; its address says all but the body. Raises `InvalidRequest`."""
    body, request = _read_whole(body, partial(read_gemini, model=model, stream=stream))
    return Spoken(dialect=Dialect.GEMINI, body=body, request=request, array=array and stream)


def _read_whole(body: bytes, read: Callable[[bytes], Request]) -> tuple[bytes, Request]:
    """Return a body that any upstream can read, and what it asks."""
    try:
        return body, read(body)
    except InvalidRequest:
        mended = whole_characters(body)
        if mended is None:
            raise
    return mended, read(mended)


def read_anew(asked: Spoken, body: bytes) -> Spoken:
    """Return a request with another body; all else that its client said stays."""
    if asked.dialect is not Dialect.GEMINI:
        return read_spoken_request(body, asked.dialect)
    request = read_gemini(body, model=asked.model, stream=asked.stream)
    return replace(asked, body=body, request=request)


def dialect_of(asked: Asked | Spoken) -> Dialect:
    """Return what the client speaks."""
    return Dialect.CHAT if isinstance(asked, Asked) else asked.dialect


def write_for(asked: Asked | Spoken, dialect: Dialect, target: Target) -> Written:
    """Return a request for an upstream that speaks `dialect`, and what it could not carry."""
    if dialect_of(asked) is dialect:
        same = _renamed(asked, target)
        if not carries_marks(same):
            return Written(body=same)
    if isinstance(asked, Spoken):
        return WRITE_REQUEST[dialect](asked.request, target)
    if asked.operation is not Operation.CHAT:
        return Written(body=b"", lacks=(asked.operation.value,))
    try:
        request = read_chat(asked.fields)
    except InvalidRequest as error:  # what only a provider of OpenAI's chat may understand
        return Written(body=b"", lacks=(error.param or error.message,))
    return WRITE_REQUEST[dialect](request, target)


def _renamed(asked: Asked | Spoken, target: Target) -> bytes:
    """Return a request as it came, with the upstream's name of the model."""
    if isinstance(asked, Asked):
        return asked.body_for(target.model, ask_usage=target.asks_usage)
    if asked.dialect is Dialect.GEMINI:
        return asked.body
    fields: Mapping[str, msgspec.Raw] = _fields.decode(asked.body)
    written: dict[str, Any] = {**fields, "model": target.model}
    return _encode(written)
