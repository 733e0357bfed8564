"""Write the error that ends a stream as clients of OpenAI's Responses expect it.

Any other error is OpenAI's own (`openai_errors`). Refuses to know why a request failed.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

_decode: Final = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode
_encode: Final = msgspec.json.Encoder().encode


def stream_error(body: bytes, number: int) -> bytes:
    """Return the event that ends a broken stream; `number` is its place in it.

    It tells the error twice: in the event's own fields, as it is documented, and in `error`, by
    which OpenAI's SDKs know that they are to raise.
    """
    error = _decode(body)["error"]
    event = {
        "type": "error",
        "sequence_number": number,
        "code": error["code"],
        "message": error["message"],
        "param": error.get("param"),
        "error": error,
    }
    return b"event: error\ndata: " + _encode(event) + b"\n\n"
