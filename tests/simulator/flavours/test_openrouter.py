"""OpenRouter's quirks."""

from __future__ import annotations

import pytest

from spillover.simulator.spec import limits
from tests.simulator.asking import NOON, Clock, a_provider, ask, get


def test_a_refusal_tells_its_reset_as_header_and_in_the_body() -> None:
    provider = a_provider(
        Clock(NOON + 15), flavour="openrouter", limits=limits("requests=1/minute")
    )
    ask(provider)

    refused = ask(provider)

    error = refused.json["error"]
    assert refused.headers["x-ratelimit-limit"] == "1"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.headers["x-ratelimit-reset"] == str(round((NOON + 60) * 1_000))
    assert error["metadata"]["headers"]["X-RateLimit-Reset"] == refused.headers["x-ratelimit-reset"]
    assert error["code"] == 429
    assert "limit_rpm/m" in error["message"]
    assert "x-ratelimit-limit" not in ask(a_provider(flavour="openrouter")).headers


@pytest.mark.parametrize(
    ("written", "words"),
    [("requests=1/day", "free-models-per-day"), ("requests=1/minute:key", "free-models-per-min")],
)
def test_limits_of_the_whole_account_are_named_so(written: str, words: str) -> None:
    provider = a_provider(flavour="openrouter", limits=limits(written))
    ask(provider, model="a")

    refused = ask(provider, model="b")

    assert words in refused.json["error"]["message"]


def test_calls_in_flight_have_a_budget() -> None:
    refused = ask(a_provider(flavour="openrouter", limits=limits("concurrency=0")))

    metadata = refused.json["error"]["metadata"]
    assert (refused.status, metadata["limit_source"]) == (429, "openrouter_in_flight_budget")


def test_a_day_ends_at_midnight_utc() -> None:
    provider = a_provider(flavour="openrouter", limits=limits("requests=0/day"))
    spent = a_provider(flavour="openrouter", limits=limits("requests=1/day"))
    ask(spent)

    assert ask(spent).headers["x-ratelimit-reset"] == str(round((NOON + 12 * 3_600) * 1_000))
    assert ask(provider).status == 429


def test_streams_open_with_a_comment() -> None:
    body = ask(a_provider(flavour="openrouter"), stream=True).body

    assert body.startswith(b": OPENROUTER PROCESSING\n\ndata: ")


def test_an_error_within_a_stream_finishes_its_choice() -> None:
    provider = a_provider(flavour="openrouter")
    provider.script("error_after_content")

    last = ask(provider, stream=True).events[-1]

    assert last["error"]["message"] == "Provider returned error"
    assert last["choices"][0]["finish_reason"] == "error"


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("unauthorized", 401, "User not found."),
        ("model_not_found", 404, "No endpoints found for m."),
        ("payment_required", 402, "Insufficient credits."),
        ("content_filter", 403, "flagged"),
        ("overloaded", 503, "No available model provider"),
        ("server_error", 502, "Provider returned error"),
        ("bad_request", 400, "Invalid request."),
    ],
)
def test_errors_have_their_status_as_code(name: str, status: int, words: str) -> None:
    provider = a_provider(flavour="openrouter")
    provider.script(name)

    got = ask(provider)

    assert (got.status, got.json["error"]["code"]) == (status, status)
    assert words in got.json["error"]["message"]


def test_answers_name_their_provider_and_cost() -> None:
    found = ask(a_provider(flavour="openrouter")).json

    assert found["provider"] == "Simulated"
    assert found["usage"]["cost"] == 0
    assert found["id"].startswith("gen-")


def test_a_key_tells_its_budget() -> None:
    provider = a_provider(flavour="openrouter", balance_usd=4.0)

    told = get(provider, "/api/v1/key").json["data"]

    assert (told["limit"], told["limit_remaining"], told["usage"]) == (10.0, 4.0, 6.0)
    assert get(provider, "/api/v1/models").status == 200
    assert get(a_provider(), "/v1/key").status == 404
