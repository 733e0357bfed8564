"""Read a stream of OpenAI's chat into neutral deltas, event by event.

Refuses to know whether the stream is whole: who asked counts its finishes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.protocols.chat.answers import STOPS_IN, read_logprobs, read_tokens, words
from spillover.protocols.chat.calls_in import CallReader
from spillover.protocols.chat.thinking import UNSEALED, read_thinking
from spillover.protocols.conversation.answers import (
    Begin,
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
)
from spillover.protocols.conversation.fields import Fields, decoded
from spillover.protocols.sse import payload

if TYPE_CHECKING:
    from collections.abc import Iterator


class StreamReader:
    """Reads one answer's events in order."""

    __slots__ = ("_calls", "_has_begun", "_seed", "_unsealed")

    def __init__(self, seed: str = "") -> None:
        """Begin; ids that the upstream leaves out are made from `seed`."""
        self._seed = seed
        self._has_begun = False
        self._calls: dict[int, CallReader] = {}
        """By choice."""
        self._unsealed: set[int] = set()
        """Choices whose latest thought has no seal yet."""

    def feed(self, event: bytes) -> list[Delta]:
        """Return what a whole event brings; raises `Malformed` for what is no JSON object."""
        data = payload(event).data
        if not data or not data.strip():
            return []
        if data.strip() == b"[DONE]":
            return [End()]
        return list(self._read(decoded(data, lenient=True), data))

    def _read(self, chunk: Fields, data: bytes) -> Iterator[Delta]:
        groq = chunk.fields("x_groq")
        if chunk.value("error") or (groq is not None and groq.value("error")):
            yield Fault(body=data)
            return
        if not self._has_begun:
            self._has_begun = True
            yield Begin(id=chunk.text("id"), model=chunk.text("model"))
        for piece in chunk.objects("choices"):
            choice = piece.count("index") or 0
            delta = piece.fields("delta")
            if delta is not None:
                yield from self._thought(delta, choice)
                for said in self._said(delta, choice, piece):
                    yield from self._seal(choice)
                    yield said
            reason = piece.text("finish_reason")
            if reason == "error":
                yield Fault(body=data)
            elif reason:
                yield from self._seal(choice)
                if choice in self._calls:
                    yield from self._calls[choice].end()
                yield Finish(choice=choice, stop=STOPS_IN.get(reason, Stop.END))
        # Most tell it on a chunk of its own, Moonshot on the choice, Groq on a field of its own.
        for place in (*chunk.objects("choices"), chunk, groq):
            tokens = None if place is None else read_tokens(place.fields("usage"))
            if tokens is not None:
                yield Spent(tokens=tokens)

    def _thought(self, delta: Fields, choice: int) -> Iterator[Delta]:
        for thought in read_thinking(delta):
            if thought.text:
                self._unsealed.add(choice)
                yield ThinkingDelta(choice=choice, text=thought.text)
            if thought.seal is not None and thought.seal.value:
                self._unsealed.discard(choice)
                yield Sealed(choice=choice, seal=thought.seal)

    def _seal(self, choice: int) -> Iterator[Delta]:
        """End a thought that its provider does not seal: it too must know its own again."""
        if choice in self._unsealed:
            self._unsealed.discard(choice)
            yield Sealed(choice=choice, seal=UNSEALED)

    def _said(self, delta: Fields, choice: int, piece: Fields) -> Iterator[Delta]:
        text = words(delta.value("content"))
        if text:
            logprobs = read_logprobs(piece.fields("logprobs"))
            yield TextDelta(choice=choice, text=text, logprobs=logprobs)
        refusal = delta.text("refusal")
        if refusal:
            yield RefusalDelta(choice=choice, text=refusal)
        for place, call in enumerate(delta.objects("tool_calls")):
            calls = self._calls.setdefault(choice, CallReader(self._seed, choice))
            yield from calls.feed(call, place)
