"""Tell what a body or an event of any provider's protocol is: an answer, a part of one, or an error.

Rules of this file:
- Only the outermost fields are looked at; nothing is counted or changed.
- What is not known is `NEITHER`: its reader is to look at it as an error without a name.

Refuses to know OpenAI's answers (`openai_answers` and `openai_streams` do) and what an error means.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec

from spillover.protocols.surrogates import whole_characters


class Kind(StrEnum):
    """What a body or the data of one event is."""

    OPENAI = "openai"
    """An answer or a chunk of OpenAI's chat: it has choices."""
    WHOLE = "whole"
    """A whole answer, or the end of a stream."""
    CONTENT = "content"
    """A part of an answer."""
    PROGRESS = "progress"
    """A ping, or an event that carries no content."""
    EMPTY = "empty"
    """An answer with nothing in it."""
    BLOCKED = "blocked"
    """An answer withheld by policy."""
    ERROR = "error"
    NEITHER = "neither"


_decode: Final = msgspec.json.Decoder().decode

_EVENTS: Final = {
    "ping": Kind.PROGRESS,
    "content_block_delta": Kind.CONTENT,
    "message_stop": Kind.WHOLE,
    "content-delta": Kind.CONTENT,
    "tool-call-delta": Kind.CONTENT,
    "message-end": Kind.WHOLE,
    "response.completed": Kind.WHOLE,
    "response.incomplete": Kind.WHOLE,
    "response.failed": Kind.ERROR,
    "error": Kind.ERROR,
}
"""Events by their `type`: Anthropic's, Cohere's and those of OpenAI's Responses."""
_PROGRESS: Final = (
    "response.",
    "message_",
    "message-",
    "content_block_",
    "content-",
    "tool-",
    "citation-",
)
_ANSWERS: Final = (
    "content",
    "data",
    "embedding",
    "embeddings",
    "output",
    "results",
    "result",
    "response",
    "generations",
    "generated_text",
    "predictions",
    "models",
)
"""Fields that hold what was asked for, of native protocols."""
_BLOCKING: Final = frozenset(
    "SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY LANGUAGE OTHER".split()  # noqa: SIM905 - read as words
)
"""Gemini's finish reasons of an answer that is withheld."""


def read_native(body: bytes, *, event: str = "") -> Kind:
    """Return what `body` is; `event` is the name of the event it is the data of."""
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        mended = whole_characters(body)
        return Kind.NEITHER if mended is None else read_native(mended, event=event)
    if isinstance(value, list):
        kinds = [_kind_of(item, event) if isinstance(item, dict) else Kind.WHOLE for item in value]
        telling = (Kind.ERROR, Kind.BLOCKED, Kind.NEITHER)
        return next(
            (kind for kind in telling if kind in kinds), Kind.WHOLE if kinds else Kind.EMPTY
        )
    return _kind_of(value, event) if isinstance(value, dict) else Kind.NEITHER


def _kind_of(fields: dict[str, Any], event: str) -> Kind:
    if event == "error" or _tells_error(fields):
        return Kind.ERROR
    if "choices" in fields:
        return Kind.OPENAI
    name = fields.get("type")
    if isinstance(name, str) and name != "message":
        kind = _EVENTS.get(name)
        if kind is not None or name.startswith(_PROGRESS):
            return _of_event(fields, kind)
    if isinstance(fields.get("candidates"), list):
        return _of_candidates(fields["candidates"])
    if fields.get("stop_reason") == "refusal":
        return Kind.BLOCKED
    if isinstance(fields.get("message"), dict):
        return Kind.WHOLE
    if any(fields.get(answer) for answer in _ANSWERS):
        return Kind.WHOLE
    if any(answer in fields for answer in _ANSWERS):
        return Kind.EMPTY
    return Kind.NEITHER


def _tells_error(fields: dict[str, Any]) -> bool:
    if any(fields.get(name) for name in ("error", "errors", "detail")):
        return True
    outcome = fields.get("base_resp")
    if isinstance(outcome, dict) and outcome.get("status_code"):
        return True
    feedback = fields.get("promptFeedback")
    if isinstance(feedback, dict) and feedback.get("blockReason"):
        return True
    reason = fields.get("finish_reason")
    return fields.get("success") is False or (
        isinstance(reason, str) and reason.startswith("ERROR")
    )


def _of_event(fields: dict[str, Any], kind: Kind | None) -> Kind:
    name, delta = fields["type"], fields.get("delta")
    if isinstance(delta, dict):
        reason = delta.get("finish_reason")
        if isinstance(reason, str) and reason.startswith("ERROR"):
            return Kind.ERROR
        if delta.get("stop_reason") == "refusal":
            return Kind.BLOCKED
    if kind is not None:
        return kind
    return (
        Kind.CONTENT if name.startswith("response.") and name.endswith(".delta") else Kind.PROGRESS
    )


def _of_candidates(candidates: list[Any]) -> Kind:
    """Return what a Gemini answer is by its first candidate."""
    first = candidates[0] if candidates and isinstance(candidates[0], dict) else {}
    content = first.get("content")
    has_content = isinstance(content, dict) and bool(content.get("parts"))
    reason = first.get("finishReason")
    if reason is None:
        return Kind.CONTENT if has_content else Kind.PROGRESS
    if has_content:
        return Kind.WHOLE
    return Kind.BLOCKED if isinstance(reason, str) and reason in _BLOCKING else Kind.EMPTY
