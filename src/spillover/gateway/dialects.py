"""Read what clients of Anthropic, Gemini and OpenAI's Responses send to which address.

Refuses to know who may call, who serves, and OpenAI's older routes (`proxy` has them, they are hot).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qs

import msgspec

from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.spoken import Spoken, read_gemini_request, read_spoken_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spillover.gateway.asgi import Headers

PASSED: Final = {
    Dialect.CHAT: (b"openai-beta",),
    Dialect.RESPONSES: (b"openai-beta",),
    Dialect.ANTHROPIC: (b"anthropic-version", b"anthropic-beta"),
    Dialect.GEMINI: (),
}
"""Headers of a client that go to an upstream of its own protocol; no other header does."""
_GEMINI: Final = re.compile(
    r"/v1(?:beta)?/models/(?P<model>.+):(?P<verb>generateContent|streamGenerateContent|countTokens)",
    re.DOTALL,  # a name is looked up whatever it is made of
)
PATHS: Final = (
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/responses",
    "/v1beta/models/{model}:generateContent",
    "/v1beta/models/{model}:streamGenerateContent",
    "/v1beta/models/{model}:countTokens",
)
"""What there is, for those who look for something like it."""


class Way(NamedTuple):
    """What an address means."""

    dialect: Dialect
    read: Callable[[bytes, bytes], Spoken]
    """Read a body, and the address's query."""
    weighed: Callable[[int], Any] | None = None
    """Only the request's tokens are asked for: this writes the answer."""


def way_of(path: str) -> Way | None:
    """Return what a path means to clients of these dialects; None: nothing."""
    found = _WAYS.get(path)
    if found is not None:
        return found
    match = _GEMINI.fullmatch(path)
    return None if match is None else _gemini(match["model"], match["verb"])


def _anthropic(body: bytes, _query: bytes) -> Spoken:
    return read_spoken_request(body, Dialect.ANTHROPIC)


def _anthropic_counted(body: bytes, _query: bytes) -> Spoken:
    """Read a request that need not say how long its answer may be."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _anthropic(body, _query)  # which says what is wrong
    return _anthropic(msgspec.json.encode({"max_tokens": 1, **fields}), _query)


def _responses(body: bytes, _query: bytes) -> Spoken:
    return read_spoken_request(body, Dialect.RESPONSES)


_WAYS: Final = {
    "/v1/messages": Way(Dialect.ANTHROPIC, _anthropic),
    "/v1/messages/count_tokens": Way(
        Dialect.ANTHROPIC, _anthropic_counted, lambda tokens: {"input_tokens": tokens}
    ),
    "/v1/responses": Way(Dialect.RESPONSES, _responses),
}


def _gemini(model: str, verb: str) -> Way:
    stream = verb == "streamGenerateContent"

    def read(body: bytes, query: bytes) -> Spoken:
        array = parse_qs(query.decode("latin-1")).get("alt") != ["sse"]
        return read_gemini_request(body, model=model, stream=stream, array=array)

    def read_counted(body: bytes, query: bytes) -> Spoken:
        return read(_unwrapped(body), query)

    if verb == "countTokens":
        return Way(Dialect.GEMINI, read_counted, lambda tokens: {"totalTokens": tokens})
    return Way(Dialect.GEMINI, read)


class _Wrapped(msgspec.Struct):
    inner: msgspec.Raw = msgspec.field(name="generateContentRequest", default=msgspec.Raw())


def _unwrapped(body: bytes) -> bytes:
    """Return the request whose tokens are to be counted: it may stand within another."""
    try:
        inner = msgspec.json.decode(body, type=_Wrapped).inner
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # whoever reads it says what is wrong
    return bytes(inner) or body


def dialect_at(path: str, headers: Headers) -> Dialect:
    """Return what a client speaks who asks for something that is no conversation."""
    if path.startswith("/v1beta/"):
        return Dialect.GEMINI
    if path.startswith("/v1/models") and b"x-goog-api-key" in headers:
        return Dialect.GEMINI  # the newest of Google's SDKs asks there
    if path.startswith("/v1/") and b"anthropic-version" in headers:
        return Dialect.ANTHROPIC
    return Dialect.CHAT


def passed_headers(headers: Headers, dialect: Dialect) -> Mapping[str, str]:
    """Return the headers that go to an upstream of the client's own protocol."""
    names = [name for name in PASSED[dialect] if name in headers]
    return {name.decode("ascii"): headers[name].decode("latin-1") for name in names}


def passed_query(query: bytes, dialect: Dialect) -> str:
    """Return what of an address's query goes there: Anthropic's `beta`."""
    if dialect is not Dialect.ANTHROPIC:
        return ""
    return "beta=true" if parse_qs(query.decode("latin-1")).get("beta") == ["true"] else ""
