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


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name most like another, None if none is; what is no name at all has none."""
    if len(name) > LONGEST_COMPARED:
        return None
    return next(iter(difflib.get_close_matches(name, list(names), n=1)), None)


def is_at(path: KeyPath, place: tuple[str, ...]) -> bool:
    """Return whether a path leads to a place, in which `*` stands for any key."""
    return len(place) == len(path) and all(
        want in {"*", have} for want, have in zip(place, path, strict=True)
    )
