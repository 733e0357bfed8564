"""Tell what each entry of a conversation is, in any dialect: who says it, and which calls it ties.

Only what keeps entries together is looked at. Refuses to know what is said, and what it is for.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.core.values import Value
from spillover.protocols.conversation.seals import Dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Side(StrEnum):
    """Who speaks."""

    RULES = "rules"
    """The operator."""
    USER = "user"
    MODEL = "model"
    TOOL = "tool"
    """What tools found, whoever brings it."""


class Step(Value, frozen=True, kw_only=True):
    """One entry of a conversation."""

    side: Side
    calls: tuple[str, ...] = ()
    """Of tools, by their ids."""
    results: tuple[str, ...] = ()
    """Of calls, by their ids."""
    leads: bool = False
    """A thought that belongs to the entry behind it."""


FIELDS: Final = {
    Dialect.CHAT: "messages",
    Dialect.RESPONSES: "input",
    Dialect.ANTHROPIC: "messages",
    Dialect.GEMINI: "contents",
}
"""Where a request has its conversation."""


def steps_of(entries: msgspec.Raw, dialect: Dialect) -> list[Step] | None:
    """Return what the entries of a JSON list are; None: their shape is known to their provider alone."""
    decoder, read = _READERS[dialect]
    try:
        return [read(entry) for entry in decoder.decode(entries)]
    except msgspec.ValidationError:
        return None


_SIDES: Final = {
    "system": Side.RULES,
    "developer": Side.RULES,
    "user": Side.USER,
    "assistant": Side.MODEL,
    "model": Side.MODEL,
}


class _Call(msgspec.Struct):
    id: str | None = None


class _Message(msgspec.Struct):
    role: str = ""
    tool_calls: list[_Call] | None = None
    function_call: dict[str, object] | None = None
    tool_call_id: str | None = None


def _chat(message: _Message) -> Step:
    calls = [call.id or "" for call in message.tool_calls or ()]
    if message.function_call:
        calls.append("")
    found = message.tool_call_id
    return Step(
        side=_SIDES.get(message.role, Side.TOOL),
        calls=tuple(calls),
        results=() if found is None else (found,),
    )


class _Item(msgspec.Struct):
    type: str = "message"
    role: str = ""
    call_id: str | None = None


_CALL: Final = "_call"
_OUTPUT: Final = "_call_output"


def _responses(item: _Item) -> Step:
    if item.type == "message":
        return Step(side=_SIDES.get(item.role, Side.TOOL))
    tied = (item.call_id or "",)
    if item.type.endswith(_OUTPUT):
        return Step(side=Side.TOOL, results=tied)
    if item.type.endswith(_CALL):
        return Step(side=Side.MODEL, calls=tied)
    return Step(side=Side.MODEL, leads=item.type == "reasoning")


class _Block(msgspec.Struct):
    id: str | None = None
    tool_use_id: str | None = None
    type: str = ""


class _Said(msgspec.Struct):
    role: str = ""
    content: str | list[_Block] = ""


def _anthropic(said: _Said) -> Step:
    blocks = [] if isinstance(said.content, str) else said.content
    calls = tuple(block.id or "" for block in blocks if block.type == "tool_use")
    results = tuple(block.tool_use_id or "" for block in blocks if block.type == "tool_result")
    side = Side.TOOL if results else _SIDES.get(said.role, Side.TOOL)
    return Step(side=side, calls=calls, results=results)


class _Named(msgspec.Struct):
    id: str | None = None
    name: str = ""


class _Part(msgspec.Struct, rename="camel"):
    function_call: _Named | None = None
    function_response: _Named | None = None


class _SnakePart(msgspec.Struct):
    function_call: _Named | None = None
    function_response: _Named | None = None


class _Content(msgspec.Struct):
    role: str = "user"
    parts: list[msgspec.Raw] = []


_camel: Final = msgspec.json.Decoder(_Part)
_snake: Final = msgspec.json.Decoder(_SnakePart)


def _gemini(content: _Content) -> Step:
    calls: list[str] = []
    results: list[str] = []
    for raw in content.parts:
        for part in (_camel.decode(raw), _snake.decode(raw)):
            for named, ties in ((part.function_call, calls), (part.function_response, results)):
                if named is not None:
                    ties.append(named.id or named.name)
    side = Side.TOOL if results else _SIDES.get(content.role, Side.TOOL)
    return Step(side=side, calls=tuple(calls), results=tuple(results))


_READERS: Final[Mapping[Dialect, tuple[msgspec.json.Decoder[Any], Callable[[Any], Step]]]] = {
    Dialect.CHAT: (msgspec.json.Decoder(list[_Message]), _chat),
    Dialect.RESPONSES: (msgspec.json.Decoder(list[_Item]), _responses),
    Dialect.ANTHROPIC: (msgspec.json.Decoder(list[_Said]), _anthropic),
    Dialect.GEMINI: (msgspec.json.Decoder(list[_Content]), _gemini),
}
