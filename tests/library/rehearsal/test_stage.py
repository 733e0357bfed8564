"""The stage has the user's chain, and nothing of the user's keys and addresses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spillover.config.addresses import is_loopback
from spillover.core.values import Tier
from spillover.library.rehearsal.stage import SMALL, STALL_S, Time, staged
from tests.library.rehearsal.staging import REAL, configured

if TYPE_CHECKING:
    from pathlib import Path


def test_no_key_and_no_address_of_the_users_is_on_the_stage(tmp_path: Path) -> None:
    loaded, routing = configured()

    async def run() -> None:
        async with staged(loaded, routing, "default", tmp_path) as stage:
            played = stage.engine.routing
            for far in played.endpoints.values():
                assert is_loopback(far.base_url)
                assert REAL not in str(far.headers())
            assert list(played.profiles) == list(routing.profiles)[:-1]
            assert played.profiles["claude"].tier is Tier.PAID
            assert played.chains["default"].time_limits.stall_s == STALL_S
            assert (tmp_path / "ledger.db").exists()

            served = dict.fromkeys(played.profiles, 0)
            for name in served:
                assert stage.sends_to(name) == 0
            whole = await stage.ask()
            streamed = await stage.ask(stream=True)

        assert (whole.status, whole.whole, whole.profile) == (200, True, "groq")
        assert (streamed.whole, streamed.told) == (True, False)

    asyncio.run(run())


def test_limits_are_made_small_where_they_are_to_be_spent(tmp_path: Path) -> None:
    loaded, routing = configured()

    async def run() -> None:
        async with staged(loaded, routing, "default", tmp_path, small=True) as stage:
            played = stage.engine.routing.profiles
            amounts = {
                limit.amount for limit in played["groq"].limits if limit.metric == "requests"
            }
            assert amounts == {SMALL}
            assert [limit.amount for limit in played["glm"].limits] == [SMALL]

    asyncio.run(run())


def test_a_chain_that_nobody_wrote_is_played_too(tmp_path: Path) -> None:
    loaded, routing = configured()
    config = loaded.config.model_copy(update={"chains": {}})

    async def run() -> None:
        from msgspec.structs import replace

        async with staged(replace(loaded, config=config), routing, "default", tmp_path) as stage:
            assert stage.next_profile() == "groq"
            assert stage.provider("groq").spec.flavour == "groq"
            assert stage.provider("gemini").spec.flavour == "gemini-native"

    asyncio.run(run())


def test_an_error_of_ours_is_told_by_its_code(tmp_path: Path) -> None:
    loaded, routing = configured(["groq"])

    async def run() -> None:
        async with staged(loaded, routing, "default", tmp_path) as stage:
            stage.provider("groq").script("rate_limited")
            refused = await stage.ask()
            assert (refused.status, refused.whole, refused.code) == (429, False, "all_exhausted")
            assert refused.trail == (("groq", "rate_limited"),)
            assert refused.retry_after is not None

    asyncio.run(run())


def test_time_passes_when_it_is_told_to() -> None:
    time = Time()
    before, by_clock = time.now(), time.clock.now()

    time.pass_(3_600)

    assert 3_600 <= time.now() - before < 3_700
    assert 3_600 <= time.clock.now() - by_clock < 3_700
