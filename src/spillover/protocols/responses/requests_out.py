"""Write the neutral conversation as a request of OpenAI's Responses.

Refuses to know who asked, and in which protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from spillover.protocols.conversation.fields import Losses, encode
from spillover.protocols.conversation.requests import (
    Choosing,
    Media,
    OutputFormat,
    Part,
    Refusal,
    Request,
    Role,
    Target,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
    Written,
    effort_of,
)
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.responses.items import asked_part, reasoning_item, said_part

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_request(request: Request, target: Target) -> Written:
    """Return the body for `target`, and what it could not carry.

    OpenAI keeps nothing of it unless the client asked for that.
    """
    losses = Losses()
    losses.drop(*request.dropped)
    losses.lack(*request.lacks)
    fields: dict[str, Any] = {"model": target.model}
    if request.system:
        fields["instructions"] = "\n\n".join(part.text for part in request.system)
    fields["input"] = [item for turn in request.turns for item in _items(turn, losses)]
    if request.stream:
        fields["stream"] = True
    if request.tools:
        _put_tools(request, fields)
    _put_sampling(request, target, fields, losses)
    _put_reasoning(request, fields)
    if request.user is not None:
        fields["user"] = request.user
    text: dict[str, Any] = {} if request.format is None else {"format": _form(request.format)}
    own = dict(request.openai)
    if "verbosity" in own:
        text["verbosity"] = own.pop("verbosity")
    if text:
        fields["text"] = text
    fields |= {"store": False, **own}
    if request.choices > 1:
        losses.lack("n")
    return Written(body=encode(fields), dropped=losses.dropped, lacks=losses.lacks)


def _put_sampling(request: Request, target: Target, fields: dict[str, Any], losses: Losses) -> None:
    drawn = request.sampling
    most = drawn.max_tokens
    if most is not None and target.max_output_tokens is not None:
        most = min(most, target.max_output_tokens)
    found = {"max_output_tokens": most, "temperature": drawn.temperature, "top_p": drawn.top_p}
    fields |= {name: value for name, value in found.items() if value is not None}
    if drawn.logprobs is not None:
        fields["top_logprobs"] = drawn.logprobs
        fields["include"] = ["message.output_text.logprobs"]
    for name in ("top_k", "seed", "frequency_penalty", "presence_penalty"):
        if getattr(drawn, name) is not None:
            losses.drop(name)
    if drawn.stop:
        losses.lack("stop")


def _put_reasoning(request: Request, fields: dict[str, Any]) -> None:
    """Ask for thinking as is wished, and for its seal: without one it can't be taken back."""
    wanted = request.reasoning
    if wanted is None:
        return
    reasoning: dict[str, Any] = {}
    effort = effort_of(wanted)
    if effort is not None:
        reasoning["effort"] = "xhigh" if effort == "max" else effort
    if wanted.shown is not False and effort != "none":
        reasoning["summary"] = "auto"
    if reasoning:
        fields["reasoning"] = reasoning
    fields["include"] = [*fields.get("include", ()), "reasoning.encrypted_content"]


def _form(form: OutputFormat) -> dict[str, Any]:
    if form.schema is None:
        return {"type": "json_object"}
    found: dict[str, Any] = {"type": "json_schema", "name": form.name, "schema": form.schema}
    if form.description is not None:
        found["description"] = form.description
    if form.strict is not None:
        found["strict"] = form.strict
    return found


_MODES: Final = {Choosing.AUTO: "auto", Choosing.NONE: "none", Choosing.ANY: "required"}


def _put_tools(request: Request, fields: dict[str, Any]) -> None:
    fields["tools"] = [_tool(tool) for tool in request.tools]
    if request.parallel_calls is not None:
        fields["parallel_tool_calls"] = request.parallel_calls
    choice = request.tool_choice
    if choice is None:
        return
    named = [{"type": "function", "name": name} for name in choice.names]
    if not named:
        fields["tool_choice"] = _MODES.get(choice.mode, "required")
    elif len(named) == 1:
        fields["tool_choice"] = named[0]
    else:
        fields["tool_choice"] = {"type": "allowed_tools", "mode": "required", "tools": named}


def _tool(tool: Tool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "function",
        "name": tool.name,
        "parameters": tool.schema or {"type": "object", "properties": {}},
        "strict": tool.strict is True,  # it would be strict unasked, and refuse most schemas
    }
    if tool.description is not None:
        found["description"] = tool.description
    return found


def _items(turn: Turn, losses: Losses) -> Iterator[dict[str, Any]]:
    """Yield the items of a turn; texts and media in a row are one message."""
    role = "developer" if turn.role is Role.SYSTEM else turn.role.value
    message: list[dict[str, Any]] = []
    for part in turn.parts:
        if isinstance(part, Text | Refusal | Media):
            message.append(_said(part, turn.role, losses))
            continue
        if message:
            yield {"type": "message", "role": role, "content": message}
            message = []
        item = _item(part, losses)
        if item is not None:
            yield item
    if message:
        yield {"type": "message", "role": role, "content": message}


def _said(part: Text | Refusal | Media, role: Role, losses: Losses) -> dict[str, Any]:
    if role is Role.ASSISTANT and isinstance(part, Text | Refusal):
        found = said_part(part)
        found.pop("logprobs", None)
        return found
    if isinstance(part, Refusal):
        part = Text(text=part.text)
    if role is Role.ASSISTANT:
        losses.lack("input.assistant.media")
    return asked_part(part, losses)


def _item(part: ToolCall | ToolResult | Thinking, losses: Losses) -> dict[str, Any] | None:
    match part:
        case ToolCall():
            arguments = part.arguments or "{}"
            call = {"type": "function_call", "call_id": part.id, "name": part.name}
            return {**call, "arguments": arguments}
        case ToolResult():
            return _result(part, losses)
        case Thinking():
            if part.seal is None or part.seal.origin is not Dialect.RESPONSES:
                losses.drop("thinking")
                return None
            item = reasoning_item(part.text, part.seal, part.seal.id or "")
            if not part.seal.id:
                del item["id"]
            return item
        case _:
            assert_never(part)


def _result(part: ToolResult, losses: Losses) -> dict[str, Any]:
    content: list[Part] = list(part.content)
    if part.is_error:
        content.insert(0, Text(text="error:"))
    output: Any = [asked_part(item, losses) for item in content if isinstance(item, Text | Media)]
    if len(content) == 1 and isinstance(content[0], Text):
        output = content[0].text
    return {"type": "function_call_output", "call_id": part.id, "output": output or ""}
