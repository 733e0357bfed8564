"""Turn what a library's user asks for into a call of the engine.

Refuses to know who serves it.
"""

from __future__ import annotations

import base64
import difflib
import json
import secrets
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypedDict

import msgspec

from spillover.core.values import Operation, RoutingPolicy
from spillover.engine import Call
from spillover.errors import RequestError
from spillover.protocols.openai_chat import read_request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spillover.library.forms import Form

Messages: TypeAlias = "str | Sequence[Mapping[str, Any]]"
"""Messages as OpenAI's format has them; a text is one message of the user."""


class ChatFields(TypedDict, total=False):
    """What a chat may say besides messages and model: the usual fields of OpenAI's format, and ours."""

    max_tokens: int
    max_completion_tokens: int
    temperature: float
    top_p: float
    stop: str | list[str]
    n: int
    seed: int
    frequency_penalty: float
    presence_penalty: float
    logprobs: bool
    top_logprobs: int
    tools: Sequence[Mapping[str, Any]]
    tool_choice: str | Mapping[str, Any]
    parallel_tool_calls: bool
    reasoning_effort: str
    images: Sequence[str | bytes]
    """What the last message shows: addresses, data URLs, or PNG, JPEG, GIF or WebP as it is."""
    extra: Mapping[str, Any]
    """Any other fields of the request, sent as they are."""
    session: str
    """Requests of one session stay with the profile that served it."""
    policy: str
    """A narrower routing policy than the chain's, such as `local-only`."""
    spend: bool
    """This request may reach a paid profile where the spend gate says `ask`."""


_OURS: Final = frozenset({"images", "extra", "session", "policy", "spend"})
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)
"""What the images begin with that every provider takes."""


def call_of(
    messages: Messages,
    *,
    model: str | None,
    stream: bool,
    fields: ChatFields,
    form: Form[Any] | None = None,
) -> Call:
    """Return the call of one chat.

    Raises TypeError for a field that is none, RequestError for what no provider could understand.
    """
    unknown = sorted(fields.keys() - ChatFields.__annotations__.keys())
    if unknown:
        near = difflib.get_close_matches(unknown[0], ChatFields.__annotations__, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"put it into extra={{{unknown[0]!r}: …}}"
        raise TypeError(f"{unknown[0]!r} is no field of a chat: {hint}")
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if images := fields.get("images"):
        messages = _illustrated(messages, images)
    body: dict[str, Any] = {"messages": messages}
    body |= {name: value for name, value in fields.items() if name not in _OURS}
    if form is not None:
        body["response_format"] = form.wire
    body |= fields.get("extra", {})
    if stream:
        body["stream"] = True
    try:
        asked = read_request(_written(body), Operation.CHAT)
    except TypeError as error:
        raise RequestError(f"the request can't be written as JSON: {error}") from error
    return Call(
        asked=asked,
        request_id=secrets.token_hex(8),
        model=model,
        session=fields.get("session"),
        policy=_policy(fields.get("policy")),
        spend=fields.get("spend", False),
    )


def _illustrated(
    messages: Sequence[Mapping[str, Any]], images: Sequence[str | bytes]
) -> list[Mapping[str, Any]]:
    """Return the messages with images behind what the last one says."""
    if not messages or messages[-1].get("role") != "user":
        raise RequestError("images: the last message must be the user's", param="images")
    said = messages[-1].get("content") or ""
    parts = [{"type": "text", "text": said}] if isinstance(said, str) else list(said)
    shown = [
        {"type": "image_url", "image_url": {"url": _address(image, index)}}
        for index, image in enumerate(images)
    ]
    return [*messages[:-1], {**messages[-1], "content": [*parts, *shown]}]


def _address(image: str | bytes, index: int) -> str:
    if isinstance(image, str):
        return image
    mime = next((kind for magic, kind in _MAGIC if image.startswith(magic)), None)
    if mime is None:
        where = f"images[{index}]"
        raise RequestError(f"{where} is no PNG, JPEG, GIF or WebP", param=where)
    return f"data:{mime};base64,{base64.b64encode(image).decode()}"


def _written(body: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return json.dumps(body).encode()  # half a character, which is replaced where this is read


def _policy(written: str | None) -> RoutingPolicy | None:
    if written is None:
        return None
    try:
        return RoutingPolicy(written)
    except ValueError:
        names = ", ".join(RoutingPolicy)
        raise RequestError(
            f"no routing policy is called {written!r} (there are: {names})"
        ) from None
