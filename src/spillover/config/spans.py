"""Find where each value of a YAML document stands in its text.

Refuses to know what values are: `spillover.config.document` reads them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamStartEvent,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s*)*")
"""Anchor and tag, before what they belong to."""
_COMMENT: Final = re.compile(r"[ \t]*#")


class Node(msgspec.Struct, kw_only=True):
    """A value's place in the text: `start` to `end`, what it is behind its anchor from `content` on.

    A block collection is whole lines, from the comments right above its first entry to the comment
    behind its last one; only the first line is not whole where it begins behind a dash.
    """

    start: int
    content: int
    end: int
    is_alias: bool = False
    is_flow: bool = False
    anchor: str | None = None
    """The one that it has, or as an alias names."""
    quotes: str | None = None
    """How a scalar is written: `"`, `'`, `|`, `>` or plain."""
    parts: list[Part] | None = None
    """The entries of a collection; None: it is none."""
    is_mapping: bool = False
    column: int = 0
    """Of the entries of a block collection."""

    @property
    def is_block(self) -> bool:
        """Whether it is a collection on lines of its own."""
        return self.parts is not None and not self.is_flow


class Part(msgspec.Struct, kw_only=True):
    """An entry of a collection: its key or dash, and its value."""

    key: str | None
    """None: of a sequence."""
    is_merge: bool = False
    start: int
    """Where its key, its dash, or in a flow sequence its value begins."""
    head_end: int
    """Where its key or dash ends."""
    node: Node
    lead: int = 0
    """Where the comments right above it begin, or its own line; `start` where it shares a line."""


def read_spans(text: str) -> Node | None:
    """Return the places of a document's values, None of an empty one.

    The text must have been read without problems.
    """
    return _Reader(text).document()


def anchors_in(node: Node) -> Iterator[str]:
    """Yield the anchors that a value and what is in it have."""
    if node.anchor is not None and not node.is_alias:
        yield node.anchor
    for part in node.parts or ():
        yield from anchors_in(part.node)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._events: Iterator[Any] = iter(YAML(typ="safe", pure=True).parse(text))

    def document(self) -> Node | None:
        event = next(self._events)
        while isinstance(event, (StreamStartEvent, DocumentStartEvent)):
            event = next(self._events)
        if not isinstance(event, MappingStartEvent):
            return None
        root = self._node(event)
        if root.is_block and root.parts:
            # What stands above the first setting is about the file.
            root.parts[0].lead = self._line_start(root.parts[0].start)
            root.start = root.content = root.parts[0].lead
        return root

    def _node(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        match event:
            case AliasEvent():
                return Node(start=start, content=start, end=end, is_alias=True, anchor=event.anchor)
            case ScalarEvent():
                if event.style in {"|", ">"}:
                    end = start + len(self._text[start:end].rstrip())
                return Node(
                    start=start,
                    content=self._content(event),
                    end=end,
                    anchor=event.anchor,
                    quotes=event.style or None,
                )
            case _:
                return self._collection(cast("MappingStartEvent | SequenceStartEvent", event))

    def _content(self, event: Any) -> int:
        start: int = event.start_mark.index
        if event.anchor is None and event.tag is None:
            return start
        found = _PROPERTIES.match(self._text, start)
        return start if found is None else found.end()

    def _collection(self, event: MappingStartEvent | SequenceStartEvent) -> Node:
        is_mapping = isinstance(event, MappingStartEvent)
        content = self._content(event)
        node = Node(
            start=event.start_mark.index,
            content=content,
            end=content,
            is_flow=bool(event.flow_style),
            anchor=event.anchor,
            parts=[],
            is_mapping=is_mapping,
            column=content - self._line_start(content),
        )
        ending = MappingEndEvent if is_mapping else SequenceEndEvent
        parts: list[Part] = []
        while not isinstance(item := next(self._events), ending):
            parts.append(self._entry(item) if is_mapping else self._item(item, node))
        node.parts = parts
        if node.is_flow:
            node.end = item.end_mark.index
            return node
        self._lay_out(node, parts)
        return node

    def _entry(self, key: Any) -> Part:
        start, end = key.start_mark.index, key.end_mark.index
        is_merge = key.value == "<<" and not key.style
        name = str(key.value)
        value = self._node(next(self._events))
        colon = end + len(self._text[end:]) - len(self._text[end:].lstrip())
        self._place_nothing(value, colon + 1 if self._text[colon : colon + 1] == ":" else end)
        return Part(key=name, is_merge=is_merge, start=start, head_end=end, node=value)

    @staticmethod
    def _place_nothing(node: Node, behind: int) -> None:
        """Place a value that is not written: the parser has it where the next thing begins."""
        if node.parts is None and node.start == node.end:
            node.start = node.content = node.end = behind

    def _item(self, event: Any, node: Node) -> Part:
        value = self._node(event)
        if node.is_flow:
            return Part(key=None, start=value.start, head_end=value.start, node=value)
        dash = event.start_mark.index
        while True:
            dash = self._text.rfind("-", node.content, dash)
            if dash < 0:
                raise ValueError("an entry without a dash")
            if dash - self._line_start(dash) == node.column:
                self._place_nothing(value, dash + 1)
                return Part(key=None, start=dash, head_end=dash + 1, node=value)

    def _lay_out(self, node: Node, parts: list[Part]) -> None:
        """Make a block collection of whole lines."""
        after = 0
        for part in parts:
            part.lead = self._lead(part.start, after)
            after = self._line_end(part.node.end)
        node.end = after
        has_properties = node.start != node.content
        node.content = parts[0].lead
        if not has_properties:
            node.start = node.content

    def _lead(self, start: int, after: int) -> int:
        """Where an entry begins with the comments right above it, not before `after`."""
        line = self._line_start(start)
        if self._text[line:start].strip(" "):
            return start
        while line > after:
            above = self._line_start(line - 1)
            if above < after or _COMMENT.match(self._text, above) is None:
                break
            line = above
        return line

    def _line_start(self, index: int) -> int:
        return self._text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        end = self._text.find("\n", index)
        end = len(self._text) if end < 0 else end
        return end - (self._text[end - 1 : end] == "\r")
