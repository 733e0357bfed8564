"""Say what a call by the library gives back: an answer, or the chunks of one.

Refuses to know how a call is made. What OpenAI's format has beyond the fields here is in `raw`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from spillover.errors import MalformedAnswer, Sent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.core.refusals import Step
    from spillover.core.values import Usage
    from spillover.library.forms import Form

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model asks for a tool."""

    id: str
    name: str
    written: str
    """The arguments as the model wrote them, which may be broken JSON."""

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments; raises MalformedAnswer where they are no JSON object."""
        try:
            return msgspec.json.decode(self.written.strip() or "{}", type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError) as error:
            what = f"the arguments that the model wrote for {self.name!r}"
            raise MalformedAnswer(what, "JSON object", text=self.written) from error

    def result(self, content: str) -> dict[str, Any]:
        """Return the message that tells the model what the tool found."""
        return {"role": "tool", "tool_call_id": self.id, "content": content}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAnswer(Generic[T]):
    """A whole answer, and who gave it."""

    text: str
    """What the first choice says; empty where it only calls tools."""
    reasoning: str
    """What it thought aloud, where the provider shows that."""
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str | None
    """`stop`, `length`, `tool_calls`, `content_filter`."""
    profile: str
    """Who served it."""
    trail: tuple[Sent, ...]
    """Every send in order; the last one is the one that served."""
    usage: Usage | None
    """What was counted: the provider's own figures, else an estimate."""
    request_id: str
    raw: dict[str, Any] = field(repr=False)
    """The answer as OpenAI's format has it: log probabilities, further choices."""
    form: Form[T] | None = field(default=None, repr=False)
    """What was asked for by `response_format`."""

    @property
    def parsed(self) -> T | None:
        """What `response_format` asked for; None where it asked for nothing, or there is no text.

        Raises MalformedAnswer where the text is something else, as one that was cut short is.
        """
        if self.form is None or not self.text:
            return None
        return self.form.read(self.text, finish_reason=self.finish_reason)

    @property
    def message(self) -> dict[str, Any]:
        """The assistant's message, as the next request of the conversation repeats it."""
        found = first_of(self.raw).get("message") or {}
        return {"role": "assistant", "content": None, **found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a streamed answer."""

    text: str
    """What it adds to the first choice; empty for chunks that carry something else."""
    reasoning: str
    """What it adds to the thoughts."""
    tool_calls: tuple[ToolCall, ...]
    """All calls, whole, in the chunk that ends the first choice; none before."""
    finish_reason: str | None
    """Why the first choice ends, in the chunk that ends it."""
    raw: dict[str, Any] = field(repr=False)
    """The chunk as OpenAI's format has it."""


def first_of(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the first choice of an answer or a chunk; empty where there is none."""
    for choice in raw.get("choices") or ():
        if choice.get("index", 0) == 0:
            found: dict[str, Any] = choice
            return found
    return {}


def text_of(said: dict[str, Any]) -> str:
    """Return the text of a `message` or `delta`; "" where it has none."""
    content = said.get("content")
    return content if isinstance(content, str) else _joined(content)


def reasoning_of(said: dict[str, Any]) -> str:
    """Return the thoughts of a `message` or `delta`, by either of the names that they go by."""
    found = said.get("reasoning_content") or said.get("reasoning")
    return found if isinstance(found, str) else ""


def calls_of(message: dict[str, Any]) -> Iterator[ToolCall]:
    """Yield the calls of functions that a message makes."""
    for call in message.get("tool_calls") or ():
        function = call.get("function")
        if function is not None:
            yield ToolCall(
                id=call.get("id") or "",
                name=function.get("name") or "",
                written=function.get("arguments") or "",
            )


def _joined(content: Any) -> str:
    """Return the text parts of content that came as a list."""
    if not isinstance(content, list):
        return ""
    return "".join(part["text"] for part in content if isinstance(part.get("text"), str))


def sent(trail: tuple[Step, ...]) -> tuple[Sent, ...]:
    """Return a trail as the library's users see it."""
    return tuple(Sent(profile=step.profile, outcome=step.result) for step in trail)
