"""How much of a budget is used is told once in a window, whoever used it and whoever tells."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from spillover.config.loader import load_document
from spillover.engine import EngineOptions, open_engine
from spillover.events import BudgetReached
from spillover.simulator import ProviderSpec
from tests.engine.staging import HELLO, document, opened, plays, staged
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.staging import Client

TEN = {"p0": {"limits": {"requests_per_lifetime": 10}}}
LOOKED_S = 1.3
"""Within it every process has looked at its budgets."""


def percents(client: Client) -> list[int]:
    return [event.percent for event in client.events(BudgetReached)]


async def spend(client: Client, count: int) -> None:
    for _ in range(count):
        await client.ask()


@plays
async def test_each_threshold_is_told_once_and_several_at_once_as_the_highest() -> None:
    async with staged("generic", "generic", profiles=TEN) as stage:
        await spend(stage, 5)
        await eventually(lambda: percents(stage) == [50])
        await spend(stage, 4)
        await eventually(lambda: percents(stage) == [50, 90])
        await spend(stage, 3)
        await eventually(lambda: percents(stage) == [50, 90, 100])
        await asyncio.sleep(LOOKED_S)

        assert percents(stage) == [50, 90, 100]
        first = stage.events(BudgetReached)[0]
        assert (first.profile, first.scope, first.limit) == (
            "p0",
            "profile",
            "requests_per_lifetime",
        )
        assert (first.used, first.amount, first.until) == (5, 10, None)


@plays
async def test_money_is_told_in_dollars_and_shared_budgets_once() -> None:
    shared = {"account": "team", "base_url": None, "api_key": None, "price": {"output": 1_000}}
    async with staged(ProviderSpec(answer="word " * 600)) as stage:
        written = document([stage.first.base_url] * 2, profiles={"p0": shared, "p1": shared})
        account = {
            "base_url": stage.first.base_url,
            "api_key": "sk-key-of-0-0123456789",
            "limits": [{"cost": 1, "per": "day", "window": "calendar"}],
        }
        async with opened({**written, "accounts": {"team": account}}) as client:
            await client.ask({**HELLO, "max_tokens": 700})
            await eventually(lambda: client.events(BudgetReached))
            await asyncio.sleep(LOOKED_S)

            (told,) = client.events(BudgetReached)
            assert (told.profile, told.scope, told.percent) == ("p0", "account", 50)
            assert (told.limit, told.amount) == ("cost_per_day", 1.0)
            assert told.used == client.status("p0")["usage"]["day"]["cost_usd"] > 0.5
            assert told.until is not None


@plays
async def test_what_is_left_over_for_no_call_counts_as_spent() -> None:
    limits = {"p0": {"price": {"output": 1_000}, "limits": {"cost_per_day": 1}}}
    talks = ProviderSpec(answer="word " * 740)
    async with staged(talks, "generic", profiles=limits) as stage:
        await stage.ask({**HELLO, "max_tokens": 1_000})
        await eventually(lambda: percents(stage) == [90])

        assert (await stage.ask({**HELLO, "max_tokens": 1_000})).trail == "p1:ok"
        await eventually(lambda: percents(stage) == [90, 100])


@plays
async def test_two_processes_tell_of_a_threshold_once_and_a_restart_not_again(
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "ledger.db"
    async with staged("generic", "generic", ledger=ledger, profiles=TEN) as stage:
        written = document([provider.base_url for provider in stage.providers], profiles=TEN)
        async with opened(written, ledger) as other:
            await spend(stage, 3)
            await spend(other, 3)
            await eventually(lambda: percents(stage) + percents(other) == [50])
            await asyncio.sleep(LOOKED_S)
            both = percents(stage) + percents(other)
        async with opened(written, ledger) as anew:
            await asyncio.sleep(LOOKED_S)

            assert (both, percents(anew)) == ([50], [])


@plays
async def test_a_process_that_nobody_hears_leaves_the_telling_to_others(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    async with staged("generic", "generic") as stage:
        written = document([provider.base_url for provider in stage.providers], profiles=TEN)
        options = EngineOptions(ledger_path=ledger)
        engine = await open_engine(load_document(written, environ={}), options)
        unheard: Any = type(stage)(engine)
        await spend(unheard, 5)
        await asyncio.sleep(LOOKED_S)
        await engine.close()

        async with opened(written, ledger) as heard:
            await eventually(lambda: percents(heard) == [50])


@plays
async def test_cleared_usage_is_told_of_anew() -> None:
    async with staged("generic", "generic", profiles=TEN) as stage:
        await spend(stage, 5)
        await eventually(lambda: percents(stage) == [50])
        await stage.engine.clear_usage("p0")
        await spend(stage, 5)
        await eventually(lambda: percents(stage) == [50, 50])
        await spend(stage, 5)
        await stage.engine.clear_usage(None)

        assert stage.engine.ledger.book.alerts == {}
