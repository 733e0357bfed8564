"""Put a conversation of OpenAI's Responses together that its client names by the last answer's id.

The client sends `previous_response_id` and what is new. Any upstream is to serve it, so it gets all
that was said instead of the id. Refuses to know who remembers what was said, and for how long.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from spillover.core.values import Value
from spillover.protocols.sse import Splitter, payload

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder().encode
_PREVIOUS: Final = "previous_response_id"


class Said(Value, frozen=True, kw_only=True):
    """An answer, and all that was said up to it."""

    id: str
    items: bytes
    """A JSON list of input items."""
    asked: int
    """How many of them were said before the answer."""
    answer: bytes
    """The response itself."""

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return len(self.items) + len(self.answer)


def previous_of(body: bytes) -> str | None:
    """Return the id of the answer that a request goes on from; None: it names none."""
    fields = _fields(body)
    previous = None if fields is None else fields.get(_PREVIOUS)
    return previous if isinstance(previous, str) else None


def recalled(body: bytes, items: bytes) -> bytes:
    """Return a request with what was said before it, `items`, in place of the id."""
    fields = _decode(body)
    del fields[_PREVIOUS]
    return _encode({**fields, "input": [*msgspec.json.decode(items), *_items(fields)]})


def said_in(body: bytes, answer: bytes, *, stream: bool) -> Said | None:
    """Return what is to be remembered of a request and its answer, or the end of its stream.

    None: nothing, for it broke off, or the client wants nothing kept (`store: false`).
    """
    fields, response = _fields(body), _ended(answer) if stream else _fields(answer)
    if fields is None or response is None or fields.get("store") is False:
        return None
    name, output = response.get("id"), response.get("output")
    if not isinstance(name, str) or not isinstance(output, list):
        return None
    kept = [_unnamed(item) for item in output if _is_portable(item)]
    asked = _items(fields)
    return Said(id=name, items=_encode([*asked, *kept]), asked=len(asked), answer=_encode(response))


def listed(said: Said, *, limit: int, after: str | None, oldest_first: bool) -> dict[str, Any]:
    """Return a page of the items that a response answered, those behind the item `after`.

    Items that came without an id are named by their place, and texts stand in parts, as OpenAI has it.
    """
    asked = msgspec.json.decode(said.items)[: said.asked]
    items = [_item(item, f"{said.id}_in_{place}") for place, item in enumerate(asked)]
    if not oldest_first:
        items.reverse()
    names = [item["id"] for item in items]
    start = names.index(after) + 1 if after in names else 0
    page = items[start : start + limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": start + limit < len(items),
    }


def _item(item: Any, name: str) -> dict[str, Any]:
    fields = item if isinstance(item, dict) else {}
    written = {"id": name, "type": "message", **fields}
    content = written.get("content")
    if isinstance(content, str):
        kind = "output_text" if written.get("role") == "assistant" else "input_text"
        written["content"] = [{"type": kind, "text": content}]
    return written


def _ended(events: bytes) -> dict[str, Any] | None:
    """Return the whole response that the last event of a stream tells."""
    for event in reversed(Splitter().feed(events)):
        fields = _fields(payload(event).data or b"")
        if fields is not None and fields.get("type") in {
            "response.completed",
            "response.incomplete",
        }:
            response = fields.get("response")
            return response if isinstance(response, dict) else None
    return None


def _fields(body: bytes) -> dict[str, Any] | None:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _items(fields: dict[str, Any]) -> list[Any]:
    given = fields.get("input")
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return given if isinstance(given, list) else []


def _is_portable(item: Any) -> bool:
    """Whether an item means something to another upstream: a thought that is only named does not."""
    return isinstance(item, dict) and not (
        item.get("type") == "reasoning" and not item.get("encrypted_content")
    )


def _unnamed(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item without its id, which only its own upstream knows; sealed thoughts keep theirs."""
    if item.get("type") == "reasoning":
        return item
    return {name: value for name, value in item.items() if name != "id"}
