"""Read a request of OpenAI's chat into the neutral conversation.

Refuses to know who will answer it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from spillover.protocols.chat.plain import plain_tools, plain_turns
from spillover.protocols.chat.thinking import read_thinking
from spillover.protocols.conversation.fields import (
    Fields,
    Losses,
    Malformed,
    raw_fields,
    read_from_client,
    split_data_url,
    value_of,
)
from spillover.protocols.conversation.requests import (
    SHARED_BY_OPENAI,
    Choosing,
    Media,
    Medium,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Request,
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import msgspec

_LACKING: Final = frozenset(
    {"audio", "function_call", "functions", "modalities", "web_search_options"}
)
"""Fields that no other protocol has, and without which the answer is another one."""


_APART: Final = frozenset({"messages", "tools"})
"""The long ones, which are read in one go where they are plain."""


def read_request(body: bytes) -> Request:
    """Return what a client asks; raises `InvalidRequest`."""
    return read_from_client(lambda: _read(raw_fields(body)))


def read_fields(fields: Mapping[str, msgspec.Raw]) -> Request:
    """Return what a client asks in these fields; raises `InvalidRequest`."""
    return read_from_client(lambda: _read(fields))


def _read(raw: Mapping[str, msgspec.Raw]) -> Request:
    losses = Losses()
    fields = Fields({name: value_of(raw[name], name) for name in raw if name not in _APART})
    if fields.value("modalities") not in (None, ["text"]):
        losses.lack("modalities")
    system, turns = _messages(raw.get("messages"), losses)
    options = fields.fields("stream_options")
    request = Request(
        model=fields.text("model"),
        system=system,
        turns=turns,
        tools=_tools(raw.get("tools"), losses),
        tool_choice=_tool_choice(fields, losses),
        parallel_calls=fields.flag("parallel_tool_calls"),
        format=_format(fields, losses),
        sampling=_sampling(fields),
        reasoning=_reasoning(fields),
        choices=fields.count("n") or 1,
        stream=fields.flag("stream") or False,
        wants_usage=options is not None and options.flag("include_usage") is True,
        user=fields.text("user"),
        openai={name: fields.value(name) for name in SHARED_BY_OPENAI if name in fields},
    )
    if options is not None:
        losses.drop(*(f"stream_options.{name}" for name in options.left()))
    for name in fields.left():
        (losses.lack if name in _LACKING else losses.drop)(name)
    return replace(request, dropped=losses.dropped, lacks=losses.lacks)


def _sampling(fields: Fields) -> Sampling:
    most = fields.count("max_completion_tokens")
    older = fields.count("max_tokens")
    wants, top = fields.flag("logprobs"), fields.count("top_logprobs")
    return Sampling(
        max_tokens=older if most is None else most,
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.count("top_k"),
        stop=fields.texts("stop"),
        seed=fields.count("seed"),
        frequency_penalty=fields.number("frequency_penalty"),
        presence_penalty=fields.number("presence_penalty"),
        logprobs=(top or 0) if wants else None,
    )


def _reasoning(fields: Fields) -> Reasoning | None:
    """Return how much is to be thought; agents say it in OpenRouter's or in Anthropic's way too."""
    effort = fields.text("reasoning_effort")
    found = [_read_reasoning(fields.value(name), budget) for name, budget in _REASONING.items()]
    wanted = next((each for each in found if each is not None), None)
    if effort is None:
        return wanted
    return Reasoning(effort=effort) if wanted is None else replace(wanted, effort=effort)


_REASONING: Final = {"reasoning": "max_tokens", "thinking": "budget_tokens"}
"""Fields, and where each has the tokens (https://openrouter.ai/docs/use-cases/reasoning-tokens)."""


def _read_reasoning(written: Any, budget: str) -> Reasoning | None:
    if not isinstance(written, dict):
        return None
    wanted = Fields(written, lenient=True)
    if wanted.flag("enabled") is False or wanted.text("type") == "disabled":
        return Reasoning(budget=0)
    shown = False if wanted.flag("exclude") else None
    return Reasoning(effort=wanted.text("effort"), budget=wanted.count(budget), shown=shown)


def _format(fields: Fields, losses: Losses) -> OutputFormat | None:
    wanted = fields.fields("response_format")
    kind = None if wanted is None else wanted.text("type")
    if wanted is None or kind == "text":
        return None
    if kind == "json_object":
        return OutputFormat()
    schema = wanted.fields("json_schema")
    if kind != "json_schema" or schema is None:
        losses.lack(f"response_format.{kind}")
        return None
    return OutputFormat(
        schema=schema.plain("schema") or {},
        name=schema.text("name") or "answer",
        description=schema.text("description"),
        strict=schema.flag("strict"),
    )


def _tools(raw: msgspec.Raw | None, losses: Losses) -> tuple[Tool, ...]:
    if raw is None:
        return ()
    plain = plain_tools(raw)
    return tuple(_each_tool(raw, losses)) if plain is None else plain


def _each_tool(raw: msgspec.Raw, losses: Losses) -> Iterator[Tool]:
    for tool in Fields({"tools": value_of(raw, "tools")}).objects("tools"):
        function = tool.fields("function")
        if function is None:
            losses.lack(f"tools.{tool.text('type')}")
            continue
        yield Tool(
            name=function.needed("name"),
            description=function.text("description"),
            schema=function.plain("parameters"),
            strict=function.flag("strict"),
        )
        tool.value("type")
        losses.drop(*(f"tools.{name}" for name in (*tool.left(), *function.left())))


_MODES: Final = {"auto": Choosing.AUTO, "none": Choosing.NONE, "required": Choosing.ANY}


def _tool_choice(fields: Fields, losses: Losses) -> ToolChoice | None:
    wanted = fields.value("tool_choice")
    if wanted is None:
        return None
    if isinstance(wanted, str) and wanted in _MODES:
        return ToolChoice(mode=_MODES[wanted])
    choice = Fields(wanted, "tool_choice")
    function = choice.fields("function")
    if function is None:
        losses.lack(f"tool_choice.{choice.text('type')}")
        return None
    return ToolChoice(mode=Choosing.NAMED, names=(function.needed("name"),))


def _messages(raw: msgspec.Raw | None, losses: Losses) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    if raw is None:
        return (), ()
    plain = plain_turns(raw)
    if plain is not None:
        return plain
    fields = Fields({"messages": value_of(raw, "messages")})
    system: list[Text] = []
    turns: list[Turn] = []
    for message in fields.objects("messages"):
        role = message.needed("role")
        if role in {"system", "developer"}:
            said = [part for part in _content(message, losses) if isinstance(part, Text)]
            if turns:
                turns.append(Turn(role=Role.SYSTEM, parts=tuple(said)))
            else:
                system += said
        elif role == "user":
            turns.append(Turn(role=Role.USER, parts=_content(message, losses)))
        elif role == "assistant":
            turns.append(Turn(role=Role.ASSISTANT, parts=tuple(_assistant(message, losses))))
        elif role == "tool":
            turns.append(Turn(role=Role.USER, parts=(_result(message, losses),)))
        else:
            losses.lack(f"messages.{role}")
        if left := message.left():
            losses.drop(*(f"messages.{name}" for name in left))
    return tuple(system), tuple(turns)


def _result(message: Fields, losses: Losses) -> ToolResult:
    found = _content(message, losses)
    return ToolResult(
        id=message.needed("tool_call_id"),
        content=tuple(part for part in found if isinstance(part, Text | Media)),
    )


def _assistant(message: Fields, losses: Losses) -> list[Part]:
    found: list[Part] = [*read_thinking(message), *_content(message, losses)]
    refusal = message.text("refusal")
    if refusal:
        found.append(Refusal(text=refusal))
    for name in ("audio", "function_call"):
        if message.value(name) is not None:
            losses.lack(f"messages.{name}")
    for call in message.objects("tool_calls"):
        function = call.fields("function")
        if function is None:
            losses.lack(f"tools.{call.text('type')}")
            continue
        arguments = function.arguments("arguments")
        call_id, name = call.needed("id"), function.needed("name")
        found.append(ToolCall(id=call_id, name=name, arguments=arguments))
    return found


def _content(message: Fields, losses: Losses) -> tuple[Text | Media | Refusal, ...]:
    content = message.value("content")
    if not content:
        return ()
    if isinstance(content, str):
        return (Text(text=content),)
    found: list[Text | Media | Refusal] = []
    for part in message.objects("content"):
        kind = part.needed("type")
        if kind == "text":
            found.append(Text(text=part.needed("text")))
        elif kind == "refusal":
            found.append(Refusal(text=part.needed("refusal")))
        elif kind in _MEDIA:
            found.append(_MEDIA[kind](part))
        else:
            losses.lack(f"messages.{kind}")
        losses.drop(*part.left())
    return tuple(found)


def _inner(part: Fields, name: str) -> Fields:
    found = part.fields(name)
    if found is None:
        raise Malformed(part.path(name), "an object")
    return found


def _image(part: Fields) -> Media:
    if isinstance(url := part.value("image_url"), str):
        image, detail = url, None  # as some clients write it
    else:
        inner = _inner(part, "image_url")
        image, detail = inner.needed("url"), inner.text("detail")
    inline = split_data_url(image)
    if inline is None:
        return Media(medium=Medium.IMAGE, url=image, detail=detail)
    return Media(medium=Medium.IMAGE, mime=inline[0], data=inline[1], detail=detail)


def _audio(part: Fields) -> Media:
    inner = _inner(part, "input_audio")
    return Media(
        medium=Medium.AUDIO,
        mime=f"audio/{inner.text('format') or 'wav'}",
        data=inner.needed("data"),
    )


def _file(part: Fields) -> Media:
    inner = _inner(part, "file")
    name = inner.text("filename")
    written = inner.text("file_data")
    if written is None:
        return Media(medium=Medium.FILE, file_id=inner.needed("file_id"), name=name)
    mime, data = split_data_url(written) or (None, written)
    return Media(medium=Medium.FILE, mime=mime, data=data, name=name)


_MEDIA: Final = {"image_url": _image, "input_audio": _audio, "file": _file}
