"""Put an answer into the dialect of Anthropic, Google or OpenAI's Responses: a body, or events.

Written by the providers' documentation alone, so that what judges the translation can't repeat its
mistakes. Refuses to know sockets, times and faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from spillover.simulator.asked import Operation
from spillover.simulator.faults import Part
from spillover.simulator.speech import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.simulator.answers import Answer, Choice
    from spillover.simulator.asked import Asked
    from spillover.simulator.replies import Json, Reply

_encode: Final = msgspec.json.Encoder().encode


def _typed(part: Part, kind: str, chars: int = 0, /, **fields: Any) -> Event:
    data = _encode({"type": kind, **fields})
    return Event(part, b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n", chars)


class NativeSpeaker(Protocol):
    """One answer in one dialect's words."""

    def __init__(self, asked: Asked, *, serial: int, created_at: int) -> None: ...

    def body(self, answer: Answer) -> bytes:
        """Return a whole answer."""

    def events(self, answer: Answer) -> Iterator[Event]:
        """Yield a stream's events."""


class MessagesSpeaker:
    """Anthropic's Messages (https://platform.claude.com/docs/en/api/messages-streaming)."""

    def __init__(self, asked: Asked, *, serial: int, created_at: int) -> None:
        """Take what is the same in all of an answer."""
        del created_at
        self._asked = asked
        self._id = f"msg_sim_{serial}"
        self._call_id = f"toolu_sim_{serial}"

    def body(self, answer: Answer) -> bytes:
        """Return a whole answer."""
        choice = answer.choices[0]
        return _encode(
            self._message(answer, answer.completion_tokens)
            | {"content": [self._block(choice)], "stop_reason": _STOPS[choice.finish_reason]}
        )

    def events(self, answer: Answer) -> Iterator[Event]:
        """Yield a stream's events."""
        choice = answer.choices[0]
        called = choice.tool is not None
        yield _typed(Part.ROLE, "message_start", message=self._message(answer, 1))
        block: Json = {"type": "text", "text": ""}
        if called:
            block = {"type": "tool_use", "id": self._call_id, "name": choice.tool, "input": {}}
        yield _typed(Part.ROLE, "content_block_start", index=0, content_block=block)
        yield _typed(Part.ROLE, "ping")
        for piece in choice.pieces:
            delta = (
                {"type": "input_json_delta", "partial_json": piece}
                if called
                else {"type": "text_delta", "text": piece}
            )
            yield _typed(Part.CONTENT, "content_block_delta", len(piece), index=0, delta=delta)
        yield _typed(Part.FINISH, "content_block_stop", index=0)
        yield _typed(
            Part.FINISH,
            "message_delta",
            delta={"stop_reason": _STOPS[choice.finish_reason], "stop_sequence": None},
            usage={"output_tokens": answer.completion_tokens},
        )
        yield _typed(Part.DONE, "message_stop")

    def _message(self, answer: Answer, output_tokens: int) -> Json:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._asked.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {
                "input_tokens": answer.prompt_tokens,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": output_tokens,
            },
        }

    def _block(self, choice: Choice) -> Json:
        if choice.tool is None:
            return {"type": "text", "text": choice.text}
        arguments = msgspec.json.decode(choice.text)
        return {"type": "tool_use", "id": self._call_id, "name": choice.tool, "input": arguments}


_STOPS: Final = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


class GenerateSpeaker:
    """Gemini's generateContent (https://ai.google.dev/api/generate-content)."""

    def __init__(self, asked: Asked, *, serial: int, created_at: int) -> None:
        """Take what is the same in all of an answer."""
        del created_at
        self._asked = asked
        self._id = f"sim-{serial}"

    def body(self, answer: Answer) -> bytes:
        """Return a whole answer."""
        choice = answer.choices[0]
        return _encode(self._chunk(answer, [_part(choice, choice.text)], choice))

    def events(self, answer: Answer) -> Iterator[Event]:
        """Yield a stream's events: a call comes whole, and the end has no sentinel."""
        choice = answer.choices[0]
        pieces = choice.pieces if choice.tool is None else (choice.text,)
        for piece in pieces:
            chunk = self._chunk(answer, [_part(choice, piece)])
            yield Event(Part.CONTENT, _data(chunk), len(piece))
        yield Event(Part.FINISH, _data(self._chunk(answer, [{"text": ""}], choice)))

    def _chunk(self, answer: Answer, parts: list[Json], ends: Choice | None = None) -> Json:
        candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
        usage: Json = {"promptTokenCount": answer.prompt_tokens}
        if ends is not None:
            candidate["finishReason"] = "MAX_TOKENS" if ends.finish_reason == "length" else "STOP"
            usage["candidatesTokenCount"] = answer.completion_tokens
        usage["totalTokenCount"] = sum(usage.values())
        return {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": self._asked.model,
            "responseId": self._id,
        }


