"""Make a YAML text say something else, and leave all of it that need not change as it is.

What is written is read again and compared with what was wanted, so no value can become a key, a
comment or another value. Refuses to know settings, but for one: a list that becomes a mapping with
that list in it keeps its form there, as the short form of a chain does.
"""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any, Final

from spillover.config.document import parse
from spillover.config.rendering import block, inline, quoted, setting, single_quoted
from spillover.config.spans import anchors_in, read_spans

if TYPE_CHECKING:
    from spillover.config.spans import Node, Part

_MOST_PASSES: Final = 6
"""A value that others share by an anchor changes in one pass, and what they keep in the next."""
_STEP: Final = 2
_ENTRY_LEVELS: Final = 2
"""Sections hold entries, and entries settings, each on lines of its own; what is deeper is inline."""


class Unwritable(ValueError):
    """The text can't be made to say it without rewriting what it need not concern."""


def rewritten(text: str, document: Any, wanted: dict[str, Any]) -> str:
    """Return a text that says what is wanted, of one that says `document`.

    An empty setting counts as none. Raises Unwritable.
    """
    for _ in range(_MOST_PASSES):
        if not isinstance(document, dict):
            break
        if same(document, wanted):
            return text
        text = _passed(text, document, wanted)
        found = parse(text.encode(), file="")
        document = None if found.problems else found.document
    raise Unwritable("this edit does not fit into the file as it is written")


