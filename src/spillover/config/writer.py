"""Edit a configuration file: checked as a whole before anything is written, and kept for undo.

One edit at a time, whichever process makes it. What was edited by hand meanwhile is kept as a
version of its own before anything else becomes of it.
Refuses to know what an edit is (`spillover.config.edits`), and to put anything in force.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from spillover.config.document import parse
from spillover.config.files import Changed, alone, content_of, write_whole
from spillover.config.guard import bindings, refuse_foreign, refuse_rebinding
from spillover.config.loader import LoadedConfig, load_source
from spillover.config.rewriting import Unwritable, rewritten
from spillover.config.starter import write_schema
from spillover.config.versions import (
    BY_HAND,
    History,
    Version,
    lock_of,
    place_of,
    read_history,
    revision_of,
    revision_of_entry,
    write_history,
)
from spillover.errors import ConfigError, EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_BOM = b"\xef\xbb\xbf"


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of a configuration, and what is asked of it."""

    change: Callable[[dict[str, Any]], None]
    """Changes a document in place; raises what refuses it."""
    what: str
    """In words, for the list of versions."""
    by: str
    guarded: bool = True
    """What the admin API must not do is refused."""
    granted: str | None = None
    """The reference to a key that came with it."""
    revision: str | None = None
    """What the file must say, or the entry; None: whatever they say."""
    entry: tuple[str, str] | None = None
    """Section and name of the one entry that it changes."""
    check: Callable[[LoadedConfig], None] = lambda _loaded: None
    """Looks at the result before it is written; raises what refuses it."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file."""

    loaded: LoadedConfig
    version: Version | None
    """None: there was nothing to change."""
    kept: Version | None = None
    """What had been edited by hand before."""


