"""Read a stream of OpenAI's Responses into neutral deltas, event by event.

Refuses to know whether the stream is whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from spillover.protocols.conversation.fields import Fields, decoded
from spillover.protocols.responses.answers import read_stop, read_tokens
from spillover.protocols.responses.items import BETWEEN_SUMMARIES, read_call, read_seal
from spillover.protocols.sse import payload

if TYPE_CHECKING:
    from collections.abc import Iterator


class StreamReader:
    """Reads one answer's events in order."""

    __slots__ = ("_calls", "_seed", "_told")

    def __init__(self, seed: str = "") -> None:
        """Begin; `seed` is for dialects whose calls may lack ids: here all have one."""
        self._seed = seed
        self._calls: dict[int, int] = {}
        """Our number of a call, by the index of its item."""
        self._told: set[int] = set()
        """Calls whose arguments have come in pieces."""

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
                yield TextDelta(text=event.needed("delta"), logprobs=logprobs)
            case "response.refusal.delta":
                yield RefusalDelta(text=event.needed("delta"))
            case "response.reasoning_summary_part.added":
                if event.count("summary_index"):
                    yield ThinkingDelta(text=BETWEEN_SUMMARIES)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield ThinkingDelta(text=event.needed("delta"))
            case "response.function_call_arguments.delta":
                index = event.count("output_index") or 0
                self._told.add(index)
                if index in self._calls:
                    yield CallDelta(call=self._calls[index], arguments=event.needed("delta"))
            case _:
                pass

    def _called(self, index: int, item: Fields) -> CallBegin:
        call = read_call(item)
        number = self._calls[index] = len(self._calls)
        return CallBegin(call=number, id=call.id, name=call.name)

    def _done(self, index: int, item: Fields) -> Iterator[Delta]:
        kind = item.text("type")
        if kind == "reasoning":
            seal = read_seal(item)
            if seal is not None:
                yield Sealed(seal=seal)
        elif kind == "function_call":
            if index not in self._calls:
                yield self._called(index, item)
            arguments = read_call(item).arguments
            if index not in self._told and arguments:
                yield CallDelta(call=self._calls[index], arguments=arguments)

    def _ended(self, response: Fields) -> Iterator[Delta]:
        tokens = read_tokens(response.fields("usage"))
        if tokens is not None:
            yield Spent(tokens=tokens)
        yield Finish(stop=read_stop(response, calls=bool(self._calls)))
        yield End()
