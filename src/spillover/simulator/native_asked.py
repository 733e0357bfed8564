"""Read a request in a dialect of Anthropic, Google or OpenAI's Responses into what is answered.

Answers are made for OpenAI's chat (`answers`), so the fields of other dialects are put as chat has them.
Refuses to know HTTP, flavours, and everything of these dialects that no answer depends on.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from spillover.simulator.asked import IMAGE_TOKENS, Asked, Malformed, Operation, tokens_of
from spillover.simulator.replies import Json

_SCHEMAS: Final = ("parametersJsonSchema", "parameters_json_schema", "parameters")
"""Google takes either spelling of any field; its own SDK mixes them here."""
_CHOICES: Final = {"any": "required", "ANY": "required", "none": "none", "NONE": "none"}


def read_native(
    body: bytes, operation: Operation, *, model: str = "", stream: bool = False
) -> Asked:
    """Return the request, or raise `Malformed`; Gemini's address says the model and whether to stream."""
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise Malformed("the body is not a JSON object")
    messages, most, tools, choice = _READERS[operation](fields)
    if not messages:
        raise Malformed("at least one message is required", "messages")
    generates = operation is Operation.GENERATE
    if not generates and not isinstance(fields.get("model"), str):
        raise Malformed("model: Field required", "model")
    chat: Json = {"messages": messages}
    if tools:
        chat |= {"tools": tools, "tool_choice": choice or "auto"}
    schema = _schema(operation, fields)
    if schema is not None:
        chat["response_format"] = {"type": "json_schema", "json_schema": {"schema": schema}}
    text = messages[-1]["content"]
    images = sum(message["images"] for message in messages)
    chars = sum(len(message["content"]) for message in messages)
    if tools:
        chars += len(msgspec.json.encode(tools))
    return Asked(
        operation=operation,
        model=model if generates else fields["model"],
        fields=chat,
        stream=stream if generates else fields.get("stream") is True,
        usage_asked=True,
        choices=1,
        max_tokens=most,
        prompt_tokens=tokens_of(chars) + images * IMAGE_TOKENS,
        last_text=text,
    )


_Read = tuple[list[Json], int | None, list[Json], Any]


def _messages(fields: Json) -> _Read:
    """Anthropic's."""
    most = fields.get("max_tokens")
    if not isinstance(most, int):
        raise Malformed("max_tokens: Field required", "max_tokens")
    found = [_said("system", fields["system"])] if fields.get("system") else []
    found += [
        _said(one.get("role", "user"), one.get("content")) for one in _objects(fields, "messages")
    ]
    tools = [_tool(one.get("name"), one.get("input_schema")) for one in _objects(fields, "tools")]
    choice = fields.get("tool_choice") or {}
    return found, most, tools, _choice(choice.get("type"), choice.get("name"))


def _responses(fields: Json) -> _Read:
    """OpenAI's Responses."""
    found = [_said("system", fields["instructions"])] if fields.get("instructions") else []
    given = fields.get("input")
    if isinstance(given, str):
        found.append(_said("user", given))
    for item in _objects(fields, "input"):
        role = (
            "tool" if item.get("type") == "function_call_output" else item.get("role", "assistant")
        )
        found.append(
            _said(role, item.get("content") or item.get("output") or item.get("arguments"))
        )
    tools = [_tool(one.get("name"), one.get("parameters")) for one in _objects(fields, "tools")]
    choice = fields.get("tool_choice")
    named = choice.get("name") if isinstance(choice, dict) else None
    return (
        found,
        fields.get("max_output_tokens"),
        tools,
        _choice("tool" if named else choice, named),
    )


def _generate(fields: Json) -> _Read:
    """Gemini's."""
    system = fields.get("systemInstruction")
    found = [_said("system", system.get("parts"))] if isinstance(system, dict) else []
    for content in _objects(fields, "contents"):
        parts = _objects(content, "parts")
        role = {"model": "assistant"}.get(content.get("role", ""), "user")
        if any("functionResponse" in part for part in parts):
            role = "tool"
        found.append(_said(role, parts))
    tools = [
        _tool(one.get("name"), next((one[name] for name in _SCHEMAS if one.get(name)), None))
        for group in _objects(fields, "tools")
        for one in _objects(group, "functionDeclarations")
    ]
    config = fields.get("generationConfig") or {}
    calling = (fields.get("toolConfig") or {}).get("functionCallingConfig") or {}
    names = calling.get("allowedFunctionNames") or [None]
    most = config.get("maxOutputTokens")
    most = int(most) if isinstance(most, str) and most.isdigit() else most  # as Google reads it
    return found, most, tools, _choice(calling.get("mode"), names[0])


_READERS: Final = {
    Operation.MESSAGES: _messages,
    Operation.RESPONSES: _responses,
    Operation.GENERATE: _generate,
}


def _schema(operation: Operation, fields: Json) -> Any:
    """Return the JSON Schema that the answer is to follow; None: it is free."""
    match operation:
        case Operation.MESSAGES:
            form = (fields.get("output_config") or {}).get("format")
            return (form or fields.get("output_format") or {}).get("schema")
        case Operation.RESPONSES:
            return ((fields.get("text") or {}).get("format") or {}).get("schema")
        case _:
            return (fields.get("generationConfig") or {}).get("responseJsonSchema")


def _objects(fields: Json, name: str) -> list[Json]:
    value = fields.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _said(role: str, content: Any) -> Json:
    """Return a message as chat has it: its text, and how many images it holds."""
    if isinstance(content, str):
        return {"role": role, "content": content, "images": 0}
    texts, images = [], 0
    for part in content if isinstance(content, list) else []:
        kind = part.get("type")
        if kind in {"image", "input_image", "document"} or "inlineData" in part:
            images += 1
        elif kind == "tool_result":
            role = "tool"
            texts.append(_said(role, part.get("content"))["content"])
        elif isinstance(part.get("text"), str):
            texts.append(part["text"])
        else:
            texts.append(msgspec.json.encode(part).decode())
    return {"role": role, "content": "".join(texts), "images": images}


def _tool(name: Any, schema: Any) -> Json:
    return {"type": "function", "function": {"name": name, "parameters": schema or {}}}


def _choice(kind: Any, name: Any) -> Any:
    if name is not None:
        return {"type": "function", "function": {"name": name}}
    return _CHOICES.get(kind, kind) if isinstance(kind, str) else None
