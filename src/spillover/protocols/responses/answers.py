"""Read and write whole answers of OpenAI's Responses.

Refuses to know whether an answer is good enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from msgspec.structs import replace

from spillover.protocols.chat.answers import read_likelihood
from spillover.protocols.conversation.answers import (
    Answer,
    Choice,
    Likelihood,
    Said,
    Stamp,
    Stop,
    Tokens,
)
from spillover.protocols.conversation.fields import Fields, Losses, decoded, encode
from spillover.protocols.conversation.requests import Refusal, Text, Thinking, ToolCall
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.responses.items import (
    message_item,
    read_call,
    read_content,
    read_reasoning,
    reasoning_item,
    said_part,
)
from spillover.protocols.responses.tools import call_item

if TYPE_CHECKING:
    from collections.abc import Iterator

INCOMPLETE: Final = {
    Stop.LENGTH: "max_output_tokens",
    Stop.CONTEXT: "max_output_tokens",
    Stop.FILTERED: "content_filter",
}
"""Why an answer is not complete; any other stop completes it."""


def read_answer(body: bytes) -> Answer:
    """Return an answer; raises `Malformed`."""
    return read_response(decoded(body, lenient=True))


def read_response(fields: Fields) -> Answer:
    """Return the answer that a response is."""
    parts: list[Said] = []
    logprobs: list[Likelihood] = []
    for item in fields.objects("output"):
        parts += _item(item)
        logprobs += _logprobs(item)
    calls = any(isinstance(part, ToolCall) for part in parts)
    choice = Choice(
        parts=tuple(parts), stop=read_stop(fields, calls=calls), logprobs=tuple(logprobs)
    )
    return Answer(
        id=fields.text("id"),
        model=fields.text("model"),
        choices=(choice,),
        tokens=read_tokens(fields.fields("usage")),
    )


def _item(item: Fields) -> Iterator[Said]:
    match item.text("type"):
        case "message":
            for part in read_content(item, "content", Losses()):
                if isinstance(part, Text | Refusal) and part.text:
                    yield part
        case "function_call":
            yield read_call(item)
        case "reasoning":
            yield read_reasoning(item)
        case _:
            pass  # OpenAI's own tools


def _logprobs(item: Fields) -> Iterator[Likelihood]:
    if item.text("type") == "message":
        for part in item.objects("content"):
            yield from map(read_likelihood, part.objects("logprobs"))


def read_stop(fields: Fields, *, calls: bool) -> Stop:
    """Return why a response ended."""
    details = fields.fields("incomplete_details")
    reason = None if details is None else details.text("reason")
    if reason is not None:
        return Stop.FILTERED if reason == "content_filter" else Stop.LENGTH
    return Stop.TOOLS if calls else Stop.END


def read_tokens(usage: Fields | None) -> Tokens | None:
    """Return what a usage object tells."""
    if usage is None:
        return None
    read = usage.fields("input_tokens_details") or Fields({})
    written = usage.fields("output_tokens_details") or Fields({})
    return Tokens(
        input=usage.count("input_tokens") or 0,
        cached=read.count("cached_tokens") or 0,
        stored=read.count("cache_write_tokens") or 0,
        output=usage.count("output_tokens") or 0,
        reasoning=written.count("reasoning_tokens") or 0,
    )


def write_tokens(tokens: Tokens) -> dict[str, Any]:
    """Return a usage object."""
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.stored,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }


def write_answer(answer: Answer, stamp: Stamp) -> bytes:
    """Return the body of an answer; the first choice alone has room in it."""
    choice = answer.choices[0] if answer.choices else Choice()
    items = [
        _written(part, f"{stamp.id}_{number}", choice, stamp)
        for number, part in enumerate(choice.parts)
    ]
    return encode(write_response(stamp, answer.model, choice.stop, items, answer.tokens))


def write_response(
    stamp: Stamp,
    model: str | None,
    stop: Stop | None,
    output: list[dict[str, Any]],
    tokens: Tokens | None,
) -> dict[str, Any]:
    """Return a response; without a `stop` it is in progress."""
    reason = None if stop is None else INCOMPLETE.get(stop)
    status = "in_progress" if stop is None else "completed" if reason is None else "incomplete"
    return {
        "id": f"resp_{stamp.id}",
        "object": "response",
        "created_at": stamp.created_at,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None if reason is None else {"reason": reason},
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": model or stamp.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None if tokens is None else write_tokens(tokens),
    }


def _written(part: Said, name: str, choice: Choice, stamp: Stamp) -> dict[str, Any]:
    status = "incomplete" if choice.stop in INCOMPLETE else "completed"
    match part:
        case Text() | Refusal():
            logprobs = choice.logprobs if isinstance(part, Text) else ()
            return message_item([said_part(part, logprobs)], f"msg_{name}", status)
        case ToolCall():
            whole = replace(part, arguments=part.arguments or "{}")
            return call_item(whole, name, status, stamp.spellings.get(part.name))
        case Thinking():
            own = part.seal is not None and part.seal.origin is Dialect.RESPONSES
            identity = part.seal.id if part.seal is not None and own else None
            return reasoning_item(part.text, part.seal, identity or f"rs_{name}")
        case _:
            assert_never(part)
