"""Roo Code's API configurations become profiles, and one chain with the current one first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.config.secrets import Secret
from spillover.errors import RequestError
from tests.config.importers.files import left_out, planned


def exported(*, tool: str = "roo", **profiles: Any) -> Any:
    return planned(tool, json.dumps({"providerProfiles": profiles}).encode())


GROQ = {"id": "g", "apiProvider": "groq", "apiModelId": "m"}


def test_the_current_configuration_comes_first() -> None:
    plan = planned("roo")

    assert plan.chains == {"default": {"profiles": ["anthropic", "glm"]}}
    assert plan.profiles["glm"] == {
        "provider": "openrouter",
        "api_key": Secret("sk-or-of-the-tests-roo-0001"),
        "model": "z-ai/glm-5:free",
    }
    assert plan.profiles["anthropic"]["base_url"] == "https://claude.example.com/v1"


def test_a_mode_that_leads_elsewhere_than_the_current_one_is_an_alias() -> None:
    assert planned("roo").aliases == {"ask": "glm"}


def test_what_can_not_be_taken_over_is_told() -> None:
    assert left_out(planned("roo"))["bedrock"].startswith("AWS signs requests")


def test_a_name_that_stands_twice_counts_once_and_is_told() -> None:
    source = json.dumps({"providerProfiles": {"apiConfigs": {"b": 5, "a": GROQ}}})
    source = source.replace('"b"', '"a"')

    plan = planned("roo", source.encode())

    assert list(plan.profiles) == ["a"]
    assert "more than once" in left_out(plan)["a"]


def test_virtual_providers_are_kilo_codes() -> None:
    plan = exported(apiConfigs={"a": GROQ, "v": {"apiProvider": "virtual-quota-fallback"}})

    assert "import it as kilo" in left_out(plan)["v"]


@pytest.mark.parametrize("configs", [None, {}, [], "x", 5])
def test_an_export_without_configurations_is_none(configs: Any) -> None:
    with pytest.raises(RequestError, match="no export of Roo Code"):
        exported(apiConfigs=configs)


def test_wrong_types_leave_out_what_they_stand_in_and_no_more() -> None:
    plan = exported(
        currentApiConfigName=[1],
        apiConfigs={
            "a": GROQ,
            "b": None,
            "c": [1],
            "d": {"apiProvider": {"x": 1}},
            "e": {"id": {}},
        },
        modeApiConfigs={"m": ["g"], "n": "g"},
    )

    assert list(plan.profiles) == ["a"]
    assert {"b", "c", "d", "e", "mode m"} <= left_out(plan).keys()
    assert plan.aliases == {"n": "a"}
