"""Naming failures, and what each class costs."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.evidence import Evidence, Shape, TransportFault
from spillover.core.failures import TREATMENTS, Then, backoff_s, classify, is_named, treatment_of
from spillover.core.values import (
    CalendarUnit,
    Confidence,
    Failure,
    FailureClass,
    FaultScope,
    Metric,
    Source,
    Status,
)

NOW = 1_790_000_000.0


def an_error(
    status: int | None = None, text: str = "", *codes: str, provider: str = "somebody"
) -> Evidence:
    return Evidence(
        provider=provider,
        status=status,
        shape=Shape.STRUCTURED,
        codes=codes,
        code=codes[0] if codes else None,
        message=text,
        text=text.lower(),
    )


@pytest.mark.parametrize(
    ("evidence", "named"),
    [
        (Evidence(fault=TransportFault.RESET), True),
        (an_error(None, "the model is overloaded"), True),
        (an_error(None, "whatever", "rate_limit_exceeded"), True),
        (an_error(503, "whatever"), False),
        (an_error(None, "hello"), False),
    ],
)
def test_what_failed_is_named_by_faults_codes_and_words(evidence: Evidence, *, named: bool) -> None:
    assert is_named(evidence) is named


def test_every_class_has_a_treatment() -> None:
    assert set(TREATMENTS) == set(FailureClass)


def test_treatments_are_those_of_the_design() -> None:
    sends = {failure: treatment.sends for failure, treatment in TREATMENTS.items()}
    waits = {failure: treatment.wait_s for failure, treatment in TREATMENTS.items()}

    assert {f for f, n in sends.items() if n > 1} == {
        FailureClass.SERVER_ERROR,
        FailureClass.BAD_GATEWAY,
    }
    assert sends[FailureClass.SERVER_ERROR] == 3
    assert sends[FailureClass.BAD_GATEWAY] == 2
    assert TREATMENTS[FailureClass.NETWORK].sends_when_reset == 2
    assert waits[FailureClass.RATE_LIMITED] == 60
    assert TREATMENTS[FailureClass.RATE_LIMITED].longest_wait_s == 600
    assert waits[FailureClass.QUOTA_EXHAUSTED] == 3_600
    assert waits[FailureClass.OVERLOADED] == 30
    assert waits[FailureClass.TIMEOUT] == 60
    assert TREATMENTS[FailureClass.PAYMENT_REQUIRED].probe_every_s == 3_600
    assert TREATMENTS[FailureClass.MODEL_NOT_FOUND].probe_every_s == 86_400


def test_faults_of_the_request_bench_nobody() -> None:
    untouched = {f for f, t in TREATMENTS.items() if t.status is Status.ACTIVE}

    assert untouched == {
        FailureClass.CONTEXT_LENGTH,
        FailureClass.BAD_REQUEST,
        FailureClass.CONTENT_FILTER,
    }
    assert TREATMENTS[FailureClass.BAD_REQUEST].then is Then.ERROR
    assert TREATMENTS[FailureClass.CONTENT_FILTER].then is Then.ERROR
    assert TREATMENTS[FailureClass.CONTEXT_LENGTH].then is Then.LARGER_CONTEXT


def test_too_many_calls_at_once_clear_within_seconds() -> None:
    crowded = Failure(failure=FailureClass.RATE_LIMITED, scope=FaultScope.ACCOUNT, concurrency=True)
    limited = Failure(failure=FailureClass.RATE_LIMITED, scope=FaultScope.ACCOUNT)

    assert treatment_of(crowded).wait_s == 2
    assert treatment_of(limited) is TREATMENTS[FailureClass.RATE_LIMITED]


@given(st.integers(1, 8), st.floats(0, 1, exclude_max=True))
def test_back_off_doubles_give_or_take_half(sends: int, draw: float) -> None:
    middle = 0.5 * 2 ** (sends - 1)

    assert 0.5 * middle <= backoff_s(sends, draw) <= 1.5 * middle


@pytest.mark.parametrize(
    ("status", "failure", "scope"),
    [
        (301, FailureClass.BAD_GATEWAY, FaultScope.PROVIDER),
        (400, FailureClass.BAD_REQUEST, FaultScope.REQUEST),
        (401, FailureClass.AUTH_INVALID, FaultScope.ACCOUNT),
        (402, FailureClass.PAYMENT_REQUIRED, FaultScope.ACCOUNT),
        (403, FailureClass.AUTH_INVALID, FaultScope.ACCOUNT),
        (404, FailureClass.MODEL_NOT_FOUND, FaultScope.PROFILE),
        (405, FailureClass.BAD_REQUEST, FaultScope.REQUEST),
        (408, FailureClass.TIMEOUT, FaultScope.PROVIDER),
        (410, FailureClass.MODEL_NOT_FOUND, FaultScope.PROFILE),
        (413, FailureClass.CONTEXT_LENGTH, FaultScope.PROFILE),
        (418, FailureClass.BAD_REQUEST, FaultScope.REQUEST),
        (422, FailureClass.BAD_REQUEST, FaultScope.REQUEST),
        (429, FailureClass.RATE_LIMITED, FaultScope.ACCOUNT),
        (498, FailureClass.OVERLOADED, FaultScope.PROVIDER),
        (500, FailureClass.SERVER_ERROR, FaultScope.PROVIDER),
        (502, FailureClass.BAD_GATEWAY, FaultScope.PROVIDER),
        (503, FailureClass.OVERLOADED, FaultScope.PROVIDER),
        (504, FailureClass.TIMEOUT, FaultScope.PROVIDER),
        (520, FailureClass.SERVER_ERROR, FaultScope.PROVIDER),
        (522, FailureClass.TIMEOUT, FaultScope.PROVIDER),
        (524, FailureClass.TIMEOUT, FaultScope.PROVIDER),
        (527, FailureClass.SERVER_ERROR, FaultScope.PROVIDER),
        (529, FailureClass.OVERLOADED, FaultScope.PROVIDER),
        (599, FailureClass.SERVER_ERROR, FaultScope.PROVIDER),
        (200, FailureClass.SERVER_ERROR, FaultScope.PROFILE),
        (None, FailureClass.SERVER_ERROR, FaultScope.PROFILE),
    ],
)
def test_a_bare_status_has_a_meaning(
    status: int | None, failure: FailureClass, scope: FaultScope
) -> None:
    found = classify(an_error(status), now=NOW)

    assert (found.failure, found.scope) == (failure, scope)
    assert found.status == status
    assert found.names_key is False


@pytest.mark.parametrize(
    ("fault", "failure", "never_sent", "reset"),
    [
        (TransportFault.REFUSED, FailureClass.NETWORK, True, False),
        (TransportFault.DNS, FailureClass.NETWORK, True, False),
        (TransportFault.UNREACHABLE, FailureClass.NETWORK, True, False),
        (TransportFault.TLS, FailureClass.NETWORK, True, False),
        (TransportFault.CONNECT_TIMEOUT, FailureClass.TIMEOUT, True, False),
        (TransportFault.POOL, FailureClass.TIMEOUT, True, False),
        (TransportFault.RESET, FailureClass.NETWORK, False, True),
        (TransportFault.BROKEN_PIPE, FailureClass.NETWORK, False, True),
        (TransportFault.CLOSED_BEFORE_HEAD, FailureClass.NETWORK, False, True),
        (TransportFault.CUT, FailureClass.NETWORK, False, False),
        (TransportFault.MALFORMED_HTTP, FailureClass.SERVER_ERROR, False, False),
        (TransportFault.FIRST_TOKEN_TIMEOUT, FailureClass.TIMEOUT, False, False),
        (TransportFault.STALL, FailureClass.TIMEOUT, False, False),
        (TransportFault.TOTAL_TIMEOUT, FailureClass.TIMEOUT, False, False),
    ],
)
def test_a_broken_exchange_has_a_meaning(
    fault: TransportFault,
    failure: FailureClass,
    *,
    never_sent: bool,
    reset: bool,
) -> None:
    found = classify(Evidence(fault=fault, status=200, after_content=True), now=NOW)

    assert found.failure is failure
    assert found.never_sent is never_sent
    assert found.reset_mid_send is reset
    assert found.after_content is True
    assert found.code == fault.value
    assert found.message


def test_every_fault_is_known() -> None:
    for fault in TransportFault:
        assert classify(Evidence(fault=fault), now=NOW).message


def test_the_words_of_a_transport_fault_are_kept_and_redacted() -> None:
    evidence = Evidence(fault=TransportFault.TLS, message="bad certificate for sk-secret")

    found = classify(evidence, now=NOW, redact=lambda text: text.replace("sk-secret", "sk-…"))

    assert found.message == "bad certificate for sk-…"


def test_a_429_about_money_is_no_rate_limit() -> None:
    evidence = an_error(429, "You exceeded your current quota", "insufficient_quota")

    found = classify(evidence, now=NOW)

    assert found.failure is FailureClass.PAYMENT_REQUIRED
    assert found.permanent is True


def test_a_429_about_capacity_is_an_overload() -> None:
    found = classify(an_error(429, "The engine is currently overloaded"), now=NOW)

    assert found.failure is FailureClass.OVERLOADED


def test_a_rate_limit_on_a_day_is_a_spent_quota() -> None:
    text = "Rate limit reached on tokens per day (TPD): Limit 200,000"

    found = classify(an_error(429, text, "rate_limit_exceeded", provider="groq"), now=NOW)

    assert found.failure is FailureClass.QUOTA_EXHAUSTED
    assert found.quota_window is CalendarUnit.DAY
    assert found.scope is FaultScope.PROFILE


def test_a_rate_limit_on_a_minute_stays_one() -> None:
    found = classify(an_error(429, "limited to 20 API calls / minute"), now=NOW)

    assert found.failure is FailureClass.RATE_LIMITED
    assert found.quota_window is CalendarUnit.MINUTE


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("Rate limit reached on requests per minute (RPM): Limit 30", Metric.REQUESTS),
        ("Rate limit reached on tokens per minute (TPM): Limit 6000, Requested 9", Metric.TOKENS),
        ("Token limit exceeded", Metric.TOKENS),
        ("over your RPD", Metric.REQUESTS),
        ("Daily token quota", Metric.TOKENS),
        ("Rate limit exceeded", None),
        ("too many concurrent requests; 3 requests per minute", None),
    ],
)
def test_what_is_spent_is_told_where_the_text_names_it(text: str, metric: Metric | None) -> None:
    assert classify(an_error(429, text, provider="groq"), now=NOW).metric is metric


def test_a_rate_limit_benches_the_account_unless_quotas_are_per_model() -> None:
    bare = an_error(429, "Rate limit exceeded")
    named = an_error(429, "Rate limit reached for model `x`")
    per_model = an_error(429, "Rate limit exceeded", provider="groq")

    assert classify(bare, now=NOW).scope is FaultScope.ACCOUNT
    assert classify(named, now=NOW).scope is FaultScope.PROFILE
    assert classify(per_model, now=NOW).scope is FaultScope.PROFILE


def test_a_text_about_an_innocent_number_stays_a_bad_request() -> None:
    found = classify(an_error(400, "'top_k' must be below 429, quota fields are ignored"), now=NOW)

    assert found.failure is FailureClass.BAD_REQUEST
    assert found.retry_elsewhere is False


def test_a_field_that_only_this_provider_rejects_may_be_sent_elsewhere() -> None:
    found = classify(an_error(422, "body.tools: Extra inputs are not permitted"), now=NOW)

    assert found.failure is FailureClass.BAD_REQUEST
    assert found.retry_elsewhere is True


def test_a_refusal_by_policy_is_not_sent_elsewhere() -> None:
    found = classify(an_error(400, "prompt", "content_filter"), now=NOW)

    assert found.failure is FailureClass.CONTENT_FILTER
    assert found.retry_elsewhere is False


def test_a_401_that_names_the_key_says_so() -> None:
    found = classify(an_error(401, "Incorrect API key provided"), now=NOW)

    assert found.failure is FailureClass.AUTH_INVALID
    assert found.names_key is True


def test_calls_in_flight_are_told_from_calls_per_minute() -> None:
    found = classify(an_error(429, "too many concurrent requests"), now=NOW)

    assert found.failure is FailureClass.RATE_LIMITED
    assert found.concurrency is True


def test_a_sign_of_one_provider_means_nothing_at_another() -> None:
    here = classify(an_error(429, "Rate limit", "1302", provider="zai"), now=NOW)
    there = classify(an_error(429, "Rate limit", "1302", provider="groq"), now=NOW)

    assert here.concurrency is True
    assert there.concurrency is False


def test_a_stream_that_lm_studio_ends_empty_was_too_long() -> None:
    hollow = Evidence(provider="lmstudio", status=200, shape=Shape.HOLLOW)
    elsewhere = Evidence(provider="vllm", status=200, shape=Shape.HOLLOW)
    refused = Evidence(provider="lmstudio", status=400, shape=Shape.STRUCTURED)

    assert classify(hollow, now=NOW).failure is FailureClass.CONTEXT_LENGTH
    assert classify(elsewhere, now=NOW).failure is FailureClass.SERVER_ERROR
    assert classify(refused, now=NOW).failure is FailureClass.BAD_REQUEST


def test_an_error_without_a_status_is_named_by_its_code() -> None:
    refused = classify(an_error(200, "no such field", "invalid_request_error"), now=NOW)
    busy = classify(an_error(None, "try later", "unavailable"), now=NOW)

    assert refused.failure is FailureClass.BAD_REQUEST
    assert busy.failure is FailureClass.OVERLOADED


def test_a_stated_wait_is_kept_with_its_source() -> None:
    evidence = Evidence(status=429, stated_wait_s=7.5, source=Source.HEADER)

    found = classify(evidence, now=NOW)

    assert found.stated_wait_s == 7.5
    assert found.source is Source.HEADER
    assert found.confidence is Confidence.STATED


def test_without_a_stated_wait_nothing_is_claimed() -> None:
    found = classify(Evidence(status=429, source=Source.BODY), now=NOW)

    assert found.stated_wait_s is None
    assert found.source is Source.DEFAULT
    assert found.confidence is Confidence.GUESSED


@pytest.mark.parametrize(
    ("stated", "believed"), [(-3.0, 0.0), (0.0, 0.0), (99_999_999_999.0, 86_400.0), (inf, 86_400.0)]
)
def test_an_absurd_wait_is_cut(stated: float, believed: float) -> None:
    found = classify(Evidence(status=429, stated_wait_s=stated), now=NOW)

    assert found.stated_wait_s == believed


def test_a_spent_quota_may_state_a_wait_of_weeks() -> None:
    text = "monthly usage limit reached"
    evidence = Evidence(status=429, text=text, message=text, stated_wait_s=1_123_200.0)

    found = classify(evidence, now=NOW)

    assert found.failure is FailureClass.QUOTA_EXHAUSTED
    assert found.stated_wait_s == 1_123_200.0


@pytest.mark.parametrize(
    ("stated", "believed"),
    [(NOW + 60, NOW + 60), (NOW, None), (NOW - 60, None), (NOW + 90_000, None)],
)
def test_a_reset_is_believed_only_in_the_near_future(stated: float, believed: float | None) -> None:
    found = classify(Evidence(status=429, reset_at=stated), now=NOW)

    assert found.reset_at == believed


def test_a_reset_that_has_just_passed_is_a_wait_of_nothing() -> None:
    just = classify(Evidence(status=429, reset_at=NOW - 5), now=NOW)
    also = classify(Evidence(status=429, reset_at=NOW - 5, stated_wait_s=9.0), now=NOW)
    long_ago = classify(Evidence(status=429, reset_at=NOW - 5_000), now=NOW)

    assert (just.stated_wait_s, just.reset_at) == (0, None)
    assert also.stated_wait_s == 9
    assert long_ago.stated_wait_s is None


def test_a_reset_is_read_off_the_clock_that_it_was_stated_by() -> None:
    slow = Evidence(status=429, reset_at=NOW - 9_970, server_at=NOW - 10_000)

    assert classify(slow, now=NOW).reset_at == NOW + 30


def test_what_waiting_will_not_mend_states_no_wait() -> None:
    gone = Evidence(
        provider="gemini", status=429, text="quota exceeded, limit: 0, model: x", stated_wait_s=10.0
    )
    too_long = Evidence(status=413, stated_wait_s=9.0)

    assert classify(gone, now=NOW).permanent is True
    assert classify(gone, now=NOW).stated_wait_s is None
    assert classify(too_long, now=NOW).stated_wait_s is None


def test_words_lose_what_would_move_a_cursor_and_codes_their_secrets() -> None:
    evidence = an_error(400, "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202ereversed, 世界", "sk-secret")

    found = classify(evidence, now=NOW, redact=lambda text: text.replace("sk-secret", "sk-…"))

    assert found.message == " [31mred ]0;title   2J  reversed, 世界"
    assert found.code == "sk-…"


@pytest.mark.parametrize("status", [101, 204, 304])
def test_answers_without_an_answer_are_the_servers_fault(status: int) -> None:
    evidence = Evidence(provider="somebody", status=status, shape=Shape.NOTHING)

    assert classify(evidence, now=NOW).failure is FailureClass.SERVER_ERROR


def test_a_message_is_redacted_before_it_is_cut() -> None:
    secret = "sk-" + "x" * 40
    evidence = an_error(500, "a" * 280 + secret)

    found = classify(evidence, now=NOW, redact=lambda text: text.replace(secret, "sk-…"))

    assert found.message == "a" * 280 + "sk-…"
    message = classify(evidence, now=NOW).message

    assert len(message) == 300
    assert message.endswith("…")


@given(
    status=st.none() | st.integers(100, 599),
    text=st.text(max_size=200),
    codes=st.lists(st.text(max_size=20), max_size=3),
    wait=st.none() | st.floats(allow_nan=False),
    reset_at=st.none() | st.floats(allow_nan=False),
)
def test_any_evidence_gets_a_name_and_a_bearable_wait(
    status: int | None,
    text: str,
    codes: list[str],
    wait: float | None,
    reset_at: float | None,
) -> None:
    evidence = Evidence(
        status=status,
        text=text.lower(),
        message=text,
        codes=tuple(codes),
        stated_wait_s=wait,
        reset_at=reset_at,
    )

    found = classify(evidence, now=NOW)

    assert found.failure in FailureClass
    assert found.stated_wait_s is None or 0 <= found.stated_wait_s <= 31 * 86_400
    assert found.reset_at is None or NOW < found.reset_at <= NOW + 31 * 86_400
