"""Read a request's body into what a simulated provider needs to answer and count it.

Refuses to know HTTP and flavours. The rule of counting is simple on purpose, so that tests can
foretell it: a token is four characters, rounded up, and an image is 1,000 tokens.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, TypeGuard

import msgspec

from spillover.simulator.replies import Json

CHARS_PER_TOKEN: Final = 4
IMAGE_TOKENS: Final = 1_000


class Operation(StrEnum):
    """What is asked for; the value is the path behind the base path, but for Gemini's."""

    CHAT = "chat/completions"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    MESSAGES = "messages"
    """Anthropic's."""
    RESPONSES = "responses"
    """OpenAI's newer one."""
    GENERATE = "generateContent"
    """Gemini's."""


class Malformed(Exception):
    """The body can't be answered: `param` is the field at fault, None for the whole."""

    def __init__(self, message: str, param: str | None = None) -> None:
        """Keep what is wrong and where."""
        super().__init__(message)
        self.param = param


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request, checked as far as it is used here."""

    operation: Operation
    model: str
    fields: Json
    """The whole body, decoded."""
    stream: bool
    usage_asked: bool
    """`stream_options.include_usage` is true."""
    choices: int
    max_tokens: int | None
    prompt_tokens: int
    last_text: str
    """Of the last message: what an answer may react to."""
    inputs: tuple[str, ...] = ()
    """Of an embeddings request, one text a vector."""


def tokens_of(chars: int) -> int:
    """Return how many tokens a text of that many characters is."""
    return -(-chars // CHARS_PER_TOKEN)


def read(body: bytes, operation: Operation) -> Asked:
    """Return the request, or raise `Malformed`."""
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise Malformed("the body is not a JSON object")
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise Malformed("you must provide a model parameter", "model")
    inputs: tuple[str, ...] = ()
    if operation is Operation.CHAT:
        prompt_tokens, last_text = _messages(fields)
    else:
        inputs = _texts(fields, "input" if operation is Operation.EMBEDDINGS else "prompt")
        prompt_tokens, last_text = sum(tokens_of(len(text)) for text in inputs), inputs[-1]
    options = fields.get("stream_options")
    return Asked(
        operation=operation,
        model=model,
        fields=fields,
        stream=fields.get("stream") is True and operation is not Operation.EMBEDDINGS,
        usage_asked=isinstance(options, dict) and options.get("include_usage") is True,
        choices=_count(fields, "n") or 1,
        max_tokens=_count(fields, "max_completion_tokens") or _count(fields, "max_tokens"),
        prompt_tokens=prompt_tokens,
        last_text=last_text,
        inputs=inputs,
    )


def _count(fields: Json, name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Malformed(f"{name} must be an integer of at least 1", name)
    return value


def _messages(fields: Json) -> tuple[int, str]:
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Malformed("messages must be a list with at least one message", "messages")
    chars = images = 0
    text = ""
    for one in messages:
        if not isinstance(one, dict) or not isinstance(one.get("role"), str):
            raise Malformed("every message must be an object with a role", "messages")
        text, more = _content(one.get("content"))
        chars += len(text) + _tool_calls(one.get("tool_calls"))
        images += more
    for name in ("tools", "response_format"):
        if fields.get(name):
            chars += len(msgspec.json.encode(fields[name]))
    return tokens_of(chars) + images * IMAGE_TOKENS, text


def _tool_calls(calls: Any) -> int:
    return len(msgspec.json.encode(calls)) if calls else 0


def _content(content: Any) -> tuple[str, int]:
    if isinstance(content, str):
        return content, 0
    if content is None:
        return "", 0
    if not isinstance(content, list):
        raise Malformed("content must be a string or a list of parts", "messages")
    texts, images = [], 0
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in {"image_url", "input_image"}:
            images += 1
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
    return "".join(texts), images


def _texts(fields: Json, name: str) -> tuple[str, ...]:
    """Read a text, several, or one or several lists of token numbers."""
    value = fields.get(name)
    if isinstance(value, str):
        return (value,)
    if _is_list_of(value, str):
        return tuple(value)
    if _is_list_of(value, int):
        return (_spelled(value),)
    if _is_list_of(value, list):
        return tuple(_spelled(one) for one in value)
    raise Malformed(f"{name} must be a text, a list of texts, or lists of token numbers", name)


def _is_list_of(value: Any, kind: type) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and bool(value) and all(isinstance(one, kind) for one in value)


def _spelled(numbers: list[Any]) -> str:
    # Four characters each, so that a list of n numbers is n tokens.
    return "".join(f"{number!s:>4.4}" for number in numbers)
