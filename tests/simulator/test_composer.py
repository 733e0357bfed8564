"""Answers to admitted requests, as they should be and as faults have them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.simulator.faults import FAULTS, Break, Fault, Part
from spillover.simulator.replies import Complaint
from spillover.simulator.spec import Model
from tests.simulator.asking import Got, a_provider, a_request, ask, perform


def spoiled(fault: Fault | str, **fields: Any) -> Got:
    """Ask a generic provider whose next answer a fault hits."""
    provider = a_provider()
    provider.script(fault)
    return ask(provider, **fields)


def test_an_answer_has_an_id_of_its_own() -> None:
    provider = a_provider()

    ids = [ask(provider).headers["x-request-id"] for _ in range(2)]

    assert ids == ["sim-1", "sim-2"]


def test_a_prompt_and_its_output_have_to_fit_the_context() -> None:
    provider = a_provider(models={"m": Model(context_tokens=10)})

    fits, too_long = ask(provider, "x" * 16, max_tokens=6), ask(provider, "x" * 16, max_tokens=7)

    assert fits.status == 200
    assert (too_long.status, too_long.json["error"]["code"]) == (400, "context_length_exceeded")
    assert provider.counters().accepted == 2
    assert provider.counters().tokens == fits.json["usage"]["total_tokens"]


@pytest.mark.parametrize("status", [400, 422])
def test_stream_options_can_be_made_unwelcome(status: Any) -> None:
    fault = Fault(reject_stream_options=status)

    refused = spoiled(fault, stream=True, stream_options={"include_usage": True})
    without = spoiled(fault, stream=True)

    assert refused.status == status
    assert "stream_options" in refused.json["error"]["message"]
    assert without.text


@pytest.mark.parametrize("stream", [False, True])
def test_a_scripted_error_replaces_the_answer(*, stream: bool) -> None:
    got = spoiled("overloaded", stream=stream)

    assert got.status == 503
    assert got.json["error"]["type"] == "server_error"


def test_a_scripted_refusal_speaks_of_a_limit_that_nobody_set() -> None:
    minute, day = spoiled("rate_limited"), spoiled("quota_exhausted")

    assert (minute.status, minute.headers["retry-after"]) == (429, "2")
    assert "30 requests per minute" in minute.json["error"]["message"]
    assert "200 requests per day" in day.json["error"]["message"]


def test_an_error_can_hide_in_a_200() -> None:
    whole, stream = spoiled("error_in_200"), spoiled("error_in_200", stream=True)

    assert (whole.status, whole.json["error"]["code"]) == (200, "rate_limit_exceeded")
    assert (stream.status, stream.events[-1]["error"]["code"]) == (200, "rate_limit_exceeded")
    assert b"[DONE]" not in stream.body


def test_an_error_can_come_after_content() -> None:
    got = spoiled("error_after_content", stream=True)

    contents = [event for event in got.events if event.get("choices")]
    assert len(contents) == 4
    assert got.events[-1]["error"]["type"] == "server_error"


def test_any_status_headers_and_body_can_be_answered() -> None:
    got = spoiled(Fault(status=418, headers={"X-Tea": "yes", "Content-Type": "a/b"}, body="pot"))

    assert (got.status, got.body) == (418, b"pot")
    assert (got.headers["x-tea"], got.headers["content-type"]) == ("yes", "a/b")


def test_a_status_alone_has_an_empty_body() -> None:
    assert spoiled(Fault(status=500)).body == b""
    assert spoiled("empty_200").body == b""


def test_an_error_can_have_another_status() -> None:
    assert spoiled(Fault(error=Complaint.OVERLOADED, status=529)).status == 529


def test_headers_can_be_added_to_a_good_answer() -> None:
    got = spoiled(Fault(headers={"x-ratelimit-remaining-requests": "0"}))

    assert got.headers["x-ratelimit-remaining-requests"] == "0"
    assert got.json["choices"]


def test_an_html_page_is_an_html_page() -> None:
    got = spoiled("html_502")

    assert (got.status, got.headers["content-type"]) == (502, "text/html; charset=UTF-8")
    assert got.body.startswith(b"<html>")


def test_a_malformed_body_is_no_json() -> None:
    with pytest.raises(json.JSONDecodeError):
        _ = spoiled("malformed_json").json


def test_paces_and_counts_are_the_specs_unless_the_fault_says() -> None:
    provider = a_provider(events=4, events_per_s=10, delay_s=1, first_token_s=2)
    provider.script(Fault(events=2, events_per_s=100, delay_s=0, first_token_s=0.5))

    spoilt, plain = (
        [
            (round(step.at_s, 3), step.chars > 0)
            for step in provider.handle(a_request(CHAT)).play.steps
        ]
        for _ in range(2)
    )

    assert [at for at, content in spoilt if content] == [0.5, 0.51]
    assert [at for at, content in plain if content] == [3, 3.1, 3.2, 3.3]


CHAT = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}


def test_embeddings_have_the_models_length_and_can_fail_too() -> None:
    provider = a_provider(models={"v": Model(dimensions=5)})
    provider.script("overloaded")
    request = a_request({"model": "v", "input": "text"}, "/v1/embeddings")

    failed, good = perform(provider, request), perform(provider, request)

    assert failed.status == 503
    assert len(good.json["data"][0]["embedding"]) == 5
    assert provider.counters().input_tokens == good.json["usage"]["prompt_tokens"] == 1


@pytest.mark.parametrize("name", sorted(FAULTS))
@pytest.mark.parametrize("stream", [False, True])
def test_every_ready_made_fault_has_a_play(name: str, *, stream: bool) -> None:
    fault = FAULTS[name]
    provider = a_provider()
    provider.script(fault)

    done = provider.handle(a_request({**CHAT, "stream": stream}))

    assert done.booking is not None
    assert done.play.ending == (fault.break_ or ("close" if fault.raw else "keep"))


def test_parts_left_out_are_left_out_of_streams_alone() -> None:
    fault = Fault(omit=frozenset({Part.CONTENT, Part.ROLE}))

    assert spoiled(fault, stream=True).text == ""
    assert spoiled(fault).json["choices"][0]["message"]["content"]


def test_a_break_with_a_status_of_its_own_still_begins() -> None:
    provider = a_provider()
    provider.script(Fault(break_=Break.CLOSE, after=1))

    done = provider.handle(a_request(CHAT))

    assert done.booking is not None
    assert done.booking.record.status == 200
