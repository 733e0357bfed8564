"""Read and write the items that the Responses' input and output are made of.

Rules of this file:
- Thinking is an item `reasoning`; its seal is the item's `encrypted_content`.
- A sealed item keeps the id that its provider gave it.

Refuses to know who said an item, and when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from spillover.protocols.chat.answers import write_likelihood
from spillover.protocols.conversation.fields import (
    Fields,
    Losses,
    data_url,
    file_name,
    split_data_url,
)
from spillover.protocols.conversation.requests import (
    Media,
    Medium,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from spillover.protocols.conversation.seals import Dialect, Seal, marked, unmarked
from spillover.protocols.responses.tools import flat_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spillover.protocols.conversation.answers import Likelihood

BETWEEN_SUMMARIES: Final = "\n\n"
"""What stands between the parts of a thought."""


def read_content(item: Fields, name: str, losses: Losses) -> Iterator[Text | Media | Refusal]:
    """Yield what a string or a list of parts says."""
    content = item.value(name)
    if content is None:
        return
    if isinstance(content, str):
        if content:
            yield Text(text=content)
        return
    for part in item.objects(name):
        kind = part.needed("type")
        if kind in {"input_text", "output_text", "text"}:
            for ignored in ("annotations", "logprobs"):
                part.value(ignored)
            yield Text(text=part.expected("text"))
        elif kind == "refusal":
            yield Refusal(text=part.expected("refusal"))
        elif kind == "input_image":
            yield _image(part)
        elif kind == "input_file":
            yield _file(part)
        else:
            losses.lack(f"input.{kind}")
        losses.drop(*(f"input.{left}" for left in part.left()))


def _image(part: Fields) -> Media:
    url, detail = part.text("image_url"), part.text("detail")
    detail = None if detail == "auto" else detail
    if url is None:
        return Media(medium=Medium.IMAGE, file_id=part.needed("file_id"), detail=detail)
    inline = split_data_url(url)
    if inline is None:
        return Media(medium=Medium.IMAGE, url=url, detail=detail)
    return Media(medium=Medium.IMAGE, mime=inline[0], data=inline[1], detail=detail)


def _file(part: Fields) -> Media:
    name, written, url = part.text("filename"), part.text("file_data"), part.text("file_url")
    if written is not None:
        mime, data = split_data_url(written) or (None, written)
        return Media(medium=Medium.FILE, mime=mime, data=data, name=name)
    if url is not None:
        return Media(medium=Medium.FILE, url=url, name=name)
    return Media(medium=Medium.FILE, file_id=part.needed("file_id"), name=name)


def read_reasoning(item: Fields) -> Thinking:
    """Return what an item of reasoning holds: its summary, or the thought itself where it is open."""
    texts = [part.text("text") or "" for part in item.objects("summary")]
    whole = [part.text("text") or "" for part in item.objects("content")]
    text = BETWEEN_SUMMARIES.join(texts or whole)
    return Thinking(text=text, seal=read_seal(item))


def read_seal(item: Fields) -> Seal | None:
    """Return the seal of an item of reasoning."""
    encrypted, identity = item.text("encrypted_content"), item.text("id")
    if not encrypted:
        return None
    seal = unmarked(encrypted, Dialect.RESPONSES)
    return replace(seal, id=identity) if seal.origin is Dialect.RESPONSES else seal


def read_call(item: Fields) -> ToolCall:
    """Return an item's call."""
    return ToolCall(
        id=item.expected("call_id") or item.text("id") or "",
        name=flat_name(item.needed("name"), item.text("namespace")),
        arguments=item.arguments("arguments"),
    )


def reasoning_item(text: str, seal: Seal | None, identity: str) -> dict[str, Any]:
    """Return a thought as an item; `identity` is its id where its provider gave none."""
    item: dict[str, Any] = {"type": "reasoning", "id": identity, "summary": []}
    if text:
        item["summary"] = [summary_part(text)]
    if seal is not None:
        item["encrypted_content"] = marked(seal, Dialect.RESPONSES)
    return item


def summary_part(text: str) -> dict[str, Any]:
    """Return a part of a thought."""
    return {"type": "summary_text", "text": text}


def message_item(content: list[dict[str, Any]], identity: str, status: str) -> dict[str, Any]:
    """Return what the model says as an item."""
    return {
        "type": "message",
        "id": identity,
        "role": "assistant",
        "status": status,
        "content": content,
    }


def said_part(part: Text | Refusal, logprobs: Iterable[Likelihood] = ()) -> dict[str, Any]:
    """Return what the model says as a part of a message."""
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    return {
        "type": "output_text",
        "text": part.text,
        "annotations": [],
        "logprobs": [write_likelihood(token) for token in logprobs],
    }


def asked_part(part: Text | Media, losses: Losses) -> dict[str, Any]:
    """Return what a client says as a part of a message."""
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text}
    if part.file_id is not None:
        losses.lack("file_id")
    if part.medium in {Medium.AUDIO, Medium.VIDEO}:
        losses.lack(part.mime or part.medium.value)
    data = None if part.data is None else data_url(part.mime, part.data)
    if part.medium is Medium.IMAGE:
        detail = part.detail or "auto"
        return {"type": "input_image", "image_url": data or part.url, "detail": detail}
    if data is None:
        return {"type": "input_file", "file_url": part.url}
    return {"type": "input_file", "filename": file_name(part.name, part.mime), "file_data": data}