def same(one: Any, other: Any, *, level: int = 0) -> bool:
    """Return whether two documents say the same; empty settings are none.

    Entries of a section have an order, settings of an entry have none.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        one, other = _full(one), _full(other)
        alike = list(one) == list(other) if level == 1 else one.keys() == other.keys()
        return alike and all(same(one[key], other[key], level=level + 1) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        alike = len(one) == len(other)
        return alike and all(same(*both, level=level + 1) for both in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)


def _full(mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if value is not None}


def _passed(text: str, old: dict[str, Any], wanted: dict[str, Any]) -> str:
    try:
        root = read_spans(text)
    except ValueError as error:
        raise Unwritable(str(error)) from None
    if root is None:
        raise Unwritable("the file holds no settings to change")
    writing = _Writing(text)
    changed = writing.value(root, old, wanted, level=0)
    if writing.lost:  # what names a lost anchor says its value itself
        writing = _Writing(text, inlined=frozenset(writing.lost))
        changed = writing.value(root, old, wanted, level=0)
    return text[: root.start] + changed + text[root.end :]


def _renamed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    """Return the one key that another stands in the place of, by the new one; nothing else moved."""
    before, after = list(_full(old)), list(_full(new))
    if len(before) != len(after):
        return {}
    others = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    return {to: was for was, to in others if len(others) == 1}


class _Writing:
    """One pass over a text; every method returns what a part of it becomes."""

    def __init__(self, text: str, inlined: frozenset[str] = frozenset()) -> None:
        self._text = text
        self._inlined = inlined
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self.lost: set[str] = set()
        """Anchors of what is no longer there."""

    def value(self, node: Node, old: Any, new: Any, *, level: int) -> str:
        """Return what a value becomes, from its start to its end."""
        if node.is_alias:
            kept = same(old, new, level=level) and node.anchor not in self._inlined
            return self._text[node.start : node.end] if kept else inline(new)
        if same(old, new, level=level) and not self._inlined:
            return self._text[node.start : node.end]
        properties = self._text[node.start : node.content]
        if node.parts is not None and type(old) is type(new):
            if node.is_mapping:
                return properties + self._mapping(node, old, new, level)
            return properties + self._sequence(node, old, new, level)
        if same(old, new, level=level):
            return self._text[node.start : node.end]
        self._lose(node, but=node.anchor)
        anchor = f"&{node.anchor} " if node.anchor else ""
        return anchor + self._fresh(node, new)

    def _fresh(self, node: Node, new: Any) -> str:
        if isinstance(new, str) and node.quotes == '"':
            return quoted(new)
        if isinstance(new, str) and node.quotes == "'":
            return single_quoted(new)
        return inline(new)

    def _lose(self, node: Node, *, but: str | None = None) -> None:
        self.lost.update(anchor for anchor in anchors_in(node) if anchor != but)

    # Collections.

    def _mapping(self, node: Node, old: dict[str, Any], new: dict[str, Any], level: int) -> str:
        parts = node.parts or []
        own = {part.key: part for part in parts if not part.is_merge}
        renamed = _renamed(old, new)
        merges = [part for part in parts if part.is_merge]
        unmerged = any(self._names_lost(part.node) for part in merges)
        entries: list[tuple[Part | None, str]] = []
        for key, to in _full(new).items():
            if key in own:
                text = self._entry(own[key], old[key], to, node, level=level + 1)
                entries.append((own[key], text))
            elif renamed.get(key) in own:
                part = own[renamed[key]]
                text = self._entry(part, old[renamed[key]], to, node, level=level + 1)
                entries.append((part, inline(key) + text[part.head_end - part.start :]))
            elif unmerged or not same(old.get(key), to, level=level + 1):
                entries.append((None, self._new_entry(key, to, node, level=level + 1)))
        for key, before in old.items():
            if new.get(key) is not None:
                continue
            if key in own and before is None:
                entries = _back(entries, own[key], self._as_is(own[key]), parts)
            elif key not in own and before is not None and not unmerged:
                entries.append((None, self._new_entry(key, None, node, level=level + 1)))
        for part in merges:
            if not unmerged:
                entries = _back(entries, part, self._as_is(part), parts)
        return self._arranged(node, entries)

    def _names_lost(self, node: Node) -> bool:
        """Whether what is merged in names an anchor that is lost."""
        named = [node, *(part.node for part in node.parts or ())]
        return any(each.is_alias and each.anchor in self._inlined for each in named)

    def _sequence(self, node: Node, old: list[Any], new: list[Any], level: int) -> str:
        parts = node.parts or []
        entries: list[tuple[Part | None, str]] = []
        for place, to in zip(_matched(old, new), new, strict=True):
            if place is None:
                entries.append((None, self._new_item(to, node)))
            else:
                text = self._entry(parts[place], old[place], to, node, level=level + 1)
                entries.append((parts[place], text))
        return self._arranged(node, entries)

    def _entry(self, part: Part, old: Any, new: Any, owner: Node, *, level: int) -> str:
        """Return what an entry becomes, from its start to the end of its value."""
        if same(old, new, level=level) and not self._inlined:
            return self._as_is(part)
        below = part.node
        head = self._text[part.start : part.head_end]
        between = self._text[part.head_end : below.start]
        if isinstance(old, list) and isinstance(new, dict):
            lengthened = self._lengthened(part, old, new, owner)
            if lengthened is not None:
                return lengthened
        empty = old is None or (below.is_flow and not below.parts and not below.anchor)
        if empty and isinstance(new, dict) and new and not owner.is_flow:
            return self._opened(head + between, new, owner, level=level)
        if below.is_block and below.start == below.content and self._must_close(below, old, new):
            self._lose(below)
            sign, _, comment = between.strip().partition("#")
            text = f"{head}{sign.strip()} {inline(new)}"
            return f"{text}  #{comment}" if comment else text
        text = self.value(below, old, new, level=level)
        space = " " if old is None and text and not between.endswith((" ", "\n")) else ""
        return head + between + space + text

    def _must_close(self, node: Node, old: Any, new: Any) -> bool:
        """Whether a block becomes something that stands on its key's line."""
        return type(old) is not type(new) or not new or not self._can_stay(node, new)

    def _can_stay(self, node: Node, new: Any) -> bool:
        """Whether a block can be changed line by line: what begins behind a dash must stay."""
        first = (node.parts or [])[0]
        if first.lead != first.start:
            return True
        line = self._text.rfind("\n", 0, first.start) + 1
        if not self._text[line : first.start].strip(" "):
            return True
        return isinstance(new, dict) and next(iter(_full(new)), None) == first.key

    def _opened(self, head: str, new: dict[str, Any], owner: Node, *, level: int) -> str:
        """An empty setting that becomes a block beneath its key."""
        deep = _ENTRY_LEVELS - level
        if deep < 0:
            return f"{head.rstrip()} {inline(new)}"
        step = self._step(owner)
        lines = block(new, indent=owner.column + step, step=step, deep=deep)
        return self._newline.join([head.rstrip(" "), *lines])

    def _lengthened(
        self, part: Part, old: list[Any], new: dict[str, Any], owner: Node
    ) -> str | None:
        """A list that becomes the first setting of a mapping which holds a list."""
        key = next((key for key, to in new.items() if isinstance(to, list)), None)
        below = part.node
        if key is None or part.key is None or not below.parts or below.anchor:
            return None
        rest = {name: to for name, to in new.items() if name != key}
        listed = self.value(below, old, new[key], level=_ENTRY_LEVELS)
        head = self._text[part.start : below.start]
        if below.is_flow:
            more = "".join(f", {name}: {inline(to)}" for name, to in rest.items())
            return f"{head}{{{key}: {listed}{more}}}"
        step = self._step(owner)
        indent = owner.column + step
        shift = " " * (indent + step - below.column)
        lines = [shift + line if line.strip() else line for line in listed.split(self._newline)]
        more_lines = block(rest, indent=indent, step=step, deep=0)
        return head + self._newline.join([f"{' ' * indent}{key}:", *lines, *more_lines])

    def _as_is(self, part: Part) -> str:
        return self._text[part.start : part.node.end]

    def _new_entry(self, key: str, value: Any, owner: Node, *, level: int) -> str:
        if owner.is_flow:
            return f"{inline(key)}: {inline(value)}"
        deep = _ENTRY_LEVELS + 1 - level
        siblings = owner.parts or []
        if siblings and siblings[-1].node.is_flow and deep == 1:
            deep = 0
        if deep > 0 and isinstance(value, dict):
            step = self._step(owner)
            lines = block({key: value}, indent=owner.column, step=step, deep=deep)
        else:
            written = "" if value is None else f" {setting(value)}"
            lines = [f"{' ' * owner.column}{inline(key)}:{written}"]
        return self._newline.join(lines)

    def _new_item(self, value: Any, owner: Node) -> str:
        return inline(value) if owner.is_flow else f"{' ' * owner.column}- {inline(value)}"

    def _step(self, owner: Node) -> int:
        """By how much the file indents what lies below an entry of a block."""
        for part in owner.parts or ():
            if part.node.is_block and part.node.column > owner.column:
                return part.node.column - owner.column
        return _STEP

    # Arrangements.

    def _arranged(self, node: Node, entries: list[tuple[Part | None, str]]) -> str:
        parts = node.parts or []
        for part in parts:
            if all(part is not kept for kept, _ in entries):
                self._lose(part.node)
        if not entries:
            return "{}" if node.is_mapping else "[]"
        if len(entries) == len(parts) and all(map(is_, (each for each, _ in entries), parts)):
            return self._in_place(node, entries)
        if node.is_flow:
            return self._flow(node, entries)
        return self._block(node, entries)

    def _in_place(self, node: Node, entries: list[tuple[Part | None, str]]) -> str:
        pieces, at = [], node.content
        for part, text in entries:
            if part is not None:
                pieces += [self._text[at : part.start], text]
                at = part.node.end
        return "".join([*pieces, self._text[at : node.end]])

    def _flow(self, node: Node, entries: list[tuple[Part | None, str]]) -> str:
        parts = node.parts or []
        leads, tails, closing = self._apart(node)
        usual = (leads[1:] or [lead if "\n" in lead else " " for lead in leads] or [""])[0]
        if "#" in usual:  # a comment is its entry's own
            usual = usual[: len(usual) - len(usual.lstrip())]
        pieces = [self._text[node.content]]
        for slot, (part, text) in enumerate(entries):
            index = _place(part, parts)
            own = "" if index is None else leads[index]
            lead = own if "#" in own else leads[0] if slot == 0 and leads else usual
            if "#" in pieces[-1] and not lead.lstrip(" ").startswith(("\r", "\n")):
                lead = self._newline + lead
            comma = "," if slot < len(entries) - 1 else ""
            pieces += [lead, text, comma + ("" if index is None else tails[index])]
        if "#" in pieces[-1] and "\n" not in closing:
            closing = self._newline + closing
        return "".join([*pieces, closing, self._text[node.end - 1]])

    def _apart(self, node: Node) -> tuple[list[str], list[str], str]:
        """What stands before each entry of a flow collection, its comment behind it, and the end."""
        parts = node.parts or []
        if not parts:
            return [], [], ""
        leads, tails, closing = [self._text[node.content + 1 : parts[0].start]], [], ""
        for part, following in zip(parts, [*parts[1:], None], strict=True):
            end = node.end - 1 if following is None else following.start
            before, comma, after = self._text[part.node.end : end].partition(",")
            rest = after if comma else before
            line, newline, _ = rest.partition("\n")
            tail = line.rstrip("\r") if newline and "#" in line else ""
            tails.append(tail)
            closing = rest[len(tail) :]
            leads.append(closing)
        return leads[: len(parts)], tails, closing

    def _block(self, node: Node, entries: list[tuple[Part | None, str]]) -> str:
        parts = node.parts or []
        gaps = self._gaps(node)
        places = [place for part, _ in entries if (place := _place(part, parts)) is not None]
        in_order = places == sorted(places)
        pieces: list[str] = []
        passed = 0
        for slot, (part, text) in enumerate(entries):
            gap = ""
            place = _place(part, parts)
            if in_order and place is not None:
                gap = "".join(gaps[passed : place + 1])
                passed = place + 1
            elif not in_order and slot < len(gaps):
                gap, passed = gaps[slot], slot + 1
            pieces.append((gap if pieces else gap.lstrip("\r\n")) + self._chunk(part, text))
        rest = "".join(gap for gap in gaps[passed:] if gap.strip())
        joined = self._newline.join(pieces)
        return joined + (self._newline + rest.rstrip("\r\n") if rest else "")

    def _gaps(self, node: Node) -> list[str]:
        """What stands before each entry and is nobody's own, in whole lines."""
        gaps, at = [], node.content
        for part in node.parts or ():
            gaps.append(self._text[at : part.lead])
            end = self._text.find("\n", part.node.end)
            at = len(self._text) if end < 0 else end + 1
        return gaps

    def _chunk(self, part: Part | None, text: str) -> str:
        """The lines of an entry, without the last line's end."""
        if part is None:
            return text
        end = self._text.find("\n", part.node.end)
        end = len(self._text) if end < 0 else end
        tail = self._text[part.node.end : end].rstrip("\r")
        return self._text[part.lead : part.start] + text + tail


