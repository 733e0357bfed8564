"""Write neutral deltas as a stream of OpenAI's chat.

Refuses to know where they come from, and whether they are all.
"""

from __future__ import annotations

from typing import Any, assert_never

from spillover.protocols.chat.answers import STOPS_OUT, write_logprobs, write_tokens
from spillover.protocols.chat.thinking import write_detail
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
    Stamp,
    TextDelta,
    ThinkingDelta,
    Tokens,
)
from spillover.protocols.conversation.fields import encode
from spillover.protocols.openai_errors import DONE, stream_error_event


class StreamWriter:
    """Writes one answer's events in order."""

    __slots__ = ("_bare", "_model", "_spoken", "_stamp", "_thoughts", "_tokens")

    def __init__(self, stamp: Stamp) -> None:
        """Begin; nothing is written before the first delta."""
        self._stamp = stamp
        self._model = stamp.model
        self._spoken: set[int] = set()
        self._bare: dict[tuple[int, int], None] = {}
        """Calls without arguments so far, by choice and number: clients read those as JSON."""
        self._thoughts: dict[int, int] = {}
        """How many thoughts of a choice are over."""
        self._tokens: Tokens | None = None

    def feed(self, delta: Delta) -> bytes:
        """Return the events that say `delta`; none where it has no words here, or comes at the end."""
        match delta:
            case Begin():
                self._model = delta.model or self._model
                return b""
            case TextDelta():
                return self._chunk(
                    delta.choice, {"content": delta.text}, logprobs=write_logprobs(delta.logprobs)
                )
            case RefusalDelta():
                return self._chunk(delta.choice, {"refusal": delta.text})
            case ThinkingDelta():
                detail = write_detail(delta.text, None, self._thoughts.get(delta.choice, 0))
                said = {"reasoning_content": delta.text, "reasoning_details": [detail]}
                return self._chunk(delta.choice, said)
            case Sealed():
                number = self._thoughts.get(delta.choice, 0)
                self._thoughts[delta.choice] = number + 1
                if not delta.seal.value:
                    return b""
                detail = write_detail("", delta.seal, number)
                return self._chunk(delta.choice, {"reasoning_details": [detail]})
            case CallBegin() | CallDelta():
                return self._called(delta)
            case Finish():
                bare = [call for choice, call in self._bare if choice == delta.choice]
                calls = [CallDelta(call=call, arguments="{}") for call in bare]
                whole = {"tool_calls": [_call(call) for call in calls]} if calls else {}
                return self._chunk(delta.choice, whole, finish_reason=STOPS_OUT[delta.stop])
            case Spent():
                self._tokens = delta.tokens
                return b""
            case Fault() | End():
                return b""
            case _:
                assert_never(delta)

    def _called(self, delta: CallBegin | CallDelta) -> bytes:
        place = delta.choice, delta.call
        if isinstance(delta, CallBegin):
            self._bare[place] = None
        elif delta.arguments:
            self._bare.pop(place, None)
        return self._chunk(delta.choice, {"tool_calls": [_call(delta)]})

    def end(self) -> bytes:
        """Return the events that end a whole answer."""
        if self._tokens is None or not self._stamp.wants_usage:
            return DONE
        return self._event({"choices": [], "usage": write_tokens(self._tokens)}) + DONE

    def error(self, body: bytes, status: int) -> bytes:  # noqa: ARG002 - as other dialects have it
        """Return the event that ends a broken answer; `body` is Spillover's own error."""
        return stream_error_event(body)

    def _chunk(self, choice: int, delta: dict[str, Any], **fields: Any) -> bytes:
        if choice not in self._spoken:
            self._spoken.add(choice)
            delta = {"role": "assistant", **delta}
        piece = {"index": choice, "delta": delta, "logprobs": None, "finish_reason": None}
        return self._event({"choices": [piece | fields]})

    def _event(self, fields: dict[str, Any]) -> bytes:
        chunk = {
            "id": f"chatcmpl-{self._stamp.id}",
            "object": "chat.completion.chunk",
            "created": self._stamp.created_at,
            "model": self._model,
            **fields,
        }
        return b"data: " + encode(chunk) + b"\n\n"


def _call(delta: CallBegin | CallDelta) -> dict[str, Any]:
    if isinstance(delta, CallDelta):
        return {"index": delta.call, "function": {"arguments": delta.arguments}}
    function = {"name": delta.name, "arguments": ""}
    return {"index": delta.call, "id": delta.id, "type": "function", "function": function}
