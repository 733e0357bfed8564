"""Read a stream of OpenAI's Responses into neutral deltas, event by event.

Refuses to know whether the stream is whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spillover.protocols.chat.answers import read_likelihood
from spillover.protocols.conversation.answers import (
    Begin,
    CallBegin,
    CallDelta,
    Delta,
    End,
    Fault,
    Finish,
    RefusalDelta,
    Sealed,
    Spent,
    TextDelta,
    ThinkingDelta,
)
from spillover.protocols.conversation.fields import Fields, Losses, decoded
from spillover.protocols.conversation.requests import Refusal, Text
from spillover.protocols.responses.answers import read_stop, read_tokens
from spillover.protocols.responses.items import (
    BETWEEN_SUMMARIES,
    read_call,
    read_content,
    read_reasoning,
)
from spillover.protocols.sse import payload

if TYPE_CHECKING:
    from collections.abc import Iterator


_SAYING: Final = frozenset({"function_call", "message", "reasoning"})
"""Kinds of items that hold what the model says."""


class StreamReader:
    """Reads one answer's events in order."""

    __slots__ = ("_calls", "_heard", "_told")

    def __init__(self, seed: str = "") -> None:
        """Begin; `seed` is for dialects whose results find calls by name: here all have ids."""
        del seed
        self._calls: dict[int, int] = {}
        """Our number of a call, by the index of its item."""
        self._told: set[int] = set()
        """Items that have come in pieces: messages, thoughts, and the arguments of calls."""
        self._heard = False
        """Whether anything was said before the end, which tells all of it once more."""

    def feed(self, event: bytes) -> list[Delta]:
        """Return what a whole event brings; raises `Malformed` for what is no JSON object."""
        data = payload(event).data
        if not data or not data.strip():
            return []
        return list(self._read(decoded(data, lenient=True), data))

    def _read(self, event: Fields, data: bytes) -> Iterator[Delta]:
        kind = event.text("type") or ""
        match kind:
            case "response.created":
                response = event.fields("response") or Fields({})
                yield Begin(id=response.text("id"), model=response.text("model"))
            case "response.output_item.added":
                item = event.fields("item") or Fields({})
                if item.text("type") == "function_call":
                    yield self._called(event.count("output_index") or 0, item)
            case "response.output_item.done":
                item = event.fields("item") or Fields({})
                yield from self._done(event.count("output_index") or 0, item)
            case "response.completed" | "response.incomplete":
                yield from self._ended(event.fields("response") or Fields({}))
            case "response.failed" | "error":
                yield Fault(body=data)
            case "" if "error" in event:
                yield Fault(body=data)
            case _:
                yield from self._said(kind, event)

    def _said(self, kind: str, event: Fields) -> Iterator[Delta]:
        """Yield what a piece says; what is told elsewhere too, or by OpenAI's own tools, is passed over."""
        match kind:
            case "response.output_text.delta":
                logprobs = tuple(map(read_likelihood, event.objects("logprobs")))
                yield TextDelta(text=self._piece(event), logprobs=logprobs)
            case "response.refusal.delta":
                yield RefusalDelta(text=self._piece(event))
            case "response.reasoning_summary_part.added":
                if event.count("summary_index"):
                    yield ThinkingDelta(text=BETWEEN_SUMMARIES)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield ThinkingDelta(text=self._piece(event))
            case "response.function_call_arguments.delta":
                index, arguments = event.count("output_index") or 0, self._piece(event)
                if index in self._calls:
                    yield CallDelta(call=self._calls[index], arguments=arguments)
            case _:
                pass

    def _piece(self, event: Fields) -> str:
        self._told.add(event.count("output_index") or 0)
        self._heard = True
        return event.needed("delta")

    def _called(self, index: int, item: Fields) -> CallBegin:
        call = read_call(item)
        self._heard = True
        self._told.discard(index)  # an item of another kind, where all lack their index
        number = self._calls[index] = len(self._calls)
        return CallBegin(call=number, id=call.id, name=call.name)

    def _done(self, index: int, item: Fields) -> Iterator[Delta]:
        kind = item.text("type")
        is_told = index in self._told
        self._heard = self._heard or kind in _SAYING
        if kind == "reasoning":
            thought = read_reasoning(item)
            if thought.text and not is_told:
                yield ThinkingDelta(text=thought.text)
            if thought.seal is not None:
                yield Sealed(seal=thought.seal)
        elif kind == "message" and not is_told:
            for part in read_content(item, "content", Losses()):
                if isinstance(part, Text):
                    yield TextDelta(text=part.text)
                elif isinstance(part, Refusal):
                    yield RefusalDelta(text=part.text)
        elif kind == "function_call":
            if index not in self._calls:
                yield self._called(index, item)
            arguments = read_call(item).arguments
            if not is_told and arguments:
                yield CallDelta(call=self._calls[index], arguments=arguments)

    def _ended(self, response: Fields) -> Iterator[Delta]:
        if not self._heard:
            for index, item in enumerate(response.objects("output")):
                yield from self._done(index, item)
        tokens = read_tokens(response.fields("usage"))
        if tokens is not None:
            yield Spent(tokens=tokens)
        yield Finish(stop=read_stop(response, calls=bool(self._calls)))
        yield End()
