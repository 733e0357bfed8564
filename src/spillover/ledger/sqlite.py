"""Keep a ledger's entries in one SQLite file that several processes share exactly.

A step is one `BEGIN IMMEDIATE` transaction: SQLite's own lock makes processes take turns, and what
others recorded in between is folded before anything is decided. `kill -9` loses no committed step.
The entries of a step are one row. Every `COMPACT_AFTER` rows the record is written whole, in parts,
and the rows before are dropped, so the file stays bounded by what is counted, not by traffic.

Refuses to know what entries mean, and never waits: a lock that others hold raises `Busy`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, Final, TypeVar

from spillover.ledger import parts
from spillover.ledger.entries import decode, encode
from spillover.ledger.journal import Busy, Newer, StorageError, Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from spillover.ledger.book import Book
    from spillover.ledger.entries import Entry

_T = TypeVar("_T")

APPLICATION_ID: Final = 0x5350494C
"""`SPIL`: marks the file as ours."""
SCHEMA_VERSION: Final = 1
COMPACT_AFTER: Final = 1_024
LOG_BYTES: Final = 4 << 20
"""From this size on the write-ahead log is emptied, not just copied into the file."""
TIDY_WITHIN_S: Final = 0.2
"""How long upkeep, on its own thread, waits for a moment in which nobody writes."""
NEVER_READ: Final = -1

_SCHEMA: Final = """
CREATE TABLE journal (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE parts (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), floor INTEGER NOT NULL);
"""
"""`floor` is the last row that `parts` holds already; 0 while nothing was ever written."""
_TABLES: Final = frozenset({"journal", "parts", "meta"})


class _Full(StorageError):
    """The disk has no room: the connection itself is sound."""


class SqliteJournal:
    """Entries in a SQLite file."""

    def __init__(
        self, path: Path, *, postponed: bool = False, compact_after: int = COMPACT_AFTER
    ) -> None:
        """Open or make the file and its folder; `postponed`: not before the first step.

        Raises `Busy`, `Unfit`, `Newer` or `StorageError`.
        """
        self._path = path
        self._compact_after = compact_after
        self._seq = NEVER_READ
        self._data_version = NEVER_READ
        self._empty = False
        """Nothing was ever written: the book in memory is the whole record."""
        self._file: tuple[int, int] | None = None
        self._commits = 0
        self._db: sqlite3.Connection | None = None
        self._closed = False
        if not postponed:
            self._opened()

    def _opened(self) -> sqlite3.Connection:
        """Return the connection, made anew where there is none."""
        if self._db is not None:
            return self._db
        if self._closed:
            message = "the ledger is closed"
            raise StorageError(message)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(f"{self._path}: {error.strerror or error}") from error
        self._file = _identity(self._path)
        db = connect(self._path)
        try:
            translated(lambda: _prepare(db))
        except BaseException:
            db.close()
            raise
        self._db, self._file = db, _identity(self._path)
        self._seq = self._data_version = NEVER_READ
        return db

    def _let_go(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def begin(self, book: Book, *, ahead: bool = False) -> bool:
        """Begin a step and fold what others recorded; return whether the book was read anew."""
        db = self._opened()

        def run() -> bool:
            db.execute("BEGIN IMMEDIATE")
            return self._catch_up(db, book, ahead=ahead)

        return self._attempt(db, run)

    def commit(self, book: Book, entries: list[Entry]) -> None:
        """Record `entries` as one row and end the step."""
        db = self._opened()
        seq = self._seq + 1
        whole = self._empty or (bool(entries) and seq % self._compact_after == 0)

        def run() -> None:
            if entries:
                db.execute("INSERT INTO journal VALUES (?, ?)", (seq, encode(entries)))
            if whole:
                owners = book.counters.tallies if self._empty else book.counters.dirty
                _write_whole(db, parts.dump(book, owners), seq)
            db.execute("COMMIT")

        self._attempt(db, run)
        if entries or whole:
            self._seq = seq
            self._empty = False
            self._commits += 1
        if whole:
            book.counters.dirty.clear()

    def refresh(self, book: Book, *, ahead: bool = False) -> bool:
        """Fold what others recorded; return whether the book was read anew."""
        if self._db is not None and self._db.in_transaction:
            return False  # its step has folded all there is
        if self._file != _identity(self._path):  # replaced, or deleted under our feet
            self._let_go()
        db = self._opened()

        def run() -> bool:
            db.execute("BEGIN")
            anew = self._catch_up(db, book, ahead=ahead)
            db.execute("COMMIT")
            return anew

        return self._attempt(db, run)

    def _attempt(self, db: sqlite3.Connection, run: Callable[[], _T]) -> _T:
        """Return what `run` does; when it fails no transaction is open, nor a broken connection."""
        try:
            return translated(run)
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                if db.in_transaction:
                    db.execute("ROLLBACK")
            if isinstance(error, StorageError) and not isinstance(error, _Full):
                self._let_go()  # a file that was read-only or gone may be sound when opened again
            raise

    def _catch_up(self, db: sqlite3.Connection, book: Book, *, ahead: bool) -> bool:
        try:
            return self._folded(db, book, ahead=ahead)
        except (sqlite3.Error, Newer):
            raise
        except Exception as error:
            # Bits may flip into anything: a row of another kind, a text that is none, a window of 0 s.
            message = f"entries that can't be read: {error}"
            raise Unfit(message) from error

    def _folded(self, db: sqlite3.Connection, book: Book, *, ahead: bool) -> bool:
        version: int = db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._data_version:
            return False
        _refuse_newer(db)  # whoever raises the version changes the file: no step can miss it
        floor: int = db.execute("SELECT floor FROM meta").fetchone()[0]
        self._empty = floor == 0
        anew = (ahead or floor > self._seq) and not self._empty
        if anew:
            parts.load(book, db.execute("SELECT name, body FROM parts"))
            self._seq = floor
        elif self._empty:
            self._seq = 0
        rows = db.execute("SELECT seq, body FROM journal WHERE seq > ? ORDER BY seq", (self._seq,))
        for seq, body in rows.fetchall():
            for entry in decode(body):
                book.apply(entry)
            self._seq = seq
        self._data_version = version
        return anew

    def set_aside(self, stamp: str) -> str:
        """Move the file out of the way and begin a new one, unless another process has done so."""
        seen = self._file
        self._let_go()
        moved_to = move_aside(self._path, stamp, seen)
        self._opened()
        if moved_to is None:
            return f"{self._path} was replaced"
        return f"{self._path} can't be used; it was moved to {moved_to} and a new ledger begun"

    def swollen(self) -> bool:
        """Return whether the write-ahead log has grown large."""
        return _size(self._log()) > LOG_BYTES

    def tidy(self) -> None:
        """Move the write-ahead log into the file: slow, for it waits for the disk."""
        if not self._commits:
            return
        self._commits = 0

        def run() -> None:
            db = connect(self._path)
            try:
                db.execute("PRAGMA wal_checkpoint(PASSIVE)")
                if self.swollen():
                    # What was written meanwhile is little: holding all writers up for it is short.
                    db.execute(f"PRAGMA busy_timeout = {int(TIDY_WITHIN_S * 1_000)}")
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                db.close()

        translated(run)

    def _log(self) -> Path:
        return self._path.with_name(f"{self._path.name}-wal")

    def close(self) -> None:
        """Let go of the file for good."""
        self._closed = True
        self._let_go()


def move_aside(
    path: Path, stamp: str, seen: tuple[int, int] | None, why: str = "unusable"
) -> Path | None:
    """Rename a file and its write-ahead log, which belongs to it; return where it went.

    Its new name says `why` and when (`stamp`).
    `seen` is the identity of the file that was found unfit; None is returned, and nothing done,
    when another one is there by now. Raises `StorageError`.
    """
    try:
        if seen is not None and _identity(path) != seen:
            return None
        moved_to = path.with_name(f"{path.name}.{why}-{stamp}")
        count = 1
        while moved_to.exists():
            count += 1
            moved_to = path.with_name(f"{path.name}.{why}-{stamp}-{count}")
        # The log first: a new file must never find the old one's.
        for suffix in ("-wal", "-shm", ""):
            source = path.with_name(path.name + suffix)
            if source.exists():
                source.rename(moved_to.with_name(moved_to.name + suffix))
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error
    return moved_to


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another of the same name; None when there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a path object's own stat is slower, and this is often
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, if it is one of ours or can become one."""

    def run() -> sqlite3.Connection:
        db = sqlite3.connect(
            path, timeout=0.0, isolation_level=None, check_same_thread=False, cached_statements=32
        )
        try:
            _check(db)
            # Entries are small, and each step writes the pages that it touched whole.
            db.execute("PRAGMA page_size = 1024")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            # Checkpoints wait for the disk: they run beside the event loop, not on it.
            db.execute("PRAGMA wal_autocheckpoint = 0")
        except BaseException:
            db.close()
            raise
        return db

    return translated(run)


