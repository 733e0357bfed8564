"""Say what a call by the library gives back: an answer, or the chunks of one.

Refuses to know how a call is made. What OpenAI's format has beyond the few fields here is in `raw`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spillover.errors import Sent

if TYPE_CHECKING:
    from spillover.core.refusals import Step
    from spillover.core.values import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAnswer:
    """A whole answer, and who gave it."""

    text: str
    """What the first choice says; empty where it only calls tools."""
    profile: str
    """Who served it."""
    trail: tuple[Sent, ...]
    """Every send in order; the last one is the one that served."""
    usage: Usage | None
    """What was counted: the provider's own figures, else an estimate."""
    request_id: str
    raw: dict[str, Any] = field(repr=False)
    """The answer as OpenAI's format has it: tool calls, log probabilities, further choices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a streamed answer."""

    text: str
    """What it adds to the first choice; empty for chunks that carry something else."""
    raw: dict[str, Any] = field(repr=False)
    """The chunk as OpenAI's format has it."""


def text_of(raw: dict[str, Any], part: str) -> str:
    """Return the text of the first choice's `message` or `delta`; "" where it has none."""
    for choice in raw.get("choices") or ():
        if choice.get("index", 0) == 0:
            content = (choice.get(part) or {}).get("content")
            return content if isinstance(content, str) else _joined(content)
    return ""


def _joined(content: Any) -> str:
    """Return the text parts of content that came as a list."""
    if not isinstance(content, list):
        return ""
    return "".join(part["text"] for part in content if isinstance(part.get("text"), str))


def sent(trail: tuple[Step, ...]) -> tuple[Sent, ...]:
    """Return a trail as the library's users see it."""
    return tuple(Sent(profile=step.profile, outcome=step.result) for step in trail)
