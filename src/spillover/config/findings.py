"""Say what is wrong at which place of a document, whoever found it.

Refuses to know files and lines: `spillover.config.faults` looks them up.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and list places that lead to a value, from the document's root."""


LONGEST_COMPARED: Final = 256
"""Characters of a name; comparing takes its time, and requests may name anything."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong at a place of the document."""

    path: KeyPath
    found: str
    expected: str
    nearest: str | None = None
    """The valid name that is most like what was found."""


class Fault(ValueError):
    """One thing wrong inside a setting; `path` leads to it from there."""

    def __init__(
        self, expected: str, *, path: KeyPath, found: object, nearest: str | None = None
    ) -> None:
        self.expected = expected
        self.path = path
        self.found = found
        self.nearest = nearest
        super().__init__(expected)


class Faults(ValueError):
    """Everything wrong inside one setting."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(str(fault) for fault in faults))


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name most like another, None if none is; what is no name at all has none."""
    if len(name) > LONGEST_COMPARED:
        return None
    # The plain text: the names may be an enum's, and it is shown as `repr` has it.
    return next(map(str, difflib.get_close_matches(name, list(names), n=1)), None)


def is_at(path: KeyPath, place: tuple[str, ...]) -> bool:
    """Return whether a path leads to a place, in which `*` stands for any key."""
    return len(place) == len(path) and all(
        want in {"*", have} for want, have in zip(place, path, strict=True)
    )


def dotted(path: KeyPath) -> str:
    """Return a path as written for people: `chains.default.profiles[2]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        shown = part if part.isprintable() else repr(part)
        text += f".{shown}" if text else shown
    return text
