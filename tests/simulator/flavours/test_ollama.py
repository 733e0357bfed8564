"""Ollama's quirks."""

from __future__ import annotations

import pytest

from spillover.simulator.spec import Model, limits
from tests.simulator.asking import a_provider, a_request, ask, perform


def test_no_key_is_asked_for() -> None:
    provider = a_provider(flavour="ollama", keys=frozenset({"right"}))

    assert perform(provider, a_request(headers=())).status == 200


def test_a_prompt_that_is_too_long_is_cut_in_silence() -> None:
    provider = a_provider(flavour="ollama", models={"m": Model(context_tokens=10)})

    got = ask(provider, "x" * 100)

    assert (got.status, got.json["usage"]["prompt_tokens"]) == (200, 10)


def test_a_full_queue_is_a_bare_text() -> None:
    refused = ask(a_provider(flavour="ollama", limits=limits("concurrency=0")))

    assert refused.status == 503
    assert "server busy" in refused.json["error"]


@pytest.mark.parametrize(
    ("per", "word"), [("hour", "hourly"), ("week", "weekly"), ("5h", "session")]
)
def test_a_spent_plan_names_its_window(per: str, word: str) -> None:
    refused = ask(a_provider(flavour="ollama", limits=limits(f"requests=0/{per}")))

    assert refused.status == 429
    assert f"your {word} usage limit" in refused.json["error"]


def test_a_missing_model_can_be_pulled() -> None:
    provider = a_provider(flavour="ollama", models={"qwen3:8b": Model()})

    missed = ask(provider)
    listed = perform(provider, a_request(path="/v1/models", method="GET"))

    assert "try pulling it first" in missed.json["error"]["message"]
    assert listed.json["data"][0]["owned_by"] == "library"
