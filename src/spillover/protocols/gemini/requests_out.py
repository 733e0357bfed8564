"""Write the neutral conversation as a request of Gemini's generateContent.

Refuses to know who asked, and in which protocol.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, assert_never

from spillover.protocols.conversation.fields import Losses, encode
from spillover.protocols.conversation.requests import (
    EFFORTS,
    Choosing,
    Media,
    Medium,
    OutputFormat,
    Reasoning,
    Refusal,
    Request,
    Role,
    Target,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
    Written,
    budget_of,
    effort_of,
)
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.gemini.parts import PartWriter, write_call, write_result, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEVELLED: Final = re.compile(r"gemini-(?:[3-9]|\d\d)")
"""Models that think by level; those before do within a budget."""
_CEASELESS: Final = re.compile(r"gemini-2\.5-pro")
"""Models that can't do without thinking."""
_LEAST_BUDGET: Final = 128
_MOST_BUDGET: Final = 24_576
UNCHECKED: Final = "skip_thought_signature_validator"
"""What stands for the signature of a call that Gemini did not make; without one Gemini 3 refuses it
(https://ai.google.dev/gemini-api/docs/thought-signatures#faqs)."""


def path_of(model: str, *, stream: bool) -> str:
    """Return where a request goes, behind the base address."""
    if stream:
        return f"models/{model}:streamGenerateContent?alt=sse"
    return f"models/{model}:generateContent"


def write_request(request: Request, target: Target) -> Written:
    """Return the body for `target`, and what it could not carry; the model is named by `path_of`."""
    losses = Losses()
    losses.drop(*request.dropped)
    losses.lack(*request.lacks)
    system, contents = _contents(request, target, losses)
    fields: dict[str, Any] = {}
    if system:
        fields["systemInstruction"] = {"parts": [{"text": text} for text in system]}
    fields["contents"] = contents
    _put_tools(request, fields, losses)
    config = _config(request, target, losses)
    if config:
        fields["generationConfig"] = config
    losses.drop(*request.openai)
    if request.user is not None:
        losses.drop("user")
    return Written(body=encode(fields), dropped=losses.dropped, lacks=losses.lacks)


def _put_tools(request: Request, fields: dict[str, Any], losses: Losses) -> None:
    if not request.tools:
        return
    declared = []
    for tool in request.tools:
        shown: dict[str, Any] = {"name": tool.name}
        if tool.description is not None:
            shown["description"] = tool.description
        if tool.schema is not None:
            shown["parametersJsonSchema"] = tool.schema
        if tool.strict is not None:
            losses.drop("tools.strict")
        declared.append(shown)
    fields["tools"] = [{"functionDeclarations": declared}]
    choice = request.tool_choice
    if choice is not None:
        calling: dict[str, Any] = {"mode": _MODES[choice.mode]}
        if choice.names:
            calling["allowedFunctionNames"] = list(choice.names)
        fields["toolConfig"] = {"functionCallingConfig": calling}
    if request.parallel_calls is False:
        losses.lack("parallel_tool_calls")


_MODES: Final = {
    Choosing.AUTO: "AUTO",
    Choosing.NONE: "NONE",
    Choosing.ANY: "ANY",
    Choosing.NAMED: "ANY",
}


def _config(request: Request, target: Target, losses: Losses) -> dict[str, Any]:
    drawn = request.sampling
    most = drawn.max_tokens
    if most is not None and target.max_output_tokens is not None:
        most = min(most, target.max_output_tokens)
    found = {
        "maxOutputTokens": most,
        "temperature": drawn.temperature,
        "topP": drawn.top_p,
        "topK": drawn.top_k,
        "stopSequences": list(drawn.stop) or None,
        "seed": drawn.seed,
        "frequencyPenalty": drawn.frequency_penalty,
        "presencePenalty": drawn.presence_penalty,
        "candidateCount": request.choices if request.choices > 1 else None,
        "responseLogprobs": None if drawn.logprobs is None else True,
        "logprobs": drawn.logprobs or None,
    }
    config: dict[str, Any] = {name: value for name, value in found.items() if value is not None}
    if request.format is not None:
        config |= _form(request.format, losses)
    if request.reasoning is not None:
        config["thinkingConfig"] = _thinking(request.reasoning, target.model)
    return config


def _form(form: OutputFormat, losses: Losses) -> dict[str, Any]:
    if form.strict is not None:
        losses.drop("response_format.strict")  # Gemini always is
    config: dict[str, Any] = {"responseMimeType": "application/json"}
    if form.schema is not None:
        config["responseJsonSchema"] = form.schema
    return config


