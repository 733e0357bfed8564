"""Anthropic's quirks."""

from __future__ import annotations

import json

from spillover.simulator.flavours import FLAVOURS
from spillover.simulator.replies import Circumstances, Complaint
from spillover.simulator.spec import limits
from tests.simulator.asking import KEY, NOON, Clock, a_provider, a_request, ask, get, perform


def test_an_answer_tells_what_is_left_of_the_minute() -> None:
    written = limits("requests=5/minute", "input_tokens=1K/minute")

    got = ask(a_provider(flavour="anthropic", limits=written))

    assert got.json["content"][0]["type"] == "text"
    assert got.headers["anthropic-ratelimit-requests-limit"] == "5"
    assert got.headers["anthropic-ratelimit-requests-remaining"] == "4"
    assert got.headers["anthropic-ratelimit-input-tokens-limit"] == "1000"


def test_a_refusal_is_typed_and_states_its_reset() -> None:
    provider = a_provider(Clock(NOON), flavour="anthropic", limits=limits("requests=1/minute"))
    ask(provider)

    refused = ask(provider)

    assert (refused.status, refused.json["type"]) == (429, "error")
    assert refused.json["error"]["type"] == "rate_limit_error"
    assert "1 requests per minute" in refused.json["error"]["message"]
    assert refused.headers["retry-after"] == "60"
    assert refused.headers["anthropic-ratelimit-requests-reset"] == "2026-11-20T12:01:00Z"


def test_a_request_larger_than_the_limit_states_no_wait() -> None:
    refused = ask(a_provider(flavour="anthropic", limits=limits("input_tokens=1/minute")))

    assert refused.status == 429
    assert "retry-after" not in refused.headers


def test_the_version_has_to_be_named() -> None:
    provider = a_provider(flavour="anthropic", keys=frozenset({KEY}))
    unversioned = a_request({}, "/v1/messages", headers=(("x-api-key", KEY),))

    refused = perform(provider, unversioned)

    assert refused.status == 400
    assert "anthropic-version" in refused.json["error"]["message"]


def test_a_wrong_key_and_overload_have_their_own_types() -> None:
    flavour, said = FLAVOURS["anthropic"], Circumstances()

    wrong = flavour.complaint(Complaint.UNAUTHORIZED, said)
    busy = flavour.complaint(Complaint.OVERLOADED, said)
    filtered = flavour.complaint(Complaint.CONTENT_FILTER, said)

    assert (wrong.status, json.loads(wrong.body)["error"]["type"]) == (401, "authentication_error")
    assert (busy.status, json.loads(busy.body)["error"]["type"]) == (529, "overloaded_error")
    assert json.loads(filtered.body)["type"] == "error"
    assert flavour.stream_error(busy).startswith(b"event: error\n")


def test_too_many_at_once_is_a_rate_limit() -> None:
    refused = ask(a_provider(flavour="anthropic", limits=limits("concurrency=0")))

    assert refused.json["error"]["type"] == "rate_limit_error"


def test_a_model_is_listed_in_its_shape() -> None:
    assert get(a_provider(flavour="anthropic"), "/v1/models/m").json["type"] == "model"
