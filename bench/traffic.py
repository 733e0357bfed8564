"""The bytes that travel: the request every contestant gets, and the answers of the upstreams.

Refuses to know who carries them.
"""

from __future__ import annotations

import json
from typing import Final

PATH: Final = "/v1/chat/completions"
MODEL: Final = "default"
PACE: Final = 50
"""Events a second, of each stream."""

_WORDS: Final = "The quick brown fox jumps over the lazy dog while seven wizards brew strong ale. "
_MESSAGES: Final = [
    {"role": "system", "content": "You answer in short sentences, and say when you don't know."},
    {"role": "user", "content": _WORDS * 8},
    {"role": "assistant", "content": _WORDS * 3},
    {"role": "user", "content": _WORDS * 4},
]


def request(*, stream: bool, words: int = 1) -> bytes:
    """Return a chat request of 1.5 KB; `words` times as much text makes it larger."""
    messages = [{**each, "content": each["content"] * words} for each in _MESSAGES]
    asked = {"model": MODEL, "messages": messages, "temperature": 0.2, "max_tokens": 256}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(asked).encode()


ANSWER: Final = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": _WORDS * 4},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 360, "completion_tokens": 80, "total_tokens": 440},
    }
).encode()

_SORRY: Final = (
    "We are sorry, but something went wrong while the gateway handed your call on to the machine that "
    "would have answered it; nothing was charged for this, and no part of what you sent is kept. Should "
    "it happen more often, please write to the people who look after this, with the number below and the "
    "hour at which it happened, so that they find out which of the many parts on the way dropped it. "
)


def _refusal(words: str) -> bytes:
    """Return a provider's error of 2 KB around what it says."""
    message = (words + _SORRY * 6)[:1_900]
    return json.dumps({"error": {"message": message, "type": "api_error", "param": None}}).encode()


PROSE: Final = _refusal("")
"""An error that holds no word by which it is known: all patterns are tried in vain."""
REFUSAL: Final = _refusal("The model `bench` does not exist or you do not have access to it. ")

STAMP_DIGITS: Final = 19
"""Digits of the nanoseconds that each streamed event carries as its text."""


def _event(
    delta: dict[str, str] | None, finish: str | None = None, usage: dict[str, int] | None = None
) -> bytes:
    """Return a chunk of a stream; without a delta it has no choices."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": "bench",
        "choices": [] if delta is None else [choice],
        **({} if usage is None else {"usage": usage}),
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


FIRST_EVENT: Final = _event({"role": "assistant", "content": ""})
STAMPED_EVENT: Final = _event({"content": "%d"}).replace(b"%d", b"%%0%dd" % STAMP_DIGITS)
"""A template for `%` with the nanoseconds at which it is sent."""
LAST_EVENTS: Final = (
    _event({}, "stop"),
    _event(None, usage={"prompt_tokens": 360, "completion_tokens": 200, "total_tokens": 560}),
    b"data: [DONE]\n\n",
)
