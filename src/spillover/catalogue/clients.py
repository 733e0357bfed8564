"""Say how each client is pointed at a gateway: which text goes where, and what runs it as a test.

The texts are data (`clients.toml`), once for the command line, the docs and the dashboard.
Refuses to know configurations: the address, the chain and the key come in as a `Link`.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

from spillover.catalogue.entries import Address, Date, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE: Final = "SPILLOVER_KEY"
"""The environment variable that clients find their key in, where nobody names another."""
FILL_IN: Final = "YOUR_CLIENT_KEY"
"""What stands for a key that is not to be shown, where a file can't name a variable."""


class Language(StrEnum):
    """What a text is written in; the value is what fences it in Markdown."""

    BASH = "bash"
    JAVASCRIPT = "javascript"
    JSON = "json"
    PYTHON = "python"
    TEXT = "text"
    TOML = "toml"
    YAML = "yaml"


class Speech(StrEnum):
    """The protocol by which a client asks."""

    CHAT = "openai"
    RESPONSES = "openai-responses"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"


class Group(Entry, frozen=True, kw_only=True):
    """What clients belong to."""

    id: str
    title: str


class Part(Entry, frozen=True, kw_only=True):
    """One text, and where it goes."""

    into: str
    """A file, or `a shell`, `a program`, a dialog by its name."""
    language: Language
    text: str
    """With `{address}`, `{model}` and `{key}`."""
    reference: str | None = None
    """How the file names the environment variable `{variable}`; None: as the language does."""

    @property
    def is_file(self) -> bool:
        """Whether the text is a file's, or a part of it."""
        return self.into.startswith("~")


class Client(Entry, frozen=True, kw_only=True):
    """What is known of one client."""

    id: str
    title: str
    group: str
    protocol: Speech
    parts: tuple[Part, ...]
    source: Address
    as_of: Date
    also: tuple[str, ...] = ()
    """Other names for it."""
    start: str = ""
    """The command that starts it then."""
    note: str = ""
    tried: str = ""
    """What runs the texts as they stand here; empty: nothing does."""
    untried: str = ""
    """Why nothing does."""


class _File(Entry, frozen=True, kw_only=True):
    groups: tuple[Group, ...]
    clients: tuple[Client, ...]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is to be told of a gateway."""

    address: str = "http://127.0.0.1:4400"
    """Scheme, host and port."""
    model: str = "default"
    """A chain, profile or alias."""
    key: str | None = "any"
    """None: one is asked for, and not to be shown."""
    variable: str = VARIABLE
    """The environment variable to find such a key in."""


class Clients:
    """The clients by name."""

    def __init__(self, written: str) -> None:
        """Read the file's text; raises msgspec.ValidationError if it is malformed."""
        read = msgspec.convert(tomllib.loads(written), type=_File)
        self.groups = read.groups
        self.entries = read.clients
        self._named = {
            _plain(name): entry
            for entry in read.clients
            for name in (*entry.also, entry.title, entry.id)
        }

    def find(self, name: str) -> Client | None:
        """Return the client of an id or another name for it, however it is spelt."""
        return self._named.get(_plain(name))

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return the ids of the clients whose names are most like one, best first."""
        close = difflib.get_close_matches(_plain(name), self._named, n=5, cutoff=0.5)
        return tuple(dict.fromkeys(self._named[near].id for near in close))[:3]

    def of_group(self, group: str) -> tuple[Client, ...]:
        """Return a group's clients in their order."""
        return tuple(entry for entry in self.entries if entry.group == group)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())


@cache
def load() -> Clients:
    """Return the packaged clients, read once per process."""
    return Clients(files("spillover.catalogue").joinpath("clients.toml").read_text("utf-8"))


_REFERENCES: Final = {
    Language.BASH: ("{key}", "${variable}"),
    Language.JAVASCRIPT: ('"{key}"', "process.env.{variable}"),
    Language.PYTHON: ('"{key}"', 'os.environ["{variable}"]'),
}
"""What gives way to an environment variable, and how the language names that one."""
_IMPORT: Final = "import os\n\n"


def written(part: Part, link: Link) -> str:
    """Return a part's text for a gateway, without a line end behind it."""
    text = part.text.strip("\n")
    if link.key is None and "{key}" in text:
        place, reference = _REFERENCES.get(part.language, ("{key}", part.reference or FILL_IN))
        text = text.replace(place, reference.replace("{variable}", link.variable))
        if part.language is Language.PYTHON:
            text = _IMPORT + text
    filled = {"{address}": link.address, "{model}": link.model, "{key}": link.key or ""}
    # At once, so that no value is looked into for the name of another.
    return re.sub(
        "|".join(map(re.escape, filled)),
        lambda found: _quoted(filled[found[0]], part.language),
        text,
    )


def _quoted(value: str, language: Language) -> str:
    """Return a value as it stands between the double quotes that texts put around it."""
    match language:
        case Language.TEXT:
            return value
        case Language.BASH:
            return re.sub(r'([\\"$`])', r"\\\1", value)
        case _:
            return json.dumps(value, ensure_ascii=False)[1:-1]


def started(client: Client, link: Link) -> str:
    """Return the command that starts a client; empty where there is none."""
    return client.start.replace("{model}", link.model)


def advice(client: Client, link: Link) -> Iterator[str]:
    """Yield what is to be said of a client's files and of the key beside its texts, as sentences."""
    if any(part.is_file for part in client.parts):
        yield "What a file holds already stays: these lines go into it."
    if link.key is not None:
        return
    texts = [written(part, link) for part in client.parts]
    if any(link.variable in text for text in texts):
        yield f"{link.variable} in the environment is one of the gateway's client keys."
    if any(FILL_IN in text for text in texts):
        yield f"{FILL_IN} stands for one of the gateway's client keys."
