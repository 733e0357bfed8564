"""Write neutral deltas as a stream of Gemini's generateContent.

Rules of this file:
- A call is one part: it is written when its arguments are whole.
- How it stopped is told with the usage, when all is known.

Refuses to know where deltas come from, and whether they are all.
"""

from __future__ import annotations

from typing import Any, assert_never

from spillover.protocols.conversation.answers import (
    Begin,
    CallBegin,
    CallDelta,
    Delta,
    End,
    Fault,
    Finish,
    Likelihood,
    RefusalDelta,
    Sealed,
    Spent,
    Stamp,
    Stop,
    TextDelta,
    ThinkingDelta,
    Tokens,
)
from spillover.protocols.conversation.fields import encode
from spillover.protocols.conversation.requests import Refusal, ToolCall
from spillover.protocols.conversation.seals import Dialect, marked
from spillover.protocols.gemini.answers import write_end, write_logprobs, write_tokens
from spillover.protocols.gemini.errors import redressed
from spillover.protocols.gemini.parts import PartWriter, write_call


class _Candidate:
    """What is known of one choice and not yet written."""

    __slots__ = ("calls", "parts", "refusal", "stop")

    def __init__(self) -> None:
        self.parts = PartWriter()
        self.calls: dict[int, ToolCall] = {}
        self.refusal = ""
        self.stop = Stop.END

    def called(self) -> list[dict[str, Any]]:
        """Return the calls that wait, which nothing can follow any more."""
        calls = [
            self.parts.signed(write_call(call.id, call.name, call.arguments))
            for call in self.calls.values()
        ]
        self.calls.clear()
        return calls


class StreamWriter:
    """Writes one answer's events in order: server-sent ones, or the items of one JSON array."""

    __slots__ = ("_array", "_candidates", "_has_begun", "_model", "_stamp", "_tokens")

    def __init__(self, stamp: Stamp) -> None:
        """Begin; nothing is written before the first delta."""
        self._stamp = stamp
        self._array = stamp.array
        self._model = stamp.model
        self._tokens: Tokens | None = None
        self._candidates: dict[int, _Candidate] = {}
        self._has_begun = False

    def feed(self, delta: Delta) -> bytes:
        """Return the events that say `delta`; none where it has no words here, or comes at the end."""
        match delta:
            case Begin():
                self._model = delta.model or self._model
            case Spent():
                self._tokens = delta.tokens
            case Fault() | End():
                pass
            case _:
                candidate = self._candidates.setdefault(delta.choice, _Candidate())
                logprobs = delta.logprobs if isinstance(delta, TextDelta) else ()
                parts = _said(delta, candidate)
                if parts:
                    return self._chunk(delta.choice, parts, logprobs)
        return b""

    def _chunk(
        self, choice: int, parts: list[dict[str, Any]], logprobs: tuple[Likelihood, ...]
    ) -> bytes:
        candidate = {
            "content": {"role": "model", "parts": parts},
            "index": choice,
            **write_logprobs(logprobs),
        }
        return self._event({"candidates": [candidate]})

    def end(self) -> bytes:
        """Return the events that end a whole answer."""
        last = []
        for choice, candidate in sorted(self._candidates.items()):
            parts = [*candidate.called(), *candidate.parts.rest()]
            why = [Refusal(text=candidate.refusal)]
            last.append(
                {
                    "content": {"role": "model", "parts": parts},
                    **write_end(candidate.stop, why),
                    "index": choice,
                }
            )
        usage = {} if self._tokens is None else {"usageMetadata": write_tokens(self._tokens)}
        return self._event({"candidates": last, **usage}) + (b"]" if self._array else b"")

    def error(self, body: bytes, status: int) -> bytes:
        """Return the event that ends a broken answer; `body` is Spillover's own error."""
        return self._framed(redressed(body, status)) + (b"]" if self._array else b"")

    def _event(self, fields: dict[str, Any]) -> bytes:
        chunk = {**fields, "modelVersion": self._model, "responseId": self._stamp.id}
        return self._framed(encode(chunk))

    def _framed(self, body: bytes) -> bytes:
        if not self._array:
            return b"data: " + body + b"\r\n\r\n"
        opening = b",\r\n" if self._has_begun else b"["
        self._has_begun = True
        return opening + body


def _said(
    delta: TextDelta | RefusalDelta | ThinkingDelta | Sealed | CallBegin | CallDelta | Finish,
    candidate: _Candidate,
) -> list[dict[str, Any]]:
    """Return the parts that can be written now."""
    match delta:
        case TextDelta():
            return [*candidate.called(), candidate.parts.signed({"text": delta.text})]
        case ThinkingDelta():
            before = [*candidate.called(), *candidate.parts.rest()]
            return [*before, {"text": delta.text, "thought": True}]
        case Sealed():
            signature = marked(delta.seal, Dialect.GEMINI)
            return [*candidate.called(), *candidate.parts.sealed(signature)]
        case CallBegin():
            candidate.calls[delta.call] = ToolCall(id=delta.id, name=delta.name, arguments="")
            return []
        case CallDelta():
            call = candidate.calls.get(delta.call)
            if call is not None:
                arguments = call.arguments + delta.arguments
                whole = ToolCall(id=call.id, name=call.name, arguments=arguments)
                candidate.calls[delta.call] = whole
            return []
        case RefusalDelta():
            candidate.refusal += delta.text
            return []
        case Finish():
            candidate.stop = delta.stop
            return candidate.called()
        case _:
            assert_never(delta)
