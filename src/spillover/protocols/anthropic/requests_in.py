"""Read a request of Anthropic's Messages into the neutral conversation.

Refuses to know who will answer it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from spillover.protocols.conversation.fields import Fields, Losses, Malformed, read_body
from spillover.protocols.conversation.requests import (
    Choosing,
    Media,
    Medium,
    OutputFormat,
    Part,
    Reasoning,
    Request,
    Role,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from spillover.protocols.conversation.seals import Dialect, Seal, unmarked

if TYPE_CHECKING:
    from collections.abc import Iterator

_LACKING: Final = frozenset({"container", "mcp_servers"})
"""Fields that let Anthropic itself do something that would be missed. `context_management` is not
among them: what it clears from a long conversation, another provider reads too."""


def read_request(body: bytes) -> Request:
    """Return what a client asks; raises `InvalidRequest`."""
    return read_body(body, _read)


def _read(fields: Fields) -> Request:
    losses = Losses()
    config = fields.fields("output_config")
    tool_choice, parallel = _tool_choice(fields)
    metadata = fields.fields("metadata")
    request = Request(
        model=fields.text("model"),
        system=tuple(_texts(fields, "system", losses)),
        turns=tuple(_turns(fields, losses)),
        tools=tuple(_tools(fields, losses)),
        tool_choice=tool_choice,
        parallel_calls=parallel,
        format=_format(fields, config, losses),
        sampling=Sampling(
            max_tokens=fields.count("max_tokens"),
            temperature=fields.number("temperature"),
            top_p=fields.number("top_p"),
            top_k=fields.count("top_k"),
            stop=fields.texts("stop_sequences"),
        ),
        reasoning=_reasoning(fields, config),
        stream=fields.flag("stream") or False,
        user=None if metadata is None else metadata.text("user_id"),
    )
    if request.sampling.max_tokens is None:
        raise Malformed("max_tokens", "a whole number")
    if "messages" not in fields:
        raise Malformed("messages", "a list")
    for name in fields.left():
        (losses.lack if name in _LACKING else losses.drop)(name)
    return replace(request, dropped=losses.dropped, lacks=losses.lacks)


def _format(fields: Fields, config: Fields | None, losses: Losses) -> OutputFormat | None:
    """Return the form of the answer; `output_format` is what it was called in its beta."""
    wanted = config.fields("format") if config is not None and "format" in config else None
    wanted = wanted or fields.fields("output_format")
    if wanted is None:
        return None
    kind = wanted.text("type")
    if kind != "json_schema":
        losses.lack(f"output_config.format.{kind}")
        return None
    return OutputFormat(schema=wanted.plain("schema") or {}, strict=True)


def _reasoning(fields: Fields, config: Fields | None) -> Reasoning | None:
    thinking = fields.fields("thinking")
    effort = None if config is None else config.text("effort")
    kind = None if thinking is None else thinking.text("type")
    if thinking is None or kind == "between_tools":
        return None if effort is None else Reasoning(effort=effort)
    if kind == "disabled":
        return Reasoning(budget=0)
    shown = thinking.text("display") != "omitted"
    return Reasoning(effort=effort, budget=thinking.count("budget_tokens"), shown=shown)


def _tools(fields: Fields, losses: Losses) -> Iterator[Tool]:
    for tool in fields.objects("tools"):
        kind = tool.text("type") or "custom"
        if kind != "custom":
            losses.lack(f"tools.{kind}")
            continue
        yield Tool(
            name=tool.needed("name"),
            description=tool.text("description"),
            schema=tool.plain("input_schema"),
            strict=tool.flag("strict"),
        )
        losses.drop(*(f"tools.{name}" for name in tool.left()))


_MODES: Final = {"auto": Choosing.AUTO, "any": Choosing.ANY, "none": Choosing.NONE}


def _tool_choice(fields: Fields) -> tuple[ToolChoice | None, bool | None]:
    """Return which tools are to be used, and whether several at once may be."""
    choice = fields.fields("tool_choice")
    if choice is None:
        return None, None
    single = choice.flag("disable_parallel_tool_use")
    parallel = None if single is None else not single
    kind = choice.needed("type")
    if kind == "tool":
        return ToolChoice(mode=Choosing.NAMED, names=(choice.needed("name"),)), parallel
    if kind not in _MODES:
        raise Malformed("tool_choice.type", "auto, any, tool or none")
    return ToolChoice(mode=_MODES[kind]), parallel


_ROLES: Final = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}


def _turns(fields: Fields, losses: Losses) -> Iterator[Turn]:
    for message in fields.objects("messages"):
        role = _ROLES.get(message.needed("role"))
        if role is None:
            raise Malformed(message.path("role"), "user, assistant or system")
        yield Turn(role=role, parts=tuple(_parts(message, "content", losses)))
        if left := message.left():
            losses.drop(*(f"messages.{name}" for name in left))


def _texts(fields: Fields, name: str, losses: Losses) -> Iterator[Text]:
    return (part for part in _parts(fields, name, losses) if isinstance(part, Text))


def _parts(fields: Fields, name: str, losses: Losses) -> Iterator[Part]:
    """Yield what a string or a list of blocks says."""
    content = fields.value(name)
    if content is None:
        return
    if isinstance(content, str):
        if content:
            yield Text(text=content)
        return
    for block in fields.objects(name):
        kind = block.needed("type")
        found = _part(kind, block, losses)
        if found is None:
            losses.lack(f"messages.{kind}")
        else:
            yield found
            if left := block.left():
                losses.drop(*left)


def _part(kind: str, block: Fields, losses: Losses) -> Part | None:
    match kind:
        case "text":
            return Text(text=block.needed("text"))
        case "image":
            return _media(block, Medium.IMAGE, losses)
        case "document":
            return _media(block, Medium.FILE, losses)
        case "search_result":
            said = [block.text("title"), block.text("source"), _plain(block, losses)]
            return Text(text="\n".join(filter(None, said)))
        case "tool_reference":  # the tool itself is among the request's
            return Text(text=f"found: {block.needed('tool_name')}")
        case "tool_use":
            arguments = block.arguments("input") or "{}"
            return ToolCall(id=block.needed("id"), name=block.needed("name"), arguments=arguments)
        case "tool_result":
            found = _parts(block, "content", losses)
            return ToolResult(
                id=block.needed("tool_use_id"),
                content=tuple(part for part in found if isinstance(part, Text | Media)),
                is_error=block.flag("is_error") or False,
            )
        case "thinking":
            return read_thinking(block)
        case "redacted_thinking":
            return Thinking(seal=read_redacted(block))
        case _:
            return None


def read_thinking(block: Fields) -> Thinking:
    """Return what a block of thinking holds."""
    signature = block.text("signature")
    seal = unmarked(signature, Dialect.ANTHROPIC) if signature else None
    return Thinking(text=block.text("thinking") or "", seal=seal)


def read_redacted(block: Fields) -> Seal:
    """Return what a block of withheld thinking holds."""
    return unmarked(block.needed("data"), Dialect.ANTHROPIC, redacted=True)


def _plain(block: Fields, losses: Losses) -> str | None:
    """Return the words of what may hold no more than words; None: it holds more."""
    parts = list(_parts(block, "content", losses))
    texts = [part.text for part in parts if isinstance(part, Text)]
    return "\n".join(texts) if len(texts) == len(parts) else None


def _media(block: Fields, medium: Medium, losses: Losses) -> Media | Text | None:
    source = block.fields("source")
    name = block.text("title")
    kind = None if source is None else source.needed("type")
    if source is None:
        return None
    if kind == "content":
        words = _plain(source, losses)
        return None if words is None else Text(text=words)
    if kind == "text":
        return Text(text=source.needed("data"))
    if kind == "url":
        return Media(medium=medium, url=source.needed("url"), name=name)
    if kind == "file":
        return Media(medium=medium, file_id=source.needed("file_id"), name=name)
    mime, data = source.text("media_type"), source.needed("data")
    return Media(medium=medium, mime=mime, data=data, name=name)
