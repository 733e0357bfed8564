"""Say in a reader's language what the gateway says in English: errors, notices, reasons.

They are made where the languages of pages are not known, so a sentence is found by its form, in a
catalogue beside that of the pages; a test reads the source and says which it lacks. What has no known
form stays as it is: a provider's own words do. Refuses to know who says what.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from spillover.dashboard import terms
from spillover.dashboard.words import FOLDER, read_catalogue, words

if TYPE_CHECKING:
    from collections.abc import Iterator

PART: Final = re.compile(r"%\((\w+)\)s")
_NUMBER: Final = r"[-+]?[\d.,]+"
_PAIRS: Final = {"(": ")", "{": "}", "[": "]"}
_CLOSING: Final = frozenset(_PAIRS.values())
_BETWEEN: Final = ("; ", ", ")
"""What stands between clauses, the wider first; a catalogue says what does in its language."""
_LONGEST: Final = 4_096
"""Characters of a line; longer ones are nobody's sentence."""


class _Form:
    """A sentence with open parts, and the same in another language."""

    def __init__(self, message: str, said: str) -> None:
        pieces = PART.split(message)
        self._known, self._names = pieces[::2], pieces[1::2]
        self._said = said
        self._pattern: re.Pattern[str] | None = None
        self.known = sum(map(len, self._known))
        """Characters that are given: of two forms that fit, the one with more of them is meant."""

    def parts(self, line: str) -> dict[str, str] | None:
        """Return what stands in the open parts of a line; None: it has another form."""
        if not (line.startswith(self._known[0]) and line.endswith(self._known[-1])):
            return None
        if self._pattern is None:  # most are never needed
            self._pattern = re.compile("".join(self._pieces()), re.DOTALL)
        match = self._pattern.fullmatch(line)
        return match.groupdict() if match and all(map(_is_one, match.groups())) else None

    def filled(self, parts: dict[str, str]) -> str:
        """Return the sentence in the other language."""
        return PART.sub(lambda place: parts[place[1]], self._said)

    def _pieces(self) -> Iterator[str]:
        yield re.escape(self._known[0])
        for name, known in zip(self._names, self._known[1:], strict=True):
            yield f"(?P<{name}>{_NUMBER if name.partition('_')[0] == 'n' else '.*?'})"
            yield re.escape(known)


class Sentences:
    """The gateway's sentences in one language."""

    def __init__(self, language: str) -> None:
        """Take one of `LANGUAGES`."""
        said = words(language)
        self._terms = {
            form: said.plain(english)
            for table in reversed(terms.ALL)
            for name, english in table.items()
            for form in (name, name.replace("_", " "))
        }
        self._terms |= {name: said.plain(english) for name, english in terms.REASON.items()}
        path = FOLDER / f"{language}.sentences.po"
        found = read_catalogue(path.read_text("utf-8")) if path.is_file() else {}
        self._whole = {message: text for message, text in found.items() if not PART.search(message)}
        open_forms = [
            _Form(message, text) for message, text in found.items() if PART.search(message)
        ]
        self._forms = sorted(open_forms, key=lambda form: -form.known)

    def __call__(self, text: str) -> str:
        """Return what was said, line by line; as it is where nothing is known of it."""
        return "\n".join(self._line(line) or line for line in text.split("\n"))

    def _line(self, line: str) -> str | None:
        found = self._whole.get(line) or self._terms.get(line)
        if found is not None or not self._forms or len(line) > _LONGEST:
            return found
        return self._formed(line) or self._clauses(line)

    def _formed(self, line: str) -> str | None:
        for form in self._forms:
            parts = form.parts(line)
            if parts is not None:
                said = {
                    name: self(part) if name.startswith("say") else part
                    for name, part in parts.items()
                }
                return form.filled(said)
        return None

    def _clauses(self, line: str) -> str | None:
        for between in _BETWEEN:
            clauses = list(_split(line, between))
            told = [self._line(clause) for clause in clauses] if len(clauses) > 1 else []
            if any(told):
                pairs = zip(told, clauses, strict=True)
                return self._whole[between].join(known or clause for known, clause in pairs)
        return None


@cache
def sentences(language: str) -> Sentences:
    """Return the sentences of a language."""
    return Sentences(language)


def _is_one(part: str) -> bool:
    """Whether a part is a whole clause: no more than one, and no bracket of it stands alone."""
    open_ones: list[str] = []
    for letter in part:
        if letter in _PAIRS:
            open_ones.append(_PAIRS[letter])
        elif letter in _CLOSING and (not open_ones or open_ones.pop() != letter):
            return False
    return not open_ones and len(list(_split(part, "; "))) == 1


def _split(text: str, between: str) -> Iterator[str]:
    """Yield the clauses of a text; what stands in brackets is not taken apart."""
    closing: list[str] = []
    begun = place = 0
    while place < len(text):
        letter = text[place]
        if letter in _PAIRS:
            closing.append(_PAIRS[letter])
        elif closing and letter == closing[-1]:
            closing.pop()
        elif not closing and text.startswith(between, place):
            yield text[begun:place]
            begun = place = place + len(between)
            continue
        place += 1
    yield text[begun:]
