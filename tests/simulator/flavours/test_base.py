"""What every flavour shares, and the `generic` one."""

from __future__ import annotations

import json

import pytest

from spillover.simulator.flavours import FLAVOURS, flavour_of
from spillover.simulator.flavours.base import Flavour, bucket_headers, go_duration, seconds_up
from spillover.simulator.replies import Circumstances, Complaint
from spillover.simulator.spec import WindowKind, limits
from tests.simulator.asking import Clock, a_provider, ask

SAID = Circumstances(
    model="m", masked_key="sk-…89", prompt_tokens=9_000, context_tokens=8_192, now=1.0
)
TOLD = [why for why in Complaint if why not in {Complaint.RATE_LIMITED, Complaint.QUOTA_EXHAUSTED}]


def test_there_are_the_flavours_that_are_promised() -> None:
    assert list(FLAVOURS) == [
        "groq",
        "gemini",
        "openrouter",
        "mistral",
        "cerebras",
        "openai",
        "deepseek",
        "ollama",
        "anthropic",
        "gemini-native",
        "generic",
    ]


def test_an_unknown_flavour_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no flavour: 'grok' .*groq"):
        flavour_of("grok")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0004, "0s"),
        (0.37, "370ms"),
        (7.66, "7.66s"),
        (60, "1m0s"),
        (179.56, "2m59.56s"),
        (660.528, "11m0.528s"),
        (3_600, "1h0m0s"),
        (-5, "0s"),
    ],
)
def test_a_span_is_printed_as_go_prints_it(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


@pytest.mark.parametrize(("wait_s", "text"), [(0.01, "1"), (1.0, "1"), (1.2, "2"), (59.999, "60")])
def test_a_wait_in_a_header_is_whole_seconds_rounded_up(wait_s: float, text: str) -> None:
    assert seconds_up(wait_s) == text


@pytest.mark.parametrize("flavour", FLAVOURS.values(), ids=FLAVOURS)
@pytest.mark.parametrize("why", TOLD)
def test_every_flavour_words_every_complaint_as_json(flavour: Flavour, why: Complaint) -> None:
    reply = flavour.complaint(why, SAID)

    assert 400 <= reply.status < 600
    assert json.loads(reply.body)
    assert b"data: " in flavour.stream_error(reply)


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("written", ["requests=1/minute", "tokens=20/day", "concurrency=0"])
def test_every_flavour_refuses_what_every_limit_has_no_room_for(flavour: str, written: str) -> None:
    provider = a_provider(flavour=flavour, limits=limits(written))

    statuses = {ask(provider, "x" * 60, max_tokens=4).status for _ in range(3)}

    assert statuses <= {200, 413, 429, 503}
    assert statuses & {413, 429, 503}


def test_a_limit_takes_its_window_from_the_flavour_unless_it_says() -> None:
    said, open_ = limits("requests=1/minute@rolling:key", "requests=1/day")

    gemini = FLAVOURS["gemini"]
    assert gemini.resolved(said).kind is WindowKind.ROLLING
    assert gemini.resolved(open_).zone == "America/Los_Angeles"
    assert FLAVOURS["groq"].resolved(open_).kind is WindowKind.REFILL


def test_generic_errors_are_of_openai_shape() -> None:
    reply = Flavour().complaint(Complaint.UNAUTHORIZED, SAID)

    assert reply.status == 401
    assert json.loads(reply.body)["error"] == {
        "message": "Incorrect API key provided: sk-…89.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    }


def test_generic_limits_roll_and_state_their_wait() -> None:
    clock = Clock()
    provider = a_provider(clock, limits=limits("requests=1/minute"))
    ask(provider)
    clock.at += 20.5
    refused = ask(provider)
    clock.at += 39.5
    again = ask(provider)

    assert (refused.status, refused.headers["retry-after"]) == (429, "40")
    assert refused.json["error"]["code"] == "rate_limit_exceeded"
    assert again.status == 200


def test_too_many_calls_at_once_are_told_without_a_window() -> None:
    refused = ask(a_provider(limits=limits("concurrency=0")))

    assert refused.status == 429
    assert "at most 0 may be in flight at once" in refused.json["error"]["message"]


def test_a_limit_that_nothing_can_pass_states_no_wait() -> None:
    refused = ask(a_provider(limits=limits("requests=0/day")))

    assert refused.status == 429
    assert "retry-after" not in refused.headers


def test_no_headers_are_told_of_limits_that_are_not_there() -> None:
    assert bucket_headers([], ("minute",), ("minute",)) == ()
