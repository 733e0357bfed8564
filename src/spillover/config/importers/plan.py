"""What an import comes to, whichever tool the file is from: a part of a configuration, and notes.

The part is written in the configuration's own words, but for credentials: they are `Secret`s, which
become references when it is adopted. Refuses to know files, and the configuration that is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from spillover.config.fields import NAME
from spillover.config.routing import AUTO

_LONGEST_NAME: Final = 64
_LONGEST_SHOWN: Final = 80
_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9._-]+")
PROFILE: Final = "profile"
"""What is called so when its own name can't be used at all."""


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was taken over."""

    kind: str
    """`profile`, `chain` or `alias`."""
    source: str
    """What it is called in the file."""
    name: str
    """What it is called here."""
    told: str = ""
    """In words: what it is, and what about it is not as in the file."""
    leads_to: tuple[str, ...] = ()
    """The profiles of a chain in their order, or what an alias stands for."""


class Unmapped(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was left out."""

    source: str
    why: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of another tool says, in this one's words."""

    conceal: Callable[[str], str]
    """Masks the file's credentials in a text."""
    profiles: dict[str, dict[str, Any]]
    chains: dict[str, dict[str, Any]]
    aliases: dict[str, str]
    mapped: tuple[Mapped, ...]
    unmapped: tuple[Unmapped, ...]
    notes: tuple[str, ...] = ()


class Names:
    """Gives each thing a legal name that nothing else has."""

    def __init__(self, taken: set[str] | None = None) -> None:
        """Keep away from `taken` and from what is reserved."""
        self._taken = {name.lower() for name in taken or ()} | {AUTO}
        self._next: dict[str, int] = {}

    def give(self, wanted: str) -> str:
        """Return a name as near to the wanted one as can be."""
        stem = legal(wanted)
        name, number = stem, self._next.get(stem, 2)
        while name.lower() in self._taken:
            ending = f"-{number}"
            name, number = stem[: _LONGEST_NAME - len(ending)] + ending, number + 1
        self._next[stem] = number
        self._taken.add(name.lower())
        return name


def legal(wanted: str) -> str:
    """Return a text as a name: what can't stand in one becomes a dash."""
    name = _ILLEGAL.sub("-", wanted).lstrip("._-")[:_LONGEST_NAME].rstrip("-")
    return name if NAME.fullmatch(name) else PROFILE


def shown(text: object) -> str:
    """Return what a file calls something, fit to be printed: on one line, and not too long."""
    plain = "".join(letter if letter.isprintable() else "·" for letter in str(text)).strip()
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[:_LONGEST_SHOWN]}…"
