"""Keep sums of what happened, and the latest fallbacks, in the ledger's file or in memory.

Each process adds what it saw; adding commutes, so nobody has to take turns or to know of others.
Every call opens the file anew: whichever file is there by then is the ledger's.
Refuses to know what is counted, and blocks: it is called beside the event loop.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Final, NamedTuple

from spillover.core.history import KEPT_S, MOST, Counts, Grain, Key
from spillover.ledger.journal import StorageError
from spillover.ledger.sqlite import connect, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

FALLBACKS_MOST: Final = 10_000
FALLBACKS_S: Final = 90 * 86_400.0
LOCK_WITHIN_MS: Final = 1_000
"""How long the lock is waited for that steps of the ledger take for less than a millisecond."""

_COUNTS: Final = (
    "requests",
    "unserved",
    "errors",
    "fallbacks",
    "input_tokens",
    "output_tokens",
    "cost",
    "saved",
)
_TABLES: Final = (
    f"""CREATE TABLE IF NOT EXISTS history (
        grain INTEGER NOT NULL, at INTEGER NOT NULL, chain TEXT NOT NULL, profile TEXT NOT NULL,
        {", ".join(f"{name} INTEGER NOT NULL" for name in _COUNTS)},
        PRIMARY KEY (grain, at, chain, profile)
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS fallbacks (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, chain TEXT NOT NULL,
        source TEXT NOT NULL, target TEXT, cause TEXT NOT NULL, until REAL, waited_ms REAL NOT NULL,
        request_id TEXT NOT NULL
    )""",
)
"""Versions that don't know them leave them alone, so they need no higher number of the schema."""
_ADD: Final = (
    f"INSERT INTO history VALUES ({', '.join('?' * (4 + len(_COUNTS)))}) ON CONFLICT DO UPDATE SET "  # noqa: S608 - names of ours
    + ", ".join(f"{name} = min({name} + excluded.{name}, {MOST})" for name in _COUNTS)
)
_NOTE: Final = (
    "INSERT INTO fallbacks (at, chain, source, target, cause, until, waited_ms, request_id) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class Fallback(NamedTuple):
    """A request went on from one profile to another, or found nobody left (`target` is None)."""

    at: float
    chain: str
    source: str
    target: str | None
    cause: str
    until: float | None
    waited_ms: float
    request_id: str


class Numbered(NamedTuple):
    """A fallback and its place among all."""

    id: int
    fallback: Fallback


class HistoryStore:
    """The history of everyone who shares a file."""

    def __init__(self, path: Path | None) -> None:
        """Keep it in the ledger's file at `path`; None: in this process's memory."""
        self._path = path
        self._memory: sqlite3.Connection | None = None

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if self._path is None:
            if self._memory is None:
                self._memory = sqlite3.connect(
                    ":memory:", isolation_level=None, check_same_thread=False
                )
            _make(self._memory)
            yield self._memory
            return
        if not self._path.exists():  # it is the ledger that makes it
            message = f"{self._path}: no such file"
            raise StorageError(message)
        with contextlib.closing(connect(self._path)) as db:
            db.execute(f"PRAGMA busy_timeout = {LOCK_WITHIN_MS}")
            translated(lambda: _make(db))
            yield db

    def add(self, sums: Mapping[Key, Counts], fallbacks: Sequence[Fallback], *, now: float) -> None:
        """Add sums and fallbacks, all or none, and forget what is too old at `now`.

        Raises `Busy` or `StorageError`; then nothing was added.
        """
        rows = [(*key, *counts) for key, counts in sums.items()]
        with self._opened() as db:

            def run() -> None:
                db.execute("BEGIN IMMEDIATE")
                try:
                    db.executemany(_ADD, rows)
                    db.executemany(_NOTE, fallbacks)
                    _forget(db, now)
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise

            translated(run)

    def sums(
        self,
        grain: Grain,
        since: float,
        *,
        chain: str | None = None,
        profile: str | None = None,
    ) -> list[tuple[Key, Counts]]:
        """Return the sums of a grain that begin at `since` or later, of all or of some.

        Raises `Busy` or `StorageError`.
        """
        clause, values = _where({"chain": chain, "profile": profile})
        with self._opened() as db:
            rows = translated(
                lambda: db.execute(
                    f"SELECT * FROM history WHERE grain = ? AND at >= ?{clause} ORDER BY at",  # noqa: S608 - names of ours
                    (grain, since, *values),
                ).fetchall()
            )
        return [(Key(Grain(row[0]), *row[1:4]), list(row[4:])) for row in rows]

    def fallbacks(
        self,
        *,
        since: float,
        before: int | None,
        limit: int,
        wanted: Mapping[str, str | None],
    ) -> list[Numbered]:
        """Return the latest fallbacks, newest first.

        `wanted` names columns and what they must hold: None any, an empty `target` none.
        Raises `Busy` or `StorageError`.
        """
        clause, values = _where(wanted)
        with self._opened() as db:
            rows = translated(
                lambda: db.execute(
                    f"SELECT * FROM fallbacks WHERE at >= ? AND id < ?{clause} "  # noqa: S608 - names of ours
                    "ORDER BY id DESC LIMIT ?",
                    (since, MOST if before is None else before, *values, limit),
                ).fetchall()
            )
        return [Numbered(row[0], Fallback(*row[1:])) for row in rows]

    def close(self) -> None:
        """Let go of what is kept in memory; closing twice is harmless."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None


def _make(db: sqlite3.Connection) -> None:
    for table in _TABLES:
        db.execute(table)


def _where(wanted: Mapping[str, str | None]) -> tuple[str, list[str]]:
    """Return conditions on columns, and the values in them."""
    asked = {name: value for name, value in wanted.items() if value is not None}
    clause = "".join(
        f" AND {name} = ?" if value or name != "target" else " AND target IS NULL"
        for name, value in asked.items()
    )
    return clause, [value for name, value in asked.items() if value or name != "target"]


def _forget(db: sqlite3.Connection, now: float) -> None:
    for grain, kept_s in KEPT_S.items():
        db.execute("DELETE FROM history WHERE grain = ? AND at < ?", (grain, now - kept_s))
    db.execute(
        "DELETE FROM fallbacks WHERE id <= (SELECT max(id) FROM fallbacks) - ?", (FALLBACKS_MOST,)
    )
    # They are in the order of their times but for clocks that were set: the oldest are looked at.
    db.execute(
        "DELETE FROM fallbacks WHERE id IN (SELECT id FROM fallbacks ORDER BY id LIMIT 500) AND at < ?",
        (now - FALLBACKS_S,),
    )
