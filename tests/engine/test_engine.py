"""The engine's door: limits under load, order of service, verbs by hand, reloads, shared ledgers."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from spillover.catalogue import load
from spillover.config.loader import load_document
from spillover.config.overrides import Own
from spillover.core.values import RoutingPolicy
from spillover.engine import Engine
from spillover.errors import UnknownModel, UnknownName
from spillover.events import RequestDone
from spillover.simulator import Fault, ProviderSpec, SimulatedProvider, limits, simulate
from tests.engine.staging import HELLO, Client, document, opened, plays, read, staged
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

STREAM = {**HELLO, "stream": True}


def limited(**written: Any) -> dict[str, Any]:
    """Return the settings of a first profile with limits."""
    return {"p0": {"limits": written}}


# Limits under load.


@pytest.mark.parametrize("durable", [True, False])
@plays
async def test_of_fifty_parallel_requests_exactly_ten_reach_a_profile_limited_to_ten(
    tmp_path: Path, *, durable: bool
) -> None:
    spec = ProviderSpec(limits=limits("requests=10/minute"))
    ledger = tmp_path / "ledger.db" if durable else None

    async with staged(
        spec, "generic", profiles=limited(requests_per_minute=10), ledger=ledger
    ) as stage:
        answers = await stage.ask_all(50)

        assert {got.status for got in answers} == {200}
        assert (stage.sent_to(0), stage.sent_to(1)) == (10, 40)
        assert stage.first.counters().refused == 0
        assert stage.settled


@plays
async def test_no_more_calls_are_in_flight_than_a_profile_allows() -> None:
    spec = ProviderSpec(delay_s=0.05)

    async with staged(spec, "generic", profiles=limited(concurrency=3)) as stage:
        answers = await stage.ask_all(12)

        assert {got.status for got in answers} == {200}
        assert stage.first.counters().concurrent_peak == 3
        assert (stage.sent_to(0), stage.sent_to(1)) == (3, 9)
        assert stage.status("p0")["status"] == "active"


@plays
async def test_waiting_requests_are_served_in_the_order_they_came() -> None:
    spec = ProviderSpec(delay_s=0.02)
    chain = {"when_exhausted": {"wait": "5s"}}

    async with staged(spec, profiles=limited(concurrency=1), chain=chain) as stage:
        bodies = [
            {**HELLO, "messages": [{"role": "user", "content": f"number {n}"}]} for n in range(8)
        ]
        answers = await asyncio.gather(*(stage.ask(body) for body in bodies))

        assert {got.status for got in answers} == {200}
        assert stage.first.counters().concurrent_peak == 1
        served = [record.body for record in stage.first.records]
        assert [n for body in served for n in range(8) if b"number %d" % n in body] == [*range(8)]


@plays
async def test_requests_that_wait_in_two_chains_do_not_wake_each_other_for_ever() -> None:
    chains = {name: {"profiles": ["p0"], "when_exhausted": {"wait": "2s"}} for name in ("a", "b")}

    async with staged(
        ProviderSpec(delay_s=0.2), profiles=limited(concurrency=1), chains=chains
    ) as stage:
        changes: list[int] = []
        tasks = [asyncio.create_task(stage.ask())]
        await eventually(lambda: stage.sent_to(0) == 1)
        for name in ("a", "b"):
            tasks.append(asyncio.create_task(stage.ask({**HELLO, "model": name})))
            await asyncio.sleep(0.02)
        stage.engine.ledger.on_change(lambda: changes.append(1))

        answers = await asyncio.gather(*tasks)

        assert {got.status for got in answers} == {200}
        steps = len(changes)
        assert steps < 40


@plays
async def test_a_chain_that_waits_gives_up_when_its_time_is_over() -> None:
    chain = {"when_exhausted": {"wait": "150ms"}}

    async with staged(
        ProviderSpec(delay_s=0.4), profiles=limited(concurrency=1), chain=chain
    ) as stage:
        serving = asyncio.create_task(stage.ask())
        await eventually(lambda: stage.sent_to(0) == 1)

        refused = await stage.ask()

        assert (refused.status, refused.code) == (429, "all_exhausted")
        assert (await serving).status == 200


@plays
async def test_patience_waits_for_a_preferred_profile_that_is_back_soon() -> None:
    profiles = {"p0": {"limits": [{"requests": 1, "per": "1s"}]}}

    async with staged(
        "generic", "generic", profiles=profiles, chain={"patience": "1500ms"}
    ) as stage:
        answers = [await stage.ask(), await stage.ask()]

        assert [got.trail for got in answers] == ["p0:ok", "p0:ok"]
        assert stage.sent_to(1) == 0


# Order of service.


@plays
async def test_a_sticky_chain_stays_with_the_last_that_worked_over_a_restart_too(
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "ledger.db"
    chain = {"failback": "sticky", "cooldown": {"overloaded": {"fixed": "200ms"}}}

    async with staged("generic", "generic", chain=chain, ledger=ledger) as stage:
        stage.first.script("overloaded")
        fell_back = await stage.ask()
        await eventually(lambda: stage.status("p0")["status"] == "active")
        stayed = await stage.ask()
        urls = [provider.base_url for provider in stage.providers]
        async with opened(document(urls, chain=chain), ledger) as other:
            restarted = await other.ask()
        stage.second.script("overloaded")
        left = await stage.ask()

        assert fell_back.trail == "p0:overloaded,p1:ok"
        assert (stayed.trail, restarted.trail) == ("p1:ok", "p1:ok")
        assert left.trail == "p1:overloaded,p0:ok"


@plays
async def test_a_chain_goes_back_after_quiet_time() -> None:
    chain = {"failback": {"after": "500ms"}, "cooldown": {"overloaded": {"fixed": "100ms"}}}

    async with staged("generic", "generic", chain=chain) as stage:
        stage.first.script("overloaded")
        await stage.ask()
        await eventually(lambda: stage.status("p0")["status"] == "active")

        soon = await stage.ask()
        await asyncio.sleep(0.5)
        later = await stage.ask()

        assert (soon.trail, later.trail) == ("p1:ok", "p0:ok")


@plays
async def test_a_session_stays_with_the_profile_that_served_it() -> None:
    async with staged("generic", "generic", "generic", chain={"strategy": "round_robin"}) as stage:
        first = await stage.ask(session="s1")
        others = [await stage.ask() for _ in range(2)]
        again = await stage.ask(session="s1")

        assert first.profile == again.profile == "p0"
        assert [got.profile for got in others] == ["p1", "p2"]


@plays
async def test_a_pinned_profile_goes_first_or_alone() -> None:
    async with staged("generic", "generic") as stage:
        await stage.engine.pin("default", "p1")
        pinned = await stage.ask()
        stage.second.script("overloaded", times=2)
        spilled = await stage.ask()
        await stage.engine.clear_cooldown("p1")
        await stage.engine.pin("default", "p1", strict=True)
        strict = await stage.ask()
        await stage.engine.pin("default", None)
        unpinned = await stage.ask()

        assert pinned.trail == "p1:ok"
        assert spilled.trail == "p1:overloaded,p0:ok"
        assert (strict.status, strict.trail) == (503, "p1:overloaded")
        assert unpinned.trail == "p0:ok"


@plays
async def test_a_request_may_narrow_the_policy_and_must_name_what_exists() -> None:
    async with staged("generic", "generic", profiles={"p1": {"tier": "paid"}}) as stage:
        paid = await stage.ask(policy=RoutingPolicy.BYOK_PAID)
        alone = await stage.ask({**HELLO, "model": "p1"})
        none = await stage.ask(policy=RoutingPolicy.LOCAL_ONLY)

        assert (paid.profile, alone.profile) == ("p1", "p1")
        assert (none.status, none.code) == (403, "policy_abstained")
        with pytest.raises(UnknownModel, match="did you mean 'default'"):
            await stage.ask({**HELLO, "model": "defualt"})
        assert stage.settled


# By hand.


@plays
async def test_disabling_enabling_and_clearing_take_effect_at_once() -> None:
    async with staged("generic", "generic", profiles=limited(requests_per_day=1)) as stage:
        engine = stage.engine
        trails = [(await stage.ask()).trail for _ in range(2)]
        await engine.clear_usage("p0")
        trails.append((await stage.ask()).trail)
        await engine.clear_usage(None)
        await engine.set_disabled("p0", disabled=True)
        trails.append((await stage.ask()).trail)
        await engine.set_disabled("p0", disabled=False)
        stage.first.script("unauthorized")
        trails.append((await stage.ask()).trail)
        await engine.clear_usage(None)
        failed = stage.status("p0")["status"]
        await engine.set_disabled("p0", disabled=False)
        trails.append((await stage.ask()).trail)

        assert trails == ["p0:ok", "p1:ok", "p0:ok", "p1:ok", "p0:auth_invalid,p1:ok", "p0:ok"]
        assert failed == "failed", "clearing usage does not mend a key"


@plays
async def test_verbs_refuse_names_that_do_not_exist() -> None:
    async with staged("generic") as stage:
        engine = stage.engine

        for verb in (
            engine.clear_usage("p9"),
            engine.set_disabled("p9", disabled=True),
            engine.clear_cooldown("p9"),
            engine.pin("defalt", "p0"),
            engine.pin("default", "p9"),
        ):
            with pytest.raises(UnknownName) as refused:
                await verb
            assert refused.value.status == 404


# Reloading.


@plays
async def test_a_changed_key_ends_failed_and_nothing_else_does() -> None:
    async with staged(ProviderSpec(keys=frozenset({"good-key-0123456789"})), "generic") as stage:
        urls = [provider.base_url for provider in stage.providers]
        same = load_document(document(urls), environ={})
        mended = document(urls, profiles={"p0": {"api_key": "good-key-0123456789"}})

        refused = await stage.ask()
        await stage.engine.reload(same)
        still = stage.status("p0")["status"]
        await stage.engine.reload(load_document(mended, environ={}))
        served = await stage.ask()

        assert refused.trail == "p0:auth_invalid,p1:ok"
        assert still == "failed"
        assert served.trail == "p0:ok"


@plays
async def test_the_catalogue_is_that_of_the_configuration_in_force() -> None:
    async with staged("generic") as stage:
        written = document([provider.base_url for provider in stage.providers])
        packaged = load()
        more = packaged.changed({"acme": packaged.providers["groq"]}, {}, by="mine")

        before = "acme" in stage.engine.catalogue.providers
        own = Own(catalogue=more, files=())
        await stage.engine.reload(load_document(written, environ={}, own=own))

        assert not before
        assert "acme" in stage.engine.catalogue.providers


@plays
async def test_requests_under_way_end_with_the_configuration_they_began_with() -> None:
    async with staged("generic", "generic", "generic") as stage:
        urls = [provider.base_url for provider in stage.providers]
        stage.first.script(Fault(delay_s=0.2, status=503, body="busy"))
        task = asyncio.create_task(stage.ask())
        await eventually(lambda: stage.sent_to(0) == 1)
        written = document([urls[2]], profiles={"p0": {"api_key": "sk-another-key-123456"}})

        await stage.engine.reload(load_document(written, environ={}))
        after = await stage.ask()
        before = await task

        assert before.trail == "p0:overloaded,p1:ok"
        assert after.trail == "p0:ok"
        assert [record.key for record in stage.second.records] == ["sk-key-of-1-0123456789"]
        assert [record.key for record in stage.providers[2].records] == ["sk-another-key-123456"]


# Closing.


@plays
async def test_closing_lets_requests_end() -> None:
    async with staged(ProviderSpec(delay_s=0.15)) as stage:
        task = asyncio.create_task(stage.ask())
        await eventually(lambda: stage.sent_to(0) == 1)

        await stage.engine.close(grace_s=5.0)

        assert (await task).status == 200


@plays
async def test_closing_ends_what_does_not_end_and_settles_it(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"

    async with staged("generic", "generic", ledger=ledger) as stage:
        stage.first.script("silence")
        stage.first.script("stall")
        urls = [provider.base_url for provider in stage.providers]
        waiting = asyncio.create_task(stage.ask())
        await eventually(lambda: stage.sent_to(0) == 1)
        answered = await stage.engine.answer(stage.call(STREAM))
        reading = asyncio.create_task(read(answered))

        await stage.engine.close(grace_s=0.05)

        cut = await reading
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert cut.documents[-1]["error"]["code"] == "stream_interrupted"
        assert not cut.is_whole
        assert stage.settled
        async with opened(document(urls), ledger) as next_one:
            assert next_one.used("p0")[0] == 2
            assert not next_one.engine.ledger.book.open


# One ledger, several engines.


@asynccontextmanager
async def sharing(
    ledger: Path, **how: Any
) -> AsyncIterator[tuple[Client, Client, list[SimulatedProvider]]]:
    """Open two engines on one ledger and the same two providers."""
    async with AsyncExitStack() as stack:
        spec = ProviderSpec()
        providers = [await stack.enter_async_context(simulate(spec)) for _ in range(2)]
        written = document([provider.base_url for provider in providers], **how)
        one = await stack.enter_async_context(opened(written, ledger))
        two = await stack.enter_async_context(opened(written, ledger))
        yield one, two, providers


@plays
async def test_two_engines_on_one_ledger_keep_one_limit(tmp_path: Path) -> None:
    profiles = limited(requests_per_hour=10)

    async with sharing(tmp_path / "ledger.db", profiles=profiles) as (one, two, providers):
        answers = await asyncio.gather(one.ask_all(20), two.ask_all(20))

        assert {got.status for half in answers for got in half} == {200}
        assert providers[0].counters().received == 10


@plays
async def test_two_engines_on_one_ledger_see_each_others_changes_within_a_second(
    tmp_path: Path,
) -> None:
    async with sharing(tmp_path / "ledger.db") as (one, two, providers):

        async def seen(**expected: Any) -> None:
            def shows() -> bool:
                status = two.engine.status()
                shown = {
                    "p0": status["profiles"]["p0"]["status"],
                    "p1": status["profiles"]["p1"]["status"],
                    "pinned": status["chains"]["default"]["pinned"],
                }
                return expected.items() <= shown.items()

            async with asyncio.timeout(1.0):
                await eventually(shows)

        providers[0].script("overloaded")
        await one.ask()
        await seen(p0="cooldown")
        await one.engine.clear_usage(None)
        await seen(p0="active")
        await one.engine.set_disabled("p1", disabled=True)
        await seen(p1="disabled")
        await one.engine.pin("default", "p0")
        await seen(pinned="p0")
        await two.engine.set_disabled("p1", disabled=False)
        providers[0].script("quota_exhausted")
        got = await two.ask()

        assert got.trail == "p0:quota_exhausted,p1:ok"
        await eventually(lambda: one.status("p0")["status"] == "exhausted")


# Health.


@plays
async def test_health_tells_healthy_degraded_and_unhealthy_apart() -> None:
    chains = {"other": ["p1"]}

    async with staged("generic", "generic", chains=chains) as stage:
        found = [stage.engine.health()]
        await stage.engine.set_disabled("p0", disabled=True)
        found.append(stage.engine.health())
        await stage.engine.set_disabled("p0", disabled=False)
        stage.first.script("overloaded")
        await stage.ask()
        found.append(stage.engine.health())
        await stage.engine.set_disabled("p1", disabled=True)
        found.append(stage.engine.health())

        assert found[0] == {"status": "healthy"}
        assert found[1] == {"status": "healthy"}, "disabled by hand is no illness"
        assert found[2] == {"status": "degraded", "benched_profiles": ["p0"]}
        assert found[3]["status"] == "unhealthy"
        assert found[3]["chains_without_service"] == ["default", "other"]


@plays
async def test_an_engine_knows_what_is_under_way() -> None:
    async with staged(ProviderSpec(delay_s=0.1)) as stage:
        task = asyncio.create_task(stage.ask())
        await eventually(lambda: stage.engine.in_flight == 1)
        await task

        assert isinstance(stage.engine, Engine)
        assert stage.engine.in_flight == 0
        assert stage.engine.status()["chains"]["default"]["last_served"] == "p0"
        assert len(stage.events(RequestDone)) == 1
