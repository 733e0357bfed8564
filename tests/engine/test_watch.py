"""Status changes and reached limits are told, once each, whoever brought them about."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from spillover.events import LimitReached, ProfileStatus
from tests.engine.staging import HELLO, document, opened, plays, staged
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.staging import Client


def changes(client: Client) -> list[tuple[str, str, str, str | None]]:
    return [(e.profile, e.source, e.to, e.reason) for e in client.events(ProfileStatus)]


@plays
async def test_a_profile_that_cools_down_and_recovers_by_time_is_told_of_twice() -> None:
    chain = {"cooldown": {"overloaded": {"fixed": "200ms"}}}

    async with staged("generic", "generic", chain=chain) as stage:
        stage.first.script("overloaded")
        await stage.ask()
        await eventually(lambda: len(changes(stage)) == 2)

        assert changes(stage) == [
            ("p0", "active", "cooldown", "overloaded"),
            ("p0", "cooldown", "active", None),
        ]
        down, up = stage.events(ProfileStatus)
        assert down.until is not None
        assert down.until <= up.at < down.until + 0.2


@plays
async def test_what_users_do_by_hand_is_told_at_once() -> None:
    async with staged("generic") as stage:
        await stage.engine.set_disabled("p0", disabled=True)
        await stage.engine.set_disabled("p0", disabled=True)
        await stage.engine.set_disabled("p0", disabled=False)

        assert changes(stage) == [
            ("p0", "active", "disabled", "by_hand"),
            ("p0", "disabled", "active", None),
        ]


@plays
async def test_what_another_process_does_is_told_too(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"

    async with staged("generic", ledger=ledger) as stage:
        async with opened(document([stage.first.base_url]), ledger) as other:
            await other.engine.set_disabled("p0", disabled=True)

        await eventually(lambda: changes(stage))

        assert changes(stage) == [("p0", "active", "disabled", "by_hand")]


@plays
async def test_a_reached_limit_is_told_once_until_it_frees() -> None:
    window = [{"requests": 2, "per": "1s"}]

    async with staged("generic", "generic", profiles={"p0": {"limits": window}}) as stage:
        await stage.ask_all(6)
        told = len(stage.events(LimitReached))
        until = stage.events(LimitReached)[0].available_at
        assert until is not None
        await asyncio.sleep(max(0.0, until - stage.engine.clock.now()))
        await stage.ask_all(4)

        first, second = stage.events(LimitReached)
        assert told == 1
        assert (first.profile, first.limit, first.amount) == ("p0", "requests_per_second", 2)
        assert second.at >= until
        assert ("p0", "active", "exhausted", "limit") in changes(stage)


@plays
async def test_a_limit_reached_again_after_clearing_is_told_again() -> None:
    async with staged(
        "generic", "generic", profiles={"p0": {"limits": {"requests_per_day": 1}}}
    ) as stage:
        for _ in range(2):
            await stage.ask_all(3)
            await stage.engine.clear_usage("p0")

        assert len(stage.events(LimitReached)) == 2


@plays
async def test_a_credit_that_is_spent_is_told_once_and_for_good(tmp_path: Path) -> None:
    profiles = {"p0": {"limits": {"requests_per_lifetime": 2}}}
    ledger = tmp_path / "ledger.db"

    async with staged("generic", "generic", ledger=ledger, profiles=profiles) as stage:
        trails = [(await stage.ask()).trail for _ in range(4)]

        (told,) = stage.events(LimitReached)
        assert trails == ["p0:ok", "p0:ok", "p1:ok", "p1:ok"]
        assert (told.limit, told.amount, told.available_at) == ("requests_per_lifetime", 2, None)
        stands = stage.status("p0")
        assert (stands["status"], stands["reason"], stands["until"]) == ("exhausted", "limit", None)
        assert stands["limits"][0]["window"] == "lifetime"

        await stage.engine.clear_usage("p0")

        assert (await stage.ask()).trail == "p0:ok"


@plays
async def test_one_call_too_large_for_a_limit_has_not_reached_it() -> None:
    limits = {"p0": {"limits": {"tokens_per_hour": 500}}}
    large: dict[str, Any] = {**HELLO, "messages": [{"role": "user", "content": "x" * 4_000}]}

    async with staged("generic", "generic", profiles=limits) as stage:
        got = await stage.ask(large)

        assert got.trail == "p1:ok"
        assert stage.events(LimitReached) == []
        assert stage.status("p0")["status"] == "active"