_LEVELS: Final = {
    "none": "minimal",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}


def _thinking(wanted: Reasoning, model: str) -> dict[str, Any]:
    config: dict[str, Any] = {}
    budget, effort = budget_of(wanted), effort_of(wanted)
    if _LEVELLED.search(model):
        if effort in EFFORTS:
            config["thinkingLevel"] = _LEVELS[effort]
    elif budget is not None:
        least = _LEAST_BUDGET if _CEASELESS.search(model) else 0
        config["thinkingBudget"] = max(least, min(budget, _MOST_BUDGET))
    if wanted.shown is not False and budget != 0:
        config["includeThoughts"] = True
    return config


def _contents(
    request: Request, target: Target, losses: Losses
) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the system's words and the turns, each side's merged into one."""
    system = [part.text for part in request.system]
    names: dict[str, str] = {}
    """Of the tools that were called so far, by the calls' ids: here results name them."""
    wants_signatures = _LEVELLED.search(target.model) is not None
    merged: list[tuple[str, list[dict[str, Any]]]] = []
    for turn in request.turns:
        if turn.role is Role.SYSTEM:
            system += [part.text for part in turn.parts if isinstance(part, Text)]
            continue
        role = "model" if turn.role is Role.ASSISTANT else "user"
        parts = _parts(turn, names, losses)
        if wants_signatures:
            _excuse(parts)
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(parts)
        elif parts:
            merged.append((role, parts))
    if not merged and system:
        merged, system = [("user", [{"text": text} for text in system])], []
    return system, [{"role": role, "parts": parts} for role, parts in merged]


def _excuse(parts: list[dict[str, Any]]) -> None:
    """Give the first call of a turn a signature, if Gemini gave it none."""
    for part in parts:
        if "functionCall" in part:
            part.setdefault("thoughtSignature", UNCHECKED)
            return


def _parts(turn: Turn, names: dict[str, str], losses: Losses) -> list[dict[str, Any]]:
    writer = PartWriter()
    found: list[dict[str, Any]] = []
    for part in turn.parts:
        if isinstance(part, Thinking):
            found += _thought(part, writer, losses)
            continue
        written = _part(part, names, losses)
        if written is not None:
            found.append(writer.signed(written))
    return found + writer.rest()


def _thought(part: Thinking, writer: PartWriter, losses: Losses) -> Iterator[dict[str, Any]]:
    if part.seal is None or part.seal.origin is not Dialect.GEMINI:
        losses.drop("thinking")
        return
    yield from writer.rest()
    if part.text:
        yield {"text": part.text, "thought": True}
    writer.sealed(part.seal.value)


def _part(
    part: Text | Refusal | Media | ToolCall | ToolResult, names: dict[str, str], losses: Losses
) -> dict[str, Any] | None:
    match part:
        case Text() | Refusal():
            return write_text(part)
        case Media():
            return _media(part, losses)
        case ToolCall():
            names[part.id] = part.name
            return write_call(part.id, part.name, part.arguments)
        case ToolResult():
            media = [
                found
                for item in part.content
                if isinstance(item, Media) and (found := _media(item, losses)) is not None
            ]
            return write_result(part, names.get(part.id, part.id), media)
        case _:
            assert_never(part)


def _media(part: Media, losses: Losses) -> dict[str, Any] | None:
    if part.detail not in (None, "auto"):
        losses.drop("image_url.detail")
    if part.data is not None:
        mime = part.mime or ("image/jpeg" if part.medium is Medium.IMAGE else None)
        if mime is None:
            losses.lack("file")
            return None
        return {"inlineData": {"mimeType": mime, "data": part.data}}
    url = part.url or part.file_id or ""
    if part.url is None and "/" not in url:
        losses.lack("file_id")
        return None
    file = {"fileUri": url}
    mime = part.mime or _mime_of(url, part.medium)
    if mime is not None:
        file["mimeType"] = mime
    return {"fileData": file}


_SUFFIXES: Final = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
}


def _mime_of(url: str, medium: Medium) -> str | None:
    """Return what is likely to be found at an address: other protocols don't say."""
    suffix = url.partition("?")[0].rpartition(".")[2].lower()
    usual = "image/jpeg" if medium is Medium.IMAGE else None
    return _SUFFIXES.get(suffix, usual)
