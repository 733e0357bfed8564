"""Say the dashboard's words in a reader's language, by gettext catalogues.

English is what the templates hold; each other language has a catalogue in `locale/`. They are read
as they are written (`.po`), so nothing has to be compiled. Refuses to know what is said.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from markupsafe import Markup

FOLDER: Final = Path(__file__).with_name("locale")
LANGUAGES: Final = {"en": "English", "zh": "简体中文"}
"""By the code that a cookie holds; each named in itself."""
TAGS: Final = {"en": "en", "zh": "zh-Hans"}
"""As HTML and the browser's number and time formats name them."""
_LINE: Final = re.compile(r'(?:(msgid|msgstr)\s+)?("(?:[^"\\]|\\.)*")')
_ACCEPTED: Final = re.compile(r"\s*([A-Za-z]{2,3})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([0-9.]+))?\s*")


class Words:
    """What is said in one language."""

    def __init__(self, language: str) -> None:
        """Take one of `LANGUAGES`."""
        self.language = language
        self.tag = TAGS[language]
        path = FOLDER / f"{language}.po"
        self._said = read_catalogue(path.read_text("utf-8")) if path.is_file() else {}

    def plain(self, message: str) -> str:
        """Return a message as text."""
        return self._said.get(message) or message

    def __call__(self, message: str, **parts: object) -> Markup:
        """Return a message as markup; `%(name)s` in it stands for a part, which is escaped."""
        said = Markup(self.plain(message))  # noqa: S704 - a translator's text, not a user's
        return said % parts if parts else said


@cache
def words(language: str) -> Words:
    """Return the words of a language."""
    return Words(language)


def read_catalogue(text: str) -> dict[str, str]:
    """Return the messages of a gettext catalogue; its heading is left out."""
    found: dict[str, str] = {}
    parts: dict[str, list[str]] = {"msgid": [], "msgstr": []}
    current = "msgid"
    for line in [*text.splitlines(), 'msgid ""']:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        if match[1] == "msgid":
            _keep(found, parts)
            parts = {"msgid": [], "msgstr": []}
        current = match[1] or current
        parts[current].append(msgspec.json.decode(match[2]))  # its escapes are those of JSON
    return found


def _keep(found: dict[str, str], parts: dict[str, list[str]]) -> None:
    message = "".join(parts["msgid"])
    if message:
        found[message] = "".join(parts["msgstr"])


def choose(cookie: str | None, accepted: str) -> str:
    """Return the language for who set `cookie` or else sends this `Accept-Language`."""
    if cookie in LANGUAGES:
        return cookie
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(","):
        match = _ACCEPTED.fullmatch(part)
        if match is not None and match[1].lower() in LANGUAGES:
            wanted.append((_weight(match[2]), match[1].lower()))
    return max(wanted, key=lambda each: each[0])[1] if wanted else "en"


def _weight(written: str | None) -> float:
    try:
        return 1.0 if written is None else float(written)
    except ValueError:
        return 0.0
