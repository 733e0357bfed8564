"""Speak OpenAI's chat, legacy completions and embeddings: read a request, write it for an upstream.

Rules of this file:
- Only what routing and counting need is looked at and checked; every other field passes untouched,
  in its own bytes and place.
- Base64 is never text: an image counts as an image.

Answers are read in `openai_answers` and `openai_streams`, errors written in `openai_errors`; all of it
is handed on here, so that this module is the whole dialect. Refuses to know profiles, chains and providers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, assert_never

import msgspec

from spillover.core.values import Capability, Demand, Operation, RoutingPolicy, Value
from spillover.errors import RequestError
from spillover.protocols.measure import measure, measure_raw
from spillover.protocols.openai_answers import NULL, WholeAnswer, read_answer
from spillover.protocols.openai_errors import (
    DONE,
    error_body,
    relayed_error,
    relayed_status,
    stream_error_event,
)
from spillover.protocols.openai_streams import Seen, StreamReader
from spillover.protocols.surrogates import whole_characters

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DONE",
    "Asked",
    "InvalidRequest",
    "Seen",
    "StreamReader",
    "WholeAnswer",
    "error_body",
    "read_answer",
    "read_fields",
    "read_request",
    "relayed_error",
    "relayed_status",
    "stream_error_event",
]

_T = TypeVar("_T")

TEMPLATE_CHARS: Final = 12
"""What a message weighs beyond its text: role and separators, about three tokens."""
TOKEN_CHARS: Final = 4
"""What a token that the client made itself counts as, in a prompt of token numbers."""

_IMAGES: Final = frozenset({"image_url", "input_image", "image"})
_MEDIA: Final = _IMAGES | {"input_audio", "audio", "file", "input_file", "video_url", "input_video"}
"""Content parts that are not text; one that is no image is reserved like one all the same."""


class InvalidRequest(RequestError):
    """A request that no provider could make sense of; `param` names the field, where one is."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message, param=param)


class _Text(msgspec.Struct):
    """A running count of what a request holds."""

    chars: int = 0
    wide_chars: int = 0
    images: int = 0
    sees: bool = False
    """An image is among the media."""

    def add(self, text: str) -> None:
        chars, wide = measure(text)
        self.chars += chars
        self.wide_chars += wide

    def add_raw(self, raw: msgspec.Raw) -> None:
        chars, wide = measure_raw(raw)
        self.chars += chars
        self.wide_chars += wide

    def add_medium(self, kind: str) -> None:
        self.images += 1
        self.sees = self.sees or kind in _IMAGES


class Asked(Value, frozen=True, kw_only=True):
    """A client's request, as far as it is understood."""

    operation: Operation
    fields: dict[str, msgspec.Raw]
    """The whole request, each top-level value as it was written."""
    model: str | None
    """What the client asks for; None: nothing."""
    stream: bool
    client_wants_usage: bool
    """It asked for the usage of the stream itself."""
    chars: int
    wide_chars: int
    images: int
    choices: int
    """How many answers are to come: `n` for each prompt."""
    max_output_tokens: int | None
    needs: frozenset[Capability]
    array: ClassVar[bool] = False
    """The answer's stream is events, never one JSON array."""

    def demand(
        self,
        *,
        session: str | None = None,
        policy: RoutingPolicy | None = None,
        spend_allowed: bool = False,
    ) -> Demand:
        """Return what the core needs to know of this request."""
        return Demand(
            operation=self.operation,
            stream=self.stream,
            chars=self.chars,
            wide_chars=self.wide_chars,
            images=self.images,
            choices=self.choices,
            max_output_tokens=self.max_output_tokens,
            needs=self.needs,
            session=session,
            policy=policy,
            spend_allowed=spend_allowed,
        )

    def body_for(self, model: str, *, ask_usage: bool) -> bytes:
        """Return the request for an upstream that calls the model `model`.

        Order and bytes of all other fields stay. With `ask_usage` a stream is asked to report its
        usage; without it the client's own wish to is taken out, for the upstream would refuse it
        or reports unasked.
        """
        fields: dict[str, Any] = {**self.fields, "model": model}
        if self.stream and ask_usage:
            fields["stream_options"] = {**self._stream_options(), "include_usage": True}
        elif not ask_usage:
            options = self._stream_options()
            if options.pop("include_usage", None) is not None:
                fields["stream_options"] = options
                if not options:
                    del fields["stream_options"]
        return _encode(fields)

    def _stream_options(self) -> dict[str, msgspec.Raw]:
        return _field(self.fields, "stream_options", _fields, "an object") or {}


