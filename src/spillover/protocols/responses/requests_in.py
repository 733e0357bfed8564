"""Read a request of OpenAI's Responses into the neutral conversation.

Refuses to know who will answer it, and what was said in responses that OpenAI keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from spillover.protocols.conversation.fields import Fields, Losses, Malformed, read_body
from spillover.protocols.conversation.requests import (
    SHARED_BY_OPENAI,
    Choosing,
    Media,
    OutputFormat,
    Part,
    Reasoning,
    Request,
    Role,
    Sampling,
    Text,
    ToolChoice,
    ToolResult,
    Turn,
)
from spillover.protocols.responses.items import read_call, read_content, read_reasoning
from spillover.protocols.responses.tools import flat_name, read_freeform, read_search, read_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

_LACKING: Final = frozenset(
    {"background", "conversation", "max_tool_calls", "previous_response_id", "prompt"}
)
"""Fields that let OpenAI itself do or remember something, which no other provider would."""

_BEGINNINGS: Final = ("input", "conversation", "previous_response_id", "prompt")
"""Where what is asked may stand."""


def read_request(body: bytes) -> Request:
    """Return what a client asks; raises `InvalidRequest`."""
    return read_body(body, _read)


def _read(fields: Fields) -> Request:
    losses = Losses()
    text = fields.fields("text") or Fields({})
    instructions = fields.text("instructions")
    first = (Text(text=instructions),) if instructions else ()
    system, turns = _said(fields, losses)
    openai = {name: fields.value(name) for name in SHARED_BY_OPENAI if name in fields}
    if "verbosity" in text:
        openai["verbosity"] = text.value("verbosity")
    tool_choice = _tool_choice(fields, losses)
    tools = read_tools([*fields.objects("tools"), *_found(fields)], losses)
    request = Request(
        model=fields.text("model"),
        system=(*first, *system),
        turns=turns,
        tools=tuple(tools),
        tool_choice=tool_choice,
        parallel_calls=fields.flag("parallel_tool_calls"),
        format=_format(text, losses),
        sampling=_sampling(fields, losses),
        reasoning=_reasoning(fields),
        stream=fields.flag("stream") or False,
        user=fields.text("user"),
        openai=openai,
    )
    if not any(name in fields for name in _BEGINNINGS):
        raise Malformed("input", "text or a list of items")
    if fields.value("background") is True:
        losses.lack("background")
    for name in fields.left():
        (losses.lack if name in _LACKING else losses.drop)(name)
    return replace(request, dropped=losses.dropped, lacks=losses.lacks)


_LOGPROBS: Final = "message.output_text.logprobs"
_INCLUDED: Final = frozenset({_LOGPROBS, "reasoning.encrypted_content"})
"""What is given without being asked for, or has its place in `Sampling`."""


def _sampling(fields: Fields, losses: Losses) -> Sampling:
    included, top = fields.texts("include"), fields.count("top_logprobs")
    losses.drop(*(f"include.{name}" for name in included if name not in _INCLUDED))
    return Sampling(
        max_tokens=fields.count("max_output_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        logprobs=(top or 0) if top or _LOGPROBS in included else None,
    )


def _reasoning(fields: Fields) -> Reasoning | None:
    reasoning = fields.fields("reasoning")
    if reasoning is None:
        return None
    shown = "summary" in reasoning or "generate_summary" in reasoning
    return Reasoning(effort=reasoning.text("effort"), shown=shown or None)


def _format(text: Fields, losses: Losses) -> OutputFormat | None:
    wanted = text.fields("format")
    kind = None if wanted is None else wanted.needed("type")
    if wanted is None or kind == "text":
        return None
    if kind == "json_object":
        return OutputFormat()
    if kind != "json_schema":
        losses.lack(f"text.format.{kind}")
        return None
    return OutputFormat(
        schema=wanted.plain("schema") or {},
        name=wanted.text("name") or "answer",
        description=wanted.text("description"),
        strict=wanted.flag("strict"),
    )


def _found(fields: Fields) -> Iterator[Fields]:
    """Yield the tools that are offered in the midst of the conversation."""
    said = fields.value("input")
    for index, item in enumerate(said if isinstance(said, list) else ()):
        if isinstance(item, dict) and item.get("type") in _OFFERING:
            yield from Fields(item, f"input[{index}]").objects("tools")


_MODES: Final = {"auto": Choosing.AUTO, "none": Choosing.NONE, "required": Choosing.ANY}


def _tool_choice(fields: Fields, losses: Losses) -> ToolChoice | None:
    wanted = fields.value("tool_choice")
    if wanted is None:
        return None
    if isinstance(wanted, str) and wanted in _MODES:
        return ToolChoice(mode=_MODES[wanted])
    choice = Fields(wanted, "tool_choice")
    kind = choice.needed("type")
    if kind in {"function", "custom"}:
        name = flat_name(choice.needed("name"), choice.text("namespace"))
        return ToolChoice(mode=Choosing.NAMED, names=(name,))
    allowed = [tool.text("name") for tool in choice.objects("tools")]
    names = tuple(name for name in allowed if name is not None)
    if kind == "allowed_tools" and choice.text("mode") == "required" and names:
        return ToolChoice(mode=Choosing.NAMED, names=names)
    losses.lack(f"tool_choice.{kind}")
    return None


def _said(fields: Fields, losses: Losses) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    """Return the system's first words, and the turns: one for the items that one side says in a row."""
    if isinstance(written := fields.value("input"), str):
        return (), (Turn(role=Role.USER, parts=(Text(text=written),)),)
    system: list[Text] = []
    turns: list[tuple[Role, list[Part]]] = []
    for item in fields.objects("input"):
        found = _item(item, losses)
        if found is None:
            kind = item.value("type")
            if kind != _TOOLS:  # they are read with all others
                (losses.drop if kind in _DONE_BY_OPENAI else losses.lack)(f"input.{kind}")
            continue
        role, parts = found
        if role is Role.SYSTEM and not turns:
            system += [part for part in parts if isinstance(part, Text)]
        elif turns and turns[-1][0] is role:
            turns[-1][1].extend(parts)
        else:
            turns.append((role, parts))
        if left := item.left():
            losses.drop(*(f"input.{name}" for name in left if name not in _OF_ITEMS))
    return tuple(system), tuple(Turn(role=role, parts=tuple(parts)) for role, parts in turns)


