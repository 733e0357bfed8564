"""Groq's quirks."""

from __future__ import annotations

from spillover.simulator.faults import Fault
from spillover.simulator.replies import Complaint
from spillover.simulator.spec import limits
from tests.simulator.asking import Clock, a_provider, ask


def test_headers_tell_the_days_requests_and_the_minutes_tokens() -> None:
    provider = a_provider(
        flavour="groq", limits=limits("requests=30/minute", "requests=1000/day", "tokens=6K/minute")
    )

    told = ask(provider, max_tokens=100).headers

    assert told["x-ratelimit-limit-requests"] == "1000"
    assert told["x-ratelimit-remaining-requests"] == "999"
    assert told["x-ratelimit-reset-requests"] == "1m26.4s"
    assert told["x-ratelimit-limit-tokens"] == "6000"
    assert told["x-ratelimit-remaining-tokens"] == str(6_000 - 2 - 100)
    assert "retry-after" not in told


def test_a_refused_minute_is_named_in_the_body_alone() -> None:
    provider = a_provider(flavour="groq", limits=limits("requests=30/minute", "requests=1000/day"))
    for _ in range(30):
        ask(provider)

    refused = ask(provider)

    error = refused.json["error"]
    assert (refused.status, refused.headers["retry-after"]) == (429, "2")
    assert refused.headers["x-ratelimit-limit-requests"] == "1000"
    assert "requests per minute (RPM): Limit 30, Used 30, Requested 1." in error["message"]
    assert "Please try again in 2s." in error["message"]
    assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")


def test_a_days_tokens_come_back_as_a_bucket_fills() -> None:
    clock = Clock()
    provider = a_provider(clock, flavour="groq", answer="four", limits=limits("tokens=200K/day"))
    ask(provider, "x" * 4 * 199_000, max_tokens=1_000)

    refused = ask(provider, "x" * 4 * 1_000, max_tokens=1_000)
    clock.at += 432.432
    after = ask(provider, "x" * 4 * 1_000, max_tokens=1_000)

    message = refused.json["error"]["message"]
    assert "tokens per day (TPD): Limit 200000, Used 199001, Requested 2000." in message
    assert "Please try again in 7m12.432s." in message
    assert refused.headers["retry-after"] == "433"
    assert refused.json["error"]["type"] == "compound"
    assert after.status == 200


def test_all_of_max_tokens_is_counted_until_the_answer_is_there() -> None:
    provider = a_provider(flavour="groq", limits=limits("tokens=2000/minute"))

    large = ask(provider, max_tokens=1_990)
    assumed = ask(provider)
    too_large = ask(provider, max_tokens=3_000)

    assert (large.status, assumed.status) == (200, 200)
    assert too_large.status == 413
    assert too_large.json["error"]["code"] == "rate_limit_exceeded"
    assert too_large.headers["retry-after"] == "9"
    assert "Limit 2000, Requested 3002" in too_large.json["error"]["message"]


def test_overload_is_498() -> None:
    provider = a_provider(flavour="groq")
    provider.script(Fault(error=Complaint.OVERLOADED))

    assert ask(provider).status == 498


def test_it_serves_below_its_own_path() -> None:
    assert a_provider(flavour="groq").base_path == "/openai/v1"
