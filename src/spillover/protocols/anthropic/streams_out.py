"""Write neutral deltas as a stream of Anthropic's Messages.

Rules of this file:
- Blocks come one after another: one ends before the next begins. Only calls whose pieces an upstream
  mixes are open side by side.
- How and why it stopped is told when all is known: usage may come after the finish.

Refuses to know where deltas come from, and whether they are all.
"""

from __future__ import annotations

from typing import Any, assert_never

from spillover.protocols.anthropic.answers import (
    STOPS_OUT,
    refused,
    thinking_block,
    write_tokens,
)
from spillover.protocols.anthropic.errors import stream_error
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
    Stop,
    TextDelta,
    ThinkingDelta,
    Tokens,
)
from spillover.protocols.conversation.fields import encode, object_in
from spillover.protocols.conversation.seals import Dialect, Seal, marked


class StreamWriter:
    """Writes one answer's events in order; of several choices the first alone has room."""

    __slots__ = (
        "_calls",
        "_count",
        "_finish",
        "_has_begun",
        "_model",
        "_open",
        "_refusal",
        "_stamp",
        "_tokens",
    )

    def __init__(self, stamp: Stamp) -> None:
        """Begin; nothing is written before the first delta."""
        self._stamp = stamp
        self._model = stamp.model
        self._tokens = Tokens()
        self._has_begun = False
        self._count = 0
        """How many blocks there were."""
        self._open: tuple[str, int] | None = None
        """Kind and index of the block of text or thinking that is open."""
        self._calls: dict[int, tuple[int, str]] = {}
        """The calls that are open: the index of each one's block, and its arguments so far."""
        self._finish: Finish | None = None
        self._refusal = ""

    def feed(self, delta: Delta) -> bytes:
        """Return the events that say `delta`; none where it has no words here, or comes at the end."""
        match delta:
            case Begin():
                self._model = delta.model or self._model
                self._tokens = delta.tokens or self._tokens
            case Spent():
                self._tokens = delta.tokens
            case Fault() | End():
                pass
            case _:
                if delta.choice == 0:
                    return b"".join(self._say(delta))
        return b""

    def _say(
        self,
        delta: TextDelta | RefusalDelta | ThinkingDelta | Sealed | CallBegin | CallDelta | Finish,
    ) -> list[bytes]:
        match delta:
            case TextDelta():
                block = {"type": "text", "text": ""}
                return self._more(block, {"type": "text_delta", "text": delta.text})
            case ThinkingDelta():
                block = thinking_block("", None)
                return self._more(block, {"type": "thinking_delta", "thinking": delta.text})
            case Sealed():
                return self._sealed(delta.seal)
            case CallBegin():
                return self._call(delta)
            case CallDelta():
                return self._called(delta)
            case RefusalDelta():
                self._refusal += delta.text
                return []
            case Finish():
                self._finish = delta
                return []
            case _:
                assert_never(delta)

    def _more(self, block: dict[str, Any], said: dict[str, Any]) -> list[bytes]:
        """Return a piece of a block, and the block's begin where none of its kind is open."""
        events: list[bytes] = []
        kind = block["type"]
        if self._open is None or self._open[0] != kind:
            events = [*self._close(), self._start(block)]
            self._open = (kind, self._count - 1)
        index = self._count - 1
        return [*events, _event("content_block_delta", index=index, delta=said)]

    def _sealed(self, seal: Seal) -> list[bytes]:
        if self._open is not None and self._open[0] == "thinking":
            signature = {"type": "signature_delta", "signature": marked(seal, Dialect.ANTHROPIC)}
            events = self._more({"type": "thinking"}, signature)
            return [*events, *self._close()]
        block = thinking_block("", seal)
        if block["type"] == "redacted_thinking":
            events = [*self._close(), self._start(block)]
            return [*events, _event("content_block_stop", index=self._count - 1)]
        events = self._more(thinking_block("", None), {"type": "thinking_delta", "thinking": ""})
        return [*events, *self._sealed(seal)]

    def _call(self, delta: CallBegin) -> list[bytes]:
        events = self._close(only_whole=True)
        block = {"type": "tool_use", "id": delta.id, "name": delta.name, "input": {}}
        events.append(self._start(block))
        self._calls[delta.call] = (self._count - 1, "")
        return events

    def _called(self, delta: CallDelta) -> list[bytes]:
        if delta.call not in self._calls:
            return []  # its arguments were whole: nothing can follow
        index, before = self._calls[delta.call]
        self._calls[delta.call] = (index, before + delta.arguments)
        said = {"type": "input_json_delta", "partial_json": delta.arguments}
        return [_event("content_block_delta", index=index, delta=said)]

    def _start(self, block: dict[str, Any]) -> bytes:
        begin = b"" if self._has_begun else self._begin()
        self._count += 1
        return begin + _event("content_block_start", index=self._count - 1, content_block=block)

    def _close(self, *, only_whole: bool = False) -> list[bytes]:
        """Return the ends of what is open; of calls that are whole, if a call may still go on."""
        events = []
        if self._open is not None:
            events.append(_event("content_block_stop", index=self._open[1]))
            self._open = None
        for call, (index, arguments) in list(self._calls.items()):
            if not only_whole or (arguments and object_in(arguments) is not None):
                events.append(_event("content_block_stop", index=index))
                del self._calls[call]
        return events

    def _begin(self) -> bytes:
        self._has_begun = True
        message: dict[str, Any] = {
            "id": f"msg_{self._stamp.id}",
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_tokens(self._tokens),
        }
        return _event("message_start", message=message)

    def end(self) -> bytes:
        """Return the events that end a whole answer."""
        begin = b"" if self._has_begun else self._begin()
        finish = self._finish or Finish(stop=Stop.END)
        stop = Stop.FILTERED if self._refusal else finish.stop
        delta: dict[str, Any] = {
            "stop_reason": STOPS_OUT[stop],
            "stop_sequence": finish.stop_sequence,
        }
        if self._refusal:
            delta["stop_details"] = refused(self._refusal)
        last = _event("message_delta", delta=delta, usage=write_tokens(self._tokens))
        return b"".join([begin, *self._close(), last, _event("message_stop")])

    def error(self, body: bytes, status: int) -> bytes:
        """Return the event that ends a broken answer; `body` is Spillover's own error."""
        return stream_error(body, status)


def _event(name: str, **fields: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + encode({"type": name, **fields}) + b"\n\n"
