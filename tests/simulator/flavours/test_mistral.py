"""Mistral's quirks."""

from __future__ import annotations

from spillover.simulator.spec import Model, limits
from tests.simulator.asking import NOON, Clock, a_provider, ask

LIMITS = limits("requests=2/minute", "tokens=500K/minute")


def test_unstreamed_answers_tell_the_minute_and_streams_tell_nothing() -> None:
    provider = a_provider(flavour="mistral", limits=LIMITS)

    whole, stream = ask(provider), ask(provider, stream=True)

    assert whole.headers["x-ratelimit-limit-req-minute"] == "2"
    assert whole.headers["x-ratelimit-remaining-req-minute"] == "1"
    assert whole.headers["x-ratelimit-remaining-tokens-minute"] == "499998"
    assert whole.headers["x-ratelimit-tokens-query-cost"] == "2"
    assert not any("ratelimit" in name for name in stream.headers)


def test_a_refusal_is_flat_and_never_states_a_wait() -> None:
    clock = Clock(NOON + 50)
    provider = a_provider(clock, flavour="mistral", limits=LIMITS)
    for _ in range(2):
        ask(provider)

    refused = ask(provider, stream=True)
    clock.at = NOON + 60

    assert refused.status == 429
    assert (refused.json["message"], refused.json["code"]) == ("Rate limit exceeded", "1300")
    assert "error" not in refused.json
    assert refused.headers["x-ratelimit-remaining-req-minute"] == "0"
    assert "x-ratelimit-limit-tokens-minute" not in refused.headers
    assert "retry-after" not in refused.headers
    assert ask(provider).status == 200


def test_stream_options_are_an_extra_input() -> None:
    provider = a_provider(flavour="mistral")

    refused = ask(provider, stream=True, stream_options={"include_usage": True})

    detail = refused.json["message"]["detail"][0]
    assert refused.status == 422
    assert (detail["type"], detail["loc"]) == ("extra_forbidden", ["body", "stream_options"])
    assert provider.counters().accepted == 1


def test_a_streams_last_choice_tells_usage_unasked() -> None:
    last = ask(a_provider(flavour="mistral"), stream=True).events[-1]

    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"]["prompt_tokens"] == 2


def test_errors_have_shapes_of_their_own() -> None:
    provider = a_provider(
        flavour="mistral", keys=frozenset({"right"}), models={"m": Model(context_tokens=10)}
    )
    free = a_provider(flavour="mistral", models={"m": Model(context_tokens=10)})

    wrong_key, wrong_model, too_long = (
        ask(provider),
        ask(free, model="x"),
        ask(free, "x" * 100),
    )

    assert (wrong_key.status, wrong_key.json) == (401, {"detail": "Unauthorized"})
    assert (wrong_model.status, wrong_model.json["code"]) == (400, "1500")
    assert "25 tokens" in too_long.json["message"]
    assert "10 maximum context length" in too_long.json["message"]


def test_a_capacity_that_is_exceeded_is_a_429() -> None:
    provider = a_provider(flavour="mistral")
    provider.script("overloaded")

    refused = ask(provider)

    assert (refused.status, refused.json["code"]) == (429, "3505")
