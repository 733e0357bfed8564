"""Read a stream of Anthropic's Messages into neutral deltas, event by event.

Refuses to know whether the stream is whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.protocols.anthropic.answers import STOPS_IN, read_refusal, read_tokens
from spillover.protocols.anthropic.requests_in import read_redacted
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
    Stop,
    TextDelta,
    ThinkingDelta,
    Tokens,
)
from spillover.protocols.conversation.fields import Fields, decoded
from spillover.protocols.conversation.seals import Dialect, unmarked
from spillover.protocols.sse import payload

if TYPE_CHECKING:
    from collections.abc import Iterator


class StreamReader:
    """Reads one answer's events in order."""

    __slots__ = ("_calls", "_inputs", "_tokens")

    def __init__(self, seed: str = "") -> None:
        """Begin; `seed` is for dialects whose results find calls by name: here all have ids."""
        del seed
        self._tokens = Tokens()
        self._calls: dict[int, int] = {}
        """Our number of a call, by the index of its block."""
        self._inputs: dict[int, str] = {}
        """What calls said as their blocks began; the same may follow in pieces, which then hold."""

    def feed(self, event: bytes) -> list[Delta]:
        """Return what a whole event brings; raises `Malformed` for what is no JSON object."""
        data = payload(event).data
        if not data or not data.strip():
            return []
        return list(self._read(decoded(data, lenient=True), data))

    def _read(self, event: Fields, data: bytes) -> Iterator[Delta]:
        match event.text("type"):
            case "message_start":
                message = event.fields("message") or Fields({})
                self._tokens = read_tokens(message.fields("usage"), self._tokens)
                yield Begin(id=message.text("id"), model=message.text("model"), tokens=self._tokens)
            case "content_block_start":
                index, block = event.count("index") or 0, event.fields("content_block")
                yield from self._begun(index, block or Fields({}))
            case "content_block_delta":
                index, delta = event.count("index") or 0, event.fields("delta")
                yield from self._said(index, delta or Fields({}))
            case "content_block_stop":
                yield from self._whole(self._calls.get(event.count("index") or 0))
            case "message_delta":
                yield from self._ended(event)
            case "message_stop":
                yield End()
            case "error":
                yield Fault(body=data)
            case None if "error" in event:
                yield Fault(body=data)
            case _:
                pass  # a ping, or what is newer than this

    def _begun(self, index: int, block: Fields) -> Iterator[Delta]:
        match block.text("type"):
            case "text":
                text = block.text("text")
                if text:
                    yield TextDelta(text=text)
            case "thinking":
                text = block.text("thinking")
                if text:
                    yield ThinkingDelta(text=text)
            case "redacted_thinking":
                yield Sealed(seal=read_redacted(block))
            case "tool_use":
                call = self._calls[index] = len(self._calls)
                yield CallBegin(call=call, id=block.text("id") or "", name=block.needed("name"))
                self._inputs[call] = block.arguments("input")
            case _:
                pass  # Anthropic's own tools

    def _said(self, index: int, delta: Fields) -> Iterator[Delta]:
        match delta.text("type"):
            case "text_delta":
                yield TextDelta(text=delta.needed("text"))
            case "thinking_delta":
                yield ThinkingDelta(text=delta.needed("thinking"))
            case "signature_delta":
                yield Sealed(seal=unmarked(delta.needed("signature"), Dialect.ANTHROPIC))
            case "input_json_delta":
                arguments = delta.needed("partial_json")
                if arguments and index in self._calls:
                    self._inputs.pop(self._calls[index], None)
                    yield CallDelta(call=self._calls[index], arguments=arguments)
            case _:
                pass

    def _whole(self, call: int | None) -> Iterator[Delta]:
        """Tell what a call said as it began, for no piece has followed."""
        arguments = "" if call is None else self._inputs.pop(call, "")
        if call is not None and arguments not in {"", "{}"}:
            yield CallDelta(call=call, arguments=arguments)

    def _ended(self, event: Fields) -> Iterator[Delta]:
        self._tokens = read_tokens(event.fields("usage"), self._tokens)
        yield Spent(tokens=self._tokens)
        for call in tuple(self._inputs):
            yield from self._whole(call)
        delta = event.fields("delta") or Fields({})
        for refusal in read_refusal(delta):
            yield RefusalDelta(text=refusal.text)
        reason = delta.text("stop_reason")
        if reason:
            stop = STOPS_IN.get(reason, Stop.END)
            yield Finish(stop=stop, stop_sequence=delta.text("stop_sequence"))