def _back(
    entries: list[tuple[Part | None, str]], part: Part, text: str, parts: list[Part]
) -> list[tuple[Part | None, str]]:
    """Put an entry that stays back behind the one that it stood behind."""
    before = parts[: _place(part, parts)]
    behind = [index for index, (each, _) in enumerate(entries) if _place(each, before) is not None]
    place = behind[-1] + 1 if behind else 0
    return [*entries[:place], (part, text), *entries[place:]]


def _place(part: Part | None, parts: list[Part]) -> int | None:
    return next((place for place, each in enumerate(parts) if each is part), None)


def _matched(old: list[Any], new: list[Any]) -> list[int | None]:
    """Return which entry of a list each of the new ones was; None: of none."""
    found: list[int | None] = [None] * len(new)
    free = list(range(len(old)))
    for alike in (same, _is_akin):
        for index, wanted in enumerate(new):
            if found[index] is None:
                place = next((each for each in free if alike(old[each], wanted)), None)
                if place is not None:
                    found[index] = place
                    free.remove(place)
    return found


def _is_akin(one: Any, other: Any) -> bool:
    """Whether two entries of a list are about the same: mappings that begin alike, or one's name."""
    if isinstance(one, dict) and isinstance(other, dict):
        return next(iter(one.items()), None) == next(iter(other.items()), None)
    names = [
        next(iter(each.values()), None) if isinstance(each, dict) else each for each in (one, other)
    ]
    return isinstance(names[0], str) and names[0] == names[1]
