"""The error guide: what codes mean, where they come from, what helps, and what Spillover does.

The entries are data (`errors.json`), dated and sourced; what Spillover does is read off the core for
the exchange that an entry is seen as, so that it can't say anything else than what is done.
Refuses to know terminals and pages.
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.catalogue.conduct import Conduct, conduct, somebody, told
from spillover.catalogue.entries import Date, Entry
from spillover.catalogue.lookup import load as load_catalogue
from spillover.core.refusals import STATUS_OF, Code
from spillover.protocols.records import failure_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class Group(Entry, frozen=True, kw_only=True):
    """What entries belong to."""

    id: str
    title: str
    source: str


class GuideEntry(Entry, frozen=True, kw_only=True):
    """What is known of one code."""

    code: str
    group: str
    title: str
    cause: str
    resolution: str
    fallback: str
    """What answers meanwhile."""
    also: tuple[str, ...] = ()
    """Other names for it."""
    seen: dict[str, Any] | None = None
    """The exchange by which Spillover meets it, as a record; None: it never does."""


class _File(Entry, frozen=True, kw_only=True):
    as_of: Date
    groups: tuple[Group, ...]
    errors: tuple[GuideEntry, ...]


_WORD: Final = 4
"""Letters from which on a part of a name says what is meant: `auth`."""


class Guide:
    """The entries by name."""

    def __init__(self, written: bytes) -> None:
        """Read the file's bytes; raises msgspec.ValidationError if it is malformed."""
        read = msgspec.json.decode(written, type=_File)
        self.as_of: str = read.as_of
        self.groups = read.groups
        self.entries = read.errors
        self._named: dict[str, GuideEntry] = {}
        for name, entry in (*_codes(read.errors), *_others(read.errors)):
            self._named.setdefault(_plain(name), entry)

    def find(self, name: str) -> GuideEntry | None:
        """Return the entry of a code or another name for it, however it is spelt; codes come first."""
        plain = _plain(name)
        return self._named.get(plain) or self._named.get(_plain(name.rpartition(".")[2]))

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return the codes whose names hold a word or are most like it; a number is like none."""
        plain = _plain(name)
        if plain.isdigit():
            return ()
        close = difflib.get_close_matches(plain, self._named, n=5, cutoff=0.65)
        holding = [named for named in self._named if len(plain) >= _WORD and plain in named]
        return tuple(dict.fromkeys(self._named[near].code for near in (*close, *holding)))[:3]

    def of_group(self, group: str) -> tuple[GuideEntry, ...]:
        """Return a group's entries in their order."""
        return tuple(entry for entry in self.entries if entry.group == group)

    def alike(self, entry: GuideEntry) -> tuple[str, ...]:
        """Return the codes of other entries that count as the same failure."""
        own = conduct_of(entry)
        if own is None:
            return ()
        others = (other for other in self.entries if other.code != entry.code)
        return tuple(
            other.code
            for other in others
            if (found := conduct_of(other)) is not None and found.failure is own.failure
        )


def _codes(entries: Iterable[GuideEntry]) -> list[tuple[str, GuideEntry]]:
    return [(entry.code, entry) for entry in entries]


def _others(entries: Iterable[GuideEntry]) -> list[tuple[str, GuideEntry]]:
    return [(name, entry) for entry in entries for name in (*entry.also, entry.title)]


_MARKS: Final = re.compile(r"[^a-z0-9]+")
_STATUS: Final = re.compile(r"(?:http|status|error|code)+(?P<status>\d{3})")


def _plain(name: str) -> str:
    """Return a name without case and marks: `HTTP 429`, `rate-limited` as `429`, `ratelimited`."""
    plain = _MARKS.sub("", name.lower())
    status = _STATUS.fullmatch(plain)
    return plain if status is None else status["status"]


def conduct_of(entry: GuideEntry) -> Conduct | None:
    """Return what Spillover does where it meets an entry; None: it never meets it."""
    failure = None if entry.seen is None else failure_of(entry.seen)
    if entry.seen is None or failure is None:
        return None
    known = load_catalogue()
    provider = str(entry.seen.get("provider") or "")
    return conduct(failure, somebody(known, provider, model_in(provider, str(entry.seen))))


def model_in(provider: str, text: str) -> str:
    """Return the model of a provider that a text names, of those whose waits are known; or ""."""
    entry = load_catalogue().provider(provider)
    rows = () if entry is None else entry.guessed_waits
    return next((name for row in rows for name in row.models if name in text), "")


def does(entry: GuideEntry) -> tuple[str, ...]:
    """Return what Spillover does about an entry, as sentences."""
    found = conduct_of(entry)
    if found is not None:
        return told(found)
    if entry.group == "own":
        return (f"It is Spillover's own answer, with status {STATUS_OF[Code(entry.code)]}.",)
    return ("Spillover never meets it: it fails before a request is sent.",)


@cache
def load() -> Guide:
    """Return the packaged guide, read once per process."""
    return Guide(files("spillover.catalogue").joinpath("errors.json").read_bytes())