_OF_ITEMS: Final = frozenset({"id", "phase", "status"})
"""What OpenAI's own output carries, and its input does not need."""
_TOOLS: Final = "additional_tools"
_FOUND: Final = "tool_search_output"
_OFFERING: Final = frozenset({_TOOLS, _FOUND})
"""Items that bring tools."""
_DONE_BY_OPENAI: Final = frozenset({"image_generation_call", "web_search_call"})
"""Items that say what one of OpenAI's own tools did, and hold nothing that the answer needs."""
_ROLES: Final = {
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
}


def _item(item: Fields, losses: Losses) -> tuple[Role, list[Any]] | None:
    match item.text("type") or "message":
        case "message":
            role = _ROLES.get(item.needed("role"))
            if role is None:
                raise Malformed(item.path("role"), "user, assistant, system or developer")
            return role, list(read_content(item, "content", losses))
        case "function_call":
            return Role.ASSISTANT, [read_call(item)]
        case "reasoning":
            return Role.ASSISTANT, [read_reasoning(item)]
        case "custom_tool_call":
            return Role.ASSISTANT, [read_freeform(item)]
        case "tool_search_call" if "call_id" in item:
            return Role.ASSISTANT, [read_search(item)]
        case "function_call_output" | "custom_tool_call_output":
            item.text("name")  # of the tool, as its call has it
            content = [
                part
                for part in read_content(item, "output", losses)
                if isinstance(part, Text | Media)
            ]
            return Role.USER, [ToolResult(id=item.needed("call_id"), content=tuple(content))]
        case _ if item.value("type") == _FOUND and "call_id" in item:
            item.text("execution")
            names = [tool.name for tool in read_tools(item.objects("tools"), Losses())]
            told = Text(text=f"found: {', '.join(names) or 'nothing'}")
            return Role.USER, [ToolResult(id=item.needed("call_id"), content=(told,))]
        case _:
            return None
