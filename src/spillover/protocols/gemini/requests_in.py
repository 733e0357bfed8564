"""Read a request of Gemini's generateContent into the neutral conversation.

Fields may be written in either of the ways that Google reads, `systemInstruction` and
`system_instruction`. Refuses to know who will answer it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from spillover.protocols.conversation.fields import Fields, Losses, Malformed, read_body
from spillover.protocols.conversation.requests import (
    Choosing,
    OutputFormat,
    Part,
    Reasoning,
    Request,
    Role,
    Sampling,
    Text,
    Tool,
    ToolChoice,
    Turn,
)
from spillover.protocols.gemini.messages import Message
from spillover.protocols.gemini.parts import Ids, joined, read_part
from spillover.protocols.gemini.schemas import json_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

_LACKING: Final = frozenset(
    {
        "cachedContent",
        "imageConfig",
        "responseFormat",
        "speechConfig",
        "translationConfig",
    }
)
"""Fields that no other protocol has, and without which the answer is another one."""
_OPAQUE: Final = frozenset(
    {
        "args",
        "parameters",
        "parametersJsonSchema",
        "response",
        "responseJsonSchema",
        "responseSchema",
    }
)
"""Fields whose inner names are the user's own."""


def read_request(body: bytes, *, model: str | None = None, stream: bool = False) -> Request:
    """Return what a client asks; its address says of which `model`, and whether to `stream`.

    Raises `InvalidRequest`.
    """
    found = read_body(body, lambda fields: _read(Message(_camel(fields.all()))))
    return replace(found, model=model, stream=stream)


def _camel(value: dict[str, Any] | list[Any]) -> Any:
    if isinstance(value, list):
        return [_camel(item) if isinstance(item, dict | list) else item for item in value]
    found = {}
    for name, item in value.items():
        if "_" in name:
            head, *tail = name.split("_")
            name = head + "".join(word.capitalize() for word in tail)  # noqa: PLW2901 - the same, as it is read
        opaque = not isinstance(item, dict | list) or name in _OPAQUE
        found[name] = item if opaque else _camel(item)
    return found


def _read(fields: Fields) -> Request:
    losses = Losses()
    config = fields.fields("generationConfig") or Fields({})
    instruction = fields.value("systemInstruction")
    if isinstance(instruction, str):
        system: tuple[Text, ...] = (Text(text=instruction),)
    else:
        content = Message(instruction or {}, "systemInstruction")
        said = _parts(content, Ids(""), losses)
        system = tuple(part for part in said if isinstance(part, Text))
    modalities = config.value("responseModalities")
    if modalities not in (None, [], ["TEXT"]):
        losses.lack("responseModalities")
    request = Request(
        system=system,
        turns=tuple(_turns(fields, losses)),
        tools=tuple(_tools(fields, losses)),
        tool_choice=_tool_choice(fields, losses),
        format=_format(config, losses),
        sampling=_sampling(config),
        reasoning=_reasoning(config),
        choices=config.count("candidateCount") or 1,
    )
    if "contents" not in fields:
        raise Malformed("contents", "a list")
    for name in (*fields.left(), *config.left()):
        (losses.lack if name in _LACKING else losses.drop)(name)
    return replace(request, dropped=losses.dropped, lacks=losses.lacks)


def _sampling(config: Fields) -> Sampling:
    wants, top = config.flag("responseLogprobs"), config.count("logprobs")
    return Sampling(
        max_tokens=config.count("maxOutputTokens"),
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=config.count("topK"),
        stop=config.texts("stopSequences"),
        seed=config.count("seed"),
        frequency_penalty=config.number("frequencyPenalty"),
        presence_penalty=config.number("presencePenalty"),
        logprobs=(top or 0) if wants else None,
    )


_LEVELS: Final = {
    "MINIMAL": "minimal",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "XHIGH": "xhigh",
}


def _reasoning(config: Fields) -> Reasoning | None:
    thinking = config.fields("thinkingConfig")
    if thinking is None:
        return None
    budget = thinking.count("thinkingBudget")
    return Reasoning(
        effort=_LEVELS.get((thinking.text("thinkingLevel") or "").upper()),
        budget=None if budget is None or budget < 0 else budget,  # -1: as the model likes
        shown=thinking.flag("includeThoughts"),
    )


def _format(config: Fields, losses: Losses) -> OutputFormat | None:
    mime = config.text("responseMimeType") or "text/plain"
    own, plain = config.plain("responseSchema"), config.plain("responseJsonSchema")
    if mime == "text/plain":
        return None
    if mime != "application/json":
        losses.lack(f"responseMimeType.{mime}")
    return OutputFormat(schema=plain if own is None else json_schema(own))


def _tools(fields: Fields, losses: Losses) -> Iterator[Tool]:
    for tool in fields.objects("tools"):
        for declared in tool.objects("functionDeclarations"):
            own = declared.plain("parameters")
            plain = declared.plain("parametersJsonSchema")
            yield Tool(
                name=declared.needed("name"),
                description=declared.text("description"),
                schema=plain if own is None else json_schema(own),
            )
            losses.drop(*(f"functionDeclarations.{name}" for name in declared.left()))
        losses.lack(*(f"tools.{name}" for name in tool.left()))


_MODES: Final = {
    "AUTO": Choosing.AUTO,
    "ANY": Choosing.ANY,
    "NONE": Choosing.NONE,
    "VALIDATED": Choosing.AUTO,
}


def _tool_choice(fields: Fields, losses: Losses) -> ToolChoice | None:
    config = fields.fields("toolConfig")
    calling = None if config is None else config.fields("functionCallingConfig")
    if config is not None:
        losses.drop(*(f"toolConfig.{name}" for name in config.left()))
    mode = None if calling is None else _MODES.get((calling.text("mode") or "").upper())
    if calling is None or mode is None:
        return None
    names = calling.texts("allowedFunctionNames")
    if names and mode is Choosing.ANY:
        return ToolChoice(mode=Choosing.NAMED, names=names)
    return ToolChoice(mode=mode)


def _turns(fields: Fields, losses: Losses) -> Iterator[Turn]:
    ids = Ids("0")
    for content in fields.objects("contents"):
        role = Role.ASSISTANT if content.text("role") == "model" else Role.USER
        yield Turn(role=role, parts=tuple(joined(_parts(content, ids, losses))))


def _parts(content: Fields, ids: Ids, losses: Losses) -> Iterator[Part]:
    for part in content.objects("parts"):
        found = read_part(part, ids)
        if found is None:
            losses.lack(*(f"parts.{name}" for name in part.left()))
        else:
            yield from found
            losses.drop(*(f"parts.{name}" for name in part.left()))
