"""Saying what a recorded exchange means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.values import Confidence, FailureClass, FaultScope, Source
from spillover.protocols.records import NO_FAILURE, Classified, classify, is_recognised

HERE = Path(__file__).parent
NOW = "2026-07-08T14:08:15Z"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text("utf-8").splitlines()]


RECORDED = rows("recorded_errors.jsonl")
VARIANTS = [*rows("error_variants.jsonl"), *rows("field_errors.jsonl")]
"""Wordings, nestings, languages and header cases besides those that were recorded; and answers of all
kinds of providers as they are met in the field."""
FIELDS = ("provider", "status", "headers", "body", "exception", "stream")


def classified(row: dict[str, Any]) -> Classified:
    return classify({name: row.get(name) for name in FIELDS}, now=NOW)


@pytest.mark.parametrize("row", RECORDED, ids=[row["id"] for row in RECORDED])
def test_a_recorded_exchange_is_classed_as_it_was(row: dict[str, Any]) -> None:
    found = classified(row)

    assert found.failure is (row["failure"] is not None)
    assert found.class_ == row["failure"]
    if row["wait_s"] is not None:
        assert found.stated_wait_s == pytest.approx(row["wait_s"], abs=1, rel=0.05)


def test_the_scope_of_nearly_every_recorded_failure_is_as_it_was() -> None:
    missed = [row["id"] for row in RECORDED if classified(row).scope != row["scope"]]

    assert len(missed) <= 0.02 * len(RECORDED), missed


@pytest.mark.parametrize("row", VARIANTS, ids=range(len(VARIANTS)))
def test_a_variant_is_classed_by_what_it_means(row: dict[str, Any]) -> None:
    found = classified(row)

    assert found.class_ == row["failure"]
    assert row.get("scope") in {None, found.scope}
    assert row.get("window") in {None, found.quota_window}
    if row["wait_s"] is None:
        assert found.stated_wait_s is None
    else:
        assert found.stated_wait_s == pytest.approx(row["wait_s"], abs=1, rel=0.05)


@pytest.mark.parametrize("row", [*RECORDED, *VARIANTS], ids=range(len(RECORDED) + len(VARIANTS)))
def test_the_case_of_header_names_and_the_kind_of_the_body_do_not_matter(
    row: dict[str, Any],
) -> None:
    headers = {name.title(): value for name, value in (row.get("headers") or {}).items()}
    other = {**row, "headers": headers, "body": row["body"].encode()}

    assert classified(other) == classified(row)


@pytest.mark.parametrize(
    "body",
    [
        ": keep-alive\n\n",
        ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n",
        'event: ping\ndata: {"type": "ping"}\n\n',
        "event: ping\n\n",
        'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
        'data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
        (
            'event: message_start\ndata: {"type":"message_start","message":{}}\n\n'
            'event: content_block_delta\ndata: {"type":"content_block_delta"}\n\n'
            'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        'data: {"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}]}\r\n\r\n',
        '{"id":"x","type":"message","content":[{"type":"text","text":"hi"}]}',
        '{"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}',
        '{"choices":[{"message":{"content":"Error 429 means rate limit exceeded"}}]}',
        '{"choices":[{"message":{"content":"Error (429): {}"}}]}',
        '{"choices":[{"message":{"content":["part"]}}]}',
        '{"choices":[{"text":"hello"}]}',
        '{"object":"list","data":[{"embedding":[1]}]}',
    ],
)
def test_what_is_fine_is_no_failure(body: str) -> None:
    assert classify(provider="x", status=200, body=body) == NO_FAILURE


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ('{"candidates":[{"finishReason":"SAFETY"}]}', FailureClass.CONTENT_FILTER),
        ('{"type":"message","content":[]}', FailureClass.SERVER_ERROR),
        ('{"choices":[]}', FailureClass.SERVER_ERROR),
        ("{}", FailureClass.SERVER_ERROR),
        ("", FailureClass.SERVER_ERROR),
        ("data: \n\n", FailureClass.SERVER_ERROR),
        (
            'data: {"type":"message_delta","delta":{"stop_reason":"refusal"}}\n\n',
            FailureClass.CONTENT_FILTER,
        ),
        ('data: {"type":"content_block_delta"}\n\n', FailureClass.NETWORK),
        ('data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n', FailureClass.NETWORK),
        ("data: [DONE]\n\n", FailureClass.SERVER_ERROR),
        ("data: " + "x" * (17 << 20), FailureClass.SERVER_ERROR),
        (
            'data: {"choices":[{"delta":{},"finish_reason":null}],"x_groq":{"error":"over capacity"}}\n\n',
            FailureClass.OVERLOADED,
        ),
    ],
    ids=range(12),
)
def test_what_came_as_fine_may_have_failed(body: str, failure: FailureClass) -> None:
    assert classify(provider="x", status=200, body=body).class_ is failure


def test_a_stream_may_be_empty() -> None:
    assert classify(status=200, body="", stream=True).class_ is FailureClass.SERVER_ERROR


@pytest.mark.parametrize(
    ("exception", "failure", "scope"),
    [
        ("ECONNREFUSED", FailureClass.NETWORK, FaultScope.PROVIDER),
        ("ETIMEDOUT", FailureClass.TIMEOUT, FaultScope.PROVIDER),
        ("httpx.ReadTimeout", FailureClass.TIMEOUT, FaultScope.PROFILE),
        ("httpx.PoolTimeout", FailureClass.TIMEOUT, FaultScope.REQUEST),
        ("openai.RateLimitError", FailureClass.RATE_LIMITED, FaultScope.ACCOUNT),
        (
            "litellm.ContextWindowExceededError: long",
            FailureClass.CONTEXT_LENGTH,
            FaultScope.PROFILE,
        ),
        (
            "httpx.HTTPStatusError: '503 Service Unavailable'",
            FailureClass.OVERLOADED,
            FaultScope.PROVIDER,
        ),
        ("KeyError: 'choices'", FailureClass.SERVER_ERROR, FaultScope.PROFILE),
        (
            ConnectionRefusedError(111, "Connection refused"),
            FailureClass.NETWORK,
            FaultScope.PROVIDER,
        ),
    ],
    ids=str,
)
def test_an_exception_says_what_broke(
    exception: str | BaseException, failure: FailureClass, scope: FaultScope
) -> None:
    found = classify(exception=exception)

    assert (found.class_, found.scope) == (failure, scope)


def test_an_exceptions_cause_is_looked_at_and_a_circle_of_them_ends() -> None:
    outer, inner = RuntimeError("Connection error."), OSError("getaddrinfo failed")
    outer.__cause__, inner.__context__ = inner, outer

    assert classify(exception=outer).class_ is FailureClass.NETWORK


def test_an_exception_beside_a_status_does_not_hide_the_answer() -> None:
    body = '{"error": {"code": "insufficient_quota"}}'

    found = classify(status=429, body=body, exception="openai.RateLimitError: timed out or not")
    other = classify(status=429, body=body, exception="openai.RateLimitError")

    assert found.class_ is FailureClass.TIMEOUT
    assert other.class_ is FailureClass.PAYMENT_REQUIRED


@pytest.mark.parametrize(
    ("pasted", "failure"),
    [
        ("Error code: 401 - {'error': {'message': 'no'}}", FailureClass.AUTH_INVALID),
        ("HTTP/1.1 503 Service Unavailable", FailureClass.OVERLOADED),
        ('{"status": 504}', FailureClass.TIMEOUT),
        ("529 overloaded", FailureClass.OVERLOADED),
        ("Rate limit exceeded", FailureClass.RATE_LIMITED),
    ],
)
def test_a_pasted_error_tells_its_own_status(pasted: str, failure: FailureClass) -> None:
    assert classify(body=pasted).class_ is failure


def test_an_absolute_reset_is_a_wait_from_when_the_record_was_made() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1783519740000"}
    dated = {**headers, "Date": "Wed, 08 Jul 2026 14:08:40 GMT"}

    assert classify(status=429, headers=headers, now=1_783_519_695.0).stated_wait_s == 45
    assert classify(status=429, headers=headers, now=NOW).stated_wait_s == 45
    assert classify(status=429, headers=dated).stated_wait_s == 20
    assert classify(status=429, headers=dated, now=NOW).stated_wait_s == 20
    assert classify(status=429, headers=headers).stated_wait_s is None


def test_the_reset_of_a_chinese_plan_is_in_shanghais_time() -> None:
    body = '{"error": {"code": "1308", "message": "您的限额将在 2026-08-25 07:41:44 重置。"}}'

    found = classify(provider="zai", status=429, body=body, now="2026-08-24T22:41:44Z")

    assert found.stated_wait_s == 3_600
    assert found.source is Source.BODY
    assert found.confidence is Confidence.STATED


def test_calls_in_flight_are_a_window_of_their_own() -> None:
    found = classify(provider="zai", status=429, body='{"error": {"code": "1302"}}')

    assert found.quota_window == "concurrency"


def test_a_value_has_the_contracts_names() -> None:
    found = classify(status=429, headers={"Retry-After": "7"})

    assert json.loads(msgspec.json.encode(found)) == {
        "failure": True,
        "class": "rate_limited",
        "scope": "account",
        "stated_wait_s": 7.0,
        "source": "header",
        "confidence": "stated",
        "retry_elsewhere": True,
        "quota_window": None,
        "permanent": False,
    }


def test_a_record_may_be_given_whole_or_by_name_and_holds_more_than_is_read() -> None:
    record = {"status": 429, "id": "x", "note": "y"}

    assert classify(record) == classify(status=429) == classify({}, **record)


@pytest.mark.parametrize(
    ("record", "failure"),
    [
        ({"status": "429"}, FailureClass.RATE_LIMITED),
        ({"status": 429, "headers": {"retry-after": ["7"], "x": None}}, FailureClass.RATE_LIMITED),
        ({"status": 429, "headers": "none"}, FailureClass.RATE_LIMITED),
        (
            {"status": 429, "body": {"error": {"code": "insufficient_quota"}}},
            FailureClass.PAYMENT_REQUIRED,
        ),
        ({"status": 429, "body": object()}, FailureClass.RATE_LIMITED),
        ({"status": 429, "now": True}, FailureClass.RATE_LIMITED),
        ({"status": 429, "now": float("nan")}, FailureClass.RATE_LIMITED),
        ({"status": float("inf"), "body": "server busy"}, FailureClass.OVERLOADED),
    ],
    ids=range(8),
)
def test_a_field_of_another_type_is_made_the_best_of(
    record: dict[str, Any], failure: FailureClass
) -> None:
    assert classify(record).class_ is failure


ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=60)
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "provider": ANYTHING,
            "status": ANYTHING | st.integers(100, 599),
            "headers": ANYTHING | st.dictionaries(st.text(), ANYTHING),
            "body": ANYTHING,
            "exception": ANYTHING,
            "stream": ANYTHING,
            "now": ANYTHING,
        },
    )
)
def test_any_record_is_read_without_harm(record: dict[str, Any]) -> None:
    found = classify(record)

    assert found.stated_wait_s is None or 0 <= found.stated_wait_s <= 31 * 86_400


@given(body=st.binary(max_size=200), stream=st.booleans())
def test_any_body_of_a_fine_answer_is_read_without_harm(*, body: bytes, stream: bool) -> None:
    assert isinstance(classify(status=200, body=body, stream=stream), Classified)
    assert isinstance(classify(status=200, body=b"data: " + body, stream=stream), Classified)


def test_whatever_fails_in_the_records_is_recognised() -> None:
    given = [{name: row[name] for name in FIELDS if name in row} for row in [*RECORDED, *VARIANTS]]

    assert not [row for row in given if is_recognised(row) is not classify(row).failure]


@pytest.mark.parametrize("text", ["hello", "bash: foo: command not found", "12 things to do"])
def test_words_that_bear_no_sign_are_not_recognised(text: str) -> None:
    assert not is_recognised({"exception": text})


def test_a_status_that_stands_alone_is_one() -> None:
    assert classify(exception="503").class_ is FailureClass.OVERLOADED
