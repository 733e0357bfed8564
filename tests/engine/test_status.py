"""How chains and profiles stand, as `/api/status` and the command line show it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from spillover.simulator import Fault, ProviderSpec
from tests.engine.staging import HELLO, plays, staged
from tests.waiting import eventually


@plays
async def test_a_served_profile_shows_its_use_its_limits_and_its_times() -> None:
    limits = [
        {"requests": 100, "per": "day", "window": "calendar"},
        {"tokens": 8_000, "per": "minute", "window": "refill"},
        {"cost": 2, "per": "month"},
        {"concurrency": 4},
    ]
    profile = {"title": "First", "limits": limits, "price": {"input": 100, "output": 200}}

    async with staged("groq", profiles={"p0": profile}) as stage:
        await stage.ask()
        await stage.stream()
        await stage.settles()

        counted = stage.first.counters()
        shown = stage.status("p0")
        cost = (counted.input_tokens * 100 + counted.output_tokens * 200) / 1e6
        assert shown["usage"]["minute"] == {
            "requests": 2,
            "tokens": counted.tokens,
            "input_tokens": counted.input_tokens,
            "output_tokens": counted.output_tokens,
            "cost_usd": cost,
            "neurons": 0,
        }
        assert (shown["title"], shown["provider"], shown["model"]) == ("First", "groq", "model-0")
        assert (shown["account"], shown["tier"]) == ("groq", "free")
        assert shown["latency_ms"]["p50"] <= shown["latency_ms"]["p95"]
        assert shown["ttft_ms"]["p50"] is not None
        assert shown["pace"]["ttft_ms"] > 0
        assert shown["pace"]["tokens_per_s"] > 0
        assert shown["health"] == {"condition": "healthy", "reliability": 1.0, "outcomes": 2}
        assert shown["last_error"] is None
        requests, tokens, money, calls = shown["limits"]
        assert (requests["used"], requests["remaining"], requests["window"]) == (2, 98, "calendar")
        assert datetime.fromisoformat(requests["resets_at"]).hour == 0
        assert (tokens["window"], tokens["per"], tokens["amount"]) == ("refill", "minute", 8_000)
        assert (money["used"], money["window"]) == (cost, "rolling")
        assert calls == {
            "metric": "concurrency",
            "amount": 4,
            "per": None,
            "window": None,
            "scope": "profile",
            "used": 0,
            "reserved": 0,
            "remaining": 4,
            "resets_at": None,
            "source": "config",
            "provider_remaining": None,
            "provider_resets_at": None,
            "provider_limit": None,
        }


@plays
async def test_only_streams_teach_the_time_to_first_content() -> None:
    async with staged("generic") as stage:
        await stage.ask()

        shown = stage.status("p0")
        assert shown["latency_ms"]["p50"] is not None
        assert shown["ttft_ms"] == {"p50": None, "p95": None}


@plays
async def test_outcomes_of_real_traffic_show_as_health() -> None:
    async with staged("generic", "generic", chain={"cooldown": "1s"}) as stage:
        fresh = stage.status("p0")
        await stage.ask()
        stage.first.script(Fault(status=503))
        await stage.ask()
        degraded, other = stage.status("p0"), stage.status("p1")

    assert fresh["pace"] == {"ttft_ms": None, "tokens_per_s": None}
    assert fresh["health"] == {"condition": "healthy", "reliability": None, "outcomes": 0}
    assert degraded["health"] == {"condition": "degraded", "reliability": 0.5, "outcomes": 2}
    assert other["health"]["condition"] == "healthy"


@plays
async def test_the_strongest_status_shows() -> None:
    limits = {"p0": {"limits": {"requests_per_day": 2}}}

    async with staged("generic", "generic", profiles=limits) as stage:
        seen: list[tuple[Any, ...]] = []

        def look() -> None:
            shown = stage.status("p0")
            seen.append((shown["status"], shown["reason"], shown["source"], shown["confidence"]))

        look()
        stage.first.script("overloaded")
        await stage.ask()
        look()
        await stage.engine.clear_cooldown("p0")
        await stage.ask()
        look()
        stage.first.script("unauthorized")
        await stage.engine.clear_usage("p0")
        await stage.ask()
        look()
        await stage.engine.set_disabled("p0", disabled=True)
        look()

        assert seen == [
            ("active", None, None, None),
            ("cooldown", "overloaded", "default", "guessed"),
            ("exhausted", "limit", "ledger", "known"),
            ("failed", "auth_invalid", "default", "guessed"),
            ("disabled", "by_hand", None, None),
        ]
        error = stage.status("p0")["last_error"]
        assert (error["class"], error["status"]) == ("auth_invalid", 401)
        assert "sk-key-of-0" not in error["message"]


@plays
async def test_a_providers_own_word_shows_with_its_source() -> None:
    async with staged("groq", "generic") as stage:
        stage.first.script("rate_limited")
        await stage.ask()

        shown = stage.status("p0")
        assert (shown["status"], shown["source"], shown["confidence"]) == (
            "cooldown",
            "header",
            "stated",
        )
        assert shown["probe_at"] is None, "a wait within the named window is waited out"


@plays
async def test_a_guess_shows_when_it_is_tested() -> None:
    week = Fault(status=429, headers={"retry-after": "604800"}, body='{"error": {"message": "no"}}')

    async with staged("generic", "generic") as stage:
        stage.first.script(week)
        await stage.ask()

        shown = stage.status("p0")
        now = stage.engine.clock.now()
        tested_in_s = datetime.fromisoformat(shown["probe_at"]).timestamp() - now
        assert 890 < tested_in_s <= 900
        assert datetime.fromisoformat(shown["until"]).timestamp() - now <= 86_400
        evidence = stage.engine.explain(stage.call())["skipped"][0]["evidence"]
        assert evidence == {name: shown[name] for name in evidence}


@plays
async def test_full_concurrency_is_no_exhaustion_but_another_serves() -> None:
    async with staged(
        ProviderSpec(delay_s=0.2), "generic", profiles={"p0": {"limits": {"concurrency": 1}}}
    ) as stage:
        task = asyncio.create_task(stage.ask())
        await eventually(lambda: stage.sent_to(0) == 1)

        shown = stage.engine.status()
        await task

        assert shown["profiles"]["p0"]["status"] == "active"
        assert shown["profiles"]["p0"]["limits"][0]["reserved"] == 1
        assert shown["chains"]["default"]["serving"] == "p1"


@plays
async def test_a_profile_that_serves_by_an_alternative_is_active() -> None:
    profiles = {"p0": {"alternatives": ["model-b"]}}

    async with staged("generic", "generic", profiles=profiles) as stage:
        stage.first.script("model_not_found")

        got = await stage.ask()

        assert got.trail == "p0:model_not_found,p0:ok"
        assert stage.last_sent()["model"] == "model-b"
        assert stage.status("p0")["status"] == "active"
        stage.first.script("model_not_found", times=None)
        await stage.ask()
        assert stage.status("p0")["status"] == "failed"


@plays
async def test_who_serves_next_is_shown_as_serving_decides_it() -> None:
    profiles = {"p0": {"limits": {"requests_per_day": 1}}, "p1": {"tier": "paid"}}
    chains = {
        "gated": {"profiles": ["p0", "p1"], "spend_gate": {"on_outage": "never"}},
        "turns": {"profiles": ["p1", "p0"], "strategy": "round_robin"},
        "pinned": ["p0", "p1"],
    }

    async with staged("generic", "generic", profiles=profiles, chains=chains) as stage:

        def serving() -> dict[str, str | None]:
            shown = stage.engine.status()["chains"]
            return {name: shown[name]["serving"] for name in chains}

        before = serving()
        await stage.engine.pin("pinned", "p1", strict=True)
        await stage.ask({**HELLO, "model": "turns"})
        pinned = serving()
        await stage.ask()
        spent = serving()
        (left_out,) = stage.engine.status()["chains"]["gated"]["skipped"]
        await stage.engine.set_disabled("p1", disabled=True)

        assert before == {"gated": "p0", "turns": "p1", "pinned": "p0"}
        assert pinned == {"gated": "p0", "turns": "p0", "pinned": "p1"}
        assert spent == {"gated": "p1", "turns": "p1", "pinned": "p1"}
        assert (left_out["profile"], left_out["reason"]) == ("p0", "limit")
        assert serving() == dict.fromkeys(chains)
        shown = stage.engine.status()["chains"]["pinned"]
        assert (shown["pinned"], shown["pinned_strictly"]) == ("p1", True)


@plays
async def test_a_profile_without_its_key_is_failed_and_the_rest_serves() -> None:
    async with staged(
        "generic", "generic", profiles={"p0": {"api_key": "${NOWHERE_TO_BE_FOUND}"}}
    ) as stage:
        got = await stage.ask()

        shown = stage.status("p0")
        assert got.trail == "p1:ok"
        assert (shown["status"], shown["reason"], shown["source"]) == (
            "failed",
            "key_missing",
            "config",
        )
