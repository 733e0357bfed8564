"""Parse a YAML document into plain values and the line of each, refusing what could do harm.

Refuses to know what the values mean. Scalars follow YAML 1.2's core schema: `yes`, `on` and `18:00`
are strings. Anchors and merge keys work; a document that multiplies itself by them is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from spillover.config.findings import KeyPath, dotted
from spillover.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_BYTES: Final = 1_048_576
MOST_VALUES: Final = 50_000
"""Counted with every anchor expanded, so that a small file can't grow into a huge document."""
DEEPEST: Final = 32

_INT: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS: Final = {"true": True, "True": True, "TRUE": True} | dict.fromkeys(
    ("false", "False", "FALSE"), False
)
_PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")
)


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """A document's values, where each of them stands, and everything wrong with its form."""

    document: Any
    lines: dict[KeyPath, int]
    """Line of each key or entry, counted from 1."""
    problems: tuple[Problem, ...] = ()


class _Refused(Exception):
    """The document can't be read on."""

    def __init__(self, line: int, *, found: str, expected: str) -> None:
        self.line = line
        self.found = found
        self.expected = expected
        super().__init__(found)


class _Node(msgspec.Struct):
    """A value with its size and, below it, the lines of its parts."""

    value: Any
    line: int
    size: int = 1
    lines: dict[KeyPath, int] = {}


def parse(source: bytes, *, file: str) -> Parsed:
    """Return what a document says; problems are named by `file`."""

    def failed(found: str, expected: str, line: int = 0) -> Parsed:
        problem = Problem(file=file, key="", found=found, expected=expected, line=line)
        return Parsed(document=None, lines={}, problems=(problem,))

    if len(source) > LARGEST_BYTES:
        return failed(f"{len(source):,} bytes", "a file of 1 MiB at most")
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source[: error.start].count(b"\n") + 1
        return failed(f"byte 0x{source[error.start]:02x}", "UTF-8 text", line)
    builder = _Builder(file)
    try:
        node = builder.document(text)
    except _Refused as refused:
        return failed(refused.found, refused.expected, refused.line)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 0
        reason = error.problem or error.context or ""
        written = "".join(text.splitlines()[line - 1 : line]) if line else ""
        return failed(_broken(reason), _remedy(written, reason), line)
    except (YAMLError, ValueError) as error:
        return failed(_broken(str(error)), "valid YAML")
    return Parsed(document=node.value, lines=node.lines, problems=tuple(builder.problems))


