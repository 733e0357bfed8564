"""Probes are real, counted completions of one token, by hand or now and then."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from spillover.core.values import FailureClass
from spillover.errors import UnknownName
from spillover.simulator import Fault, Model, ProviderSpec
from tests.engine.staging import plays, staged
from tests.waiting import eventually

OFTEN = {"p0": {"probe_every": "50ms"}}
MANY_TIMES_S = 0.4
"""Long enough for some five probes, each allowed a fifth of the interval more."""


@plays
async def test_probe_is_one_counted_completion_of_one_token() -> None:
    async with staged("generic") as stage:
        found = await stage.engine.probe("p0")
        await stage.settles()

        sent = stage.last_sent()
        assert (sent["max_tokens"], len(sent["messages"])) == (1, 1)
        assert (found["sent"], found["answered"], found["outcome"]) == (True, True, "ok")
        assert found["took_ms"] > 0
        assert stage.used("p0")[0] == stage.sent_to(0) == 1
        assert stage.status("p0")["health"]["outcomes"] == 1


@pytest.mark.parametrize(
    ("spoiled", "status", "reason"),
    [
        (Fault(status=503), "cooldown", "overloaded"),
        (Fault(status=401, body='{"error":{"message":"Incorrect API key provided"}}'), "failed",
         "auth_invalid"),
    ],
)  # fmt: skip
def test_answered_probe_ends_what_is_held_against_a_profile(
    spoiled: Fault, status: str, reason: str
) -> None:
    @plays
    async def story() -> None:
        async with staged("generic") as stage:
            stage.first.script(spoiled)
            await stage.ask()
            before = stage.status("p0")

            found = await stage.engine.probe("p0")

            assert (before["status"], before["reason"]) == (status, reason)
            assert found["answered"]
            assert stage.status("p0")["status"] == "active"

    story()


@plays
async def test_probe_that_fails_tells_how_and_is_not_repeated() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script("server_error", times=None)

        found = await stage.engine.probe("p0")

        assert (found["sent"], found["answered"]) == (True, False)
        assert found["outcome"] == FailureClass.SERVER_ERROR
        assert "p0" in found["message"]
        assert (stage.sent_to(0), stage.sent_to(1)) == (1, 0)
        assert stage.status("p0")["status"] == "cooldown"


@plays
async def test_failed_probe_rests_a_profile_as_its_chain_says() -> None:
    async with staged(
        "generic",
        "generic",
        chain={"cooldown": "1h", "profiles": ["p0"]},
        chains={"other": ["p1"]},
    ) as stage:
        for provider in stage.providers:
            provider.script(Fault(status=503))
        now = stage.engine.clock.now()
        await stage.engine.probe("p0")
        await stage.engine.probe("p1")

        rests = [datetime.fromisoformat(stage.status(p)["until"]).timestamp() for p in ("p0", "p1")]
        assert [round((at - now) / 30) for at in rests] == [120, 1]


@plays
async def test_profile_that_is_in_no_chain_may_be_probed() -> None:
    async with staged("generic", "generic", chain={"profiles": ["p0"]}) as stage:
        assert (await stage.engine.probe("p1"))["answered"]


@plays
async def test_disabled_profile_may_be_probed_and_stays_disabled() -> None:
    async with staged("generic") as stage:
        await stage.engine.set_disabled("p0", disabled=True)

        found = await stage.engine.probe("p0")

        assert found["answered"]
        assert stage.status("p0")["status"] == "disabled"


@pytest.mark.parametrize(
    ("profile", "settings", "outcome"),
    [
        ({"limits": {"requests_per_day": 0}}, {}, "limit"),
        ({"api_key": "${NO_SUCH_KEY}"}, {}, "failed"),
        ({}, {"privacy": True}, "privacy"),
        ({}, {"routing_policy": "local-only"}, "policy"),
    ],
)
def test_nothing_is_sent_against_a_limit_without_a_key_or_past_privacy(
    profile: dict[str, Any], settings: dict[str, Any], outcome: str
) -> None:
    @plays
    async def story() -> None:
        async with staged("generic", profiles={"p0": profile}, **settings) as stage:
            found = await stage.engine.probe("p0")

            assert (found["sent"], found["answered"], found["outcome"]) == (False, False, outcome)
            assert found["took_ms"] is None
            assert stage.sent_to(0) == 0

    story()


@plays
async def test_model_that_only_embeds_is_asked_for_a_vector() -> None:
    spec = ProviderSpec(models={"model-0": Model(dimensions=4)})

    async with staged(spec, profiles={"p0": {"lacks": ["chat"]}}) as stage:
        found = await stage.engine.probe("p0")

        assert found["answered"]
        assert stage.last_sent()["input"] == "ping"


@plays
async def test_bad_request_is_told_in_the_providers_words() -> None:
    async with staged("generic") as stage:
        stage.first.script(
            Fault(status=400, body='{"error":{"message":"max_tokens must be at least 16"}}')
        )

        found = await stage.engine.probe("p0")

        assert (found["outcome"], found["answered"]) == ("bad_request", False)
        assert found["message"] == "max_tokens must be at least 16"


@plays
async def test_unknown_profile_is_told_with_those_there_are() -> None:
    async with staged("generic") as stage:
        with pytest.raises(UnknownName, match="there are: p0"):
            await stage.engine.probe("nobody")


@plays
async def test_profile_is_probed_now_and_then_where_its_configuration_says_so() -> None:
    async with staged("generic", "generic", profiles=OFTEN) as stage:
        stage.engine.run_probes()
        stage.engine.run_probes()

        await eventually(lambda: stage.sent_to(0) >= 3)

        assert stage.sent_to(1) == 0
        assert stage.status("p0")["health"]["condition"] == "healthy"


@plays
async def test_nobody_is_probed_unless_somebody_asked_for_it() -> None:
    async with staged("generic") as stage:
        stage.engine.run_probes()
        await asyncio.sleep(MANY_TIMES_S)

        assert stage.sent_to(0) == 0


@plays
async def test_traffic_takes_the_place_of_probes() -> None:
    async with staged("generic", profiles={"p0": {"probe_every": "1s"}}) as stage:
        stage.engine.run_probes()
        loop = asyncio.get_running_loop()
        until, asked = loop.time() + 2.5, 0
        while loop.time() < until:
            await stage.ask()
            asked += 1
            await asyncio.sleep(0.05)

        assert stage.sent_to(0) == asked


@plays
async def test_spent_limit_is_never_probed() -> None:
    profile = {"p0": {**OFTEN["p0"], "limits": {"requests_per_day": 2}}}

    async with staged("generic", profiles=profile) as stage:
        stage.engine.run_probes()
        await eventually(lambda: stage.sent_to(0) == 2)
        await asyncio.sleep(MANY_TIMES_S)

        assert stage.sent_to(0) == 2


@plays
async def test_wait_that_the_provider_states_is_never_probed() -> None:
    async with staged("generic", profiles=OFTEN) as stage:
        stage.first.script(
            Fault(status=429, headers={"retry-after": "600"}, body='{"error":{"message":"slow"}}'),
            times=None,
        )
        stage.engine.run_probes()
        await eventually(lambda: stage.sent_to(0) == 1)
        await asyncio.sleep(MANY_TIMES_S)

        assert stage.sent_to(0) == 1


@plays
async def test_guessed_cooldown_is_ended_by_a_probe_instead_of_a_users_request() -> None:
    async with staged("generic", profiles=OFTEN, chain={"cooldown": "300ms"}) as stage:
        stage.first.script(Fault(status=503))
        await stage.ask()
        benched = stage.status("p0")["status"]
        stage.engine.run_probes()

        await eventually(lambda: stage.sent_to(0) >= 2)
        await stage.settles()

        assert benched == "cooldown"
        assert stage.status("p0")["status"] == "active"


@plays
async def test_probe_that_is_under_way_ends_with_the_engine() -> None:
    async with staged("generic", profiles=OFTEN) as stage:
        stage.first.script(Fault(delay_s=30.0), times=None)
        stage.engine.run_probes()
        await eventually(lambda: stage.sent_to(0) == 1)

        await stage.engine.close(grace_s=0.0)

        assert stage.engine.in_flight == 0
