"""The ledger's verbs, over every kind of journal and on bad days."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from spillover.core.limits import Denied, Granted
from spillover.core.values import Calendar, CalendarUnit, Metric, Refill, Rolling, Usage
from spillover.ledger.book import LEASE_S
from spillover.ledger.entries import (
    Alive,
    Cleared,
    HealthChanged,
    Pinned,
    Released,
    Switched,
    Tracked,
)
from spillover.ledger.ledger import Ledger
from spillover.ledger.sqlite import LOG_BYTES, SqliteJournal
from tests.core.laddering import DOWN
from tests.core.making import NOON, limit
from tests.ledger.clocks import Clocks
from tests.ledger.histories import Histories
from tests.ledger.keeping import (
    HandClock,
    candidate,
    granted,
    how_many,
    limited,
    opened,
    run,
    settled,
    used,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.core.values import Window
    from spillover.ledger.entries import Entry

TOKENS = limited("a", limit(1_000, Metric.TOKENS))


@pytest.fixture(params=["memory", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where a ledger of each kind is kept."""
    return None if request.param == "memory" else tmp_path / "ledger.db"


def leave_at_the_next_step(ledger: Ledger, task: asyncio.Task[object]) -> None:
    """Cancel a task in the very step that answers it."""

    def leave() -> None:
        task.cancel()

    ledger.on_change(leave)
    ledger.record_soon(Alive("someone", NOON))


# The contract of every ledger.


def test_first_candidate_with_room_is_granted_in_one_step(place: Path | None) -> None:
    async def story() -> None:
        async with opened(place) as ledger:
            found = await ledger.reserve([candidate(limited("full", limit(0))), candidate()])

            assert isinstance(found, Granted)
            assert found.profile == "a"
            assert found.reservation.startswith(ledger.process)
            assert [each.profile for each in found.passed] == ["full"]

    run(story)


def test_no_more_is_granted_than_the_limit_however_many_ask_at_once(place: Path | None) -> None:
    async def story() -> None:
        async with opened(place) as ledger:
            found = await asyncio.gather(*[ledger.reserve([candidate()]) for _ in range(50)])

            kinds = [type(each) for each in found]
            assert kinds.count(Granted) == 5
            assert len({each.reservation for each in found if isinstance(each, Granted)}) == 5

    run(story)


@pytest.mark.parametrize(
    ("window", "later"),
    [
        (Rolling(seconds=60.0), 61.0),
        (Calendar(unit=CalendarUnit.MINUTE), 60.0),
        (Refill(seconds=60.0), 60.0),
    ],
    ids=["rolling", "calendar", "refill"],
)
def test_room_comes_back_when_it_was_said_to(
    place: Path | None, window: Window, later: float
) -> None:
    who = limited("a", limit(1, window=window))

    async def story() -> None:
        clock = HandClock()
        async with opened(place, clock) as ledger:
            await granted(ledger, who)
            denied = await ledger.reserve([candidate(who)])
            assert isinstance(denied, Denied)
            assert denied.passed[0].block.available_at == NOON + later

            clock.goes_on(later)
            await granted(ledger, who)

    run(story)


def test_settlement_and_release_make_room(place: Path | None) -> None:
    async def story() -> None:
        async with opened(place) as ledger:
            one = await granted(ledger, TOKENS)
            two = await granted(ledger, TOKENS)
            await ledger.record(settled(one, TOKENS, usage=Usage(requests=1, input_tokens=10)))
            await ledger.record(Released(two, NOON, keep_request=True))

            assert used(ledger) == (2, 10)
            assert await how_many(ledger, TOKENS) == 9

    run(story)


def test_looking_holds_nothing_and_says_what_a_reservation_would(place: Path | None) -> None:
    async def story() -> None:
        async with opened(place) as ledger:
            for _ in range(4):
                await granted(ledger)
            assert ledger.book.block(candidate(), NOON) is None
            await granted(ledger)
            denied = await ledger.reserve([candidate()])

            assert ledger.book.block(candidate(), NOON) == denied.passed[0].block

    run(story)


def test_what_is_recorded_is_told_to_whoever_watches(place: Path | None) -> None:
    async def story() -> None:
        async with opened(place) as ledger:
            seen: list[bool] = []
            ledger.on_change(lambda: seen.append(ledger.book.is_disabled("a")))

            await ledger.record(Switched("a", disabled=True, at=NOON), Pinned("default", None))

            assert seen == [True]

    run(story)


