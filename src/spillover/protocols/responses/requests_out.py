"""Write the neutral conversation as a request of OpenAI's Responses.

Refuses to know who asked, and in which protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, assert_never

from msgspec.structs import replace

from spillover.protocols.conversation.fields import Losses, encode
from spillover.protocols.conversation.requests import (
    Choosing,
    Form,
    Media,
    OutputFormat,
    Part,
    Refusal,
    Request,
    Role,
    Spelling,
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
from spillover.protocols.responses.items import asked_part, reasoning_item, said_part
from spillover.protocols.responses.tools import call_item, write_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


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
    spelled = _spelled(request)
    fields["input"] = [item for turn in request.turns for item in _items(turn, spelled, losses)]
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
    fields["tools"] = write_tools(request.tools)
    if request.parallel_calls is not None:
        fields["parallel_tool_calls"] = request.parallel_calls
    choice = request.tool_choice
    if choice is None:
        return
    named = [_named(name, request.spellings.get(name)) for name in choice.names]
    if not named:
        fields["tool_choice"] = _MODES.get(choice.mode, "required")
    elif len(named) == 1:
        fields["tool_choice"] = named[0]
    else:
        fields["tool_choice"] = {"type": "allowed_tools", "mode": "required", "tools": named}


def _named(name: str, spelling: Spelling | None) -> dict[str, Any]:
    if spelling is None:
        return {"type": "function", "name": name}
    kind = "custom" if spelling.form is Form.FREEFORM else "function"
    found = {"type": kind, "name": spelling.name}
    return found if spelling.namespace is None else {**found, "namespace": spelling.namespace}


_Spelled: TypeAlias = "Mapping[str, Spelling]"
"""How the tools are spelled that were called, by the calls' ids."""


def _spelled(request: Request) -> _Spelled:
    spellings = request.spellings
    if not spellings:
        return spellings
    parts = (part for turn in request.turns for part in turn.parts)
    calls = (part for part in parts if isinstance(part, ToolCall))
    return {call.id: spellings[call.name] for call in calls if call.name in spellings}


def _items(turn: Turn, spelled: _Spelled, losses: Losses) -> Iterator[dict[str, Any]]:
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
        item = _item(part, spelled, losses)
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


def _item(
    part: ToolCall | ToolResult | Thinking, spelled: _Spelled, losses: Losses
) -> dict[str, Any] | None:
    match part:
        case ToolCall():
            call = replace(part, arguments=part.arguments or "{}")
            found = call_item(call, "", None, spelled.get(part.id))
            del found["id"]
            return found
        case ToolResult():
            return _result(part, spelled.get(part.id), losses)
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


_RESULTS: Final = {
    Form.FUNCTION: "function_call_output",
    Form.FREEFORM: "custom_tool_call_output",
    Form.SEARCH: "tool_search_output",
}


def _result(part: ToolResult, spelling: Spelling | None, losses: Losses) -> dict[str, Any]:
    form = Form.FUNCTION if spelling is None else spelling.form
    found: dict[str, Any] = {"type": _RESULTS[form], "call_id": part.id}
    if form is Form.SEARCH:  # what it found is among the tools
        return {**found, "execution": "client", "status": "completed", "tools": []}
    content: list[Part] = list(part.content)
    if part.is_error:
        content.insert(0, Text(text="error:"))
    output: Any = [asked_part(item, losses) for item in content if isinstance(item, Text | Media)]
    if len(content) == 1 and isinstance(content[0], Text):
        output = content[0].text
    return {**found, "output": output or ""}
