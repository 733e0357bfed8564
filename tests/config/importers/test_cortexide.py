"""CortexIDE's shown models become profiles of one chain, under its routing policy."""

from __future__ import annotations

import json
from typing import Any

from tests.config.importers.files import left_out, planned


def cortexide(providers: dict[str, Any], **more: Any) -> Any:
    return planned("cortexide", json.dumps({"settingsOfProvider": providers, **more}).encode())


def models(*names: str) -> list[dict[str, Any]]:
    return [{"modelName": name, "isHidden": False} for name in names]


def test_the_model_of_the_chat_comes_first_and_the_policy_holds() -> None:
    assert planned("cortexide").chains == {
        "default": {
            "profiles": [
                "gemini-gemini-2.5-flash",
                "groq-gpt-oss-120b",
                "openAICompatible-big-coder",
                "ollama-qwen3-8b",
            ],
            "routing_policy": "free-tier",
        }
    }


def test_the_free_tier_routers_amounts_are_the_catalogues() -> None:
    profiles = planned("cortexide").profiles

    assert profiles["groq-gpt-oss-120b"]["limits"] == "free"
    assert "limits" not in profiles["openAICompatible-big-coder"]
    assert profiles["openAICompatible-big-coder"]["context_tokens"] == 65_536


def test_under_another_policy_nothing_is_taken_for_free() -> None:
    plan = cortexide(
        {"groq": {"apiKey": "of-the-tests-0001", "models": models("openai/gpt-oss-120b")}},
        globalSettings={"routingPolicy": "byok-paid", "privacyMode": True},
    )

    assert "limits" not in plan.profiles["groq-gpt-oss-120b"]
    assert plan.chains["default"]["routing_policy"] == "byok-paid"
    assert plan.chains["default"]["privacy"] is True


def test_what_is_not_set_up_is_passed_over_and_what_is_hidden_is_not_taken() -> None:
    plan = planned("cortexide")

    assert not any("llama-3" in name or "openAI-" in name for name in plan.profiles)
    assert left_out(plan).keys() == {"awsBedrock"}


def test_what_can_not_be_used_is_told() -> None:
    plan = cortexide(
        {
            "nobody": {"apiKey": "of-the-tests-0001", "models": models("m")},
            "groq": {"apiKey": "of-the-tests-0002", "models": "x"},
            "mistral": {"apiKey": "of-the-tests-0003", "models": [5, None, *models("m-*")]},
            "mlx": {"endpoint": "http://127.0.0.1:8080", "models": models("m"), "headersJSON": "{"},
        },
        globalSettings={"routingPolicy": "random"},
    )

    assert list(plan.profiles) == ["mlx-m"]
    assert plan.profiles["mlx-m"]["base_url"] == "http://127.0.0.1:8080/v1"
    assert left_out(plan).keys() == {"nobody", "groq", "mistral · m-*", "routingPolicy"}


def test_the_settings_may_stand_under_their_full_names() -> None:
    groq = {"apiKey": "of-the-tests-0001", "models": models("m")}
    source = {
        "cortexide.settingsOfProvider": {"groq": groq},
        "cortexide.routingPolicy": "local-only",
    }

    plan = planned("cortexide", json.dumps(source).encode())

    assert plan.chains["default"]["routing_policy"] == "local-only"
