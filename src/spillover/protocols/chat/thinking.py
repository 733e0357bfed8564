"""Carry thinking on a chat message: `reasoning_content`, and `reasoning_details` with its seals.

`reasoning_content` is DeepSeek's field and that of most who followed (`reasoning` with some);
`reasoning_details` is OpenRouter's, whose `format` names the maker of a seal
(https://openrouter.ai/docs/use-cases/reasoning-tokens); Mistral thinks in parts of the content
(https://docs.mistral.ai/capabilities/reasoning). Refuses to know who thought it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spillover.protocols.conversation.requests import Thinking
from spillover.protocols.conversation.seals import Dialect, Seal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spillover.protocols.conversation.fields import Fields

_FORMATS: Final = {
    Dialect.ANTHROPIC: "anthropic-claude-v1",
    Dialect.GEMINI: "google-gemini-v1",
    Dialect.RESPONSES: "openai-responses-v1",
    Dialect.CHAT: "unknown",
}
_ORIGINS: Final = {written: origin for origin, written in _FORMATS.items()}
UNSEALED: Final = Seal(origin=Dialect.CHAT, value="")
"""Of thinking that chat's own upstreams gave without one."""


def read_thinking(message: Fields) -> Iterator[Thinking]:
    """Yield what a message holds of thinking; the details where there are any."""
    text = message.text("reasoning_content")
    text = message.text("reasoning") or text or _in_parts(message.value("content"))
    if not text and "reasoning_details" not in message:
        message.value("reasoning_details")
        return
    runs: list[dict[str, Any]] = []
    for detail in message.objects("reasoning_details"):
        # Clients may hand back the pieces of a stream as they came: those of one index are one.
        piece = {name: detail.value(name) for name in (*_DETAIL, "index") if name in detail}
        if runs and piece.get("index") is not None and runs[-1].get("index") == piece["index"]:
            piece["text"] = _words(runs[-1]) + _words(piece)
            runs[-1].update(piece)
        else:
            runs.append(piece)
    if runs:
        yield from map(_thinking, runs)
    elif text:
        yield Thinking(text=text, seal=UNSEALED)


def _in_parts(content: Any) -> str:
    """Return the thoughts among the parts of a content, where Mistral has them."""
    if not isinstance(content, list):
        return ""
    parts = [part.get("thinking") for part in content if isinstance(part, dict)]
    inner = [piece for part in parts if isinstance(part, list) for piece in part]
    return "".join([_words(piece) for piece in inner if isinstance(piece, dict)])


_DETAIL: Final = ("data", "format", "id", "signature", "summary", "text", "type")


def _words(detail: dict[str, Any]) -> str:
    found = detail.get("text") or detail.get("summary")
    return found if isinstance(found, str) else ""


def _thinking(detail: dict[str, Any]) -> Thinking:
    origin = _ORIGINS.get(str(detail.get("format")), Dialect.CHAT)
    data, signature, item = detail.get("data"), detail.get("signature"), detail.get("id")
    value = data if isinstance(data, str) else signature if isinstance(signature, str) else ""
    if not value and origin is not Dialect.CHAT:
        return Thinking(text=_words(detail))
    return Thinking(
        text=_words(detail),
        seal=Seal(
            origin=origin,
            value=value,
            redacted=isinstance(data, str) and origin is Dialect.ANTHROPIC,
            id=item if isinstance(item, str) else None,
        ),
    )


def write_details(thoughts: Iterable[Thinking]) -> list[dict[str, Any]]:
    """Return the details of thoughts, numbered in order."""
    return [
        write_detail(thought.text, thought.seal, index) for index, thought in enumerate(thoughts)
    ]


def write_detail(text: str, seal: Seal | None, index: int) -> dict[str, Any]:
    """Return one thought, or one piece of one, with its number."""
    detail: dict[str, Any] = {"type": "reasoning.text", "index": index}
    if seal is None:
        return {**detail, "text": text}
    detail["format"] = _FORMATS[seal.origin]
    if seal.id is not None:
        detail["id"] = seal.id
    if seal.redacted or (not text and seal.value):
        detail["type"] = "reasoning.encrypted"
    name = "data" if seal.redacted or seal.origin is Dialect.RESPONSES else "signature"
    if text:
        detail["text"] = text
    if seal.value:
        detail[name] = seal.value
    return detail