def test_what_is_decided_on_the_record_is_decided_once_by_all(tmp_path: Path) -> None:
    async def story() -> None:
        place, decided = tmp_path / "ledger.db", []
        async with opened(place) as one, opened(place) as other:

            async def decide(ledger: Ledger) -> None:
                def work(now: float) -> list[Entry]:
                    made = [] if "a" in ledger.book.disabled else [Switched("a", True, now)]
                    decided.extend(made)
                    return list(made)

                await ledger.decide(work)

            await asyncio.gather(*(decide(each) for each in (one, other, one)))

            assert len(decided) == 1
            assert one.book.disabled.keys() == other.book.disabled.keys() == {"a"}

    run(story)


def test_caller_that_leaves_before_its_turn_holds_nothing(place: Path | None) -> None:
    async def story() -> None:
        async with opened(place) as ledger:
            asked = asyncio.create_task(ledger.reserve([candidate()]))
            await asyncio.sleep(0)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)

            assert asked.cancelled()
            assert await how_many(ledger) == 5

    run(story)


def test_caller_that_leaves_in_the_moment_of_the_grant_holds_nothing(place: Path | None) -> None:
    async def story() -> None:
        async with opened(place) as ledger:
            asked: asyncio.Task[object] = asyncio.create_task(ledger.reserve([candidate()]))
            leave_at_the_next_step(ledger, asked)
            await asyncio.gather(asked, return_exceptions=True)

            assert asked.cancelled()
            assert await how_many(ledger) == 5
            assert not ledger.book.open

    run(story)


def test_caller_that_leaves_in_the_moment_of_a_denial_changes_nothing(place: Path | None) -> None:
    shut = limited("a", limit(0))

    async def story() -> None:
        async with opened(place) as ledger:
            asked: asyncio.Task[object] = asyncio.create_task(ledger.reserve([candidate(shut)]))
            leave_at_the_next_step(ledger, asked)
            await asyncio.gather(asked, return_exceptions=True)

            assert asked.cancelled()
            assert used(ledger) == (0, 0)

    run(story)


def test_fault_of_one_job_is_its_own(place: Path | None) -> None:
    broken = limited("broken", limit(5, window=Calendar(unit=CalendarUnit.DAY, zone="No/Where")))

    async def story() -> None:
        async with opened(place) as ledger:
            bad, good = await asyncio.gather(
                ledger.reserve([candidate(broken)]),
                ledger.reserve([candidate()]),
                return_exceptions=True,
            )

            assert isinstance(bad, KeyError)  # the zone's own error
            assert isinstance(good, Granted)

    run(story)


@pytest.mark.parametrize("jump", [-7_200.0, 7_200.0])
def test_jump_of_the_clock_opens_nothing_even_for_who_looks_first(
    place: Path | None, jump: float
) -> None:
    async def story() -> None:
        clock = HandClock()
        async with opened(place, clock) as ledger:
            for _ in range(5):
                await granted(ledger)

            clock.set_to(NOON + jump)

            assert ledger.book.block(candidate(), clock.now()) is not None
            assert isinstance(await ledger.reserve([candidate()]), Denied)
            clock.goes_on(62.0)
            assert await how_many(ledger) == 5

    run(story)


# Several processes on one file.


