"""Keep sums of what happened, and the latest fallbacks, in the ledger's file or in memory.

Each process adds what it saw; adding commutes, so nobody has to take turns or to know of others.
Every call opens the file anew: whichever file is there by then is the ledger's.
Refuses to know what is counted, and blocks: it is called beside the event loop.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

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


def _columns(count: int) -> str:
    return ", ".join(f"json_extract(value, '$[{place}]')" for place in range(count))


# One statement each, fed with one text: a thread that holds SQLite's lock must not wait for Python's
# own between two rows, or steps of the ledger would wait for it meanwhile.
_ADD: Final = (
    f"INSERT INTO history SELECT {_columns(4 + len(_COUNTS))} FROM json_each(?) WHERE true "  # noqa: S608 - names of ours
    "ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{name} = min({name} + excluded.{name}, {MOST})" for name in _COUNTS)
)
_NOTE: Final = (
    "INSERT INTO fallbacks (at, chain, source, target, cause, until, waited_ms, request_id) "  # noqa: S608 - names of ours
    f"SELECT {_columns(8)} FROM json_each(?) ORDER BY key"
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

    def add(self, sums: Mapping[Key, Counts]) -> None:
        """Add sums, all or none.

        Raises `Busy` or `StorageError`; then nothing was added.
        """
        self._do(_ADD, [(*key, *counts) for key, counts in sums.items()])

    def note(self, fallbacks: Sequence[Fallback]) -> None:
        """Add fallbacks, the latest last; as `add` does."""
        self._do(_NOTE, fallbacks)

    def _do(self, statement: str, rows: Sequence[object]) -> None:
        if rows:
            written = msgspec.json.encode(rows).decode()
            with self._opened() as db:
                translated(lambda: db.execute(statement, (written,)))

    def forget(self, now: float) -> None:
        """Drop what is too old at `now`, or too much; raises `Busy` or `StorageError`."""
        with self._opened() as db:
            translated(lambda: _forget(db, now))

    def sums(
        self,
        grain: Grain,
        since: float,
        *,
        step_s: int,
        chain: str | None = None,
        profile: str | None = None,
    ) -> list[tuple[Key, Counts]]:
        """Return the sums of a grain that begin at `since` or later, of all or of some.

        Those within a step of `step_s` are added up, and begin with it. Raises `Busy` or
        `StorageError`.
        """
        clause, values = _where({"chain": chain, "profile": profile})
        counts = ", ".join(f"min(sum({name}), {MOST})" for name in _COUNTS)
        statement = (
            f"SELECT at / ? * ? AS step, chain, profile, {counts} FROM history "  # noqa: S608 - names of ours
            f"WHERE grain = ? AND at >= ?{clause} GROUP BY step, chain, profile"
        )
        with self._opened() as db:
            rows = translated(
                lambda: db.execute(statement, (step_s, step_s, grain, since, *values)).fetchall()
            )
        return [(Key(grain, *row[:3]), list(row[3:])) for row in rows]

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
