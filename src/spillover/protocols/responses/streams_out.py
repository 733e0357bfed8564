"""Write neutral deltas as a stream of OpenAI's Responses.

Rules of this file:
- Every event has its number; every item begins, says its parts and is done, and stands whole in the
  last event.
- Items come one after another. Only calls whose pieces an upstream mixes are open side by side.

Refuses to know where deltas come from, and whether they are all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from msgspec.structs import replace

from spillover.protocols.chat.answers import write_likelihood
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
from spillover.protocols.conversation.fields import encode, object_in
from spillover.protocols.conversation.requests import Form, Refusal, Text, ToolCall
from spillover.protocols.responses.answers import INCOMPLETE, write_response
from spillover.protocols.responses.errors import stream_error
from spillover.protocols.responses.items import (
    message_item,
    reasoning_item,
    said_part,
    summary_part,
)
from spillover.protocols.responses.tools import call_item, freeform_input

if TYPE_CHECKING:
    from spillover.protocols.conversation.seals import Seal


class StreamWriter:
    """Writes one answer's events in order; of several choices the first alone has room."""

    __slots__ = (
        "_calls",
        "_has_begun",
        "_logprobs",
        "_model",
        "_number",
        "_open",
        "_output",
        "_stamp",
        "_stop",
        "_tokens",
    )

    def __init__(self, stamp: Stamp) -> None:
        """Begin; nothing is written before the first delta."""
        self._stamp = stamp
        self._model: str | None = None
        self._tokens: Tokens | None = None
        self._stop = Stop.END
        self._has_begun = False
        self._number = 0
        self._output: list[dict[str, Any]] = []
        """All items, in order; those that are open are not whole yet."""
        self._open: tuple[str, str] | None = None
        """Kind and text so far of the last item, if it is a thought or a message that is open."""
        self._logprobs: tuple[Likelihood, ...] = ()
        self._calls: dict[int, tuple[int, ToolCall]] = {}
        """The calls that are open: the place of each one's item, and what it says so far."""

    def feed(self, delta: Delta) -> bytes:
        """Return the events that say `delta`; none where it has no words here, or comes at the end."""
        match delta:
            case Begin():
                self._model = delta.model
            case Spent():
                self._tokens = delta.tokens
            case Fault() | End():
                pass
            case _:
                if delta.choice == 0:
                    return self._say(delta)
        return b""

    def _say(
        self,
        delta: TextDelta | RefusalDelta | ThinkingDelta | Sealed | CallBegin | CallDelta | Finish,
    ) -> bytes:
        match delta:
            case TextDelta():
                self._logprobs += delta.logprobs
                logprobs = [write_likelihood(token) for token in delta.logprobs]
                return self._more("output_text", delta.text, logprobs=logprobs)
            case RefusalDelta():
                return self._more("refusal", delta.text)
            case ThinkingDelta():
                return self._more("reasoning_summary_text", delta.text)
            case Sealed():
                return self._sealed(delta.seal)
            case CallBegin():
                return self._call(delta)
            case CallDelta():
                return self._called(delta)
            case Finish():
                self._stop = delta.stop
                return b""
            case _:
                assert_never(delta)

    # Thoughts and messages.

    def _more(self, kind: str, text: str, **fields: Any) -> bytes:
        """Return a piece of an item of `kind`, and the item's begin where none is open."""
        begin = b""
        if self._open is None or self._open[0] != kind:
            begin = self._close() + self._begin_said(kind)
            self._open = (kind, "")
        self._open = (kind, self._open[1] + text)
        return begin + self._event(
            f"response.{kind}.delta", **self._place(kind), delta=text, **fields
        )

    def _place(self, kind: str) -> dict[str, Any]:
        """Return the fields that say where the piece of the last item belongs."""
        index = "summary_index" if kind == "reasoning_summary_text" else "content_index"
        last = len(self._output) - 1
        return {"item_id": self._output[last]["id"], "output_index": last, index: 0}

    def _begin_said(self, kind: str) -> bytes:
        name = f"{self._stamp.id}_{len(self._output)}"
        if kind == "reasoning_summary_text":
            added = self._add(reasoning_item("", None, f"rs_{name}"))
            event, part = "response.reasoning_summary_part.added", summary_part("")
        else:
            added = self._add(message_item([], f"msg_{name}", "in_progress"))
            event, part = "response.content_part.added", _part(kind, "")
        return added + self._event(event, **self._place(kind), part=part)

    def _close_said(self, seal: Seal | None = None) -> bytes:
        """Return the end of the thought or message that is open."""
        if self._open is None:
            return b""
        kind, text = self._open
        place, item = self._place(kind), self._output[-1]
        if kind == "reasoning_summary_text":
            part = summary_part(text)
            done = self._event("response.reasoning_summary_text.done", **place, text=text)
            done += self._event("response.reasoning_summary_part.done", **place, part=part)
            item = reasoning_item(text, seal, item["id"])
        else:
            part = _part(kind, text, self._logprobs)
            told = {"refusal": text} if kind == "refusal" else {"text": text}
            if kind != "refusal":
                told["logprobs"] = part["logprobs"]
            done = self._event(f"response.{kind}.done", **place, **told)
            done += self._event("response.content_part.done", **place, part=part)
            item = message_item([part], item["id"], "completed")
            self._logprobs = ()
        self._open = None
        return done + self._done(len(self._output) - 1, item)

    def _sealed(self, seal: Seal) -> bytes:
        if self._open is not None and self._open[0] == "reasoning_summary_text":
            return self._close_said(seal)
        before = self._close()
        name = seal.id or f"rs_{self._stamp.id}_{len(self._output)}"
        item = reasoning_item("", seal, name)
        return before + self._add(item) + self._done(len(self._output) - 1, item)

    # Calls.

    def _call(self, delta: CallBegin) -> bytes:
        before = self._close(only_whole=True)
        call = ToolCall(id=delta.id, name=delta.name, arguments="")
        self._calls[delta.call] = (len(self._output), call)
        return before + self._add(self._call_item(call, len(self._output), "in_progress"))

    def _call_item(self, call: ToolCall, place: int, status: str) -> dict[str, Any]:
        spelling = self._stamp.spellings.get(call.name)
        return call_item(call, f"{self._stamp.id}_{place}", status, spelling)

    def _form(self, call: ToolCall) -> Form:
        spelling = self._stamp.spellings.get(call.name)
        return Form.FUNCTION if spelling is None else spelling.form

    def _called(self, delta: CallDelta) -> bytes:
        if delta.call not in self._calls:
            return b""  # its arguments were whole: nothing can follow
        place, call = self._calls[delta.call]
        whole = replace(call, arguments=call.arguments + delta.arguments)
        self._calls[delta.call] = (place, whole)
        if self._form(call) is not Form.FUNCTION:
            return b""  # what it says is known when it is whole
        at = {"item_id": self._output[place]["id"], "output_index": place}
        return self._event("response.function_call_arguments.delta", **at, delta=delta.arguments)

    def _close(self, *, only_whole: bool = False) -> bytes:
        """Return the ends of what is open; of calls that are whole, if a call may still go on."""
        events = [self._close_said()]
        for number, (place, call) in list(self._calls.items()):
            if not only_whole or (call.arguments and object_in(call.arguments) is not None):
                whole = replace(call, arguments=call.arguments or "{}")  # clients read it as JSON
                if not call.arguments:
                    events.append(self._called(CallDelta(call=number, arguments="{}")))
                item = self._call_item(whole, place, "completed")
                at = {"item_id": item["id"], "output_index": place}
                events.append(self._call_said(whole, at))
                events.append(self._done(place, item))
                del self._calls[number]
        return b"".join(events)

    def _call_said(self, call: ToolCall, at: dict[str, Any]) -> bytes:
        """Return the events that tell what a call says, whole."""
        match form := self._form(call):
            case Form.FUNCTION:
                name = "response.function_call_arguments.done"
                return self._event(name, **at, arguments=call.arguments)
            case Form.FREEFORM:
                name, text = "response.custom_tool_call_input", freeform_input(call)
                delta = self._event(f"{name}.delta", **at, delta=text)
                return delta + self._event(f"{name}.done", **at, input=text)
            case Form.SEARCH:
                return b""
            case _:
                assert_never(form)

    # Items and the whole.

    def _add(self, item: dict[str, Any]) -> bytes:
        begin = self._begin()
        self._output.append(item)
        place = len(self._output) - 1
        return begin + self._event("response.output_item.added", output_index=place, item=item)

    def _done(self, place: int, item: dict[str, Any]) -> bytes:
        self._output[place] = item
        return self._event("response.output_item.done", output_index=place, item=item)

    def _begin(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        response = write_response(self._stamp, self._model, None, [], None)
        created = self._event("response.created", response=response)
        return created + self._event("response.in_progress", response=response)

    def end(self) -> bytes:
        """Return the events that end a whole answer."""
        before = self._begin() + self._close()
        name = "incomplete" if self._stop in INCOMPLETE else "completed"
        response = write_response(self._stamp, self._model, self._stop, self._output, self._tokens)
        return before + self._event(f"response.{name}", response=response)

    def error(self, body: bytes, status: int) -> bytes:  # noqa: ARG002 - as other dialects have it
        """Return the event that ends a broken answer; `body` is Spillover's own error."""
        return stream_error(body, self._number)

    def _event(self, name: str, **fields: Any) -> bytes:
        event = {"type": name, "sequence_number": self._number, **fields}
        self._number += 1
        return b"event: " + name.encode() + b"\ndata: " + encode(event) + b"\n\n"


def _part(kind: str, text: str, logprobs: tuple[Likelihood, ...] = ()) -> dict[str, Any]:
    return said_part(Refusal(text=text) if kind == "refusal" else Text(text=text), logprobs)
