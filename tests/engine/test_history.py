"""Requests are counted as they end, and everyone who shares the ledger's file adds up."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from spillover.config.routing import Routing
from spillover.core.history import (
    COST,
    ERRORS,
    FALLBACKS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    REQUESTS,
    SAVED,
    UNSERVED,
    Counts,
    Grain,
    nothing,
)
from spillover.engine.history import FELL_MOST, History
from spillover.events import RequestFallback
from spillover.ledger.history import HistoryStore
from spillover.ledger.sqlite import SqliteJournal
from tests import own_time
from tests.core.making import NOON
from tests.engine.staging import Client, document, opened, plays, staged
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PRICED = {"tier": "paid", "price": {"input": 1.0, "output": 10.0}}


def fell(number: int = 0) -> RequestFallback:
    return RequestFallback(
        at=NOON, request_id=f"r{number}", chain="c", source="a", to="b", cause="limit"
    )


def routing() -> Routing:
    return Routing(profiles={}, chains={}, endpoints={}, alone={})


async def counted(client: Client, grain: Grain = Grain.MINUTE) -> dict[tuple[str, str], Counts]:
    """What all have counted, by chain and profile."""
    found: dict[tuple[str, str], Counts] = {}
    for key, counts in await client.engine.history.sums(grain, 0.0, step_s=60):
        sums = found.setdefault((key.chain, key.profile), nothing())
        for metric, count in enumerate(counts):
            sums[metric] += count
    return found


@plays
async def test_a_request_is_counted_where_it_was_answered_and_its_failed_sends_where_they_failed() -> (
    None
):
    async with staged("generic", "generic", profiles={"p1": PRICED}) as stage:
        stage.first.script("overloaded")
        answer = await stage.ask()
        await stage.stream({"model": "p0", "messages": [{"role": "user", "content": "hi"}]})

        found = await counted(stage)

    usage = answer.json["usage"]
    failed, served = found["default", "p0"], found["default", "p1"]
    assert (failed[REQUESTS], failed[ERRORS], failed[FALLBACKS]) == (0, 1, 1)
    assert (served[REQUESTS], served[ERRORS], served[UNSERVED]) == (1, 0, 0)
    assert served[INPUT_TOKENS] == usage["prompt_tokens"]
    assert served[OUTPUT_TOKENS] == usage["completion_tokens"]
    assert served[COST] == usage["prompt_tokens"] * 1_000 + usage["completion_tokens"] * 10_000
    assert served[SAVED] == 0
    assert found["p0", ""][UNSERVED] == 1, "its cooldown keeps it from serving alone too"


@plays
async def test_every_grain_counts_the_same() -> None:
    async with staged("generic") as stage:
        await stage.ask_all(3)

        sums = [await counted(stage, grain) for grain in Grain]

    assert sums[0]["default", "p0"][REQUESTS] == 3
    assert sums[0] == sums[1] == sums[2]


@plays
async def test_what_a_free_profile_answers_is_saved_at_the_paid_ones_price() -> None:
    async with staged("generic", "generic", profiles={"p1": PRICED}) as stage:
        usage = (await stage.ask()).json["usage"]

        found = (await counted(stage))["default", "p0"]

    assert found[SAVED] == usage["prompt_tokens"] * 1_000 + usage["completion_tokens"] * 10_000
    assert found[COST] == 0


@plays
async def test_history_outlives_its_process_and_is_shared(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    async with staged("generic", ledger=ledger) as stage:
        await stage.ask()
        await stage.engine.history.flush()
        async with opened(document([stage.first.base_url]), ledger) as other:
            await other.ask()
            both = await counted(other)
        async with opened(document([stage.first.base_url]), ledger) as later:
            afterwards = await counted(later)

    assert both["default", "p0"][REQUESTS] == 2
    assert afterwards == both


@plays
async def test_history_is_written_now_and_then_without_being_asked_for() -> None:
    store = HistoryStore(None)
    history = History(store, own_time.clock(), routing, every_s=0.01)
    history.start()
    history.fell(fell())

    await eventually(lambda: store.sums(Grain.MINUTE, 0.0, step_s=60))
    history.fell(fell())
    await history.close()


@plays
async def test_what_storage_can_not_take_waits_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ledger.db"
    history = History(HistoryStore(path), own_time.clock(), routing)
    history.fell(fell(1))

    with caplog.at_level(logging.WARNING):
        await history.flush()
        history.fell(fell(2))
        waiting = await history.sums(Grain.HOUR, 0.0, step_s=60)
        none = await history.fallbacks(since=0.0, before=None, limit=9, wanted={})
    SqliteJournal(path).close()
    written = await history.fallbacks(since=0.0, before=None, limit=9, wanted={})

    assert [counts[FALLBACKS] for _, counts in waiting] == [2]
    assert none == []
    assert [each.fallback.request_id for each in written] == ["r2", "r1"]
    assert len(caplog.records) == 1
    assert [c[FALLBACKS] for _, c in HistoryStore(path).sums(Grain.DAY, 0.0, step_s=60)] == [2]


@plays
async def test_what_waits_is_found_by_chain_profile_and_time_like_what_is_written(
    tmp_path: Path,
) -> None:
    history = History(HistoryStore(tmp_path / "no.db"), own_time.clock(), routing)
    history.fell(fell())

    found = [
        len(await history.sums(Grain.MINUTE, since, step_s=60, chain=chain, profile=profile))
        for since, chain, profile in (
            (0.0, None, None),
            (0.0, "c", "a"),
            (0.0, "d", None),
            (0.0, None, "b"),
            (NOON + 60, None, None),
        )
    ]

    assert found == [1, 1, 0, 0, 0]


@plays
async def test_of_a_storm_of_fallbacks_the_latest_are_kept_and_all_are_counted() -> None:
    history = History(HistoryStore(None), own_time.clock(), routing)
    for number in range(FELL_MOST + 10):
        history.fell(fell(number))

    kept = await history.fallbacks(since=0.0, before=None, limit=FELL_MOST * 2, wanted={})

    assert len(kept) == FELL_MOST
    assert kept[0].fallback.request_id == f"r{FELL_MOST + 9}"
    assert [c[FALLBACKS] for _, c in await history.sums(Grain.DAY, 0.0, step_s=60)] == [
        FELL_MOST + 10
    ]
    await history.close()


@plays
async def test_who_leaves_while_it_is_written_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    SqliteJournal(path).close()
    history = History(HistoryStore(path), own_time.clock(), routing)
    for _ in range(5):
        history.fell(fell())
        asking = asyncio.create_task(history.flush())
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    assert [c[FALLBACKS] for _, c in await history.sums(Grain.DAY, 0.0, step_s=60)] == [5]


@plays
async def test_an_engine_that_only_looks_writes_nothing_by_itself(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    async with opened(document(["http://127.0.0.1:9/v1"]), ledger, serves=False) as looking:
        assert await looking.engine.history.sums(Grain.DAY, 0.0, step_s=60) == []
