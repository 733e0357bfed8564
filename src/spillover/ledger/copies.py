"""Copy a ledger while gateways use it, look whether a copy is sound, and put one in its place.

Refuses to know what entries mean.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from spillover.ledger.journal import Busy, StorageError, Unfit
from spillover.ledger.sqlite import SqliteJournal, move_aside

if TYPE_CHECKING:
    from pathlib import Path


def copy_ledger(path: Path, target: Path) -> None:
    """Write the record at one moment to a file of its own; whoever uses the ledger goes on.

    Raises `Unfit` or `Newer` for a file that is no sound ledger, and `StorageError`.
    """
    check_ledger(path)
    try:
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise StorageError(f"{path}: {error}") from error
    check_ledger(target)


def check_ledger(path: Path) -> None:
    """Raise `Unfit` or `Newer` for a file that is no sound ledger of a known version."""
    if not path.is_file() or not path.stat().st_size:
        raise Unfit("there is nothing in it")
    try:
        SqliteJournal(path).close()
    except Busy:
        raise StorageError(f"{path}: another process holds its lock") from None


def replace_ledger(path: Path, new: Path, stamp: str) -> Path | None:
    """Put a file in a ledger's place; return where what was there is kept, None: nothing was.

    Gateways that run notice, and read it anew. Raises `StorageError`, and then nothing has changed.
    """
    kept = None
    if path.exists():
        kept = move_aside(path, stamp, None, "before-restore")
    try:
        new.replace(path)
    except OSError as error:
        if kept is not None:
            put_back(path, kept)
        raise StorageError(f"{path}: {error.strerror or error}") from error
    return kept


def put_back(path: Path, kept: Path | None) -> None:
    """Undo `replace_ledger`: what it kept is the ledger again; None: there is none."""
    for suffix in ("-wal", "-shm", ""):
        beside = path.with_name(path.name + suffix)
        beside.unlink(missing_ok=True)
        if kept is not None and (old := kept.with_name(kept.name + suffix)).exists():
            old.replace(beside)
