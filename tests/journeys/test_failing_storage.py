"""A ledger whose storage fails: nothing that was counted is lost, and nothing is granted unseen."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest

from spillover.core.ladder import Pin
from spillover.core.limits import Granted
from spillover.core.values import Metric
from spillover.errors import LedgerError
from spillover.ledger.entries import Alive, Pinned
from spillover.ledger.ledger import (
    BUSY_LONGEST_S,
    RENEW_S,
    RETRY_STORAGE_S,
    UNWRITTEN_MOST,
    Ledger,
    Trouble,
)
from spillover.ledger.opening import postponed_journal
from spillover.ledger.sqlite import SCHEMA_VERSION, SqliteJournal
from tests.core.making import NOON, limit
from tests.ledger.keeping import (
    HandClock,
    began,
    candidate,
    granted,
    how_many,
    limited,
    names,
    opened,
    run,
    settled,
    used,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.ledger.entries import Entry

TOKENS = limited("a", limit(1_000, Metric.TOKENS))
PLENTY = limited("a", limit(1_000_000))


def without_room(ledger: Ledger, pages: int) -> None:
    """Let the file grow to so many pages and no further, as a full disk does."""
    db = ledger._journal._db  # type: ignore[attr-defined]
    db.execute(f"PRAGMA max_page_count = {pages}")


LARGE = Pinned("x" * 9_000, None)


@pytest.mark.parametrize("fail_closed", [False, True])
def test_full_disk_is_told_and_what_was_counted_is_written_when_there_is_room_again(
    tmp_path: Path, *, fail_closed: bool
) -> None:
    path, troubles = tmp_path / "ledger.db", list[Trouble]()

    async def story() -> None:
        clock = HandClock()
        async with opened(path, clock, fail_closed=fail_closed, troubles=troubles) as ledger:
            reservation = await granted(ledger, TOKENS)
            without_room(ledger, 1)
            await ledger.record(LARGE)
            assert ledger.degraded == "database or disk is full"
            await ledger.record(settled(reservation, TOKENS))
            if fail_closed:
                with pytest.raises(LedgerError, match="is full; mend the storage"):
                    await ledger.reserve([candidate()])
                with pytest.raises(LedgerError):
                    ledger.check()
            else:
                ledger.check()
                await granted(ledger)

            without_room(ledger, 1_000_000)
            clock.goes_on(RETRY_STORAGE_S)
            await eventually(lambda: ledger.degraded is None)
            ledger.check()
            await granted(ledger)

        assert troubles == [
            Trouble(failing=True, message="database or disk is full"),
            Trouble(failing=False, message="the ledger is written again"),
        ]
        async with opened(path, clock) as again:
            assert used(again, now=clock.now())[0] == (2 if fail_closed else 3)

    run(story)


def test_what_can_not_be_recorded_is_not_granted_when_the_ledger_fails_closed(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        clock = HandClock()
        async with opened(tmp_path / "ledger.db", clock, fail_closed=True) as ledger:
            without_room(ledger, 1)
            ledger.record_soon(LARGE)
            with pytest.raises(LedgerError):
                await ledger.reserve([candidate()])

            assert not ledger.book.open
            without_room(ledger, 1_000_000)
            clock.goes_on(RETRY_STORAGE_S)
            assert await how_many(ledger) == 5

    run(story)


@pytest.mark.parametrize("fail_closed", [False, True])
def test_lock_that_another_process_keeps_is_not_waited_for_for_ever(
    tmp_path: Path, *, fail_closed: bool
) -> None:
    path, troubles = tmp_path / "ledger.db", list[Trouble]()

    async def story() -> None:
        clock = HandClock()
        async with opened(path, clock, fail_closed=fail_closed, troubles=troubles) as ledger:
            holder = sqlite3.connect(path, isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            asked = asyncio.create_task(ledger.reserve([candidate()]))
            await asyncio.sleep(0.01)
            assert not asked.done()
            clock.goes_on(BUSY_LONGEST_S + 1.0)
            if fail_closed:
                with pytest.raises(LedgerError, match="holds the ledger's lock"):
                    await asked
            else:
                assert isinstance(await asked, Granted)
            assert troubles == [
                Trouble(failing=True, message="another process holds the ledger's lock")
            ]
            clock.goes_on(RETRY_STORAGE_S)
            await ledger.record(Alive("p", NOON))
            assert ledger.degraded is not None

            holder.execute("ROLLBACK")
            holder.close()
            clock.goes_on(RETRY_STORAGE_S)
            await eventually(lambda: ledger.degraded is None)

        async with opened(path, clock) as again:
            assert used(again, now=clock.now())[0] == (0 if fail_closed else 1)

    run(story)


@pytest.mark.parametrize("when", ["begin", "refresh"])
def test_file_damaged_while_it_is_used_is_put_aside_and_nothing_is_lost(
    tmp_path: Path, when: str
) -> None:
    path, troubles = tmp_path / "ledger.db", list[Trouble]()

    async def story() -> None:
        async with opened(path, troubles=troubles) as ledger:
            for _ in range(3):
                await granted(ledger)
            db = sqlite3.connect(path)
            db.execute("INSERT INTO journal VALUES (999, x'c1')")
            db.commit()
            db.close()
            if when == "refresh":
                await eventually(lambda: troubles)
            assert await how_many(ledger) == 2
            assert ledger.degraded is None

        assert [trouble.failing for trouble in troubles] == [False]
        assert "entries that can't be read" in troubles[0].message
        assert "ledger.db.unusable-" in troubles[0].message
        assert len(list(names(tmp_path, "*unusable*Z"))) == 1
        async with opened(path) as again:
            assert used(again)[0] == 3

    run(story)


@pytest.mark.parametrize("fail_closed", [False, True])
def test_file_taken_over_by_a_newer_version_is_left_to_it_and_told(
    tmp_path: Path, *, fail_closed: bool
) -> None:
    path, troubles = tmp_path / "ledger.db", list[Trouble]()

    async def story() -> None:
        clock = HandClock()
        async with opened(path, clock, fail_closed=fail_closed, troubles=troubles) as ledger:
            await granted(ledger)
            db = sqlite3.connect(path)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
            before = db.execute("SELECT max(seq) FROM journal").fetchone()
            async with asyncio.timeout(RENEW_S - 1.0):  # no renewal has yet come
                await eventually(lambda: ledger.degraded)

            if fail_closed:
                with pytest.raises(LedgerError, match="start this process anew"):
                    await ledger.reserve([candidate()])
            else:
                assert await how_many(ledger) == 4
            clock.goes_on(RETRY_STORAGE_S)
            await ledger.renew()
            after = db.execute("SELECT max(seq) FROM journal").fetchone()
            db.close()

            assert after == before
            assert troubles == [Trouble(failing=True, message=str(ledger.degraded))]
            assert "written by a newer version (schema 2, known 1)" in troubles[0].message
        assert list(names(tmp_path, "*unusable*")) == []

    run(story)


def test_file_found_damaged_while_writing_loses_nothing_of_that_step(tmp_path: Path) -> None:
    path, troubles = tmp_path / "ledger.db", list[Trouble]()

    async def story() -> None:
        async with opened(path, troubles=troubles) as ledger:
            await granted(ledger)
            page = ledger._journal._db.execute(  # type: ignore[attr-defined]
                "SELECT rootpage FROM sqlite_master WHERE name = 'journal'"
            ).fetchone()[0]
            await asyncio.to_thread(ledger._journal.tidy)
            size = ledger._journal._db.execute("PRAGMA page_size").fetchone()[0]  # type: ignore[attr-defined]
            with path.open("r+b") as file:
                file.seek((page - 1) * size)
                file.write(b"\xff" * size)
            ledger._journal._db.execute("PRAGMA shrink_memory")  # type: ignore[attr-defined]

            await granted(ledger)
            await eventually(lambda: troubles and ledger.degraded is None)
            assert await how_many(ledger) == 3

        async with opened(path) as again:
            assert used(again)[0] == 2

    run(story)


def test_place_that_becomes_usable_is_used_with_all_that_was_counted_before(tmp_path: Path) -> None:
    path = tmp_path / "later" / "ledger.db"
    path.parent.write_text("in the way")
    troubles = list[Trouble]()

    async def story() -> None:
        clock = HandClock()
        journal = postponed_journal(path, problem="not a folder").journal
        async with opened(journal, clock, troubles=troubles) as ledger:
            for _ in range(2):
                await granted(ledger)
            assert troubles[0].failing

            path.parent.unlink()
            clock.goes_on(RETRY_STORAGE_S)
            assert await how_many(ledger) == 3
            assert not troubles[-1].failing

        async with opened(path, clock) as again:
            assert used(again, now=clock.now())[0] == 2

    run(story)


def test_what_others_wrote_of_a_jump_meanwhile_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        clock, others = HandClock(), HandClock()
        async with opened(path, clock) as one:
            without_room(one, 1)
            await one.record(LARGE)
            for _ in range(2):
                await granted(one)
            other = Ledger(SqliteJournal(path), others)
            await other.renew()
            others.set_to(NOON + 3_600.0)
            await other.renew()
            other._journal.close()

            clock.set_to(NOON + 3_600.0)
            without_room(one, 1_000_000)
            clock.goes_on(RETRY_STORAGE_S)
            assert await how_many(one) == 3
            assert one.degraded is None

    run(story)


def test_more_than_is_kept_for_failing_storage_is_shortened_and_nothing_lost(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        clock = HandClock()
        async with opened(path, clock) as ledger:
            before = await granted(ledger, PLENTY)
            without_room(ledger, 1)
            await ledger.record(LARGE)
            await ledger.record(settled(before, PLENTY), Pinned("default", Pin(profile="a")))
            calls: list[Entry] = []
            for place in range(UNWRITTEN_MOST):
                calls += [began(f"r{place}", PLENTY), settled(f"r{place}", PLENTY)]
            await ledger.record(*calls)
            kept = len(ledger._unwritten)
            assert kept < 20

            other = Ledger(SqliteJournal(path, compact_after=2), clock)
            for _ in range(3):
                await granted(other, PLENTY)
            other._journal.close()
            without_room(ledger, 1_000_000)
            clock.goes_on(RETRY_STORAGE_S)
            await ledger.renew()

        async with opened(path, clock) as again:
            for each in (ledger, again):
                assert used(each, now=clock.now())[0] == UNWRITTEN_MOST + 4
                assert before not in each.book.open
                assert each.book.pin("default") == Pin(profile="a")

    run(story)


def test_record_read_anew_still_has_what_was_not_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        clock = HandClock()
        async with opened(path, clock) as one:
            without_room(one, 1)
            await one.record(LARGE)
            held = await granted(one)
            other = Ledger(SqliteJournal(path, compact_after=2), clock)
            for _ in range(3):
                await granted(other)
            other._journal.close()

            without_room(one, 1_000_000)
            clock.goes_on(RETRY_STORAGE_S)
            await one.renew()
            assert one.degraded is None
            assert held in one.book.open
            assert await how_many(one) == 1

    run(story)
