"""Read and write whole answers of OpenAI's chat.

Refuses to know whether an answer is good enough: `openai_answers` judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.protocols.chat.thinking import read_thinking, write_details
from spillover.protocols.conversation.answers import (
    Answer,
    Choice,
    Likelihood,
    Said,
    Stamp,
    Stop,
    Tokens,
)
from spillover.protocols.conversation.fields import Fields, decoded, encode
from spillover.protocols.conversation.requests import Refusal, Text, Thinking, ToolCall
from spillover.protocols.openai_usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STOPS_IN: Final = {
    "stop": Stop.END,
    "length": Stop.LENGTH,
    "tool_calls": Stop.TOOLS,
    "function_call": Stop.TOOLS,
    "content_filter": Stop.FILTERED,
}
STOPS_OUT: Final = {
    Stop.END: "stop",
    Stop.LENGTH: "length",
    Stop.SEQUENCE: "stop",
    Stop.TOOLS: "tool_calls",
    Stop.FILTERED: "content_filter",
    Stop.PAUSED: "stop",
    Stop.CONTEXT: "length",
}


def read_answer(body: bytes) -> Answer:
    """Return an answer, its calls' ids empty where they lack; raises `Malformed`."""
    fields = decoded(body, lenient=True)
    return Answer(
        id=fields.text("id"),
        model=fields.text("model"),
        choices=tuple(_choice(choice) for choice in fields.objects("choices")),
        tokens=read_tokens(fields.fields("usage")),
    )


def _choice(choice: Fields) -> Choice:
    message = choice.fields("message")
    stop = STOPS_IN.get(choice.text("finish_reason") or "stop", Stop.END)
    parts = () if message is None else tuple(_said(message))
    return Choice(parts=parts, stop=stop, logprobs=read_logprobs(choice.fields("logprobs")))


def _said(message: Fields) -> Iterator[Said]:
    yield from read_thinking(message)
    text = words(message.value("content"))
    if text:
        yield Text(text=text)
    refusal = message.text("refusal")
    if refusal:
        yield Refusal(text=refusal)
    for call in message.objects("tool_calls"):
        function = call.fields("function") or Fields({})
        yield ToolCall(
            id=call.text("id") or "",
            name=function.text("name") or "",
            arguments=function.arguments("arguments"),
        )


def words(content: Any) -> str:
    """Return the text of a message's content, which some providers (Mistral) send in parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def read_tokens(usage: Fields | None) -> Tokens | None:
    """Return what a usage object tells, in whichever way its provider tells it."""
    counted = None if usage is None else read_usage(msgspec.Raw(encode(usage.all())))
    if usage is None or counted is None:
        return None
    input_details = usage.fields("prompt_tokens_details") or Fields({})
    output_details = usage.fields("completion_tokens_details") or Fields({})
    return Tokens(
        input=counted.input_tokens,
        cached=counted.cached_tokens,
        stored=input_details.count("cache_write_tokens") or 0,
        output=counted.output_tokens,
        reasoning=output_details.count("reasoning_tokens") or 0,
        cost_nanousd=counted.cost_nanousd,
    )


def write_tokens(tokens: Tokens) -> dict[str, Any]:
    """Return a usage object."""
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.stored,
        },
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }


def read_logprobs(logprobs: Fields | None) -> tuple[Likelihood, ...]:
    """Return the log probabilities of a choice's text."""
    if logprobs is None:
        return ()
    return tuple(read_likelihood(token) for token in logprobs.objects("content"))


def read_likelihood(token: Fields) -> Likelihood:
    """Return one token's; Responses writes it alike."""
    octets = token.items("bytes")
    return Likelihood(
        token=token.text("token") or "",
        logprob=token.number("logprob") or 0.0,
        bytes=tuple(octets) if octets else None,
        top=tuple(read_likelihood(other) for other in token.objects("top_logprobs")),
    )


def write_likelihood(token: Likelihood) -> dict[str, Any]:
    """Return one token's; Responses writes it alike."""
    return {
        **_bare(token),
        "top_logprobs": [_bare(other) for other in token.top],
    }


def _bare(token: Likelihood) -> dict[str, Any]:
    octets = token.token.encode() if token.bytes is None else token.bytes
    return {"token": token.token, "logprob": token.logprob, "bytes": list(octets)}


def write_logprobs(logprobs: Iterable[Likelihood]) -> dict[str, Any] | None:
    """Return the object of a choice; None where nothing is known."""
    content = [write_likelihood(token) for token in logprobs]
    return {"content": content, "refusal": None} if content else None


def write_answer(answer: Answer, stamp: Stamp) -> bytes:
    """Return the body of an answer."""
    fields: dict[str, Any] = {
        "id": f"chatcmpl-{stamp.id}",
        "object": "chat.completion",
        "created": stamp.created_at,
        "model": answer.model or stamp.model,
        "choices": [
            {
                "index": index,
                "message": _message(choice),
                "logprobs": write_logprobs(choice.logprobs),
                "finish_reason": STOPS_OUT[choice.stop],
            }
            for index, choice in enumerate(answer.choices)
        ],
    }
    if answer.tokens is not None:
        fields["usage"] = write_tokens(answer.tokens)
    return encode(fields)


def _message(choice: Choice) -> dict[str, Any]:
    parts = choice.parts
    texts = [part.text for part in parts if isinstance(part, Text)]
    refusals = [part.text for part in parts if isinstance(part, Refusal)]
    thoughts = [part for part in parts if isinstance(part, Thinking)]
    calls = [part for part in parts if isinstance(part, ToolCall)]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) if texts else None,
        "refusal": "".join(refusals) if refusals else None,
    }
    if thoughts:
        message["reasoning_content"] = "".join(part.text for part in thoughts)
        message["reasoning_details"] = write_details(thoughts)
    if calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for call in calls
        ]
    return message
