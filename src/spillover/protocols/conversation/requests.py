"""A request in no protocol's words: turns of parts, tools, the form of the answer, sampling.

Each dialect has a reader into these values and a writer out of them, so that n dialects take 2n
pieces. Refuses to know how any protocol spells them, and who is asked.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

from spillover.core.values import Value
from spillover.protocols.conversation.seals import Seal


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    """The client, who also brings the results of tools."""
    ASSISTANT = "assistant"
    SYSTEM = "system"
    """The operator, in the midst of a conversation; what stands before it is `Request.system`."""


class Medium(StrEnum):
    """What a part that is not text is."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"


class Text(Value, frozen=True, kw_only=True):
    """Words."""

    text: str


class Media(Value, frozen=True, kw_only=True):
    """An image, a sound, a film or a file; one of `data`, `url` and `file_id` is set."""

    medium: Medium
    mime: str | None = None
    data: str | None = None
    """Base64."""
    url: str | None = None
    file_id: str | None = None
    """A name that only the provider knows that the file was uploaded to."""
    name: str | None = None
    detail: str | None = None
    """How closely an image is to be looked at: `low`, `high`, `auto`."""


class ToolCall(Value, frozen=True, kw_only=True):
    """The model asks for a tool."""

    id: str
    name: str
    arguments: str
    """JSON as the model wrote it: it may be broken."""


class ToolResult(Value, frozen=True, kw_only=True):
    """What a tool found, given back by the client."""

    id: str
    """Of the call."""
    content: tuple[Text | Media, ...] = ()
    is_error: bool = False


class Thinking(Value, frozen=True, kw_only=True):
    """What the model thought, and the seal that lets its provider take it back.

    Without text it carries a seal alone; Gemini's then belongs to the part that follows.
    """

    text: str = ""
    seal: Seal | None = None


class Refusal(Value, frozen=True, kw_only=True):
    """Why the model won't answer."""

    text: str


Part: TypeAlias = Text | Media | ToolCall | ToolResult | Thinking | Refusal


class Turn(Value, frozen=True, kw_only=True):
    """What one side says at once."""

    role: Role
    parts: tuple[Part, ...]


class Form(StrEnum):
    """What a tool is where its client offers it; to every other protocol all are functions."""

    FUNCTION = "function"
    FREEFORM = "freeform"
    """It takes a text: the one argument `input` elsewhere."""
    SEARCH = "search"
    """The client finds more tools with it."""


class Spelling(Value, frozen=True, kw_only=True):
    """How OpenAI's Responses names a tool that is no function with a name of its own."""

    name: str
    namespace: str | None = None
    form: Form = Form.FUNCTION
    native: dict[str, Any] = msgspec.field(default_factory=dict)
    """What else its client says of it there."""


class Tool(Value, frozen=True, kw_only=True):
    """A function that the model may ask for."""

    name: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    """JSON Schema of the arguments; None: it takes none."""
    strict: bool | None = None
    spelling: Spelling | None = None
    """None: it is a function of this name wherever it is offered."""


class Choosing(StrEnum):
    """How free the model is to use tools."""

    AUTO = "auto"
    NONE = "none"
    ANY = "any"
    """It must use one."""
    NAMED = "named"
    """It must use one of those named."""


class ToolChoice(Value, frozen=True, kw_only=True):
    """Whether and which tools the model is to use."""

    mode: Choosing
    names: tuple[str, ...] = ()


class OutputFormat(Value, frozen=True, kw_only=True):
    """The answer is to be JSON."""

    schema: dict[str, Any] | None = None
    """None: any JSON object."""
    name: str = "answer"
    description: str | None = None
    strict: bool | None = None


class Sampling(Value, frozen=True, kw_only=True):
    """How the answer is drawn."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: int | None = None
    """How many alternatives are wanted with each token's log probability; None: no logprobs."""


class Reasoning(Value, frozen=True, kw_only=True):
    """How much the model is to think, and whether the client wants to see it."""

    effort: str | None = None
    """One of `EFFORTS`."""
    budget: int | None = None
    """Tokens; 0: none at all."""
    shown: bool | None = None


EFFORTS: Final[dict[str, int]] = {
    "none": 0,
    "minimal": 1_024,
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 32_768,
    "max": 65_536,
}
"""OpenAI's and Anthropic's words for effort, each with the tokens that budgets of thinking take for it."""


def budget_of(reasoning: Reasoning) -> int | None:
    """Return how many tokens of thinking are wanted; None: it is left to the model."""
    if reasoning.budget is not None:
        return reasoning.budget
    return None if reasoning.effort is None else EFFORTS.get(reasoning.effort)


def effort_of(reasoning: Reasoning) -> str | None:
    """Return the word for how much thinking is wanted: the least that holds the budget."""
    if reasoning.effort is not None or reasoning.budget is None:
        return reasoning.effort
    budget = reasoning.budget
    return next((word for word, tokens in EFFORTS.items() if tokens >= budget), "max")


class Request(Value, frozen=True, kw_only=True):
    """All that a client asks."""

    model: str | None = None
    system: tuple[Text, ...] = ()
    turns: tuple[Turn, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_calls: bool | None = None
    format: OutputFormat | None = None
    sampling: Sampling = Sampling()
    reasoning: Reasoning | None = None
    choices: int = 1
    stream: bool = False
    wants_usage: bool = True
    """A stream is to report its usage."""
    user: str | None = None
    openai: dict[str, Any] = msgspec.field(default_factory=dict)
    """Fields that both of OpenAI's protocols have and no other, as they were written."""
    dropped: tuple[str, ...] = ()
    """Fields that no value here holds; the answer is the same without them."""
    lacks: tuple[str, ...] = ()
    """What is asked for that can't be translated, and would be missed."""

    @property
    def spellings(self) -> dict[str, Spelling]:
        """How the client spells its tools, by the names that they have here."""
        return {tool.name: tool.spelling for tool in self.tools if tool.spelling is not None}


SHARED_BY_OPENAI: Final = (
    "metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "verbosity",
)
"""What `Request.openai` may hold; none of it changes what an answer means."""


class Target(Value, frozen=True, kw_only=True):
    """Whom a request is written for."""

    model: str
    provider: str = ""
    """The catalogue's id."""
    max_output_tokens: int | None = None
    """The model's most, where the catalogue knows it."""
    asks_usage: bool = False
    """`stream_options.include_usage` may be set."""


class Written(Value, frozen=True, kw_only=True):
    """A request in an upstream's protocol, and what it could not carry."""

    body: bytes
    dropped: tuple[str, ...] = ()
    """Names for `x-spillover-dropped`."""
    lacks: tuple[str, ...] = ()
    """Not empty: another profile is to serve, for this one would answer something else."""