def _data(chunk: Json) -> bytes:
    return b"data: " + _encode(chunk) + b"\r\n\r\n"


def _part(choice: Choice, piece: str) -> Json:
    if choice.tool is None:
        return {"text": piece}
    return {"functionCall": {"name": choice.tool, "args": msgspec.json.decode(choice.text)}}


class ResponsesSpeaker:
    """OpenAI's Responses (https://platform.openai.com/docs/api-reference/responses-streaming)."""

    def __init__(self, asked: Asked, *, serial: int, created_at: int) -> None:
        """Take what is the same in all of an answer."""
        self._asked = asked
        self._serial = serial
        self._created_at = created_at

    def body(self, answer: Answer) -> bytes:
        """Return a whole answer."""
        return _encode(self._response(answer, [self._item(answer.choices[0])]))

    def events(self, answer: Answer) -> Iterator[Event]:
        """Yield a stream's events, numbered."""
        for number, (part, kind, chars, fields) in enumerate(self._told(answer)):
            yield _typed(part, kind, chars, sequence_number=number, **fields)

    def _told(self, answer: Answer) -> Iterator[tuple[Part, str, int, Json]]:
        choice = answer.choices[0]
        item = self._item(choice)
        begun = self._response(answer, [], status="in_progress")
        yield Part.ROLE, "response.created", 0, {"response": begun}
        yield Part.ROLE, "response.in_progress", 0, {"response": begun}
        empty: Json = {"arguments": ""} if choice.tool else {"content": []}
        opened = item | empty | {"status": "in_progress"}
        yield Part.ROLE, "response.output_item.added", 0, {"output_index": 0, "item": opened}
        at: Json = {"item_id": item["id"], "output_index": 0}
        if choice.tool is not None:
            for piece in choice.pieces:
                kind = "response.function_call_arguments.delta"
                yield Part.CONTENT, kind, len(piece), at | {"delta": piece}
            done = at | {"arguments": choice.text, "name": choice.tool}
            yield Part.FINISH, "response.function_call_arguments.done", 0, done
        else:
            at["content_index"] = 0
            blank = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            yield Part.ROLE, "response.content_part.added", 0, at | {"part": blank}
            for piece in choice.pieces:
                told = at | {"delta": piece, "logprobs": []}
                yield Part.CONTENT, "response.output_text.delta", len(piece), told
            whole = at | {"text": choice.text, "logprobs": []}
            yield Part.FINISH, "response.output_text.done", 0, whole
            part = blank | {"text": choice.text}
            yield Part.FINISH, "response.content_part.done", 0, at | {"part": part}
        yield Part.FINISH, "response.output_item.done", 0, {"output_index": 0, "item": item}
        cut = choice.finish_reason == "length"
        kind = "response.incomplete" if cut else "response.completed"
        yield Part.DONE, kind, 0, {"response": self._response(answer, [item])}

    def _item(self, choice: Choice) -> Json:
        if choice.tool is not None:
            return {
                "type": "function_call",
                "id": f"fc_sim_{self._serial}",
                "call_id": f"call_sim_{self._serial}",
                "name": choice.tool,
                "arguments": choice.text,
                "status": "completed",
            }
        said = {"type": "output_text", "text": choice.text, "annotations": [], "logprobs": []}
        return {
            "type": "message",
            "id": f"msg_sim_{self._serial}",
            "role": "assistant",
            "status": "completed",
            "content": [said],
        }

    def _response(self, answer: Answer, output: list[Json], *, status: str = "") -> Json:
        cut = answer.choices[0].finish_reason == "length"
        used = {
            "input_tokens": answer.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": answer.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        }
        return {
            "id": f"resp_sim_{self._serial}",
            "object": "response",
            "created_at": self._created_at,
            "status": status or ("incomplete" if cut else "completed"),
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if cut and not status else None,
            "model": self._asked.model,
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": None if status else used,
        }


def responses_error(reply: Reply) -> bytes:
    """Return the event of OpenAI's Responses that tells an error after the head has been sent."""
    error = msgspec.json.decode(reply.body)["error"]
    told = {"code": error["code"], "message": error["message"], "param": None}
    return _typed(Part.ERROR, "error", sequence_number=0, **told).data


NATIVE: Final[dict[Operation, type[NativeSpeaker]]] = {
    Operation.MESSAGES: MessagesSpeaker,
    Operation.RESPONSES: ResponsesSpeaker,
    Operation.GENERATE: GenerateSpeaker,
}
"""Who speaks, by what was asked for."""
