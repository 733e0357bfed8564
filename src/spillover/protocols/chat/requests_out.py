"""Write the neutral conversation as a request of OpenAI's chat.

Refuses to know who asked, and in which protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from spillover.protocols.chat.thinking import write_details
from spillover.protocols.conversation.fields import Losses, data_url, encode, file_name
from spillover.protocols.conversation.requests import (
    Choosing,
    Media,
    Medium,
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
    effort_of,
)
from spillover.protocols.conversation.seals import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NEWER_LIMIT: Final = frozenset({"openai", "azure"})
"""Providers whose newer models refuse `max_tokens` for `max_completion_tokens`; others may not know it."""
_TAKE_DETAILS: Final = frozenset({"openrouter"})
"""Providers that take `reasoning_details` back, and hand seals on to whoever made them."""
_TAKE_NO_THOUGHTS: Final = frozenset({"mistral"})
"""Providers that refuse fields that they don't know, `reasoning_content` among them (422 extra_forbidden)."""


def write_request(request: Request, target: Target) -> Written:
    """Return the body for `target`, and what it could not carry."""
    losses = Losses()
    losses.drop(*request.dropped)
    losses.lack(*request.lacks)
    fields: dict[str, Any] = {"model": target.model, "messages": _messages(request, target, losses)}
    if request.stream:
        fields["stream"] = True
        if target.asks_usage:
            fields["stream_options"] = {"include_usage": True}
    _put_tools(request, fields)
    _put_sampling(request, target, fields, losses)
    if request.format is not None:
        fields["response_format"] = _format(request)
    if request.reasoning is not None:
        effort = effort_of(request.reasoning)
        if effort is not None:
            fields["reasoning_effort"] = "xhigh" if effort == "max" else effort
    if request.user is not None:
        fields["user"] = request.user
    if request.choices > 1:
        fields["n"] = request.choices
    fields |= request.openai
    return Written(body=encode(fields), dropped=losses.dropped, lacks=losses.lacks)


def _put_sampling(request: Request, target: Target, fields: dict[str, Any], losses: Losses) -> None:
    drawn = request.sampling
    newer = target.provider in _NEWER_LIMIT
    most = drawn.max_tokens
    if most is not None and target.max_output_tokens is not None:
        most = min(most, target.max_output_tokens)
    found = {
        "max_completion_tokens" if newer else "max_tokens": most,
        "temperature": drawn.temperature,
        "top_p": drawn.top_p,
        "stop": list(drawn.stop) or None,
        "seed": drawn.seed,
        "frequency_penalty": drawn.frequency_penalty,
        "presence_penalty": drawn.presence_penalty,
    }
    fields |= {name: value for name, value in found.items() if value is not None}
    if drawn.top_k is not None:
        losses.drop("top_k")
    if drawn.logprobs is not None:
        fields["logprobs"] = True
        if drawn.logprobs:
            fields["top_logprobs"] = drawn.logprobs


def _format(request: Request) -> dict[str, Any]:
    wanted = request.format
    if wanted is None or wanted.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": wanted.name, "schema": wanted.schema}
    if wanted.description is not None:
        schema["description"] = wanted.description
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {"type": "json_schema", "json_schema": schema}


_MODES: Final = {Choosing.AUTO: "auto", Choosing.NONE: "none", Choosing.ANY: "required"}


def _put_tools(request: Request, fields: dict[str, Any]) -> None:
    if not request.tools:
        return
    choice = request.tool_choice
    tools = list(request.tools)
    if choice is not None:
        if len(choice.names) == 1:
            named = {"type": "function", "function": {"name": choice.names[0]}}
            fields["tool_choice"] = named
        else:
            if choice.names:
                tools = [tool for tool in tools if tool.name in choice.names]
            fields["tool_choice"] = _MODES.get(choice.mode, "required")
    written = []
    for tool in tools:
        function: dict[str, Any] = {"name": tool.name}
        if tool.description is not None:
            function["description"] = tool.description
        if tool.schema is not None:
            function["parameters"] = tool.schema
        if tool.strict is not None:
            function["strict"] = tool.strict
        written.append({"type": "function", "function": function})
    fields["tools"] = written
    if request.parallel_calls is not None:
        fields["parallel_tool_calls"] = request.parallel_calls