class _Builder:
    """Turns parser events into nodes."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._anchors: dict[str, _Node] = {}
        self._depth = 0
        self._built = 0
        self._events: Iterator[Event] = iter(())
        self.problems: list[Problem] = []

    def document(self, text: str) -> _Node:
        self._events = iter(YAML(typ="safe", pure=True).parse(text))
        event = next(self._events)
        while isinstance(event, (StreamStartEvent, DocumentStartEvent)):
            event = next(self._events)
        if isinstance(event, StreamEndEvent):
            return _Node(value=None, line=0)
        node = self._node(event, ())
        for after in self._events:
            if isinstance(after, DocumentStartEvent):
                raise _Refused(_line(after), found="a second document", expected="one document")
        return node

    def _node(self, event: Event, path: KeyPath) -> _Node:
        match event:
            case AliasEvent():
                node = self._alias(event)
            case ScalarEvent():
                node = _Node(value=_scalar(event), line=_line(event))
            case _:
                node = self._nested(cast("MappingStartEvent | SequenceStartEvent", event), path)
        anchor = getattr(event, "anchor", None)
        if anchor and not isinstance(event, AliasEvent):
            self._anchors[anchor] = node
        self._built += 1 if not isinstance(event, AliasEvent) else node.size
        if self._built > MOST_VALUES:
            raise _Refused(
                node.line,
                found=f"more than {MOST_VALUES:,} values",
                expected="a document that anchors and aliases don't multiply",
            )
        return node

    def _nested(self, event: MappingStartEvent | SequenceStartEvent, path: KeyPath) -> _Node:
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            raise _Refused(_line(event), found=f"the tag {event.tag}", expected="no tags")
        self._depth += 1
        if self._depth > DEEPEST:
            raise _Refused(
                _line(event), found="deeper nesting", expected=f"{DEEPEST} levels at most"
            )
        is_map = isinstance(event, MappingStartEvent)
        node = self._mapping(event, path) if is_map else self._sequence(event, path)
        self._depth -= 1
        return node

    def _alias(self, event: AliasEvent) -> _Node:
        if event.anchor not in self._anchors:
            raise _Refused(
                _line(event), found=f"*{event.anchor}", expected="an anchor defined above"
            )
        node = self._anchors[event.anchor]
        return _Node(value=node.value, line=_line(event), size=node.size, lines=node.lines)

    def _sequence(self, event: Event, path: KeyPath) -> _Node:
        values: list[Any] = []
        node = _Node(value=values, line=_line(event), lines={})
        while not isinstance(item := next(self._events), SequenceEndEvent):
            entry = self._node(item, (*path, len(values)))
            _place(node, len(values), entry, entry.line)
            values.append(entry.value)
        return node

    def _mapping(self, event: Event, path: KeyPath) -> _Node:
        values: dict[str, Any] = {}
        node = _Node(value=values, line=_line(event), lines={})
        merged: list[_Node] = []
        while not isinstance(item := next(self._events), MappingEndEvent):
            key, plain = self._key(item)
            entry = self._node(next(self._events), (*path, key))
            if key == "<<" and plain:
                merged.append(entry)
            elif key in values:
                self._repeated(key, path, item, node)
            else:
                _place(node, key, entry, _line(item))
                values[key] = entry.value
        for entry in merged:
            _merge(node, entry)
        return node

    def _key(self, event: Event) -> tuple[str, bool]:
        """The key, and whether it stands without quotes."""
        if not isinstance(event, ScalarEvent):
            raise _Refused(_line(event), found="a key that is no word", expected="a plain key")
        return str(event.value), not event.style

    def _repeated(self, key: str, path: KeyPath, event: Event, node: _Node) -> None:
        self.problems.append(
            Problem(
                file=self._file,
                key=dotted((*path, key)),
                found=f"{key!r} a second time (first on line {node.lines[(key,)]})",
                expected="each key once",
                line=_line(event),
            )
        )


def _merge(node: _Node, source: _Node) -> None:
    """Take over what `<<:` names; keys that are written win."""
    mappings = source.value if isinstance(source.value, list) else [source.value]
    for mapping in mappings:
        if not isinstance(mapping, dict):
            raise _Refused(source.line, found="<<: of a plain value", expected="a mapping to merge")
        for key, value in mapping.items():
            if key not in node.value:
                node.value[key] = value
                node.lines[(key,)] = source.line
    node.size += source.size


def _place(node: _Node, key: str | int, entry: _Node, line: int) -> None:
    """Count an entry in and take over where its parts stand."""
    node.size += entry.size
    node.lines[(key,)] = line
    for path, part_line in entry.lines.items():
        node.lines[(key, *path)] = part_line


def _scalar(event: ScalarEvent) -> Any:
    text = event.value
    if event.tag is not None and event.tag not in _PLAIN_TAGS:
        raise _Refused(_line(event), found=f"the tag {event.tag}", expected="no tags")
    if event.style or (event.tag or "").endswith(":str"):
        return text
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INT.fullmatch(text) and len(text) < 20:  # noqa: PLR2004 (longer is no amount of anything)
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


_REMEDIES: Final = (
    (re.compile(r" *\t"), "", "spaces in the place of tabs"),
    (
        re.compile(r".*[\[{,][^\"']*\$\{"),
        "",
        'quotes around ${…} within braces or brackets: {api_key: "${GROQ_API_KEY}"}',
    ),
    (
        re.compile(r""),
        "mapping values are not allowed here",
        "keys of one mapping beneath each other, and quotes around text that holds ': '",
    ),
)
"""What people trip over: how the line looks, what the parser says of it, what helps."""


def _remedy(line: str, reason: str) -> str:
    """Return what helps against a line that is no YAML."""
    found = (
        remedy for looks, says, remedy in _REMEDIES if looks.match(line) and reason.startswith(says)
    )
    return next(found, "valid YAML")


def _broken(reason: str | None) -> str:
    return f"broken YAML ({' '.join((reason or 'a syntax error').split())[:200]})"
