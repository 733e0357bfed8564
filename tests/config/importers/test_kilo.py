"""Kilo Code's virtual quota fallback becomes a chain, with its amounts as limits of the profiles."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.config.secrets import Secret
from spillover.errors import RequestError
from tests.config.importers.files import left_out, planned
from tests.config.importers.test_roo import exported

VIRTUAL = "virtual-quota-fallback"


def groq(id_: str) -> dict[str, Any]:
    return {"id": id_, "apiProvider": "groq", "apiModelId": "m"}


def virtual(id_: str, *members: str, **limits: Any) -> dict[str, Any]:
    listed = [{"profileId": member, "profileLimits": limits} for member in members]
    return {"id": id_, "apiProvider": VIRTUAL, "profiles": listed}


def kilo(current: Any = "", **configs: Any) -> Any:
    return exported(tool="kilo", currentApiConfigName=current, apiConfigs=configs)


def test_a_fallback_becomes_a_chain_in_its_order_with_its_limits() -> None:
    plan = planned("kilo")

    assert plan.chains == {"Free-first": {"profiles": ["Chutes-AI-Free", "OpenAI-Paid"]}}
    assert plan.profiles["Chutes-AI-Free"] == {
        "title": "Chutes AI Free",
        "provider": "chutes",
        "api_key": Secret("cpk_of-the-tests-chutes-0001"),
        "model": "deepseek-ai/DeepSeek-V3.1",
        "limits": {"tokens_per_hour": 5_000, "requests_per_day": 200},
    }
    assert "limits" not in plan.profiles["OpenAI-Paid"]


def test_a_mode_leads_to_a_profile_or_to_a_fallback() -> None:
    assert planned("kilo").aliases == {"architect": "OpenAI-Paid"}
    modes = {"ask": "v"}
    configs = {"a": groq("1"), "v": virtual("v", "1")}
    plan = exported(tool="kilo", currentApiConfigName="a", apiConfigs=configs, modeApiConfigs=modes)

    assert plan.aliases == {"ask": "v"}
    assert "the current profile a is no fallback" in plan.notes[0]


def test_the_fallback_in_use_is_the_first_chain() -> None:
    plan = kilo("w", a=groq("1"), v=virtual("2", "1"), w=virtual("3", "1"))

    assert list(plan.chains) == ["w", "v"]


def test_a_fallback_may_be_the_default_chain() -> None:
    assert list(kilo(a=groq("1"), default=virtual("2", "1")).chains) == ["default"]


def test_a_fallback_within_a_fallback_gives_way_to_its_profiles() -> None:
    plan = kilo(
        a=groq("1"),
        b=groq("2"),
        c=groq("3"),
        inner=virtual("4", "2", "3"),
        v=virtual("5", "1", "4", "3"),
    )

    assert plan.chains["v"] == {"profiles": ["a", "b", "c"]}
    assert "its profiles stand in its place" in " ".join(plan.notes)


def test_fallbacks_that_lead_in_a_circle_end() -> None:
    plan = kilo(a=groq("1"), v=virtual("2", "3", "1"), w=virtual("3", "2", "1"))

    assert plan.chains == {"v": {"profiles": ["a"]}, "w": {"profiles": ["a"]}}
    assert "leads in a circle" in left_out(plan)["v within v"]


def test_a_long_line_of_fallbacks_is_no_trouble_and_too_many_are_refused() -> None:
    line = {f"v{n}": virtual(f"i{n}", f"i{n + 1}") for n in range(150)}
    assert kilo(**line, v150=virtual("i150", "1"), a=groq("1")).chains["v0"] == {"profiles": ["a"]}

    line = {f"v{n}": virtual(f"i{n}", f"i{n + 1}") for n in range(300)}
    with pytest.raises(RequestError, match="more than 20,000"):
        kilo(**line, v300=virtual("i300", "1"), a=groq("1"))


def test_the_tightest_of_several_limits_hold_and_are_told() -> None:
    plan = kilo(
        a=groq("1"), v=virtual("2", "1", tokensPerHour=9), w=virtual("3", "1", tokensPerHour=5)
    )

    assert plan.profiles["a"]["limits"] == {"tokens_per_hour": 5}
    assert "the tightest of each kind hold" in plan.notes[-1]


def test_a_profile_is_found_by_its_id_and_else_by_its_name() -> None:
    listed = [{"profileName": "a", "profileId": "gone"}, {"profileId": "2", "profileName": "a"}]
    fallback = {"apiProvider": VIRTUAL, "profiles": listed}

    assert kilo(a=groq("1"), b=groq("2"), v=fallback).chains["v"] == {"profiles": ["a", "b"]}


def test_a_fallback_of_nothing_is_left_out_and_all_are_chained() -> None:
    plan = kilo(a=groq("1"), v=virtual("2", "gone"), w={"apiProvider": VIRTUAL, "profiles": "x"})

    assert plan.chains == {"default": {"profiles": ["a"]}}
    assert {"v", "w", "an entry of v"} <= left_out(plan).keys()


@pytest.mark.parametrize("written", [0, "", None, -5, "many", [], True, 1e300])
def test_what_is_no_amount_is_no_limit(written: Any) -> None:
    plan = kilo(a=groq("1"), v=virtual("2", "1", tokensPerHour=written, unknown=5))

    assert "limits" not in plan.profiles["a"]
