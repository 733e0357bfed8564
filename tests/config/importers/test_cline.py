"""Cline's two kinds of files become profiles in one chain, the one in use first."""

from __future__ import annotations

import json
from typing import Any

from spillover.config.secrets import Secret
from tests.config.importers.files import left_out, planned


def cline(**values: Any) -> Any:
    return planned("cline-state", json.dumps(values).encode())


def test_the_providers_are_taken_over_with_their_keys() -> None:
    plan = planned("cline-providers")

    assert plan.chains == {"default": {"profiles": ["openai-compatible", "groq"]}}
    assert plan.profiles["openai-compatible"] == {
        "base_url": "https://llm.example.com/v1",
        "api_key": Secret("sk-of-the-tests-cline-0001"),
        "model": "big-coder",
    }
    assert left_out(plan) == {"cline": "it is used by signing in, not with a key"}


def test_acting_and_planning_are_profiles_and_aliases() -> None:
    plan = planned("cline-state")

    assert plan.profiles == {
        "openrouter-act": {"provider": "openrouter", "model": "z-ai/glm-4.6"},
        "anthropic-plan": {"provider": "anthropic", "model": "claude-sonnet-4-5"},
    }
    assert plan.aliases == {"act": "openrouter-act", "plan": "anthropic-plan"}
    assert "OPENROUTER_API_KEY is read" in plan.mapped[0].told


def test_modes_that_are_alike_are_one_profile() -> None:
    plan = cline(
        apiConfiguration={
            "actModeApiProvider": "openai",
            "planModeApiProvider": "openai",
            "actModeOpenAiModelId": "m",
            "planModeOpenAiModelId": "m",
            "openAiBaseUrl": "https://h.example.com/v1",
            "openAiApiKey": "of-the-tests-0001",
        }
    )

    assert list(plan.profiles) == ["openai-act"]


def test_providers_of_any_kind_are_told_apart() -> None:
    def settings(**given: Any) -> dict[str, Any]:
        return {"settings": {"model": "m", **given}}

    plan = cline(
        providers={
            "novita": settings(apiKey="of-the-tests-0001"),
            "own": settings(baseUrl="https://h.example.com/v1"),
            "nobody": settings(),
            "synthetic": settings(provider="synthetic"),
            "broken": None,
        }
    )

    assert plan.profiles["novita"]["provider"] == "novita"
    assert plan.profiles["own"]["base_url"] == "https://h.example.com/v1"
    assert plan.profiles["synthetic"]["base_url"] == "https://api.synthetic.new/openai/v1"
    assert left_out(plan).keys() == {"nobody", "broken"}


def test_a_mode_that_can_not_be_taken_over_is_told() -> None:
    plan = cline(actModeApiProvider="vscode-lm", planModeApiProvider=5)

    assert plan.profiles == {}
    assert left_out(plan).keys() == {"act mode"}


def test_a_profile_that_is_refused_leads_nowhere() -> None:
    plan = cline(actModeApiProvider="openai", planModeApiProvider="groq", planModeApiModelId="m")

    assert list(plan.profiles) == ["groq-plan"]
    assert plan.aliases == {"plan": "groq-plan"}
