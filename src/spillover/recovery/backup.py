"""Put a set-up into one file: configuration, own catalogue, record of usage; no secrets.

Refuses to know who asks for it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from spillover import __version__
from spillover.config.files import PRIVATE_FOLDER, content_of, read_whole
from spillover.config.loader import load
from spillover.config.locate import FILE_NAME as CONFIG
from spillover.config.locate import env_path, read_env, state_folder
from spillover.config.overrides import FILE_NAMES as CATALOGUES
from spillover.engine.opening import ledger_path
from spillover.errors import ConfigError
from spillover.events.kinds import iso
from spillover.ledger.copies import copy_ledger
from spillover.ledger.journal import StorageError
from spillover.ledger.opening import FILE_NAME as LEDGER
from spillover.recovery.archive import Manifest, pack, print_of
from spillover.recovery.withholding import masked, withhold

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = "backups"


class BackedUp(msgspec.Struct, frozen=True, kw_only=True):
    """What was put into which file."""

    path: Path
    entries: tuple[str, ...]
    manifest: Manifest


def stamp_of(now: float) -> str:
    """Return an instant as it stands in the names of files."""
    return iso(now)[:19].replace("-", "").replace(":", "") + "Z"


def usual_file(environ: Mapping[str, str], now: float) -> Path:
    """Return where a backup goes that nobody names: into the state folder."""
    return state_folder(environ) / FOLDER / f"spillover-{stamp_of(now)}.zip"


def ledger_of(path: Path, environ: Mapping[str, str]) -> Path | None:
    """Return where the ledger of a configuration is; the usual place for one that can't be used."""
    surroundings = {**read_env(env_path(path)), **environ}
    if path.exists():
        try:
            return ledger_path(load(path, environ=environ))
        except ConfigError:
            pass
    return state_folder(surroundings) / LEDGER


def back_up(path: Path, target: Path, *, environ: Mapping[str, str], now: float) -> BackedUp:
    """Put the set-up of a configuration file into `target`, while gateways go on.

    Raises BackupError where a file is there, and OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    surroundings = {**read_env(env_path(path)), **environ}
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch:
        folder = Path(scratch)
        entries: dict[str, Path] = {}
        notes: list[str] = []
        source = content_of(path)
        taken = None if source is None else withhold(source, surroundings)
        if taken is not None:
            entries[CONFIG] = folder / CONFIG
            entries[CONFIG].write_bytes(taken.source)
            if not taken.readable:
                notes.append(f"{path} is no YAML: its text is kept to be looked at")
        for name in CATALOGUES:
            own = path.parent / name
            if own.is_file():
                entries[name] = folder / name
                written = read_whole(own)
                shown = masked(written)
                entries[name].write_bytes(shown)
                if shown.decode() != written.decode("utf-8-sig", "replace"):
                    notes.append(f"{own} holds secrets, which are masked: write them anew")
        notes += _with_ledger(ledger_of(path, environ), entries, folder)
        manifest = Manifest(
            version=__version__,
            made_at=iso(now),
            prints={name: print_of(file) for name, file in entries.items()},
            env=tuple(read_env(env_path(path))),
            withheld=() if taken is None else taken.variables,
            readable=taken is None or taken.readable,
            notes=tuple(notes),
        )
        pack(target, manifest, entries)
    return BackedUp(path=target, entries=tuple(entries), manifest=manifest)


def _with_ledger(ledger: Path | None, entries: dict[str, Path], folder: Path) -> list[str]:
    """Add the ledger to the entries; return what is to be said where that can't be done."""
    if ledger is None:
        return ["storage: memory has no record to keep"]
    if not ledger.exists():
        return [f"there is no record of usage yet ({ledger})"]
    try:
        copy_ledger(ledger, folder / LEDGER)
    except StorageError as error:
        return [f"the record of usage can't be read and is left out: {error}"]
    entries[LEDGER] = folder / LEDGER
    return []
