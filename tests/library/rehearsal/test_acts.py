"""The acts: every promise holds for a sound chain, and one that breaks is found out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from spillover.library.rehearsal.acts import ACTS, Kept, rehearse
from tests.library.rehearsal.staging import configured


def played(chain: Any = None, **more: Any) -> list[Kept]:
    loaded, routing = configured(chain, **more)

    async def run() -> list[Kept]:
        return [each async for each in rehearse(loaded, routing, "default")]

    return asyncio.run(run())


def test_a_sound_chain_keeps_every_promise_in_every_act() -> None:
    kept = played()

    assert [each for each in kept if each.held is not True] == []
    assert {each.act for each in kept} == {
        "429", "spent quota", "outage", "cut", "stall", "restart"
    }  # fmt: skip
    assert len(ACTS) == 6
    shown = {(each.act, each.promise): each.figures for each in kept}
    assert shown["429", "who refuses is left alone until its time"] == (
        "groq was asked 1 time in 6 requests"
    )
    assert shown["restart", "usage survives it"] == "7 requests counted before, 7 after"


def test_a_chain_of_one_has_no_occasion_to_fall_back_and_refuses_in_order() -> None:
    kept = played(["groq"])

    lost = [each for each in kept if each.promise.startswith("no request is lost")]
    assert {each.held for each in lost} == {None}
    assert all("nobody else may serve: refused with" in each.figures for each in lost)
    assert not [each for each in kept if each.held is False]


def test_settings_that_hammer_a_provider_break_a_promise() -> None:
    hammering = {"profiles": ["plain", "glm"], "cooldown": {"rate_limited": {"fixed": "0s"}}}

    broken = [each for each in played(hammering) if each.held is False]

    assert [(each.act, each.promise) for each in broken] == [
        ("429", "who refuses is left alone until its time")
    ]


@pytest.mark.parametrize("settings", [{"strategy": "round_robin"}, {"failback": "sticky"}])
def test_other_orders_keep_their_promises_too(settings: dict[str, Any]) -> None:
    kept = played({"profiles": ["groq", "claude"], **settings})

    assert not [each for each in kept if each.held is False]


def test_two_profiles_of_one_account_and_model_are_told_apart() -> None:
    groq = {"provider": "groq", "api_key": "k", "model": "openai/gpt-oss-120b", "limits": "free"}
    loaded, routing = configured(["groq", "groq-2"], profiles={"groq": groq, "groq-2": groq})

    async def run() -> list[Kept]:
        return [each async for each in rehearse(loaded, routing, "default")]

    assert [each for each in asyncio.run(run()) if each.held is False] == []


def test_vectors_come_whole_so_that_no_stream_can_break() -> None:
    embedding = {"base_url": "https://a.example/v1", "model": "e", "lacks": ["chat"]}
    kept = played(
        ["a", "b"],
        profiles={"a": embedding, "b": {**embedding, "base_url": "https://b.example/v1"}},
    )

    assert not [each for each in kept if each.held is False]
    assert {each.figures for each in kept if each.act == "stall"} == {"no stream was broken"}


def test_a_chain_that_may_not_serve_says_why() -> None:
    kept = played(privacy=True)

    assert {each.held for each in kept} == {None}
    assert "privacy" in kept[0].figures
