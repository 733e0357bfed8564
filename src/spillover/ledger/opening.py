"""Open the ledger that the configuration names, and get out of the way of a file that can't be used.

A damaged, foreign or newer file is moved aside, never deleted, and a new one begun: losing counts
for a moment is better than not starting. A file that can't be made leaves the record in memory.
Refuses to know how entries are kept once the place is open.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spillover.ledger.journal import Busy, Journal, NoJournal, StorageError
from spillover.ledger.sqlite import SqliteJournal, Unfit

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME: Final = "ledger.db"
OPEN_WITHIN_S: Final = 5.0
"""How long another process's lock on a file that is being made is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open journal, and what had to be done to open it."""

    journal: Journal
    notice: str | None = None
    """What a person should know: a file moved aside, or storage that can't be used."""
    moved_to: Path | None = None
    durable: bool = True


def open_journal(path: Path | None, *, stamp: str) -> Opened:
    """Open the journal at `path`, None for memory alone; `stamp` names what is moved aside.

    Raises `StorageError` when the place can't be used at all (folder not writable, no file system).
    """
    if path is None:
        return Opened(journal=NoJournal(secrets.token_bytes(16)), durable=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Opened(journal=_open(path))
    except Unfit as unfit:
        moved_to = _move_aside(path, stamp)
        notice = f"{path} is {unfit}; it was moved to {moved_to} and a new ledger begun"
        return Opened(journal=_open(path), notice=notice, moved_to=moved_to)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error


def _open(path: Path) -> SqliteJournal:
    give_up_at = time.monotonic() + OPEN_WITHIN_S
    while True:
        try:
            return SqliteJournal(path)
        except Busy:
            if time.monotonic() > give_up_at:
                message = f"{path}: another process holds its lock"
                raise StorageError(message) from None
            time.sleep(0.01)


def _move_aside(path: Path, stamp: str) -> Path:
    """Rename the file and its write-ahead log, which belongs to it."""
    moved_to = path.with_name(f"{path.name}.unusable-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(moved_to.with_name(moved_to.name + suffix))
    return moved_to
