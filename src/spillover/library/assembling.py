"""Put a streamed answer together again, as it would have come whole.

Refuses to know where chunks come from.
"""

from __future__ import annotations

from typing import Any, Final

from spillover.library.answers import Chunk, calls_of, first_of, reasoning_of, text_of

_JOINED: Final = ("content", "reasoning_content", "reasoning", "refusal")
"""Fields of a delta that come in pieces, but for calls."""


class Assembly:
    """All that the chunks of one answer have said so far."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}

    def take(self, raw: dict[str, Any]) -> Chunk:
        """Add a chunk; return what it says of the first choice."""
        for name in ("id", "created", "model", "system_fingerprint", "usage"):
            if raw.get(name) is not None:
                self._head[name] = raw[name]
        for choice in raw.get("choices") or ():
            self._add(choice)
        first = first_of(raw)
        delta, reason = first.get("delta") or {}, first.get("finish_reason")
        return Chunk(
            text=text_of(delta),
            reasoning=reasoning_of(delta),
            tool_calls=tuple(calls_of(first_of(self.whole())["message"])) if reason else (),
            finish_reason=reason,
            raw=raw,
        )

    def whole(self) -> dict[str, Any]:
        """Return the answer as OpenAI's format has it."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        return {"object": "chat.completion", **self._head, "choices": choices}

    def _add(self, choice: dict[str, Any]) -> None:
        index = choice.get("index", 0)
        whole = self._choices.setdefault(
            index,
            {
                "index": index,
                "message": {"role": "assistant", "content": None},
                "finish_reason": None,
            },
        )
        if choice.get("finish_reason") is not None:
            whole["finish_reason"] = choice["finish_reason"]
        for name, found in (choice.get("logprobs") or {}).items():
            if found:
                whole.setdefault("logprobs", {}).setdefault(name, []).extend(found)
        message, delta = whole["message"], choice.get("delta") or {}
        for name in _JOINED:
            piece = text_of(delta) if name == "content" else delta.get(name)
            if isinstance(piece, str) and (piece or delta.get(name) is not None):
                message[name] = (message.get(name) or "") + piece
        for piece in delta.get("tool_calls") or ():
            _add_call(message.setdefault("tool_calls", []), piece)


def _add_call(calls: list[dict[str, Any]], piece: dict[str, Any]) -> None:
    """Add a piece of a call; one without an index belongs to the call of its id, else to the last."""
    at = piece.get("index")
    if at is None:
        at = _place(calls, piece.get("id"))
    while len(calls) <= at:
        calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
    call, function = calls[at], piece.get("function") or {}
    call["id"] = call["id"] or piece.get("id") or ""
    for field in ("name", "arguments"):
        call["function"][field] += function.get(field) or ""


def _place(calls: list[dict[str, Any]], name: str | None) -> int:
    """Return where a piece belongs that does not say it: to the call of its id, else to the last."""
    ids = [call["id"] for call in calls]
    if name in ids:
        return ids.index(name)
    return len(calls) if name or not calls else len(calls) - 1
