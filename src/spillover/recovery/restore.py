"""Put a backup in the place of a set-up, all of it or nothing, and keep what was there beside it.

Everything is unpacked, read and checked before anything is changed.
Refuses to know who asks for it.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from spillover.catalogue import load as load_catalogue
from spillover.config.files import PRIVATE_FILE, PRIVATE_FOLDER, write_whole
from spillover.config.loader import load
from spillover.config.locate import FILE_NAME as CONFIG
from spillover.config.locate import env_path, read_env, state_folder
from spillover.config.overrides import FILE_NAMES as CATALOGUES
from spillover.config.overrides import over
from spillover.engine.opening import ledger_path
from spillover.errors import BackupError, ConfigError
from spillover.ledger.copies import check_ledger, put_back, replace_ledger
from spillover.ledger.journal import StorageError
from spillover.ledger.opening import FILE_NAME as LEDGER
from spillover.recovery.archive import Manifest, unpack
from spillover.recovery.consent import Demands, demands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from spillover.config.loader import LoadedConfig
    from spillover.config.schema import Account, Profile


_UNSET: Final = "left-out"
"""Stands for a secret that is not in the backup, so that all the rest of it can be checked."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was put where."""

    manifest: Manifest
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    """What was there before, under its new name."""
    unset: tuple[str, ...]
    """Variables that have no value here: the configuration or its `.env` had them."""
    commands: tuple[tuple[str, ...], ...]
    """Programs that a gateway on this configuration starts."""


def restore(
    source: Path,
    path: Path,
    *,
    environ: Mapping[str, str],
    stamp: str,
    agrees: Callable[[Demands], bool],
) -> Restored:
    """Put the backup `source` in the place of the configuration `path` and its record.

    `agrees` is asked where the backup's configuration would get hold of more than the one there.
    Raises BackupError or ConfigError for what can't be used or was refused, and OSError; nothing is
    changed then.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".restore-") as scratch:
        manifest, files = unpack(source, Path(scratch))
        if not manifest.readable:
            raise BackupError(
                f"the configuration in {source} is no YAML: it was kept to be looked at (unzip it)"
            )
        surroundings = {**read_env(env_path(path)), **environ}
        names = {each.name for each in manifest.withheld} | set(manifest.env)
        unset = tuple(sorted(name for name in names if not surroundings.get(name)))
        loaded = None
        if CONFIG in files:
            loaded = _load(files[CONFIG], {**dict.fromkeys(unset, _UNSET), **surroundings}, source)
        ledger = _ledger(path, loaded, surroundings) if LEDGER in files else None
        if ledger is not None:
            _check(files[LEDGER], ledger, source)
        _ask(loaded, path, unset, environ, agrees)
        placing = _Placing(stamp)
        with placing.all_or_nothing():
            if ledger is not None:
                placing.ledger(files.pop(LEDGER), ledger)
            if loaded is not None:
                _place_settings(placing, files, path)
    return Restored(
        manifest=manifest,
        written=tuple(placing.written),
        kept=tuple(placing.kept),
        unset=unset,
        commands=() if loaded is None else _commands(loaded),
    )


def _ask(
    new: LoadedConfig | None,
    path: Path,
    unset: tuple[str, ...],
    environ: Mapping[str, str],
    agrees: Callable[[Demands], bool],
) -> None:
    """Raise BackupError where a configuration wants more than it is given."""
    if new is None:
        return
    try:
        old = load(path, environ=environ)
    except ConfigError:  # what can't be used holds nothing
        old = None
    asked = demands(new, old, over(load_catalogue(), path.parent).catalogue, unset=unset)
    if asked and not agrees(asked):
        raise BackupError("nothing was restored: it was not agreed to")


def _load(file: Path, environ: Mapping[str, str], source: Path) -> LoadedConfig:
    """Return the configuration of a backup; raises ConfigError, with the backup's name."""
    try:
        return load(file, environ=environ)
    except ConfigError as error:
        raise ConfigError(
            tuple(
                msgspec.structs.replace(each, file=f"{source}:{Path(each.file).name}")
                for each in error.problems
            )
        ) from None


