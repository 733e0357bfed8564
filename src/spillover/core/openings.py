"""Tell which words a text must hold for a phrase to stand in it, so that most phrases cost nothing.

Rules of this file:
- A word is a run of letters; what counts of it is its opening, up to four of them. A phrase begins
  where a word does, as does what follows a mark that is no letter.
- What can't be told is None: such a phrase is to be looked for in any text.
- A phrase that holds a letter beyond ASCII stands only in texts that hold one.

Refuses to know what phrases mean.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

OPENING: Final = 4
_SPACES: Final = bytes(
    byte if chr(byte).isascii() and chr(byte).isalpha() else ord(" ") for byte in range(256)
)
_NONE: Final[frozenset[bytes]] = frozenset()
FOREIGN: Final = b"\xff"
"""Stands for any letter beyond ASCII."""


def openings(text: str) -> set[bytes]:
    """Return the openings of all words in a lower-case text."""
    written = text.encode("utf-8", "replace")
    found = {word[:OPENING] for word in set(written.translate(_SPACES).split())}
    if len(written) > len(text):
        found.add(FOREIGN)
    return found


class _Found(NamedTuple):
    """Openings one of which every match holds."""

    rarity: int
    """The letters of the shortest of the words: long words are rare. 0: nearly every error has it."""
    words: frozenset[bytes]


class _Part(NamedTuple):
    """A piece of a phrase: plain text, alternatives, or neither."""

    text: str = ""
    choices: tuple[str, ...] = ()
    optional: bool = False
    edge: bool = False
    """A word begins or ends here."""


_PIECE: Final = re.compile(r"\\.|\[[^\]]*\]|\{[^}]*\}|\(\?(?:<?[=!]|:)|.", re.DOTALL)
_WORD: Final = re.compile("[a-z]+")
_EVERYWHERE: Final = frozenset({"model", "models", "request", "requests", "please", "error"})
_ANY: Final = _Part()
_EDGE: Final = _Part(edge=True)


def opening_of(phrase: str) -> frozenset[bytes] | None:
    """Return openings one of which stands in every text that holds `phrase`; None: not known."""
    if not phrase.isascii():
        return frozenset({FOREIGN})
    found = _of_choices(_split(phrase), whole=False)
    return None if found is None else found.words


def _of_choices(choices: tuple[str, ...], *, whole: bool) -> _Found | None:
    """Return the openings of alternatives; `whole`: no letter follows them."""
    each = [_best(_parts(choice), whole=whole) for choice in choices]
    known = [one for one in each if one is not None]
    if len(known) < len(each):
        return None
    return _Found(min(one.rarity for one in known), _NONE.union(*(one.words for one in known)))


def _split(phrase: str) -> tuple[str, ...]:
    """Return the alternatives of a phrase."""
    choices, depth = [""], 0
    for piece in _PIECE.findall(phrase):
        depth += (piece[0] == "(") - (piece == ")")
        if piece == "|" and not depth:
            choices.append("")
        else:
            choices[-1] += piece
    return tuple(choices)


def _parts(choice: str) -> list[_Part]:
    """Return the pieces of a phrase without alternatives of its own."""
    parts: list[_Part] = []
    group, depth = "", 0
    for piece in _PIECE.findall(choice):
        if depth:
            depth += (piece[0] == "(") - (piece == ")")
            group += piece if depth else ""
            if not depth:
                opener, _, inner = group.partition("\0")
                parts.append(_Part(choices=_split(inner)) if opener == "(?:" else _ANY)
        elif piece[0] == "(":
            group, depth = f"{piece}\0", 1
        elif piece in {"?", "*"} or piece[0] == "{":
            parts += _loosened(parts.pop())
        elif piece in {r"\b", "^", "$"}:
            parts.append(_EDGE)
        elif piece in {".", "+"} or piece[0] == "[" or (piece[0] == "\\" and piece[1].isalnum()):
            parts.append(_ANY)
        elif parts and parts[-1].text:
            parts[-1] = _Part(text=parts[-1].text + piece[-1])
        else:
            parts.append(_Part(text=piece[-1]))
    return parts


def _loosened(part: _Part) -> list[_Part]:
    """Return a piece that need not be there, or of a text all but its last character."""
    if part.choices:
        return [part._replace(optional=True)]
    return [_Part(text=part.text[:-1]), _ANY] if len(part.text) > 1 else [_ANY]


def _best(parts: list[_Part], *, whole: bool) -> _Found | None:
    """Return the rarest openings that the pieces of one phrase tell for certain."""
    found: list[_Found] = []
    begins = True
    followers = [*parts[1:], _Part(edge=whole)]
    for part, after in zip(parts, followers, strict=False):
        ends = after.edge or (after.text != "" and not _is_letter(after.text[0]))
        if part.choices:
            inner = _of_choices(part.choices, whole=ends)
            if begins and not part.optional and inner is not None:
                found.append(inner)
            apart = all(choice != "" and not _may_end_word(choice) for choice in part.choices)
            begins = apart and (begins or not part.optional)
        elif part.text:
            found += _of_text(part.text, begins=begins, ends=ends)
            begins = not _is_letter(part.text[-1])
        else:
            begins = part.edge
    return max(found, key=lambda one: (one.rarity, -len(one.words)), default=None)


def _of_text(text: str, *, begins: bool, ends: bool) -> list[_Found]:
    found = []
    for word in _WORD.finditer(text):
        begun = begins or word.start() > 0
        ended = ends or word.end() < len(text)
        if begun and (ended or len(word[0]) >= OPENING):
            rarity = 0 if word[0] in _EVERYWHERE else len(word[0])
            found.append(_Found(rarity, frozenset({word[0][:OPENING].encode()})))
    return found


def _is_letter(character: str) -> bool:
    return _WORD.fullmatch(character) is not None


def _may_end_word(choice: str) -> bool:
    """Return whether a letter may stand last in what an alternative matches."""
    return choice[-1] not in " _-/:;,.'\"" or choice.endswith(r"\.")
