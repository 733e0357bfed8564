"""Keep the last texts of a configuration file, so that each change can be taken back.

A version knows which one it came from, so going back and then changing something else loses
nothing. They may hold what the file holds: only their owner can read them.
Refuses to know what the texts say.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.config.files import PRIVATE_FILE, content_of, write_whole

if TYPE_CHECKING:
    from pathlib import Path

MOST: Final = 20
BY_HAND: Final = "hand"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One text of the file, and how it came to be."""

    id: int
    parent: int | None
    """The version that it was made from; None: the first that was seen."""
    at: float
    """Epoch seconds."""
    what: str
    """In words: `add profile groq`."""
    by: str
    """`api`, `cli`, `undo` or `hand`."""
    source: bytes

    @property
    def revision(self) -> str:
        """Names the text."""
        return revision_of(self.source)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The versions that are kept, the oldest first, and the one that the file was last given."""

    current: int | None = None
    versions: tuple[Version, ...] = ()

    def version(self, id_: int | None) -> Version | None:
        """Return a version by its id."""
        return next((each for each in self.versions if each.id == id_), None)

    @property
    def now(self) -> Version | None:
        """What the file was last given."""
        return self.version(self.current)

    def path_to(self, id_: int) -> list[Version]:
        """Return the versions from the current one to another, each made from its neighbour.

        Where one between them is not kept any more, those two alone.
        """
        up, down = self._line(self.current), self._line(id_)
        known = [each.id for each in down]
        for place, each in enumerate(up):
            if each.id in known:
                return [*up[: place + 1], *down[: known.index(each.id)][::-1]]
        return [*up[:1], *down[:1]]

    def _line(self, id_: int | None) -> list[Version]:
        """A version and those it comes from."""
        line = []
        while (version := self.version(id_)) is not None:
            line.append(version)
            id_ = version.parent
        return line

    def holds(self, source: bytes) -> bool:
        """Whether the file still is what it was last given."""
        return self.now is not None and self.now.revision == revision_of(source)

    def with_text(self, source: bytes, *, at: float, what: str, by: str) -> History:
        """Return the history with another text, made from the current one."""
        new = Version(
            id=max((each.id for each in self.versions), default=0) + 1,
            parent=self.current,
            at=at,
            what=what,
            by=by,
            source=source,
        )
        kept = (*self.versions, new)
        if len(kept) > MOST:  # the one that it was made from stays, so that it can be taken back
            oldest = next(each for each in kept if each.id != self.current)
            kept = tuple(each for each in kept if each is not oldest)
        return History(current=new.id, versions=kept)

    def at_version(self, id_: int) -> History:
        """Return the history with another version as the current one."""
        return History(current=id_, versions=self.versions)


def revision_of(source: bytes) -> str:
    """Return a name for a text: equal texts have equal ones."""
    return hashlib.sha256(source).hexdigest()[:16]


def revision_of_entry(document: dict[str, Any], section: str, name: str) -> str:
    """Return a name for what a document says of one profile or chain, all else aside.

    A chain that nobody wrote is all profiles.
    """
    entries = document.get(section) or {}
    implicit = list(document.get("profiles") or ()) if section == "chains" else None
    return revision_of(repr(entries.get(name, implicit)).encode("utf-8", "surrogatepass"))


def place_of(path: Path, state: Path) -> Path:
    """Return where the versions of a configuration file are kept."""
    name = hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return state / "versions" / f"{name}.json"


def lock_of(path: Path, state: Path) -> Path:
    """Return what is held by whoever writes a configuration file."""
    return place_of(path, state).with_suffix(".lock")


def read_history(place: Path) -> History:
    """Return what is kept; nothing where that can't be read. Raises OSError."""
    content = content_of(place)
    if content is None:
        return History()
    try:
        return _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return History()


def write_history(place: Path, history: History) -> None:
    """Keep a history; raises OSError."""
    write_whole(place, _encoder.encode(history), mode=PRIVATE_FILE)


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(History)
