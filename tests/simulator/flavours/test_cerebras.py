"""Cerebras's quirks."""

from __future__ import annotations

import pytest

from spillover.simulator.spec import Model, limits
from tests.simulator.asking import Clock, a_provider, ask

LIMITS = limits("requests=5/minute", "requests=150/hour", "tokens=30K/minute")


def test_answers_tell_every_window_in_fractions_of_seconds() -> None:
    told = ask(a_provider(flavour="cerebras", limits=LIMITS)).headers

    assert told["x-ratelimit-limit-requests-minute"] == "5"
    assert told["x-ratelimit-remaining-requests-hour"] == "149"
    assert told["x-ratelimit-reset-requests-minute"] == "12.0"
    assert told["x-ratelimit-limit-tokens-minute"] == "30000"


def test_a_refusal_states_the_whole_window_though_it_clears_sooner() -> None:
    clock = Clock()
    provider = a_provider(clock, flavour="cerebras", limits=LIMITS)
    for _ in range(5):
        ask(provider, max_tokens=10)

    refused = ask(provider, max_tokens=10)
    clock.at += 12
    after = ask(provider, max_tokens=10)

    assert refused.headers["retry-after"] == "60"
    assert not any("ratelimit" in name for name in refused.headers)
    assert refused.json["code"] == "request_quota_exceeded"
    assert refused.json["param"] == "quota"
    assert after.status == 200


@pytest.mark.parametrize(("per", "wait"), [("day", "86400"), ("20s", "20")])
def test_tokens_have_a_code_of_their_own(per: str, wait: str) -> None:
    provider = a_provider(flavour="cerebras", limits=limits(f"tokens=100/{per}"))

    refused = ask(provider)

    assert (refused.json["code"], refused.headers["retry-after"]) == ("token_quota_exceeded", wait)


def test_a_full_queue_says_not_to_retry() -> None:
    provider = a_provider(flavour="cerebras")
    provider.script("overloaded")

    refused = ask(provider)

    assert (refused.status, refused.json["code"]) == (429, "queue_exceeded")
    assert refused.headers["x-should-retry"] == "false"


def test_errors_are_flat() -> None:
    models = {"m": Model(context_tokens=10)}
    keyed = a_provider(flavour="cerebras", keys=frozenset({"right"}))
    provider = a_provider(flavour="cerebras", models=models)

    codes = [ask(keyed).json["code"], ask(provider, model="x").json["code"]]
    too_long = ask(provider, "x" * 100)

    assert codes == ["wrong_api_key", "model_not_found"]
    assert "Current length is 25 while limit is 10" in too_long.json["message"]
