"""Make the answer to a request: deterministic text, tool calls and vectors, with their usage.

Refuses to know HTTP, streams and flavours: an answer is what a model would have said, whole.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from functools import lru_cache
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.simulator.asked import CHARS_PER_TOKEN, Asked, tokens_of
from spillover.simulator.spec import ScriptedCall

if TYPE_CHECKING:
    from spillover.simulator.replies import Json

DEFAULT_DIMENSIONS: Final = 16
_ARGUMENT_CHARS: Final = 8
"""Characters of tool arguments in one stream event."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the answers that were asked for."""

    pieces: tuple[str, ...]
    """The text, or a tool call's arguments, as a stream cuts it."""
    finish_reason: str = "stop"
    tool: str | None = None
    """The function called; None: the pieces are text."""

    @property
    def text(self) -> str:
        """All pieces together."""
        return "".join(self.pieces)

    @property
    def tokens(self) -> int:
        """What it counts as, by the rule of `asked`."""
        return tokens_of(len(self.text) + len(self.tool or ""))


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Everything said in answer to a request, and what it cost."""

    choices: tuple[Choice, ...]
    prompt_tokens: int

    @property
    def completion_tokens(self) -> int:
        """Output tokens of all choices."""
        return sum(choice.tokens for choice in self.choices)


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider speaks, whatever it is asked."""

    title: str
    text: str | None = None
    """Every answer's text; None: a sentence naming title and model."""
    events: int | None = None
    """Pieces of an answer; None: one for each word."""
    max_output_tokens: int | None = None
    calls: tuple[ScriptedCall, ...] = ()
    """What a conversation begins with, where the tools are offered."""


def answer(asked: Asked, voice: Voice) -> Answer:
    """Return the answer to a chat or completions request."""
    call = _call(asked, voice)
    cut = _smallest(asked.max_tokens, voice.max_output_tokens)
    if call is not None:
        arguments = msgspec.json.encode(call.arguments).decode()
        pieces = tuple(re.findall(f".{{1,{_ARGUMENT_CHARS}}}", arguments, re.DOTALL))
        choice = Choice(pieces=pieces, finish_reason="tool_calls", tool=call.tool)
        choices = (choice,) * asked.choices
    else:
        count = asked.choices * max(1, len(asked.inputs))
        structured = _structured(asked, voice)
        if structured is not None:
            choices = (_spoken(structured, None, cut),) * count
        else:
            text = voice.text or f"This is {voice.title}, answering with {asked.model}, in words."
            texts = (text, *(f"{text} (choice {index + 2})" for index in range(count - 1)))
            choices = tuple(_spoken(one, voice.events, cut) for one in texts)
    return Answer(choices=choices, prompt_tokens=asked.prompt_tokens)


def sample(schema: Json) -> Any:
    """Return the same small value every time for a JSON schema of the common kinds."""
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if schema.get("enum"):
        return schema["enum"][0]
    for name in ("anyOf", "oneOf"):
        if schema.get(name):
            return sample(schema[name][0])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            return {name: sample(one) for name, one in (schema.get("properties") or {}).items()}
        case "array":
            return [sample(schema.get("items") or {})]
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return "simulated"


def vector(model: str, text: str, dimensions: int) -> tuple[float, ...]:
    """Return a vector of length 1 that depends on model and text alone."""
    digest = hashlib.shake_256(f"{model}\n{text}".encode()).digest(dimensions * 2)
    numbers = [value / 32_768 for value in struct.unpack(f"<{dimensions}h", digest)]
    length = math.sqrt(sum(number * number for number in numbers)) or 1.0
    return tuple(number / length for number in numbers)


def encoded(numbers: tuple[float, ...]) -> str:
    """Return a vector as `encoding_format: base64` wants it: 32-bit floats, little-endian."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _call(asked: Asked, voice: Voice) -> ScriptedCall | None:
    """Return the call to make: the next one that is scripted, or one that the request asks for."""
    tools = asked.fields.get("tools")
    if not isinstance(tools, list) or asked.fields.get("tool_choice") == "none":
        return None
    found = [tool.get("function") for tool in tools if isinstance(tool, dict)]
    functions = [one for one in found if isinstance(one, dict) and isinstance(one.get("name"), str)]
    if voice.calls:
        made = sum(message.get("role") == "tool" for message in asked.fields["messages"])
        left = voice.calls[made : made + 1]
        return next((call for call in left if any(call.tool == f["name"] for f in functions)), None)
    tool = _wanted(asked, functions)
    if tool is None:
        return None
    return ScriptedCall(tool=tool["name"], arguments=sample(tool.get("parameters") or {}))


def _wanted(asked: Asked, functions: list[Json]) -> Json | None:
    """Return the function that is required, or that the last message asks for."""
    choice = asked.fields.get("tool_choice")
    if isinstance(choice, dict):
        wanted = (choice.get("function") or {}).get("name")
        return next((one for one in functions if one["name"] == wanted), None)
    if choice == "required":
        return functions[0] if functions else None
    if asked.fields["messages"][-1].get("role") != "user":
        return None
    named = (one for one in functions if one["name"] in asked.last_text)
    generic = functions[0] if functions and "tool" in asked.last_text.lower() else None
    return next(named, generic)


def _structured(asked: Asked, voice: Voice) -> str | None:
    """Return the JSON that `response_format` wants, if it wants any."""
    wanted = asked.fields.get("response_format")
    if not isinstance(wanted, dict):
        return None
    kind = wanted.get("type")
    if kind == "json_schema":
        schema = (wanted.get("json_schema") or {}).get("schema") or {}
        return msgspec.json.encode(sample(schema)).decode()
    if kind == "json_object":
        return msgspec.json.encode({"answer": voice.title}).decode()
    return None


@lru_cache(maxsize=256)
def _spoken(text: str, events: int | None, max_tokens: int | None) -> Choice:
    """Return a text in words, repeated or dropped to be so many, cut where tokens run out."""
    words = tuple(re.findall(r"\s*\S+", text)) or (text,)
    if events is not None:
        words = tuple(islice(cycle((*words[:-1], f"{words[-1]} ")), events))
    room = math.inf if max_tokens is None else max_tokens * CHARS_PER_TOKEN
    kept: list[str] = []
    for word in words:
        if len(word) > room:
            kept.append(word[: int(room)])
            return Choice(pieces=tuple(filter(None, kept)), finish_reason="length")
        kept.append(word)
        room -= len(word)
    return Choice(pieces=tuple(kept))


def _smallest(*amounts: int | None) -> int | None:
    return min((amount for amount in amounts if amount is not None), default=None)