_encode: Final = msgspec.json.Encoder().encode
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_string: Final = msgspec.json.Decoder(str)
_flag: Final = msgspec.json.Decoder(bool)
_count: Final = msgspec.json.Decoder(int)
_anything: Final = msgspec.json.Decoder()


def _field(
    fields: Mapping[str, msgspec.Raw], name: str, decoder: msgspec.json.Decoder[_T], expected: str
) -> _T | None:
    """Return a field's value; None where it is absent or null."""
    raw = fields.get(name)
    if raw is None or raw == NULL:
        return None
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        raise InvalidRequest(f"{name!r} must be {expected}", name) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{name!r} is malformed: {error}", name) from None


def _any_value(raw: msgspec.Raw, name: str) -> Any:
    """Return a required field's value, whatever it is."""
    try:
        return _anything.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{name!r} is malformed: {error}", name) from None


def read_request(body: bytes, operation: Operation) -> Asked:
    """Return what a request asks for; raises `InvalidRequest` when it can't be understood."""
    try:
        return read_fields(_fields.decode(body), operation)
    except msgspec.ValidationError:
        raise InvalidRequest("the body must be a JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        mended = whole_characters(body)
        if mended is not None:
            return read_request(mended, operation)
        found = f"malformed JSON: {error}" if body.strip() else "the body is empty"
        raise InvalidRequest(f"{found}; a JSON object is expected") from None
    except RecursionError:
        raise InvalidRequest("the body is nested too deeply") from None


def read_fields(fields: dict[str, msgspec.Raw], operation: Operation) -> Asked:
    """Return what a request of these fields asks for; raises `InvalidRequest` as `read_request`."""
    text = _Text()
    prompts, needs = _content(fields, operation, text)
    choices = _positive(fields, "n")
    if operation is Operation.COMPLETIONS:
        choices = max(choices, _positive(fields, "best_of"))
    embeds = operation is Operation.EMBEDDINGS
    stream = not embeds and _field(fields, "stream", _flag, "true or false") is True
    options = _field(fields, "stream_options", _fields, "an object")
    return Asked(
        operation=operation,
        fields=fields,
        model=_field(fields, "model", _string, "a string"),
        stream=stream,
        client_wants_usage=stream
        and options is not None
        and _field(options, "include_usage", _flag, "true or false") is True,
        chars=text.chars,
        wide_chars=text.wide_chars,
        images=text.images,
        choices=1 if embeds else choices * prompts,
        max_output_tokens=None if embeds else _max_output(fields),
        needs=needs,
    )


def _positive(fields: Mapping[str, msgspec.Raw], name: str) -> int:
    number = _field(fields, name, _count, "a whole number")
    if number is None:
        return 1
    if number < 1:
        raise InvalidRequest(f"{name!r} must be at least 1, not {number}", name)
    return number


def _max_output(fields: Mapping[str, msgspec.Raw]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        most = _field(fields, name, _count, "a whole number")
        if most is not None:
            if most < 0:
                raise InvalidRequest(f"{name!r} must not be negative, but is {most}", name)
            return most
    return None


def _content(
    fields: Mapping[str, msgspec.Raw], operation: Operation, text: _Text
) -> tuple[int, frozenset[Capability]]:
    """Count the request's text; return how many prompts it holds and what they need."""
    match operation:
        case Operation.CHAT:
            _count_messages(_required(fields, "messages"), text)
            return 1, _chat_needs(fields, text)
        case Operation.COMPLETIONS:
            return _count_prompts(fields, "prompt", text), frozenset()
        case Operation.EMBEDDINGS:
            return _count_prompts(fields, "input", text), _EMBEDDINGS
        case _:
            assert_never(operation)


_EMBEDDINGS: Final = frozenset({Capability.EMBEDDINGS})
_CHAT: Final = frozenset({Capability.CHAT})


def _required(fields: Mapping[str, msgspec.Raw], name: str) -> msgspec.Raw:
    raw = fields.get(name)
    if raw is None or raw == NULL:
        raise InvalidRequest(f"{name!r} is missing", name)
    return raw


# --- chat -----------------------------------------------------------------------------------------


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Function(msgspec.Struct):
    name: str = ""
    arguments: str = ""


class _Call(msgspec.Struct):
    function: _Function | None = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    name: str | None = None
    tool_calls: list[_Call] | None = None


_messages: Final = msgspec.json.Decoder(list[_Message])


def _count_messages(raw: msgspec.Raw, text: _Text) -> None:
    try:
        messages = _messages.decode(raw)
    except msgspec.ValidationError:
        _count_odd_messages(raw, text)
        return
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"'messages' is malformed: {error}", "messages") from None
    chars = TEMPLATE_CHARS * len(messages)
    for message in messages:
        content, calls = message.content, message.tool_calls
        if isinstance(content, str):
            if content.isascii():  # as mostly
                chars += len(content)
            else:
                text.add(content)
        elif content:
            _count_parts(content, text)
        if message.name is not None:
            text.add(message.name)
        if calls:
            _count_calls(calls, text)
    text.chars += chars


def _count_calls(calls: list[_Call], text: _Text) -> None:
    for call in calls:
        if call.function is not None:
            text.add(call.function.name)
            text.add(call.function.arguments)


def _count_parts(parts: list[_Part], text: _Text) -> None:
    for part in parts:
        if part.text is not None:
            text.add(part.text)
        elif part.type in _MEDIA:
            text.add_medium(part.type)


def _count_odd_messages(raw: msgspec.Raw, text: _Text) -> None:
    """Count messages of a shape that only their provider knows, or say what is wrong with them."""
    messages = _any_value(raw, "messages")
    if not isinstance(messages, list):
        raise InvalidRequest("'messages' must be a list", "messages")
    for index, message in enumerate(messages):
        param = f"messages[{index}]"
        if not isinstance(message, dict):
            raise InvalidRequest(f"'{param}' must be an object", param)
        content = message.get("content")
        if content is not None and not isinstance(content, str | list | dict):
            raise InvalidRequest(f"'{param}.content' must be text or a list of parts", param)
        text.chars += TEMPLATE_CHARS
        _count_odd(message, text)


_TEXTLESS: Final = frozenset({"role", "type", "id", "tool_call_id", "cache_control"})


def _count_odd(value: object, text: _Text) -> None:
    """Count all text in `value`, media aside."""
    if isinstance(value, str):
        text.add(value)
    elif isinstance(value, list):
        for item in value:
            _count_odd(item, text)
    elif isinstance(value, dict):
        kind = value.get("type")
        if isinstance(kind, str) and kind in _MEDIA:
            text.add_medium(kind)
            return
        for name, item in value.items():
            if name in _MEDIA:
                text.add_medium(name)
            elif name not in _TEXTLESS:
                _count_odd(item, text)


class _Format(msgspec.Struct):
    type: str = ""


_format: Final = msgspec.json.Decoder(_Format)


def _chat_needs(fields: Mapping[str, msgspec.Raw], text: _Text) -> frozenset[Capability]:
    needs = _CHAT
    if text.sees:
        needs |= {Capability.VISION}
    for name in ("tools", "functions"):
        raw = fields.get(name)
        if raw is not None and raw != NULL and bytes(raw).strip(b"[] \t\r\n"):
            text.add_raw(raw)
            needs |= {Capability.TOOLS}
    wanted = fields.get("response_format")
    if wanted is not None and wanted != NULL:
        answer = _field(fields, "response_format", _format, "an object")
        if answer is not None and answer.type == "json_schema":
            text.add_raw(wanted)
            needs |= {Capability.JSON_SCHEMA}
    return needs


# --- prompts --------------------------------------------------------------------------------------

_prompts: Final = msgspec.json.Decoder(str | list[str])


def _count_prompts(fields: Mapping[str, msgspec.Raw], name: str, text: _Text) -> int:
    """Count a prompt, or a list of them; return how many there are."""
    raw = _required(fields, name)
    try:
        prompts = _prompts.decode(raw)
    except msgspec.ValidationError:
        return _count_odd_prompts(raw, name, text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{name!r} is malformed: {error}", name) from None
    if isinstance(prompts, str):
        text.add(prompts)
        return 1
    for prompt in prompts:
        text.add(prompt)
    return max(1, len(prompts))


def _count_odd_prompts(raw: msgspec.Raw, name: str, text: _Text) -> int:
    """Count prompts of token numbers, or of parts as multimodal embeddings take them."""
    prompts = _any_value(raw, name)
    if not isinstance(prompts, list) or not all(isinstance(p, int | list | dict) for p in prompts):
        raise InvalidRequest(f"{name!r} must be text, tokens, or a list of them", name)
    if all(isinstance(prompt, int) for prompt in prompts):
        text.chars += TOKEN_CHARS * len(prompts)
        return 1
    for prompt in prompts:
        if isinstance(prompt, list) and all(isinstance(token, int) for token in prompt):
            text.chars += TOKEN_CHARS * len(prompt)
        else:
            _count_odd(prompt, text)
    return len(prompts)