def test_what_one_process_does_another_knows(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        async with opened(path) as one, opened(path) as other:
            for _ in range(3):
                await granted(one)
            await one.record(HealthChanged("profile:a", DOWN))
            assert await how_many(other) == 2

            await one.record(Cleared(NOON))
            await eventually(lambda: other.book.health("profile:a") != DOWN)
            assert used(other)[0] == 3  # all of them in flight

    run(story)


def test_steps_of_two_processes_wait_for_each_other_without_blocking_the_loop(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        async with opened(path) as ledger:
            holder = sqlite3.connect(path, isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            asked = asyncio.create_task(ledger.reserve([candidate()]))
            turns, before = list[float](), time.perf_counter()
            for _ in range(50):
                await asyncio.sleep(0.001)
                turns.append(time.perf_counter() - before)
                before = time.perf_counter()
            waited = not asked.done()
            holder.execute("ROLLBACK")
            holder.close()

            assert isinstance(await asked, Granted)
            assert waited
            assert median(turns) < 0.2  # one alone may be the machine's
            assert ledger.degraded is None

    run(story)


def test_both_processes_see_one_jump_of_their_clock_as_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        clocks = HandClock(), HandClock()
        async with opened(path, clocks[0]) as one, opened(path, clocks[1]) as other:
            for _ in range(5):
                await granted(one)
            await other.renew()
            for clock in clocks:
                clock.set_to(NOON + 3_600.0)
            await one.renew()
            await other.renew()
            await one.renew()

            assert one.book.dead(NOON + 3_600.0) == []
            for ledger, clock in ((one, clocks[0]), (other, clocks[1])):
                assert isinstance(await ledger.reserve([candidate()]), Denied)
                clock.goes_on(61.0)
            assert await how_many(one) == 5

    run(story)


def test_jump_moves_what_other_processes_recorded_just_before_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        clock = HandClock()
        async with opened(path, clock) as one, opened(path) as other:
            for _ in range(5):
                await granted(other)

            clock.set_to(NOON + 3_600.0)

            assert isinstance(await one.reserve([candidate()]), Denied)

    run(story)


def test_machine_that_was_started_anew_is_no_jump_of_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        async with opened(path, HandClock(offset=NOON - 500.0)) as before:
            for _ in range(5):
                await granted(before)
        # Up for ten seconds, with its clocks as they should be.
        clock = HandClock(NOON + 40.0, offset=NOON + 30.0)
        async with opened(path, clock) as after:
            assert await how_many(after) == 0
            clock.goes_on(22.0)
            assert await how_many(after) == 5

    run(story)


def test_process_that_starts_after_a_jump_nobody_noticed_yet_moves_the_record(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        async with opened(path) as before:
            for _ in range(5):
                await granted(before)
            clock = HandClock(NOON + 3_600.0, offset=3_600.0)
            async with opened(path, clock) as after:
                assert await how_many(after) == 0
                clock.goes_on(62.0)
                assert await how_many(after) == 5

    run(story)


def test_entry_asked_for_before_a_jump_is_recorded_as_of_after_it(place: Path | None) -> None:
    async def story() -> None:
        clock = HandClock()
        async with opened(place, clock) as ledger:
            reservation = await granted(ledger, TOKENS)
            ledger.record_soon(settled(reservation, TOKENS))
            clock.set_to(NOON + 3_600.0)
            ledger.catch_up()

            assert ledger.book.used("a", "minute", clock.now())[:2] == (1, 100)

    run(story)


def test_calls_of_a_process_that_died_are_presumed_used_by_who_lives_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        clock = HandClock()
        dead = Ledger(SqliteJournal(path), clock)
        await dead.renew()
        reservation = await granted(dead, TOKENS)
        clock.goes_on(LEASE_S + 1.0)

        async with opened(path, clock) as ledger:
            assert used(ledger, TOKENS, clock.now()) == (1, 100)
            assert not ledger.book.open

            await dead.record(settled(reservation, TOKENS, usage=Usage(requests=1, input_tokens=7)))
            await ledger.renew()
            assert used(ledger, TOKENS, clock.now()) == (1, 7)
        dead._journal.close()

    run(story)


def test_log_that_grows_large_is_emptied_beside_the_event_loop(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        async with opened(path) as ledger:
            log = path.with_name("ledger.db-wal")
            while log.stat().st_size <= LOG_BYTES:
                await ledger.record(*[Pinned(f"{n}{'x' * 4_000}", None) for n in range(100)])

            await eventually(lambda: log.stat().st_size == 0)
            await granted(ledger)

    run(story)


def test_accounts_are_known_of_those_who_live_and_serve(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        async with opened(path) as other:
            async with opened(path) as one:
                await one.serve({"a": "key", "b": None})
                await one.renew()
                await other.serve({"a": None, "c": None})
                both = other.book.served_accounts()
            await other.record()
            alone = other.book.served_accounts()
            await other.serve({})

            assert both == {"a": "key", "b": None, "c": None}
            assert alone == {"a": None, "c": None}
            assert other.book.served_accounts() == {}

    run(story)


def test_process_that_closes_leaves_nothing_in_flight(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def story() -> None:
        async with opened(path) as one:
            await granted(one, TOKENS)
        async with opened(path) as other:
            assert not other.book.open
            assert list(other.book.alive) == [other.process]
            assert used(other, TOKENS) == (1, 100)

    run(story)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)

TestClocks = Clocks.TestCase
TestClocks.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_fault_in_what_nobody_waits_for_is_told_to_the_loop_and_spoils_no_other(
    place: Path | None,
) -> None:
    nowhere = Calendar(unit=CalendarUnit.DAY, zone="No/Where")

    async def story() -> None:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        async with opened(place) as ledger:
            ledger.record_soon(Tracked("profile:a", nowhere, Metric.REQUESTS, 5, NOON))
            found = await ledger.reserve([candidate()])

            assert isinstance(found, Granted)
            assert isinstance(told[0]["exception"], KeyError)  # the zone's own error

    run(story)
