"""Read a stream of Gemini's generateContent (`alt=sse`) into neutral deltas, event by event.

Refuses to know whether the stream is whole: it has no sentinel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from spillover.protocols.conversation.answers import (
    Begin,
    CallBegin,
    CallDelta,
    Delta,
    Fault,
    Finish,
    RefusalDelta,
    Sealed,
    Spent,
    Stop,
    TextDelta,
    ThinkingDelta,
)
from spillover.protocols.conversation.fields import Fields, decoded
from spillover.protocols.conversation.requests import Text, Thinking, ToolCall
from spillover.protocols.gemini.answers import (
    is_blocked,
    read_logprobs,
    read_refusal,
    read_said,
    read_stop,
    read_tokens,
)
from spillover.protocols.gemini.parts import Ids
from spillover.protocols.sse import payload

if TYPE_CHECKING:
    from collections.abc import Iterator


class StreamReader:
    """Reads one answer's events in order."""

    __slots__ = ("_calls", "_has_begun", "_ids", "_seed")

    def __init__(self, seed: str = "") -> None:
        """Begin; ids of calls are made from `seed`."""
        self._seed = seed
        self._has_begun = False
        self._ids: dict[int, Ids] = {}
        self._calls: dict[int, int] = {}
        """How many calls each choice has made."""

    def feed(self, event: bytes) -> list[Delta]:
        """Return what a whole event brings; raises `Malformed` for what is no JSON object."""
        data = payload(event).data
        if not data or not data.strip():
            return []
        return list(self._read(decoded(data, lenient=True), data))

    def _read(self, chunk: Fields, data: bytes) -> Iterator[Delta]:
        if "error" in chunk:
            yield Fault(body=data)
            return
        if not self._has_begun:
            self._has_begun = True
            yield Begin(id=chunk.text("responseId"), model=chunk.text("modelVersion"))
        for candidate in chunk.objects("candidates"):
            yield from self._candidate(candidate)
        tokens = read_tokens(chunk.fields("usageMetadata"))
        if tokens is not None:
            yield Spent(tokens=tokens)
        if is_blocked(chunk):
            yield Finish(stop=Stop.FILTERED)

    def _candidate(self, candidate: Fields) -> Iterator[Delta]:
        choice = candidate.count("index") or 0
        content = candidate.fields("content") or Fields({})
        logprobs = read_logprobs(candidate.fields("logprobsResult"))
        for part in read_said(content, self._ids.setdefault(choice, Ids(f"{self._seed}_{choice}"))):
            match part:
                case Text():
                    yield TextDelta(choice=choice, text=part.text, logprobs=logprobs)
                    logprobs = ()
                case ToolCall():
                    call = self._calls.get(choice, 0)
                    self._calls[choice] = call + 1
                    yield CallBegin(choice=choice, call=call, id=part.id, name=part.name)
                    yield CallDelta(choice=choice, call=call, arguments=part.arguments)
                case Thinking():
                    if part.text:
                        yield ThinkingDelta(choice=choice, text=part.text)
                    if part.seal is not None:
                        yield Sealed(choice=choice, seal=part.seal)
                case _:
                    assert_never(part)
        if "finishReason" in candidate:
            stop = read_stop(candidate, calls=choice in self._calls)
            refusal = read_refusal(candidate, stop)
            if refusal is not None:
                yield RefusalDelta(choice=choice, text=refusal.text)
            yield Finish(choice=choice, stop=stop)
