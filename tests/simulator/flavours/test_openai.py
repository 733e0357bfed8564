"""OpenAI's quirks."""

from __future__ import annotations

from spillover.simulator.spec import limits
from tests.simulator.asking import Clock, a_provider, ask


def test_headers_tell_the_minute_with_go_durations() -> None:
    provider = a_provider(
        flavour="openai", limits=limits("requests=60/minute", "tokens=60K/minute")
    )

    told = ask(provider).headers

    assert told["x-ratelimit-remaining-requests"] == "59"
    assert told["x-ratelimit-reset-requests"] == "1s"
    assert told["x-ratelimit-remaining-tokens"] == "59998"
    assert told["x-ratelimit-reset-tokens"] == "2ms"


def test_a_refusal_states_its_wait_in_seconds_milliseconds_and_words() -> None:
    clock = Clock()
    provider = a_provider(clock, flavour="openai", limits=limits("requests=200/day"))
    for _ in range(200):
        ask(provider)

    refused = ask(provider)

    assert refused.headers["retry-after"] == "432"
    assert refused.headers["retry-after-ms"] == "432000"
    message = refused.json["error"]["message"]
    assert "requests per day (RPD): Limit 200, Used 200, Requested 1." in message
    assert "Please try again in 7m12s." in message
    assert refused.json["error"]["type"] == "requests"


def test_a_request_too_large_for_its_limit_states_no_wait() -> None:
    provider = a_provider(flavour="openai", limits=limits("tokens=10/minute"))

    refused = ask(provider, "x" * 400)

    assert refused.status == 429
    assert "Request too large for m" in refused.json["error"]["message"]
    assert "retry-after" not in refused.headers


def test_money_that_is_spent_is_a_429() -> None:
    provider = a_provider(flavour="openai")
    provider.script("payment_required")

    refused = ask(provider)

    assert (refused.status, refused.json["error"]["code"]) == (429, "insufficient_quota")


def test_answers_have_a_fingerprint_and_detailed_usage() -> None:
    found = ask(a_provider(flavour="openai")).json

    assert found["system_fingerprint"] == "fp_sim"
    assert found["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


def test_a_wrong_key_is_echoed_with_its_middle_masked() -> None:
    provider = a_provider(flavour="openai", keys=frozenset({"right"}))

    wrong = ask(provider)

    assert wrong.status == 401
    assert "Incorrect API key provided: sk-…89." in wrong.json["error"]["message"]