def _messages(request: Request, target: Target, losses: Losses) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": part.text} for part in request.system
    ]
    for turn in request.turns:
        match turn.role:
            case Role.SYSTEM:
                messages += _system(turn)
            case Role.USER:
                messages += _user(turn, losses)
            case Role.ASSISTANT:
                message = _assistant(turn, target, losses)
                if len(message) > 2 or message["content"] is not None:  # noqa: PLR2004 - it says something
                    messages.append(message)
            case _:
                assert_never(turn.role)
    return messages


def _system(turn: Turn) -> Iterator[dict[str, Any]]:
    for part in turn.parts:
        if isinstance(part, Text):
            yield {"role": "system", "content": part.text}


def _user(turn: Turn, losses: Losses) -> Iterator[dict[str, Any]]:
    """Yield a message for each tool's result, and one for what the user says.

    Results hold text alone here: what else a tool found is said by the user behind them.
    """
    found: list[Media] = []
    for part in turn.parts:
        if isinstance(part, ToolResult):
            texts = [item.text for item in part.content if isinstance(item, Text)]
            found += [item for item in part.content if isinstance(item, Media)]
            text = "\n".join(texts)
            if part.is_error:
                text = f"error: {text}"
            yield {"role": "tool", "tool_call_id": part.id, "content": text}
    said = [part for part in turn.parts if isinstance(part, Text | Media)]
    if said or found:
        yield {"role": "user", "content": _content([*found, *said], losses)}


def _content(parts: Iterable[Text | Media], losses: Losses) -> str | list[dict[str, Any]]:
    parts = list(parts)
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [
        {"type": "text", "text": part.text} if isinstance(part, Text) else _media(part, losses)
        for part in parts
    ]


_SOUNDS: Final = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}


def _media(part: Media, losses: Losses) -> dict[str, Any]:
    match part.medium:
        case Medium.IMAGE:
            url = part.url if part.data is None else data_url(part.mime, part.data)
            if url is None:
                losses.lack("file_id")
            image: dict[str, Any] = {"url": url or ""}
            if part.detail is not None:
                image["detail"] = part.detail
            return {"type": "image_url", "image_url": image}
        case Medium.AUDIO:
            sound = _SOUNDS.get(part.mime or "")
            if sound is None or part.data is None:
                losses.lack(part.mime or "audio")
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": sound}}
        case Medium.VIDEO:
            losses.lack(part.mime or "video")
            return {}
        case Medium.FILE:
            if part.data is None:
                # An id holds only where the file is, and chat takes no address of a file.
                losses.lack("file_id" if part.url is None else "file_url")
            data = data_url(part.mime, part.data or "")
            return {
                "type": "file",
                "file": {"filename": file_name(part.name, part.mime), "file_data": data},
            }
        case _:
            assert_never(part.medium)


def _assistant(turn: Turn, target: Target, losses: Losses) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    thoughts: list[Thinking] = []
    for part in turn.parts:
        match part:
            case Text():
                texts.append(part.text)
            case Refusal():
                message["refusal"] = part.text
            case ToolCall():
                function = {"name": part.name, "arguments": part.arguments or "{}"}
                calls.append({"id": part.id, "type": "function", "function": function})
            case Thinking():
                thoughts.append(part)
            case _:
                losses.lack("messages.assistant.media")
    if texts:
        message["content"] = "".join(texts)
    if calls:
        message["tool_calls"] = calls
    _put_thinking(thoughts, target, message, losses)
    return message


def _put_thinking(
    thoughts: list[Thinking], target: Target, message: dict[str, Any], losses: Losses
) -> None:
    """Give thinking back to whom it came from; others would refuse it, or take it for their own."""
    if not thoughts:
        return
    if target.provider in _TAKE_DETAILS:
        message["reasoning_details"] = write_details(thoughts)
        return
    own = [part for part in thoughts if part.seal and part.seal.origin is Dialect.CHAT]
    if own and target.provider not in _TAKE_NO_THOUGHTS:
        message["reasoning_content"] = "".join(part.text for part in own)
    if "reasoning_content" not in message or len(own) < len(thoughts):
        losses.drop("thinking")
