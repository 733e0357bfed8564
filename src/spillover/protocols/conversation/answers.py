"""An answer in no protocol's words, whole or in pieces as it is streamed.

Deltas come in the order of the answer. A call's pieces may be mixed with another call's; all other
content is in line. Refuses to know how any protocol spells them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

import msgspec

from spillover.core.values import Usage, Value
from spillover.protocols.conversation.requests import Refusal, Spelling, Text, Thinking, ToolCall
from spillover.protocols.conversation.seals import Seal


class Stop(StrEnum):
    """Why an answer ends."""

    END = "end"
    LENGTH = "length"
    SEQUENCE = "sequence"
    """One of the request's stop sequences."""
    TOOLS = "tools"
    FILTERED = "filtered"
    """Withheld by policy, or refused."""
    PAUSED = "paused"
    """A long turn that the client is to let go on."""
    CONTEXT = "context"
    """The context is full."""


class Tokens(Value, frozen=True, kw_only=True):
    """What an answer used, as its provider reports it."""

    input: int = 0
    """All of it: what was read from and written to the cache included."""
    cached: int = 0
    """The part of `input` that was read from the cache."""
    stored: int = 0
    """The part of `input` that was written to the cache."""
    output: int = 0
    """All of it, reasoning included."""
    reasoning: int = 0
    cost_nanousd: int = 0
    """What the provider says it costs; 0: it does not say."""

    def usage(self) -> Usage:
        """Return it as the ledger counts it."""
        return Usage(
            requests=1,
            input_tokens=self.input,
            output_tokens=self.output,
            cached_tokens=min(self.cached, self.input),
            cost_nanousd=self.cost_nanousd,
        )


class Likelihood(Value, frozen=True, kw_only=True):
    """The log probability of a token and of those that might have stood in its place."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None
    top: tuple[Likelihood, ...] = ()


Said: TypeAlias = Text | Thinking | ToolCall | Refusal
"""What an answer is made of."""


class Choice(Value, frozen=True, kw_only=True):
    """One of the answers to a request."""

    parts: tuple[Said, ...] = ()
    stop: Stop = Stop.END
    stop_sequence: str | None = None
    logprobs: tuple[Likelihood, ...] = ()


class Answer(Value, frozen=True, kw_only=True):
    """A whole answer."""

    id: str | None = None
    model: str | None = None
    choices: tuple[Choice, ...] = ()
    tokens: Tokens | None = None


class Stamp(Value, frozen=True, kw_only=True):
    """What a written answer states of itself, where its upstream did not say it in a usable form."""

    id: str
    """Unique; letters and digits. The ids of items and calls that lack one are made from it."""
    model: str
    created_at: int
    wants_usage: bool = True
    """The client of a stream asked for its usage."""
    array: bool = False
    """A client of Gemini's wants one JSON array: it did not ask for `alt=sse`."""
    spellings: Mapping[str, Spelling] = msgspec.field(default_factory=dict)
    """How the client spells the tools that it offers, by the names that upstreams know."""


# --- pieces ---------------------------------------------------------------------------------------


class Begin(Value, frozen=True, kw_only=True):
    """The answer has begun."""

    id: str | None = None
    model: str | None = None
    tokens: Tokens | None = None
    """The input, where it is told so early."""


class TextDelta(Value, frozen=True, kw_only=True):
    """More text."""

    text: str
    choice: int = 0
    logprobs: tuple[Likelihood, ...] = ()


class RefusalDelta(Value, frozen=True, kw_only=True):
    """More of a refusal."""

    text: str
    choice: int = 0


class ThinkingDelta(Value, frozen=True, kw_only=True):
    """More of a thought."""

    text: str
    choice: int = 0


class Sealed(Value, frozen=True, kw_only=True):
    """The thought is over and this is its seal; without a thought before it, it stands alone."""

    seal: Seal
    choice: int = 0


class CallBegin(Value, frozen=True, kw_only=True):
    """A call of a tool begins."""

    call: int
    """Counted from 0 within its choice."""
    id: str
    name: str
    choice: int = 0


class CallDelta(Value, frozen=True, kw_only=True):
    """More of a call's arguments."""

    call: int
    arguments: str
    choice: int = 0


class Finish(Value, frozen=True, kw_only=True):
    """A choice is over."""

    stop: Stop
    choice: int = 0
    stop_sequence: str | None = None


class Spent(Value, frozen=True, kw_only=True):
    """What was used so far; the last one holds."""

    tokens: Tokens


class Fault(Value, frozen=True, kw_only=True):
    """An error in place of more answer, as the upstream wrote it."""

    body: bytes


class End(Value, frozen=True, kw_only=True):
    """The protocol's own sign that nothing follows."""


Delta: TypeAlias = (
    Begin
    | TextDelta
    | RefusalDelta
    | ThinkingDelta
    | Sealed
    | CallBegin
    | CallDelta
    | Finish
    | Spent
    | Fault
    | End
)
