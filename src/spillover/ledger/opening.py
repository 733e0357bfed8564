"""Open the ledger that the configuration names, and get out of the way of a file that can't be used.

A damaged, foreign or newer file is moved aside, never deleted, and a new one begun: losing counts
for a moment is better than not starting. A file that can't be made yet is tried again later.
Once it runs, a process leaves a newer file where it is, for a newer process has just made it so.
Refuses to know how entries are kept once the place is open.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spillover.ledger.journal import Busy, Journal, Newer, NoJournal, StorageError, Unfit
from spillover.ledger.sqlite import SqliteJournal, move_aside

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


def open_journal(path: Path | None, *, stamp: str, within_s: float = OPEN_WITHIN_S) -> Opened:
    """Open the journal at `path`, None for memory alone; `stamp` names what is moved aside.

    Raises `StorageError` when the place can't be used now: a folder that can't be written, a full
    disk, a lock that is held for `within_s`. `postponed_journal` goes on without it.
    """
    if path is None:
        return Opened(journal=NoJournal(), durable=False)
    try:
        return Opened(journal=_open(path, within_s))
    except (Unfit, Newer) as unfit:
        moved_to = move_aside(path, stamp, None)
        notice = (
            f"{path} can't be used ({unfit}); it was moved to {moved_to} and a new ledger begun"
        )
        return Opened(journal=_open(path, within_s), notice=notice, moved_to=moved_to)


def postponed_journal(path: Path, *, problem: str) -> Opened:
    """Return a journal for a place that can't be used now and is tried again at every step.

    Until it works the ledger keeps the record in memory, and writes all of it then.
    """
    notice = f"the ledger can't be opened and is kept in memory until it can: {problem}"
    return Opened(journal=SqliteJournal(path, postponed=True), notice=notice, durable=False)


def _open(path: Path, within_s: float) -> SqliteJournal:
    give_up_at = time.monotonic() + within_s
    while True:
        try:
            return SqliteJournal(path)
        except Busy:
            if time.monotonic() > give_up_at:
                raise StorageError(f"{path}: another process holds its lock") from None
            time.sleep(0.01)
        except (Unfit, Newer):
            raise
        except StorageError as error:
            if str(path) in str(error):
                raise
            raise StorageError(f"{path}: {error}") from error
