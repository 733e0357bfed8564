"""Write errors as clients of Gemini's protocol expect them.

Refuses to know why a request failed.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

_decode: Final = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode
_encode: Final = msgspec.json.Encoder().encode

_STATUSES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""https://ai.google.dev/gemini-api/docs/troubleshooting and google.rpc.Code."""


def redressed(body: bytes, status: int) -> bytes:
    """Return one of Spillover's own errors (`openai_errors`) as Gemini would write it.

    Our code is the `reason` in the details; what else it tells (`profiles`) stays beside them.
    """
    error = dict(_decode(body)["error"])
    found: dict[str, Any] = {
        "code": status,
        "message": error.pop("message"),
        "status": _STATUSES.get(status, "INTERNAL"),
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": error.pop("code"),
                "domain": "spillover",
            }
        ],
    }
    for name in ("type", "param"):
        error.pop(name, None)
    return _encode({"error": {**found, **error}})
