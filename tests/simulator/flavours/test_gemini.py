"""Gemini's quirks, behind its OpenAI layer."""

from __future__ import annotations

import pytest

from spillover.simulator.faults import Fault
from spillover.simulator.replies import Complaint
from spillover.simulator.spec import Model, limits
from tests.simulator.asking import NOON, Clock, a_provider, a_request, ask, perform

HOUR = 3_600


def test_a_refusal_is_a_list_that_names_the_violated_quota() -> None:
    provider = a_provider(Clock(NOON + 13), flavour="gemini", limits=limits("requests=1/minute"))
    ask(provider)

    refused = ask(provider)

    error = refused.json[0]["error"]
    failure, retry = error["details"]
    assert (refused.status, error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert failure["violations"][0]["quotaId"] == (
        "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
    )
    assert failure["violations"][0]["quotaValue"] == "1"
    assert retry["retryDelay"] == "47s"
    assert "Please retry in 47.000000s." in error["message"]
    assert not any("ratelimit" in name or name == "retry-after" for name in refused.headers)


def test_a_minute_ends_with_the_wall_clocks() -> None:
    clock = Clock(NOON + 59)
    provider = a_provider(clock, flavour="gemini", limits=limits("requests=1/minute"))
    ask(provider)
    refused = ask(provider).status
    clock.at = NOON + 60

    assert (refused, ask(provider).status) == (429, 200)


@pytest.mark.parametrize(("hours", "status"), [(19.9, 429), (20, 200)])
def test_a_day_ends_at_midnight_pacific_and_its_delay_misleads(hours: float, status: int) -> None:
    """Noon in UTC is four in the morning in Los Angeles: midnight is 20 hours away."""
    clock = Clock()
    provider = a_provider(clock, flavour="gemini", limits=limits("requests=1/day"))
    ask(provider)
    refused = ask(provider)
    clock.at += hours * HOUR

    details = refused.json[0]["error"]["details"]
    assert "PerDay" in details[0]["violations"][0]["quotaId"]
    assert details[1]["retryDelay"] == "13s"
    assert ask(provider).status == status


def test_keys_of_one_project_share_a_models_quota() -> None:
    provider = a_provider(flavour="gemini", limits=limits("requests=1/minute"))
    ask(provider)
    other = a_request(
        path="/v1beta/openai/chat/completions", headers=(("authorization", "Bearer other"),)
    )

    assert perform(provider, other).status == 429


def test_a_quota_of_nothing_comes_without_its_value() -> None:
    refused = ask(a_provider(flavour="gemini", limits=limits("requests=0/day")))

    violation = refused.json[0]["error"]["details"][0]["violations"][0]
    assert "quotaValue" not in violation
    assert "limit: 0" in refused.json[0]["error"]["message"]


def test_input_tokens_have_a_quota_of_their_own() -> None:
    provider = a_provider(flavour="gemini", limits=limits("input_tokens=10/minute"))

    refused = ask(provider, "x" * 100)

    quota = refused.json[0]["error"]["details"][0]["violations"][0]["quotaId"]
    assert quota == "GenerateContentInputTokensPerModelPerMinute-FreeTier"


def test_a_wrong_key_is_a_bad_request() -> None:
    refused = ask(a_provider(flavour="gemini", keys=frozenset({"right"})))

    assert refused.status == 400
    assert refused.json[0]["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_overload_comes_bare() -> None:
    provider = a_provider(flavour="gemini")
    provider.script(Fault(error=Complaint.OVERLOADED))

    assert ask(provider).json["error"]["status"] == "UNAVAILABLE"


def test_an_error_within_a_stream_comes_bare_with_its_own_line_ends() -> None:
    provider = a_provider(flavour="gemini")
    provider.script(Fault(error=Complaint.RATE_LIMITED, after=0))

    got = ask(provider, stream=True)

    assert got.status == 200
    assert got.events[0]["error"]["code"] == 429
    assert got.body.endswith(b"\r\n\r\n")


def test_models_are_listed_and_missed_with_their_prefix() -> None:
    provider = a_provider(flavour="gemini", models={"gemini-x": Model()})

    listed = perform(provider, a_request(path="/v1beta/openai/models", method="GET"))
    missed = ask(provider)

    assert listed.json["data"][0]["id"] == "models/gemini-x"
    assert "models/m is not found" in missed.json[0]["error"]["message"]
