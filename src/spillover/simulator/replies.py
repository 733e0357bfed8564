"""What a simulated provider answers with, as values: whole replies, and why it complains.

Refuses to know sockets and flavours.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

Headers: TypeAlias = tuple[tuple[str, str], ...]
Json: TypeAlias = dict[str, Any]


class Complaint(StrEnum):
    """Why a provider does not serve a request; each flavour words it in its own way."""

    UNAUTHORIZED = "unauthorized"
    MODEL_NOT_FOUND = "model_not_found"
    CONTEXT_LENGTH = "context_length"
    BAD_REQUEST = "bad_request"
    STREAM_OPTIONS = "stream_options"
    """The field `stream_options` is not accepted."""
    CONTENT_FILTER = "content_filter"
    PAYMENT_REQUIRED = "payment_required"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What a complaint may mention of the request that it answers."""

    model: str = ""
    masked_key: str = ""
    prompt_tokens: int = 0
    context_tokens: int = 0
    message: str = ""
    """What is wrong with a bad request."""
    param: str | None = None
    """The field that a bad request got wrong."""
    now: float = 0.0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole HTTP answer, but for the headers that framing decides."""

    status: int
    body: bytes
    headers: Headers = ()
    content_type: str = "application/json"

    def with_headers(self, *headers: tuple[str, str]) -> Reply:
        """Return the reply with these headers behind its own."""
        return msgspec.structs.replace(self, headers=(*self.headers, *headers))


def json_reply(status: int, body: object, headers: Headers = ()) -> Reply:
    """Return a reply with a JSON body."""
    return Reply(status=status, body=msgspec.json.encode(body), headers=headers)


def mask(key: str) -> str:
    """Return a key as it may be shown: its ends, or nothing of a short one."""
    return f"{key[:3]}…{key[-2:]}" if len(key) >= _SHOWN_FROM else "…"


_SHOWN_FROM = 8
