"""Read and write whole answers of Gemini's generateContent.

Refuses to know whether an answer is good enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, assert_never

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
from spillover.protocols.conversation.seals import Dialect, marked
from spillover.protocols.gemini.parts import (
    Ids,
    PartWriter,
    joined,
    read_part,
    write_call,
    write_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STOPS_IN: Final = {
    "STOP": Stop.END,
    "MAX_TOKENS": Stop.LENGTH,
    "SAFETY": Stop.FILTERED,
    "RECITATION": Stop.FILTERED,
    "LANGUAGE": Stop.FILTERED,
    "OTHER": Stop.FILTERED,
    "BLOCKLIST": Stop.FILTERED,
    "PROHIBITED_CONTENT": Stop.FILTERED,
    "SPII": Stop.FILTERED,
    "IMAGE_SAFETY": Stop.FILTERED,
    "IMAGE_PROHIBITED_CONTENT": Stop.FILTERED,
    "IMAGE_RECITATION": Stop.FILTERED,
    "MODEL_ARMOR": Stop.FILTERED,
}
STOPS_OUT: Final = {
    Stop.END: "STOP",
    Stop.LENGTH: "MAX_TOKENS",
    Stop.SEQUENCE: "STOP",
    Stop.TOOLS: "STOP",
    Stop.FILTERED: "SAFETY",
    Stop.PAUSED: "STOP",
    Stop.CONTEXT: "MAX_TOKENS",
}


def read_answer(body: bytes, *, seed: str = "") -> Answer:
    """Return an answer, ids of calls made from `seed` where they lack; raises `Malformed`."""
    fields = decoded(body, lenient=True)
    choices = [_choice(candidate, seed) for candidate in fields.objects("candidates")]
    if not choices and is_blocked(fields):
        choices = [Choice(stop=Stop.FILTERED)]
    return Answer(
        id=fields.text("responseId"),
        model=fields.text("modelVersion"),
        choices=tuple(choices),
        tokens=read_tokens(fields.fields("usageMetadata")),
    )


def is_blocked(fields: Fields) -> bool:
    """Whether the prompt itself was refused."""
    feedback = fields.fields("promptFeedback")
    return feedback is not None and "blockReason" in feedback


def _choice(candidate: Fields, seed: str) -> Choice:
    content = candidate.fields("content") or Fields({})
    said = tuple(joined(read_said(content, Ids(seed))))
    parts = tuple(part for part in said if isinstance(part, Said))
    stop = read_stop(candidate, calls=any(isinstance(part, ToolCall) for part in parts))
    why = read_refusal(candidate, stop)
    return Choice(
        parts=parts if why is None else (*parts, why),
        stop=stop,
        logprobs=read_logprobs(candidate.fields("logprobsResult")),
    )


Given: TypeAlias = Text | Thinking | ToolCall
"""What parts say; a refusal stands beside them."""


def read_said(content: Fields, ids: Ids) -> Iterator[Given]:
    """Yield what the parts of an answer say; what Google's own tools did is not said."""
    for part in content.objects("parts"):
        for found in read_part(part, ids) or ():
            if isinstance(found, Given):
                yield found


def read_stop(candidate: Fields, *, calls: bool) -> Stop:
    """Return why a candidate ends; one with calls ends for them."""
    stop = STOPS_IN.get(candidate.text("finishReason") or "STOP", Stop.END)
    return Stop.TOOLS if calls and stop is Stop.END else stop


def read_refusal(candidate: Fields, stop: Stop) -> Refusal | None:
    """Return why a candidate was withheld, where it is told."""
    message = candidate.text("finishMessage")
    return Refusal(text=message) if message and stop is Stop.FILTERED else None


def read_tokens(usage: Fields | None) -> Tokens | None:
    """Return what the usage tells; Gemini counts thoughts beside the output, we within it."""
    if usage is None:
        return None
    thoughts = usage.count("thoughtsTokenCount") or 0
    asked = usage.count("promptTokenCount") or 0
    return Tokens(
        input=asked + (usage.count("toolUsePromptTokenCount") or 0),
        cached=usage.count("cachedContentTokenCount") or 0,
        output=(usage.count("candidatesTokenCount") or 0) + thoughts,
        reasoning=thoughts,
    )


def write_tokens(tokens: Tokens) -> dict[str, Any]:
    """Return the usage."""
    usage = {
        "promptTokenCount": tokens.input,
        "candidatesTokenCount": max(0, tokens.output - tokens.reasoning),
        "totalTokenCount": tokens.input + tokens.output,
    }
    if tokens.cached:
        usage["cachedContentTokenCount"] = tokens.cached
    if tokens.reasoning:
        usage["thoughtsTokenCount"] = tokens.reasoning
    return usage


def read_logprobs(result: Fields | None) -> tuple[Likelihood, ...]:
    """Return the log probabilities of a candidate's text."""
    if result is None:
        return ()
    tops = [
        tuple(_likelihood(token) for token in step.objects("candidates"))
        for step in result.objects("topCandidates")
    ]
    return tuple(
        _likelihood(token, tops[index] if index < len(tops) else ())
        for index, token in enumerate(result.objects("chosenCandidates"))
    )


def _likelihood(token: Fields, top: tuple[Likelihood, ...] = ()) -> Likelihood:
    chance = token.number("logProbability") or 0.0
    return Likelihood(token=token.text("token") or "", logprob=chance, top=top)


def write_logprobs(logprobs: Iterable[Likelihood]) -> dict[str, Any]:
    """Return the field of a candidate; none where nothing is known."""
    chosen = list(logprobs)
    if not chosen:
        return {}
    return {
        "logprobsResult": {
            "chosenCandidates": [_bare(token) for token in chosen],
            "topCandidates": [
                {"candidates": [_bare(other) for other in token.top]} for token in chosen
            ],
        }
    }


def _bare(token: Likelihood) -> dict[str, Any]:
    return {"token": token.token, "logProbability": token.logprob}


def write_answer(answer: Answer, stamp: Stamp) -> bytes:
    """Return the body of an answer."""
    fields: dict[str, Any] = {
        "candidates": [
            {
                "content": {"role": "model", "parts": list(_parts(choice))},
                **write_end(choice.stop, choice.parts),
                "index": index,
                **write_logprobs(choice.logprobs),
            }
            for index, choice in enumerate(answer.choices)
        ]
    }
    if answer.tokens is not None:
        fields["usageMetadata"] = write_tokens(answer.tokens)
    fields["modelVersion"] = answer.model or stamp.model
    fields["responseId"] = stamp.id
    return encode(fields)


def write_end(stop: Stop, parts: Iterable[Said]) -> dict[str, Any]:
    """Return the fields that say why a candidate ends."""
    refusals = "".join(part.text for part in parts if isinstance(part, Refusal))
    if refusals:
        return {"finishReason": STOPS_OUT[Stop.FILTERED], "finishMessage": refusals}
    return {"finishReason": STOPS_OUT[stop]}


def _parts(choice: Choice) -> Iterator[dict[str, Any]]:
    writer = PartWriter()
    for part in choice.parts:
        match part:
            case Text():
                yield writer.signed(write_text(part))
            case ToolCall():
                yield writer.signed(write_call(part.id, part.name, part.arguments))
            case Thinking():
                yield from writer.rest()
                if part.text:
                    yield {"text": part.text, "thought": True}
                if part.seal is not None:
                    writer.sealed(marked(part.seal, Dialect.GEMINI))
            case Refusal():
                pass  # `finishMessage` has it
            case _:
                assert_never(part)
    yield from writer.rest()
