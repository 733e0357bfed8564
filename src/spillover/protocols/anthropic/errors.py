"""Write errors as clients of Anthropic's protocol expect them.

Refuses to know why a request failed.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

_decode: Final = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode
_encode: Final = msgspec.json.Encoder().encode

_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""https://platform.claude.com/docs/en/api/errors; 503 is ours for what is 529 there."""


def redressed(body: bytes, status: int) -> bytes:
    """Return one of Spillover's own errors (`openai_errors`) as Anthropic would write it.

    What else it tells (`code`, `profiles`) stays beside what Anthropic's clients read.
    """
    error = dict(_decode(body)["error"])
    usual = "invalid_request_error" if 400 <= status < 500 else "api_error"  # noqa: PLR2004 - HTTP's
    error["type"] = _TYPES.get(status, usual)
    error.pop("param", None)
    request_id = error.pop("request_id", None)
    return _encode({"type": "error", "error": error, "request_id": request_id})


def stream_error(body: bytes, status: int) -> bytes:
    """Return the event that ends a broken stream."""
    return b"event: error\ndata: " + redressed(body, status) + b"\n\n"
