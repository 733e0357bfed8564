"""Read, all in one go, what nearly every chat is made of: words, calls, their results, and functions.

Whoever has anything else among them (images, thoughts, a field of their own) has them read one by one by
`requests_in`, which comes to the same: this takes half the time. Refuses to know all of a request.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from spillover.protocols.conversation.requests import (
    Part,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)


class _Exact(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Nothing but what is named."""


class _Words(_Exact):
    type: Literal["text"]
    text: str


class _Function(_Exact):
    name: str
    arguments: str


class _Call(_Exact):
    id: str
    function: _Function
    type: Literal["function"] = "function"


class _Message(_Exact):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Words] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    refusal: None = None

    def texts(self) -> tuple[Text, ...]:
        """Return what is said."""
        content = self.content
        if not content:
            return ()
        if isinstance(content, str):
            return (Text(text=content),)
        return tuple([Text(text=part.text) for part in content])


class _Declared(_Exact):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class _Tool(_Exact):
    type: Literal["function"]
    function: _Declared


_messages: Final = msgspec.json.Decoder(list[_Message]).decode
_tools: Final = msgspec.json.Decoder(list[_Tool]).decode


def plain_turns(messages: msgspec.Raw) -> tuple[tuple[Text, ...], tuple[Turn, ...]] | None:
    """Return the system's first words, and the turns; None: the messages are not so plain."""
    try:
        found = _messages(messages)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # whoever reads them one by one says what is wrong
    system: list[Text] = []
    turns: list[Turn] = []
    for message in found:
        calls, result = message.tool_calls, message.tool_call_id
        match message.role:
            case "tool" if result is not None and calls is None:
                content = ToolResult(id=result, content=message.texts())
                turns.append(Turn(role=Role.USER, parts=(content,)))
            case "assistant" if result is None:
                turns.append(Turn(role=Role.ASSISTANT, parts=_said(message)))
            case "user" if result is None and calls is None:
                turns.append(Turn(role=Role.USER, parts=message.texts()))
            case "system" | "developer" if result is None and calls is None:
                if turns:
                    turns.append(Turn(role=Role.SYSTEM, parts=message.texts()))
                else:
                    system += message.texts()
            case _:
                return None
    return tuple(system), tuple(turns)


def _said(message: _Message) -> tuple[Part, ...]:
    return (
        *message.texts(),
        *[
            ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
            for call in message.tool_calls or ()
        ],
    )


def plain_tools(offered: msgspec.Raw) -> tuple[Tool, ...] | None:
    """Return the tools; None: they are not so plain."""
    try:
        found = _tools(offered)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return tuple(
        [
            Tool(
                name=tool.function.name,
                description=tool.function.description,
                schema=tool.function.parameters,
                strict=tool.function.strict,
            )
            for tool in found
        ]
    )
