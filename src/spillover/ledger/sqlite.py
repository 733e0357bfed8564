"""Keep a ledger's entries in one SQLite file that several processes share exactly.

A step is one `BEGIN IMMEDIATE` transaction: SQLite's own lock makes processes take turns, and what
others recorded in between is folded before anything is decided. `kill -9` loses no committed step.
The entries of a step are one row. Every `COMPACT_AFTER` rows the record is written whole, in parts,
and the rows before are dropped, so the file stays bounded by what is counted, not by traffic.

Refuses to know what entries mean, and never waits: a lock that others hold raises `Busy`.
"""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from spillover.ledger import parts
from spillover.ledger.entries import decode, encode
from spillover.ledger.journal import Busy, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.ledger.book import Book
    from spillover.ledger.entries import Entry

_T = TypeVar("_T")

APPLICATION_ID: Final = 0x5350494C
"""`SPIL`: marks the file as ours."""
SCHEMA_VERSION: Final = 1
COMPACT_AFTER: Final = 1_024
LEASE_S: Final = 20.0
"""A process that has not renewed its lease for this long counts as dead."""

_SCHEMA: Final = """
CREATE TABLE journal (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE parts (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE leases (process TEXT PRIMARY KEY, renewed_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), floor INTEGER NOT NULL, salt BLOB NOT NULL);
"""


class Unfit(StorageError):
    """The file is damaged, someone else's, or of a newer version: it must be moved aside."""


class SqliteJournal:
    """Entries in a SQLite file."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises `Busy`, `Unfit` or `StorageError`.
        """
        self._path = path
        self._seq = -1
        self._data_version = -1
        self._db = _connect(path)
        try:
            self._salt = self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> bytes:
        db = self._db

        def run() -> bytes:
            application, version = _pragma(db, "application_id"), _pragma(db, "user_version")
            if (application, version) == (0, 0) and not _pragma(db, "schema_version"):
                _create(db)
            elif application != APPLICATION_ID:
                message = "not a Spillover ledger"
                raise Unfit(message)
            elif version > SCHEMA_VERSION:
                message = f"written by a newer version (schema {version}, known {SCHEMA_VERSION})"
                raise Unfit(message)
            elif (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                message = f"damaged: {found}"
                raise Unfit(message)
            row = db.execute("SELECT salt FROM meta").fetchone()
            return bytes(row[0])

        return _translated(run)

    def begin(self, book: Book) -> bool:
        """Begin a step and fold what others recorded; return whether the book was read anew."""

        def run() -> bool:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                return self._catch_up(book)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

        return _translated(run)

    def _catch_up(self, book: Book) -> bool:
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._data_version:
            return False
        floor = self._db.execute("SELECT floor FROM meta").fetchone()[0]
        anew = floor > self._seq
        if anew:
            parts.load(book, self._db.execute("SELECT name, body FROM parts"))
            self._seq = floor
        rows = self._db.execute("SELECT seq, body FROM journal WHERE seq > ? ORDER BY seq", (self._seq,))
        for seq, body in rows.fetchall():
            for entry in decode(body):
                book.apply(entry)
            self._seq = seq
        self._data_version = version
        return anew

    def commit(self, book: Book, entries: list[Entry]) -> None:
        """Record `entries` as one row and end the step."""

        def run() -> None:
            try:
                if entries:
                    seq = self._seq + 1
                    self._db.execute("INSERT INTO journal VALUES (?, ?)", (seq, encode(entries)))
                    if seq % COMPACT_AFTER == 0:
                        self._compact(book, seq)
                    self._db.execute("COMMIT")
                    self._seq = seq
                else:
                    self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

        _translated(run)

    def _compact(self, book: Book, seq: int) -> None:
        written = list(parts.dump(book, book.dirty))
        self._db.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?)", written)
        self._db.execute("DELETE FROM journal WHERE seq <= ?", (seq,))
        self._db.execute("UPDATE meta SET floor = ?", (seq,))
        book.dirty.clear()

    def abandon(self) -> None:
        """End the step without recording anything."""
        if self._db.in_transaction:
            _translated(lambda: self._db.execute("ROLLBACK"))

    def refresh(self, book: Book) -> bool:
        """Fold what others recorded; return whether the book was read anew."""

        def run() -> bool:
            self._db.execute("BEGIN")
            try:
                return self._catch_up(book)
            finally:
                self._db.execute("ROLLBACK")

        return _translated(run)

    def renew(self, process: str, now: float) -> list[str]:
        """Renew a lease, inside a step; return the processes whose leases ran out, and forget them."""

        def run() -> list[str]:
            self._db.execute("INSERT OR REPLACE INTO leases VALUES (?, ?)", (process, now))
            stale = self._db.execute(
                "DELETE FROM leases WHERE renewed_at < ? RETURNING process", (now - LEASE_S,)
            ).fetchall()
            return [row[0] for row in stale]

        return _translated(run)

    def salt(self) -> bytes:
        """Return the record's own random bytes."""
        return self._salt

    def tidy(self) -> None:
        """Move the write-ahead log into the file: slow, for it waits for the disk."""

        def run() -> None:
            db = _connect(self._path)
            try:
                db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                db.close()

        _translated(run)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def _connect(path: Path) -> sqlite3.Connection:
    def run() -> sqlite3.Connection:
        db = sqlite3.connect(
            path, timeout=0.0, isolation_level=None, check_same_thread=False, cached_statements=32
        )
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            # Checkpoints wait for the disk: they run beside the event loop, not on it.
            db.execute("PRAGMA wal_autocheckpoint = 0")
        except BaseException:
            db.close()
            raise
        return db

    return _translated(run)


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _create(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        if not _pragma(db, "schema_version"):  # another process may have made it just now
            for statement in _SCHEMA.strip().split("\n"):
                db.execute(statement)
            db.execute("INSERT INTO meta VALUES (1, 0, ?)", (secrets.token_bytes(16),))
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def _translated(run: Callable[[], _T]) -> _T:
    """Return what `run` does, with SQLite's errors told apart by what can be done about them."""
    try:
        return run()
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            raise Busy from error
        if code in _DAMAGED:
            raise Unfit(str(error)) from error
        raise StorageError(str(error)) from error
    except msgspec.MsgspecError as error:
        message = f"entries that can't be read: {error}"
        raise Unfit(message) from error
