"""A cooldown from its cause to its end: kept over restarts, tested by one request, ended by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.config.loader import load_document
from spillover.simulator import Fault, ProviderSpec
from tests.engine.staging import Client, Stage, document, opened, plays, staged
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

EVIDENCE = ("status", "reason", "until", "probe_at", "source", "confidence")
WEEK = Fault(status=429, headers={"retry-after": "604800"}, body='{"error": {"message": "no"}}')


def evidence(client: Client) -> dict[str, Any]:
    shown = client.status("p0")
    return {name: shown[name] for name in EVIDENCE}


@plays
async def test_a_restart_changes_nothing_of_the_evidence(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    async with staged("generic", "generic", ledger=ledger) as stage:
        stage.first.script(WEEK)
        await stage.ask()
        before = evidence(stage)
        written = document([provider.base_url for provider in stage.providers])
        await stage.engine.close(grace_s=0.0)

        async with opened(written, ledger) as again:
            assert evidence(again) == before
            assert (await again.ask()).trail == "p1:ok"

        assert (before["status"], before["source"], before["confidence"]) == (
            "cooldown",
            "header",
            "stated",
        )
        assert before["probe_at"] < before["until"]


async def _clear_usage(stage: Stage) -> None:
    await stage.engine.clear_usage("p0")


async def _clear_cooldown(stage: Stage) -> None:
    await stage.engine.clear_cooldown("p0")


async def _enable(stage: Stage) -> None:
    await stage.engine.set_disabled("p0", disabled=False)


async def _other_key(stage: Stage) -> None:
    await _reload(stage, api_key="another-key-0123456789")


async def _other_model(stage: Stage) -> None:
    await _reload(stage, model="another-model")


async def _reload(stage: Stage, **fields: str) -> None:
    urls = [provider.base_url for provider in stage.providers]
    await stage.engine.reload(load_document(document(urls, profiles={"p0": fields}), environ={}))


@pytest.mark.parametrize("end", [_clear_usage, _clear_cooldown, _enable, _other_key, _other_model])
@plays
async def test_a_cooldown_ends_at_once_by_hand_by_key_and_by_config(end: Any) -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script(WEEK)
        await stage.ask()
        rested = await stage.ask()
        await end(stage)

        served = await stage.ask()

        assert (rested.trail, served.trail) == ("p1:ok", "p0:ok")
        assert evidence(stage)["status"] == "active"


@plays
async def test_of_many_requests_one_tests_a_guess_and_the_others_go_on() -> None:
    chain = {"cooldown": {"overloaded": "200ms"}}
    slow = ProviderSpec(delay_s=0.3)

    async with staged(slow, "generic", chain=chain) as stage:
        stage.first.script("overloaded", times=2)
        await stage.ask()
        rests = await stage.ask()
        await eventually(lambda: evidence(stage)["status"] == "active")

        refuted = await stage.ask_all(6)

        trails = sorted(got.trail for got in refuted)
        assert rests.trail == "p1:ok"
        assert trails == ["p0:overloaded,p1:ok", *["p1:ok"] * 5]
        assert stage.sent_to(0) == 2


@plays
async def test_a_test_that_succeeds_brings_all_traffic_back() -> None:
    chain = {"cooldown": {"overloaded": "200ms"}}

    async with staged("generic", "generic", chain=chain) as stage:
        stage.first.script("overloaded")
        await stage.ask()
        await eventually(lambda: evidence(stage)["status"] == "active")
        tested = await stage.ask()

        after = await stage.ask_all(6)

        assert tested.trail == "p0:ok"
        assert {got.trail for got in after} == {"p0:ok"}
