"""Tell what a conversation weighs and needs, as far as routing and counting go.

The chat of OpenAI's own clients is weighed by `openai_chat`, by the same rules. Refuses to know
tokens and models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from spillover.core.values import Capability, Demand, Operation
from spillover.protocols.conversation.fields import encode
from spillover.protocols.conversation.requests import (
    Media,
    Medium,
    Part,
    Refusal,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from spillover.protocols.measure import measure
from spillover.protocols.openai_chat import TEMPLATE_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterator


def demand_of(request: Request) -> Demand:
    """Return what the core needs to know of a request; session, policy and spend are the gateway's."""
    texts = [part.text for part in request.system]
    media: list[Media] = []
    for turn in request.turns:
        for part in turn.parts:
            texts += _texts(part)
            media += _media(part)
    needs = {Capability.CHAT}
    if any(item.medium is Medium.IMAGE for item in media):
        needs.add(Capability.VISION)
    if request.tools:
        needs.add(Capability.TOOLS)
        texts += [encode(tool).decode() for tool in request.tools]
    if request.format is not None and request.format.schema is not None:
        needs.add(Capability.JSON_SCHEMA)
        texts.append(encode(request.format.schema).decode())
    sizes = [measure(text) for text in texts]
    messages = len(request.turns) + len(request.system)
    return Demand(
        operation=Operation.CHAT,
        stream=request.stream,
        chars=sum(chars for chars, _ in sizes) + TEMPLATE_CHARS * messages,
        wide_chars=sum(wide for _, wide in sizes),
        images=len(media),
        choices=request.choices,
        max_output_tokens=request.sampling.max_tokens,
        needs=frozenset(needs),
    )


_NONE: Final[tuple[str, ...]] = ()


def _texts(part: Part) -> tuple[str, ...]:
    match part:
        case Text() | Refusal() | Thinking():
            return (part.text,)
        case ToolCall():
            return (part.name, part.arguments)
        case ToolResult():
            return tuple(item.text for item in part.content if isinstance(item, Text))
        case Media():
            return _NONE
        case _:
            assert_never(part)


def _media(part: Part) -> Iterator[Media]:
    if isinstance(part, Media):
        yield part
    elif isinstance(part, ToolResult):
        yield from (item for item in part.content if isinstance(item, Media))
