"""Put an answer into the OpenAI dialect, as one flavour speaks it: a body, or a stream's events.

Refuses to know sockets, times and faults: events are bytes in order, each with its part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from spillover.simulator.answers import DEFAULT_DIMENSIONS, Answer, Choice, encoded, vector
from spillover.simulator.asked import Asked, Operation, tokens_of
from spillover.simulator.faults import Part
from spillover.simulator.flavours import Flavour, StreamUsage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spillover.simulator.replies import Json

DONE: Final = b"data: [DONE]\n\n"
_encode: Final = msgspec.json.Encoder().encode


class Event(NamedTuple):
    """One event of a stream, with LF line ends."""

    part: Part
    data: bytes
    chars: int = 0
    """Characters of content in it."""


def failing(events: Iterable[Event], after: int, error: bytes) -> Iterator[Event]:
    """Yield a stream's events up to `after` of content, then an error and nothing more."""
    contents = 0
    for event in events:
        if event.part is not Part.ROLE and (contents >= after or event.part is not Part.CONTENT):
            break
        contents += event.part is Part.CONTENT
        yield event
    yield Event(Part.ERROR, error)


class Speaker:
    """One answer in one flavour's words."""

    def __init__(self, asked: Asked, flavour: Flavour, *, serial: int, created_at: int) -> None:
        """Take what is the same in all of an answer's events."""
        self._asked = asked
        self._flavour = flavour
        self._id = f"{flavour.answer_id}-{serial}"
        self._created_at = created_at
        self._chat = asked.operation is Operation.CHAT

    def body(self, answer: Answer) -> bytes:
        """Return the body of a whole chat or completions answer."""
        choices = [self._choice(index, one) for index, one in enumerate(answer.choices)]
        usage = self._flavour.usage(answer.prompt_tokens, answer.completion_tokens)
        kind = "chat.completion" if self._chat else "text_completion"
        return _encode(self._envelope(kind) | {"choices": choices, "usage": usage})

    def events(self, answer: Answer) -> Iterator[Event]:
        """Yield a stream's events: roles, content by turns of the choices, ends, usage, sentinel."""
        flavour = self._flavour
        if flavour.role_first and self._chat:
            for index in range(len(answer.choices)):
                delta: Json = {"role": "assistant", "content": ""}
                yield Event(Part.ROLE, self._event(self._part(index, delta)))
        sent = 0
        longest = max(len(choice.pieces) for choice in answer.choices)
        for turn in range(longest):
            for index, choice in enumerate(answer.choices):
                if turn < len(choice.pieces):
                    piece = choice.pieces[turn]
                    sent += len(piece)
                    part = self._part(index, self._delta(choice, turn))
                    data = self._event(part, self._running(answer, sent))
                    yield Event(Part.CONTENT, data, len(piece))
        usage = flavour.usage(answer.prompt_tokens, answer.completion_tokens)
        for index, choice in enumerate(answer.choices):
            last = index == len(answer.choices) - 1
            part = self._part(index, {}, finish_reason=choice.finish_reason)
            yield Event(Part.FINISH, self._event(part, self._last(usage) if last else {}))
        if flavour.stream_usage is StreamUsage.FINAL and self._asked.usage_asked:
            yield Event(Part.USAGE, self._event(None, {"usage": usage}))
        yield Event(Part.DONE, DONE)

    def _last(self, usage: Json) -> Json:
        """Return what goes with the last finish reason."""
        match self._flavour.stream_usage:
            case StreamUsage.UNASKED:
                return {"usage": usage}
            case StreamUsage.EVERY:
                return {"usage": usage} if self._asked.usage_asked else {}
            case StreamUsage.FINAL:
                return self._flavour.last_extras(usage)

    def _running(self, answer: Answer, sent: int) -> Json:
        """Return the usage so far, where every event tells it."""
        if self._flavour.stream_usage is StreamUsage.EVERY and self._asked.usage_asked:
            return {"usage": self._flavour.usage(answer.prompt_tokens, tokens_of(sent))}
        return {}

    def _envelope(self, kind: str) -> Json:
        model = self._asked.model
        envelope = {"id": self._id, "object": kind, "created": self._created_at, "model": model}
        return envelope | self._flavour.extras()

    def _event(self, choice: Json | None, more: Json | None = None) -> bytes:
        event = self._envelope("chat.completion.chunk" if self._chat else "text_completion")
        event["choices"] = [] if choice is None else [choice]
        if self._flavour.usage_null and self._asked.usage_asked:
            event["usage"] = None
        if more:
            event |= more
        return b"data: " + _encode(event) + b"\n\n"

    def _part(self, index: int, delta: Json, *, finish_reason: str | None = None) -> Json:
        part: Json = {"index": index}
        if self._chat:
            part["delta"] = delta
        else:
            part["text"] = delta.get("content", "")
        content = delta.get("content")
        part["logprobs"] = self._logprobs(content) if content else None
        part["finish_reason"] = finish_reason
        return part

    def _delta(self, choice: Choice, turn: int) -> Json:
        piece = choice.pieces[turn]
        role = {} if self._flavour.role_first else {"role": "assistant"}
        if choice.tool is None:
            return role | {"content": piece}
        call: Json = {"index": 0, "function": {"arguments": piece}}
        if not turn:
            call = {"index": 0, "id": "call_sim_0", "type": "function"}
            call["function"] = {"name": choice.tool, "arguments": piece}
        return role | {"tool_calls": [call]}

    def _choice(self, index: int, choice: Choice) -> Json:
        spoken = choice.text if choice.tool is None else None
        said: Json = {"index": index}
        if self._chat:
            message: Json = {"role": "assistant", "content": spoken}
            if choice.tool is not None:
                function = {"name": choice.tool, "arguments": choice.text}
                message["tool_calls"] = [
                    {"id": "call_sim_0", "type": "function", "function": function}
                ]
            said["message"] = message
        else:
            said["text"] = spoken or ""
        said["logprobs"] = self._logprobs(spoken) if spoken else None
        said["finish_reason"] = choice.finish_reason
        return said

    def _logprobs(self, text: str) -> Json | None:
        """Return the shape that `logprobs` asks for, every token being certain."""
        wanted = self._asked.fields.get("logprobs")
        if wanted is None or wanted is False:
            return None
        if not self._chat:
            return {"tokens": [text], "token_logprobs": [0.0], "top_logprobs": None}
        token: dict[str, Any] = {"token": text, "logprob": 0.0, "bytes": list(text.encode())}
        return {"content": [token | {"top_logprobs": []}], "refusal": None}


def embeddings_body(asked: Asked, dimensions: int | None) -> bytes:
    """Return the body of an embeddings answer, each vector being a model's for a text."""
    wanted = asked.fields.get("dimensions")
    length = wanted if isinstance(wanted, int) else dimensions or DEFAULT_DIMENSIONS
    as_text = asked.fields.get("encoding_format") == "base64"
    listed = []
    for index, text in enumerate(asked.inputs):
        numbers = vector(asked.model, text, length)
        value = encoded(numbers) if as_text else numbers
        listed.append({"object": "embedding", "index": index, "embedding": value})
    usage = {"prompt_tokens": asked.prompt_tokens, "total_tokens": asked.prompt_tokens}
    return _encode({"object": "list", "data": listed, "model": asked.model, "usage": usage})
