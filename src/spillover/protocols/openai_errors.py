"""Write errors as clients of OpenAI's protocol expect them.

Refuses to know why a request failed and with what HTTP status it is answered, but for a provider's
own refusal, whose status is handed on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.core.values import Failure, FailureClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spillover.errors import Obstacle

DONE: Final = b"data: [DONE]\n\n"
"""The event that ends a stream."""

_encode: Final = msgspec.json.Encoder().encode


def error_body(
    code: str,
    message: str,
    *,
    profiles: Sequence[Obstacle] = (),
    request_id: str | None = None,
    param: str | None = None,
) -> bytes:
    """Return the JSON body of one of Spillover's own errors.

    `error` holds `message`, `type` (`spillover_error`), `param`, `code`, `profiles` (each with
    `profile`, `reason` and `available_at`, ISO 8601 in UTC or null) and, where given, `request_id`.
    """
    error: dict[str, Any] = {
        "message": message,
        "type": "spillover_error",
        "param": param,
        "code": code,
        "profiles": [
            {
                "profile": obstacle.profile,
                "reason": obstacle.reason,
                "available_at": _iso(obstacle.available_at),
            }
            for obstacle in profiles
        ],
    }
    if request_id is not None:
        error["request_id"] = request_id
    return _encode({"error": error})


def _iso(at: float | None) -> str | None:
    if at is None:
        return None
    # Rounded up: nobody who comes back then is early.
    return datetime.fromtimestamp(ceil(at), UTC).isoformat().replace("+00:00", "Z")


_CODES: Final = {
    FailureClass.CONTEXT_LENGTH: "context_length_exceeded",
    FailureClass.CONTENT_FILTER: "content_filter",
}
"""Codes that clients of this protocol act on."""


def relayed_error(failure: Failure, *, request_id: str | None = None) -> bytes:
    """Return the JSON body that hands on a provider's own refusal, its message as redacted."""
    error: dict[str, Any] = {
        "message": failure.message or f"the provider refused the request ({failure.failure.value})",
        "type": "invalid_request_error",
        "param": None,
        "code": _CODES.get(failure.failure, failure.code),
    }
    if request_id is not None:
        error["request_id"] = request_id
    return _encode({"error": error})


def relayed_status(failure: Failure) -> int:
    """Return the HTTP status of a relayed refusal: the provider's own 4xx, else 400."""
    status = failure.status
    return status if status is not None and 400 <= status < 500 else 400  # noqa: PLR2004 - HTTP's


def stream_error_event(body: bytes) -> bytes:
    """Return the event that ends a broken stream, from a body that this module made."""
    return b"data: " + body + b"\n\n"
