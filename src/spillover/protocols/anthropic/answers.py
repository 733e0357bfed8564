"""Read and write whole answers of Anthropic's Messages.

Refuses to know whether an answer is good enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from spillover.protocols.anthropic.requests_in import read_redacted, read_thinking
from spillover.protocols.conversation.answers import Answer, Choice, Said, Stamp, Stop, Tokens
from spillover.protocols.conversation.fields import Fields, decoded, encode, object_in
from spillover.protocols.conversation.requests import Refusal, Text, Thinking, ToolCall
from spillover.protocols.conversation.seals import Dialect, Seal, marked

if TYPE_CHECKING:
    from collections.abc import Iterator

STOPS_IN: Final = {
    "end_turn": Stop.END,
    "max_tokens": Stop.LENGTH,
    "stop_sequence": Stop.SEQUENCE,
    "tool_use": Stop.TOOLS,
    "pause_turn": Stop.PAUSED,
    "refusal": Stop.FILTERED,
    "model_context_window_exceeded": Stop.CONTEXT,
}
STOPS_OUT: Final = {stop: written for written, stop in STOPS_IN.items()}


def read_answer(body: bytes) -> Answer:
    """Return an answer, its calls' ids empty where they lack; raises `Malformed`."""
    fields = decoded(body, lenient=True)
    parts: list[Said] = [part for block in fields.objects("content") for part in read_block(block)]
    if isinstance(bare := fields.value("content"), str) and bare:
        parts.append(Text(text=bare))  # as some who imitate Anthropic write it
    stop = STOPS_IN.get(fields.text("stop_reason") or "end_turn", Stop.END)
    parts += read_refusal(fields)
    choice = Choice(parts=tuple(parts), stop=stop, stop_sequence=fields.text("stop_sequence"))
    return Answer(
        id=fields.text("id"),
        model=fields.text("model"),
        choices=(choice,),
        tokens=read_tokens(fields.fields("usage"), Tokens()),
    )


def read_block(block: Fields) -> Iterator[Said]:
    """Yield what a block of an answer says; what Anthropic's own tools did is not said."""
    match block.text("type"):
        case "text":
            text = block.text("text")
            if text:
                yield Text(text=text)
        case "tool_use":
            arguments = block.arguments("input") or "{}"
            name = block.needed("name")
            yield ToolCall(id=block.text("id") or "", name=name, arguments=arguments)
        case "thinking":
            yield read_thinking(block)
        case "redacted_thinking":
            yield Thinking(seal=read_redacted(block))
        case _:
            pass


def read_refusal(fields: Fields) -> list[Refusal]:
    """Return why an answer was refused, where it is told."""
    details = fields.fields("stop_details")
    explanation = None if details is None else details.text("explanation")
    return [Refusal(text=explanation)] if explanation else []


def read_tokens(usage: Fields | None, before: Tokens) -> Tokens:
    """Return what a usage object tells on top of what was told `before`.

    Anthropic counts what its cache read and wrote beside the input, we within it.
    """
    if usage is None:
        return before
    fresh, cached = usage.count("input_tokens"), usage.count("cache_read_input_tokens")
    stored, output = usage.count("cache_creation_input_tokens"), usage.count("output_tokens")
    details = usage.fields("output_tokens_details") or Fields({})
    if fresh is None:
        fresh = before.input - before.cached - before.stored
    cached = before.cached if cached is None else cached
    stored = before.stored if stored is None else stored
    return Tokens(
        input=fresh + cached + stored,
        cached=cached,
        stored=stored,
        output=before.output if output is None else output,
        reasoning=details.count("thinking_tokens") or before.reasoning,
    )


def write_tokens(tokens: Tokens) -> dict[str, Any]:
    """Return a usage object."""
    usage: dict[str, Any] = {
        "input_tokens": max(0, tokens.input - tokens.cached - tokens.stored),
        "cache_creation_input_tokens": tokens.stored,
        "cache_read_input_tokens": tokens.cached,
        "output_tokens": tokens.output,
    }
    if tokens.reasoning:
        usage["output_tokens_details"] = {"thinking_tokens": tokens.reasoning}
    return usage


def write_answer(answer: Answer, stamp: Stamp) -> bytes:
    """Return the body of an answer; the first choice alone has room in it."""
    choice = answer.choices[0] if answer.choices else Choice()
    refusals = [part.text for part in choice.parts if isinstance(part, Refusal)]
    stop = Stop.FILTERED if refusals else choice.stop
    fields: dict[str, Any] = {
        "id": f"msg_{stamp.id}",
        "type": "message",
        "role": "assistant",
        "model": answer.model or stamp.model,
        "content": [block for part in choice.parts for block in _blocks(part)],
        "stop_reason": STOPS_OUT[stop],
        "stop_sequence": choice.stop_sequence,
        "usage": write_tokens(answer.tokens or Tokens()),
    }
    if refusals:
        fields["stop_details"] = refused("".join(refusals))
    return encode(fields)


def refused(text: str) -> dict[str, Any]:
    """Return the details of a refusal."""
    return {"type": "refusal", "category": None, "explanation": text}


def _blocks(part: Said) -> Iterator[dict[str, Any]]:
    match part:
        case Text():
            yield {"type": "text", "text": part.text}
        case Refusal():
            pass  # `stop_details` has it
        case ToolCall():
            arguments = object_in(part.arguments)
            # A client can only be given an object: what is broken it gets whole, as one field of it.
            found = {"arguments": part.arguments} if arguments is None else arguments
            yield {"type": "tool_use", "id": part.id, "name": part.name, "input": found}
        case Thinking():
            if part.text or (part.seal is not None and part.seal.value):
                yield thinking_block(part.text, part.seal)
        case _:
            assert_never(part)


def thinking_block(text: str, seal: Seal | None) -> dict[str, Any]:
    """Return a thought as a block; a foreign seal that stands alone is thinking withheld."""
    signature = "" if seal is None else marked(seal, Dialect.ANTHROPIC)
    own = seal is not None and seal.origin is Dialect.ANTHROPIC
    if seal is not None and not text and (seal.redacted or not own):
        return {"type": "redacted_thinking", "data": signature}
    return {"type": "thinking", "thinking": text, "signature": signature}
