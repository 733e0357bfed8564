"""Describe what a failure looks like: the sign of one row in the tables of failures.

Rules of this file:
- A phrase is a regular expression in lower case that begins where a word does. Its words are looked
  for in those of the text first, then the longest plain text that every match of it must hold, so
  that a text that holds none of them costs next to nothing.

Refuses to know any provider, and what is done about a failure.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from spillover.core.evidence import Shape
from spillover.core.openings import opening_of
from spillover.core.values import CalendarUnit, FailureClass, FaultScope, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PIECE: Final = re.compile(r"\\.|\[[^\]]*\]|\{[^}]*\}|\(\?[:=!]|.")
_SPECIAL: Final = frozenset(".^$|*+?()[]{}\\")


def anchor(phrase: str) -> str:
    """Return the longest plain text that every match of `phrase` holds; groups are passed over.

    `phrase` has no alternatives outside of groups, for a match would then hold only one of them.
    """
    runs, depth = [""], 0
    for piece in _PIECE.findall(phrase):
        if piece[0] == "(":
            depth += 1
            runs.append("")
        elif piece == ")":
            depth -= 1
            runs.append("")
        elif depth:
            continue
        elif piece in {"?", "*"} or piece[0] == "{":
            runs[-1] = runs[-1][:-1]  # the character before may be missing
            runs.append("")
        elif piece not in _SPECIAL and piece[0] not in "[\\":
            runs[-1] += piece
        elif piece[0] == "\\" and not piece[1].isalnum():
            runs[-1] += piece[1]
        else:
            runs.append("")
    return max(runs, key=len)


class Phrases:
    """Phrases, one of which is to stand in a text.

    Nothing is compiled before it is looked for: a process that meets no failure needs none of it, and
    there are hundreds.
    """

    def __init__(self, *phrases: str) -> None:
        """Keep `phrases`."""
        self.phrases: Final = phrases

    @cached_property
    def openings(self) -> frozenset[bytes] | None:
        """Openings of words one of which stands in every text that is matched; None: not known."""
        return _openings(self.phrases)

    @cached_property
    def _rows(self) -> tuple[tuple[frozenset[bytes] | None, str, Callable[[str], object]], ...]:
        """Openings, the text that phrases share, which is looked for once, and how one is found."""
        grouped: dict[str, list[str]] = {}
        for phrase in self.phrases:
            grouped.setdefault(anchor(phrase), []).append(phrase)
        return tuple(
            (_openings(those), held, bool if held in those else _finder(those))
            for held, those in grouped.items()
        )

    def found_in(self, text: str, words: set[bytes] | None = None) -> bool:
        """Return whether one of the phrases stands in a lower-case text.

        `words` are the openings of the text's words; None: phrases may begin inside of a word too.
        """
        for opened, held, find in self._rows:
            if words is not None and opened is not None and opened.isdisjoint(words):
                continue
            if held in text and find(text):
                return True
        return False


def _finder(phrases: Iterable[str]) -> Callable[[str], object]:
    """Return what finds one of `phrases` in a text."""
    together = "|".join(f"(?:{phrase})" for phrase in phrases)
    compiled: re.Pattern[str] | None = None

    def find(text: str) -> object:
        nonlocal compiled
        if compiled is None:
            compiled = re.compile(together, re.MULTILINE)
        return compiled.search(text)

    return find


def _openings(phrases: Iterable[str]) -> frozenset[bytes] | None:
    """Return openings of words one of which stands beside any of the phrases; None: not known."""
    found: frozenset[bytes] = frozenset()
    for phrase in phrases:
        opened = opening_of(phrase)
        if opened is None:
            return None
        found |= opened
    return found


class Sign(Value, frozen=True, kw_only=True):
    """What a failure looks like, and what it then means. All conditions that are set must hold."""

    failure: FailureClass
    scope: FaultScope | None
    """None: the profile at a provider whose quotas are per model or when the text names the model,
    else the account."""
    source: str
    """Where this was learned."""
    providers: frozenset[str] = frozenset()
    """Catalogue ids and their aliases; empty: any provider."""
    statuses: frozenset[int] = frozenset()
    """An error without one (in a stream, inside 200) counts as 200; empty: any status."""
    shapes: frozenset[Shape] = frozenset()
    codes: frozenset[str] = frozenset()
    """One of them stands among the evidence's codes; empty: not looked at."""
    words: Phrases | None = None
    """Found in the evidence's lower-case text."""
    elsewhere: bool | None = None
    """Whether another provider may accept the same request; None: as the class has it."""
    window: CalendarUnit | None = None
    """The window that is spent, where the sign itself says so."""
    permanent: bool = False
    names_key: bool = False
    concurrency: bool = False


def names(words: str) -> frozenset[str]:
    """Return the words of a list that is written as one text."""
    return frozenset(words.split())


def statuses(*numbers: int) -> frozenset[int]:
    """Return a set of HTTP statuses."""
    return frozenset(numbers)