def _check(db: sqlite3.Connection) -> None:
    """Raise `Unfit` or `Newer` for a file that this version must not touch."""
    application, version = _pragma(db, "application_id"), _pragma(db, "user_version")
    if (application, version) == (0, 0) and not _pragma(db, "schema_version"):
        return
    if application != APPLICATION_ID:
        message = "not a Spillover ledger"
        raise Unfit(message)
    _refuse_newer(db)


def _refuse_newer(db: sqlite3.Connection) -> None:
    version = _pragma(db, "user_version")
    if version > SCHEMA_VERSION:
        message = f"written by a newer version (schema {version}, known {SCHEMA_VERSION})"
        raise Newer(message)


def _prepare(db: sqlite3.Connection) -> None:
    """Make the tables where there are none; raise `Unfit` where they can't be used."""
    if not _pragma(db, "schema_version"):
        _create(db)
    elif (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        message = f"damaged: {found}"
        raise Unfit(message)
    missing = _TABLES - {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}
    row = None if missing else db.execute("SELECT floor FROM meta").fetchone()
    if row is None:
        message = f"damaged: {', '.join(sorted(missing)) or 'meta'} is gone"
        raise Unfit(message)


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _create(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        if not _pragma(db, "schema_version"):  # another process may have made it just now
            for statement in _SCHEMA.strip().split("\n"):
                db.execute(statement)
            db.execute("INSERT INTO meta VALUES (1, 0)")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _write_whole(db: sqlite3.Connection, written: Iterable[tuple[str, bytes]], seq: int) -> None:
    """Keep the record as it is after row `seq`, and drop the rows that led there."""
    db.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?)", written)
    db.execute("DELETE FROM journal WHERE seq <= ?", (seq,))
    db.execute("UPDATE meta SET floor = ?", (seq,))


_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def translated(run: Callable[[], _T]) -> _T:
    """Return what `run` does, with SQLite's errors told apart by what can be done about them."""
    try:
        return run()
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            raise Busy("another process holds its lock") from error
        if code in _DAMAGED:
            raise Unfit(str(error)) from error
        if code == sqlite3.SQLITE_FULL:
            raise _Full(str(error)) from error
        raise StorageError(str(error)) from error
    except (OverflowError, UnicodeEncodeError) as error:
        message = f"entries that can't be written: {error}"
        raise StorageError(message) from error