def _ledger(path: Path, loaded: LoadedConfig | None, environ: Mapping[str, str]) -> Path | None:
    """Return where the record goes; None: the configuration keeps none."""
    if loaded is None:
        return state_folder(environ) / LEDGER
    return ledger_path(msgspec.structs.replace(loaded, path=path))


def _check(new: Path, ledger: Path, source: Path) -> None:
    """Raise BackupError unless the new record is sound, and what it replaces is one too."""
    try:
        check_ledger(new)
    except StorageError as error:
        raise BackupError(f"the record in {source} can't be used: {error}") from None
    if ledger.exists() and ledger.name != LEDGER:
        try:
            check_ledger(ledger)
        except StorageError as error:
            raise BackupError(
                f"the configuration in {source} keeps its record in {ledger}, and there is another "
                f"file ({error}): move it away, or change storage:"
            ) from None


def _place_settings(placing: _Placing, files: Mapping[str, Path], path: Path) -> None:
    """The configuration comes last: gateways take it over when it is there."""
    for name in CATALOGUES:
        if name in files:
            placing.file(files[name], path.parent / name)
        elif any(other in files for other in CATALOGUES):
            placing.away(path.parent / name)
    placing.file(files[CONFIG], path)


def _commands(loaded: LoadedConfig) -> tuple[tuple[str, ...], ...]:
    config = loaded.config
    sources: list[Account | Profile] = [*config.accounts.values(), *config.profiles.values()]
    return tuple(each.upstream.command for each in sources if each.upstream is not None)


class _Placing:
    """Files that are put in place, and how each is undone."""

    def __init__(self, stamp: str) -> None:
        self.written: list[Path] = []
        self.kept: list[Path] = []
        self._stamp = stamp
        self._undo: list[Callable[[], object]] = []

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo everything when something fails."""
        try:
            yield
        except BaseException as error:
            for undo in reversed(self._undo):
                with suppress(OSError):  # one that fails keeps no other from being undone
                    undo()
            if isinstance(error, StorageError):
                raise BackupError(str(error)) from error
            raise

    def ledger(self, new: Path, place: Path) -> None:
        """Put a record in its place."""
        place.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        beside = place.with_name(f"{place.name}.new-{self._stamp}")
        try:
            shutil.copyfile(new, beside)
            beside.chmod(PRIVATE_FILE)
            kept = replace_ledger(place, beside, self._stamp)
        finally:
            beside.unlink(missing_ok=True)
        self._undo.append(lambda: put_back(place, kept))
        self._note(place, kept)

    def file(self, new: Path, place: Path) -> None:
        """Put a file in its place, in one step; what was there is kept as a copy."""
        kept = self._beside(place) if place.exists() else None
        if kept is not None:
            self._undo.append(lambda: kept.unlink(missing_ok=True))
            shutil.copy2(place, kept)
        write_whole(place, new.read_bytes())  # whole or not at all: undone only once it is done
        self._undo.append(lambda: self._put_back(place, kept))
        self._note(place, kept)

    def away(self, place: Path) -> None:
        """Move a file aside that must not be beside another."""
        if place.exists():
            kept = place.replace(self._beside(place))
            self._undo.append(lambda: kept.replace(place))
            self.kept.append(kept)

    def _note(self, place: Path, kept: Path | None) -> None:
        self.written.append(place)
        if kept is not None:
            self.kept.append(kept)

    @staticmethod
    def _put_back(place: Path, kept: Path | None) -> None:
        if kept is None:
            place.unlink(missing_ok=True)
        else:
            write_whole(place, kept.read_bytes())

    def _beside(self, place: Path) -> Path:
        free = place.with_name(f"{place.name}.before-restore-{self._stamp}")
        count = 1
        while free.exists():
            count += 1
            free = free.with_name(f"{place.name}.before-restore-{self._stamp}-{count}")
        return free
