"""What would serve, and why the others would not: the same answer that serving then gives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from spillover.core.values import Operation, RoutingPolicy
from tests.engine.staging import HELLO, plays, staged

SMALL = {**HELLO, "max_tokens": 10}


@plays
async def test_nothing_is_sent_and_nothing_counted() -> None:
    async with staged("generic", "generic", profiles={"p1": {"tier": "paid"}}) as stage:
        found = stage.engine.explain(stage.call(SMALL))

        assert found["serves"] == "p0"
        assert found["chain"] == "default"
        assert found["skipped"] == []
        assert [each["profile"] for each in found["candidates"]] == ["p0", "p1"]
        assert found["estimate"] == {
            "input_tokens": 5,
            "output_tokens": 10,
            "tokens": 15,
            "cost_usd": 0.0,
        }
        assert (stage.sent_to(0), stage.used("p0"), stage.engine.in_flight) == (0, (0, 0, 0), 0)


@plays
async def test_every_reason_is_told_with_when_it_ends() -> None:
    profiles = {
        "p0": {"limits": {"requests_per_hour": 1}},
        "p1": {"limits": {"tokens_per_hour": 8}},
        "p4": {"tier": "paid"},
    }
    chain = {"spend_gate": {"on_quota": "ask", "on_outage": "ask"}}

    async with staged(
        "generic", "generic", "generic", "generic", "generic", profiles=profiles, chain=chain
    ) as stage:
        await stage.ask(SMALL)
        stage.providers[2].script("overloaded")
        await stage.ask(SMALL)
        await stage.engine.set_disabled("p3", disabled=True)

        found = stage.engine.explain(stage.call(SMALL))

        assert found["serves"] is None
        assert found["estimate"] is None
        skipped = {each["profile"]: each for each in found["skipped"]}
        assert {name: each["reason"] for name, each in skipped.items()} == {
            "p0": "limit",
            "p1": "limit",
            "p2": "cooldown",
            "p3": "disabled",
            "p4": "spend_gate",
        }
        assert skipped["p0"]["evidence"] is None
        evidence = skipped["p2"]["evidence"]
        assert evidence["reason"] == "overloaded"
        assert (evidence["source"], evidence["confidence"]) == ("default", "guessed")
        assert evidence["until"] == evidence["probe_at"] == skipped["p2"]["available_at"]
        assert skipped["p0"]["detail"] == "requests_per_hour"
        assert (skipped["p1"]["never"], skipped["p1"]["available_at"]) == (True, None)
        assert found["available_at"] == skipped["p2"]["available_at"]
        refused = await stage.ask(SMALL)
        told = found["refusal"]
        assert (
            (told["status"], told["code"]) == (refused.status, refused.code) == (503, "all_failed")
        )
        assert told["remedies"][0].startswith("x-spillover-spend: yes lets 'p4' answer")
        assert all(remedy in refused.json["error"]["message"] for remedy in told["remedies"])
        assert [each["reason"] for each in refused.json["error"]["profiles"]] == [
            each["reason"] for each in found["skipped"]
        ]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"spend": True},
        {"policy": RoutingPolicy.BYOK_PAID},
        {"session": "s"},
        {"body": {**HELLO, "model": "p1"}},
        {"body": {**SMALL, "model": "turns"}},
    ],
)
@plays
async def test_what_is_explained_is_what_serves(how: dict[str, Any]) -> None:
    profiles = {"p0": {"limits": {"requests_per_day": 2}}, "p2": {"tier": "paid"}}
    chain = {"spend_gate": {"on_quota": "ask"}, "profiles": ["p0", "p2", "p1"]}
    chains = {"turns": {"profiles": ["p1", "p0"], "strategy": "round_robin"}}

    async with staged(
        "generic", "generic", "generic", profiles=profiles, chain=chain, chains=chains
    ) as stage:
        for _ in range(4):
            explained = stage.engine.explain(stage.call(how.get("body"), **_without_body(how)))
            got = await stage.ask(how.get("body"), **_without_body(how))

            assert got.profile == explained["serves"]


def _without_body(how: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in how.items() if name != "body"}


@plays
async def test_vectors_of_another_space_are_explained_as_such() -> None:
    async with staged("generic", "generic") as stage:
        call = stage.call({"model": "default", "input": "a"}, operation=Operation.EMBEDDINGS)

        found = stage.engine.explain(call)

        assert found["serves"] == "p0"
        assert [each["reason"] for each in found["skipped"]] == ["lacks_capability"]


@plays
async def test_wait_that_serving_would_begin_with_is_told() -> None:
    profiles = {"p0": {"limits": [{"requests": 1, "per": "20s"}]}}
    for chain, serves in (
        ({"patience": "30s"}, "p1"),
        ({"profiles": ["p0"], "when_exhausted": {"wait": "30s"}}, None),
    ):
        async with staged("generic", "generic", profiles=profiles, chain=chain) as stage:
            before = stage.engine.explain(stage.call(SMALL))
            await stage.ask(SMALL)

            found = stage.engine.explain(stage.call(SMALL))

            assert before["waits_until"] is None
            assert found["waits_until"] == found["skipped"][0]["available_at"]
            assert (found["serves"], found["refusal"]) == (serves, None)


@plays
async def test_room_that_others_wait_for_is_not_promised() -> None:
    profiles = {"p0": {"limits": {"concurrency": 1}}}
    chain = {"when_exhausted": {"wait": "30s"}}
    async with staged("generic", profiles=profiles, chain=chain) as stage:
        line = stage.engine._world.line
        waiting = asyncio.create_task(line.wait(line.join(), frozenset({"p0"}), 60.0))
        await asyncio.sleep(0)

        found = stage.engine.explain(stage.call(SMALL))
        waiting.cancel()

        assert found["serves"] is None
        assert found["skipped"][0]["detail"] == "others wait for it in line"
