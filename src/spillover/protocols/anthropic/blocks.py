"""Write one part of the conversation as a content block of a request of Anthropic's.

Refuses to know turns and their order.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any, Final, assert_never

from spillover.protocols.conversation.fields import Losses, object_in
from spillover.protocols.conversation.requests import (
    Media,
    Medium,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from spillover.protocols.conversation.seals import Dialect

_IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF: Final = "application/pdf"
_FOREIGN_ID: Final = re.compile(r"[^a-zA-Z0-9_-]")
"""What ids of calls may not hold here."""


def block_of(part: Part, losses: Losses) -> dict[str, Any] | None:
    """Return the block; None where there is nothing to say, or it can't be said (noted as a loss)."""
    match part:
        case Text() | Refusal():
            # Empty blocks are refused.
            is_empty = not part.text or part.text.isspace()
            return None if is_empty else {"type": "text", "text": part.text}
        case Media():
            return _media(part, losses)
        case ToolCall():
            arguments = object_in(part.arguments)
            return {
                "type": "tool_use",
                "id": tool_id(part.id),
                "name": part.name,
                "input": {"arguments": part.arguments} if arguments is None else arguments,
            }
        case ToolResult():
            return _result(part, losses)
        case Thinking():
            return _thinking(part, losses)
        case _:
            assert_never(part)


def tool_id(text: str) -> str:
    """Return the id of a call as it may be written here."""
    return _FOREIGN_ID.sub("_", text)


def _result(part: ToolResult, losses: Losses) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": tool_id(part.id)}
    content = [found for item in part.content if (found := block_of(item, losses)) is not None]
    if content:
        block["content"] = content
    if part.is_error:
        block["is_error"] = True
    return block


def _thinking(part: Thinking, losses: Losses) -> dict[str, Any] | None:
    seal = part.seal
    if seal is None or seal.origin is not Dialect.ANTHROPIC:
        losses.drop("thinking")
        return None
    if seal.redacted:
        return {"type": "redacted_thinking", "data": seal.value}
    return {"type": "thinking", "thinking": part.text, "signature": seal.value}


def _media(part: Media, losses: Losses) -> dict[str, Any] | None:
    source = _source(part)
    if source is None:
        losses.lack("file_id" if part.file_id is not None else part.mime or part.medium.value)
        return None
    if part.detail not in (None, "auto"):
        losses.drop("image_url.detail")
    if part.medium is Medium.IMAGE:
        return {"type": "image", "source": source}
    block: dict[str, Any] = {"type": "document", "source": source}
    if part.name is not None:
        block["title"] = part.name
    return block


def _source(part: Media) -> dict[str, Any] | None:
    """Return where a medium is found; None: Anthropic takes none of its kind."""
    if part.medium in {Medium.AUDIO, Medium.VIDEO}:
        return None
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if part.data is None:
        return None
    if part.medium is Medium.IMAGE:
        accepted = part.mime in _IMAGES
    else:
        accepted = part.mime == _PDF
        if part.mime is not None and part.mime.startswith("text/"):
            return _text_source(part.data)
    if not accepted:
        return None
    return {"type": "base64", "media_type": part.mime, "data": part.data}


def _text_source(data: str) -> dict[str, Any] | None:
    try:
        text = b64decode(data, validate=True).decode()
    except ValueError:
        return None
    return {"type": "text", "media_type": "text/plain", "data": text}