class Writer:
    """Edits one file."""

    def __init__(
        self,
        path: Path,
        *,
        environ: Mapping[str, str],
        state: Path,
        now: Callable[[], float],
        seed: str | None = None,
    ) -> None:
        """Edit `path`, read with `environ`; `seed` is what it begins with where there is no file.

        Its versions are kept in the state folder.
        """
        self._path = path
        self._environ = environ
        self._place = place_of(path, state)
        self._lock = lock_of(path, state)
        self._now = now
        self._seed = seed

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def history(self) -> History:
        """Return the versions that are kept; raises OSError."""
        return read_history(self._place)

    def edit(self, edit: Edit) -> Written:
        """Make an edit and return the configuration that the file has then; raises EditRefused.

        Nothing is written unless all of it can be used.
        """
        with self._alone():
            source = self._source(None if edit.entry else edit.revision)
            seeded = source is None
            before = (self._seed or "").encode() if source is None else source
            was = self._before(before, seeded=seeded)
            old = parse(before, file="").document if was is None else was.document
            if edit.entry is not None and edit.revision is not None:
                known = {revision_of(before), revision_of_entry(old, *edit.entry)}
                if edit.revision not in known:
                    raise _changed()
            after = self._edited(before, old, edit)
            loaded = self._load(after)
            if edit.guarded:
                bound = set() if was is None else bindings(was)
                refuse_rebinding(bound, bindings(loaded), granted=edit.granted)
            edit.check(loaded)
            if after == source:
                return Written(loaded=loaded, version=None)
            kept, history = self._with_current(before, seeded=seeded)
            changed = history.with_text(after, at=self._now(), what=edit.what, by=edit.by)
            self._write(after, changed, instead=history, expected=source)
            return Written(loaded=loaded, version=changed.now, kept=kept)

    def undo(
        self, to: int | None, *, revision: str | None, check: Callable[[LoadedConfig], None]
    ) -> Written:
        """Go back to the version before, or to a certain one; raises EditRefused.

        What was edited by hand on the way is undone as far as the admin API may do it.
        """
        with self._alone():
            source = self._source(revision)
            kept, history = self._with_current(source or b"", seeded=source is None)
            wanted = history.now.parent if to is None and history.now is not None else to
            version = history.version(wanted)
            if version is None:
                if to is not None:
                    raise EditRefused("not_found", f"no version {to} is kept", status=404)
                raise EditRefused("nothing_to_undo", "no version before this one is kept")
            loaded = self._load(version.source)
            self._refuse_by_hand(history.path_to(version.id))
            check(loaded)
            changed = history.at_version(version.id)
            self._write(version.source, changed, instead=history, expected=source)
            return Written(loaded=loaded, version=version, kept=kept)

    def _refuse_by_hand(self, path: list[Version]) -> None:
        """Refuse a way between versions on which a person did what is for the file alone.

        What edits did is theirs to undo; a text that could not be used was never in force.
        """
        usable = [each for each in path if each.by != BY_HAND or self._is_usable(each)]
        for one, other in pairwise(usable):
            later = one if one.parent == other.id else other
            if {one.parent, other.parent} & {one.id, other.id} and later.by != BY_HAND:
                continue
            before, after = self._load(one.source), self._load(other.source)
            try:
                refuse_foreign(before.document, after.document, granted=None)
                refuse_rebinding(bindings(before), bindings(after), granted=None)
            except EditRefused as error:
                raise EditRefused(
                    "not_by_api",
                    f"version {other.id} differs by an edit by hand that only the file can take "
                    f"back: {error}",
                    status=403,
                ) from None

    def _is_usable(self, version: Version) -> bool:
        try:
            self._loaded(version.source)
        except ConfigError:
            return False
        return True

    def _source(self, revision: str | None) -> bytes | None:
        source = content_of(self._path)
        if source is None and self._seed is None:
            raise EditRefused("config_changed", f"{self._path} is not there any more")
        if source is not None and self._seed is not None:
            raise EditRefused(
                "config_changed", f"{self._path} is there now: start again to work with it"
            )
        if revision is not None and (source is None or revision_of(source) != revision):
            raise _changed()
        return source

    def _before(self, source: bytes, *, seeded: bool) -> LoadedConfig | None:
        """What the file says before the edit; None: nothing yet that could be used."""
        try:
            return self._loaded(source)
        except ConfigError as error:
            if seeded:
                return None
            raise EditRefused(
                "config_broken",
                "the file can't be used as it stands: mend it, or undo",
                problems=error.problems,
            ) from None

    def _edited(self, before: bytes, old: dict[str, Any], edit: Edit) -> bytes:
        document = _copied(old)
        edit.change(document)
        if edit.guarded:  # before anything is expanded: an error may tell what a variable holds
            refuse_foreign(old, document, granted=edit.granted)
        marked = before.startswith(_BOM)
        try:
            text = rewritten(before.decode("utf-8-sig"), old, document)
        except Unwritable as error:
            raise EditRefused("config_read_only", f"{error}: make it by hand") from None
        return (_BOM if marked else b"") + text.encode()

    def _loaded(self, source: bytes) -> LoadedConfig:
        return load_source(source, self._path, environ=self._environ)

    def _load(self, source: bytes) -> LoadedConfig:
        try:
            return self._loaded(source)
        except ConfigError as error:
            raise unusable(error) from None

    def _with_current(self, source: bytes, *, seeded: bool) -> tuple[Version | None, History]:
        """The history with the file as it stands in it, and what of it was edited by hand."""
        history = read_history(self._place)
        if history.holds(source) or (seeded and not source):
            return None, history
        before = None if history.now is None else history.version(history.now.parent)
        if before is not None and before.revision == revision_of(source):
            # The current one is not in force: it was never written, for its writer was killed, or it
            # was taken back by hand.
            return None, history.at_version(before.id)
        first = history.now is None
        what = "before the first change" if first else "edited by hand"
        if seeded:
            what = "as found on this machine"
        history = history.with_text(source, at=self._now(), what=what, by=BY_HAND)
        write_history(self._place, history)
        return (None if first or seeded else history.now), history

    def _write(
        self, content: bytes, history: History, *, instead: History, expected: bytes | None
    ) -> None:
        """Write the file with its new history, or leave both as they were."""
        if expected is None and self._path.exists():
            raise _changed()
        write_history(self._place, history)
        try:
            if expected is None and self._seed is not None:
                write_schema(self._path)
            write_whole(self._path, content, expected=expected)
        except BaseException as error:
            write_history(self._place, instead)
            if isinstance(error, Changed):
                raise _changed() from None
            raise

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            with alone(self._lock):
                yield
        except OSError as error:
            where = error.filename or self._path
            raise EditRefused(
                "config_read_only", f"{where} can't be written: {error.strerror or error}"
            ) from None


def unusable(error: ConfigError) -> EditRefused:
    """Return the refusal of an edit that would leave such a configuration."""
    return EditRefused(
        "invalid_config",
        "the configuration could not be used so",
        status=400,
        problems=error.problems,
    )


def _changed() -> EditRefused:
    return EditRefused("config_changed", "the file changed meanwhile: look at it and try again")


def _copied(value: Any) -> Any:
    """A copy in which nothing is shared, as what anchors name is."""
    match value:
        case dict():
            return {key: _copied(entry) for key, entry in value.items()}
        case list():
            return [_copied(entry) for entry in value]
        case _:
            return value
