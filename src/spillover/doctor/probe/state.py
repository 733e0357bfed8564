"""Look at the state file as the ledger opens it, without changing what is in it.

Refuses to judge.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from spillover.config.locate import state_folder
from spillover.doctor.judge.state import Soundness, State
from spillover.engine.opening import ledger_path
from spillover.ledger.book import Book
from spillover.ledger.journal import Busy, Newer, StorageError, Unfit
from spillover.ledger.opening import FILE_NAME
from spillover.ledger.sqlite import SqliteJournal
from spillover.upstream.holder import users_of

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.doctor.probe.subject import Subject

LOCK_S: Final = 1.0
"""How long a writer may hold the file before it counts as stuck; a step takes a millisecond."""


def state(subject: Subject) -> State:
    """Return how the state file is."""
    if subject.loaded is None:
        path: Path | None = state_folder(subject.environ) / FILE_NAME
    else:
        path = ledger_path(subject.loaded)
    if path is None:
        return State(path=None)
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    found = State(path=path, free=_free(folder), is_writable=os.access(folder, os.W_OK))
    if not path.exists():
        return found
    soundness, error = _soundness(path)
    log = path.with_name(f"{path.name}-wal")
    return replace(
        found,
        soundness=soundness,
        error=error,
        size=sum(each.stat().st_size for each in (path, log) if each.exists()),
        holders=users_of(path),
    )


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _soundness(path: Path) -> tuple[Soundness, str]:
    """Read the whole record as a gateway does when it starts."""
    try:
        journal = SqliteJournal(path)
        try:
            journal.refresh(Book())
        finally:
            journal.close()
    except Newer as error:
        return Soundness.NEWER, str(error)
    except Unfit as error:
        return Soundness.DAMAGED, str(error)
    except Busy:
        return Soundness.LOCKED, "locked"
    except StorageError as error:
        return Soundness.UNREADABLE, str(error)
    return (Soundness.LOCKED, "locked") if _is_held_up(path) else (Soundness.SOUND, "")


def _is_held_up(path: Path) -> bool:
    """Return whether no step can begin within a time in which thousands could."""
    with closing(sqlite3.connect(path, timeout=LOCK_S, isolation_level=None)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return False
