"""What failures do to the health of profiles, accounts and providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.core.chains import CooldownRule
from spillover.core.health import (
    ACTIVE,
    Cooldown,
    Health,
    LastError,
    subject_of_account,
    subject_of_model,
    subject_of_profile,
    subject_of_provider,
    subjects,
    succeeded,
)
from spillover.core.values import (
    Calendar,
    CalendarUnit,
    Confidence,
    FailureClass,
    FaultScope,
    Metric,
    Rolling,
    Source,
    Status,
)
from tests.core.making import NOON, Record, at, failure, profile
from tests.core.meeting import HOUR, A, B, C, evidence, meets, stands

if TYPE_CHECKING:
    from spillover.core.values import Failure, Profile

DAY, WEEK, MINUTE = CalendarUnit.DAY, CalendarUnit.WEEK, CalendarUnit.MINUTE
PACIFIC = "America/Los_Angeles"
GEMINI = profile(
    "a",
    provider="gemini",
    minute_window=Calendar(unit=MINUTE),
    day_window=Calendar(unit=DAY, zone=PACIFIC),
)


# One failure.


@pytest.mark.parametrize(
    ("kind", "status", "until", "probe_at", "subject"),
    [
        ("rate_limited", "cooldown", 60.0, 60.0, subject_of_profile("a")),
        ("quota_exhausted", "exhausted", HOUR, 900.0, subject_of_profile("a")),
        ("payment_required", "failed", None, HOUR, subject_of_account("a-key")),
        ("auth_invalid", "cooldown", 600.0, 600.0, subject_of_profile("a")),
        ("model_not_found", "failed", None, 86_400.0, subject_of_model("a", "a-model")),
        ("overloaded", "cooldown", 30.0, 30.0, subject_of_profile("a")),
        ("server_error", "cooldown", 30.0, 30.0, subject_of_profile("a")),
        ("bad_gateway", "cooldown", 30.0, 30.0, subject_of_profile("a")),
        ("timeout", "cooldown", 60.0, 60.0, subject_of_profile("a")),
        ("network", "cooldown", 30.0, 30.0, subject_of_profile("a")),
    ],
)
def test_failure_without_a_stated_time_is_waited_out_by_the_table(
    kind: str, status: str, until: float | None, probe_at: float, subject: str
) -> None:
    stand = meets(Record(), failure(FailureClass(kind), status=500, message="oops"))

    assert not stand.may_serve
    assert stand.status.value == status
    assert stand.subject == subject
    assert stand.available_at == NOON + probe_at
    assert stand.evidence == Cooldown(
        status=Status(status),
        reason=kind,
        since=NOON,
        until=None if until is None else NOON + until,
        probe_at=NOON + probe_at,
        source=Source.DEFAULT,
        confidence=Confidence.GUESSED,
        http_status=500,
        message="oops",
    )


@pytest.mark.parametrize("kind", ["bad_request", "content_filter", "context_length"])
def test_fault_of_the_request_benches_nobody(kind: str) -> None:
    assert meets(Record(), failure(FailureClass(kind))) == ACTIVE


def test_fault_that_lies_with_this_request_alone_benches_nobody() -> None:
    no_connection_free = failure(FailureClass.TIMEOUT, scope=FaultScope.REQUEST)

    assert meets(Record(), no_connection_free) == ACTIVE


def test_fault_of_the_account_benches_all_its_profiles() -> None:
    record = Record()
    sibling = profile("b", account="a-key")

    meets(record, failure(FailureClass.QUOTA_EXHAUSTED, scope=FaultScope.ACCOUNT))

    assert not stands(record, who=sibling).may_serve
    assert stands(record, who=B).may_serve


def test_failure_is_remembered_with_its_words() -> None:
    record = Record()

    meets(record, failure(FailureClass.BAD_REQUEST, status=400, message="no such field"))

    health = record.health(subject_of_profile("a"))
    assert health is not None
    assert health.last_error == LastError(
        failure=FailureClass.BAD_REQUEST,
        status=400,
        message="no such field",
        at=NOON,
        profile="a",
    )


# Stated and known times.


@pytest.mark.parametrize(
    ("what", "who", "until", "source", "authoritative"),
    [
        (failure(FailureClass.RATE_LIMITED, stated_wait_s=7.0), A, 7.0, "header", False),
        (failure(FailureClass.RATE_LIMITED, stated_wait_s=0.0), A, 0.5, "header", False),
        (
            failure(FailureClass.RATE_LIMITED, stated_wait_s=7.0, quota_window=MINUTE),
            A, 7.0, "header", True,
        ),
        (
            failure(FailureClass.RATE_LIMITED, stated_wait_s=70.0, quota_window=MINUTE),
            A, 70.0, "header", False,
        ),
        (failure(FailureClass.RATE_LIMITED, stated_wait_s=7.0), GEMINI, 7.0, "header", False),
        (failure(FailureClass.RATE_LIMITED), GEMINI, 60.0, "catalogue", True),
        (failure(FailureClass.RATE_LIMITED, reset_at=NOON + 99.0), A, 99.0, "header", True),
        (failure(FailureClass.RATE_LIMITED, reset_at=NOON - 5.0), A, 60.0, "default", False),
        (failure(FailureClass.RATE_LIMITED, concurrency=True), GEMINI, 2.0, "default", False),
        (
            failure(FailureClass.QUOTA_EXHAUSTED, quota_window=DAY, stated_wait_s=13.0),
            GEMINI, 20 * HOUR, "catalogue", True,
        ),
        (
            failure(FailureClass.QUOTA_EXHAUSTED, quota_window=DAY, reset_at=NOON + 50.0),
            GEMINI, 50.0, "header", True,
        ),
        (failure(FailureClass.QUOTA_EXHAUSTED, quota_window=DAY), A, 12 * HOUR, "default", False),
        (
            failure(FailureClass.QUOTA_EXHAUSTED, quota_window=WEEK),
            GEMINI, 3.5 * 86_400, "default", False,
        ),
        (
            failure(FailureClass.QUOTA_EXHAUSTED, reset_at=NOON + 40 * 86_400.0),
            A, 40 * 86_400.0, "header", False,
        ),
        (failure(FailureClass.OVERLOADED, stated_wait_s=5.0), A, 5.0, "header", False),
    ],
    ids=[
        "stated wait", "wait of nothing", "within its window", "beyond its window",
        "stated beats calendar", "calendar minute", "absolute reset", "reset that is over",
        "concurrency", "misleading 13 s on a spent day", "stated day", "unknown calendar",
        "week", "unbelievably far", "stated overload",
    ],
)  # fmt: skip
def test_end_of_a_wait_and_how_far_it_is_trusted(
    what: Failure, who: Profile, until: float, source: str, *, authoritative: bool
) -> None:
    found = evidence(meets(Record(), what, who=who))

    assert found.until == NOON + until
    assert found.source.value == source
    assert found.probe_at == (None if authoritative else NOON + min(until, 900.0))


def test_geminis_day_ends_at_midnight_pacific_also_when_clocks_change() -> None:
    spent = failure(FailureClass.QUOTA_EXHAUSTED, quota_window=DAY)
    eve = at("2026-03-07 22:00", PACIFIC)
    day_of_change = at("2026-03-08 01:00", PACIFIC)

    first = evidence(meets(Record(), spent, eve, who=GEMINI))
    second = evidence(meets(Record(), spent, day_of_change, who=GEMINI))

    assert first.until == eve + 2 * HOUR
    assert second.until == day_of_change + 22 * HOUR
    assert second.confidence is Confidence.KNOWN


@pytest.mark.parametrize(
    ("rule", "stated", "until", "source", "probed"),
    [
        (CooldownRule(wait_s=300.0), None, 300.0, Source.CONFIG, True),
        (CooldownRule(wait_s=300.0), 7.0, 7.0, Source.HEADER, True),
        (CooldownRule(wait_s=300.0, fixed=True), 7.0, 300.0, Source.CONFIG, False),
    ],
    ids=["nothing stated", "stated", "fixed"],
)
def test_users_own_wait_fills_a_gap_and_a_fixed_one_beats_the_provider(
    rule: CooldownRule, stated: float | None, until: float, source: Source, *, probed: bool
) -> None:
    what = failure(FailureClass.RATE_LIMITED, stated_wait_s=stated)

    found = evidence(meets(Record(), what, who=GEMINI, rule=rule))

    assert (found.until, found.source) == (NOON + until, source)
    assert (found.probe_at is not None) is probed


def test_profile_of_a_rolling_minute_has_no_boundary_to_wait_for() -> None:
    who = profile("a", minute_window=Rolling(seconds=60.0))

    found = evidence(meets(Record(), failure(FailureClass.RATE_LIMITED), NOON + 15.0, who=who))

    assert found.until == NOON + 75.0


# Several failures.


def test_default_wait_doubles_at_each_refusal_in_a_row_up_to_ten_minutes() -> None:
    record, now, waits = Record(), NOON, []
    for _ in range(6):
        until = evidence(meets(record, failure(FailureClass.RATE_LIMITED), now)).until
        assert until is not None
        waits.append(until - now)
        now = until

    assert waits == [60.0, 120.0, 240.0, 480.0, 600.0, 600.0]


def test_stated_wait_that_proved_too_short_grows_and_is_no_longer_trusted() -> None:
    record = Record()
    what = failure(FailureClass.RATE_LIMITED, stated_wait_s=10.0, quota_window=MINUTE)

    first = evidence(meets(record, what, NOON))
    second = evidence(meets(record, what, NOON + 10.0))

    assert (first.until, first.probe_at) == (NOON + 10.0, None)
    assert (second.until, second.probe_at) == (NOON + 30.0, NOON + 30.0)


def test_refusals_of_one_burst_count_as_one() -> None:
    record = Record()
    for delay in (1.0, 1.1, 1.2):
        meets(record, failure(FailureClass.RATE_LIMITED), NOON + delay, sent_at=NOON)

    found = evidence(stands(record, NOON + 2.0))

    assert found.strikes == 1
    assert found.until == NOON + 61.2


def test_shorter_cooldown_never_shortens_a_longer_one() -> None:
    record = Record()
    meets(record, failure(FailureClass.OVERLOADED, stated_wait_s=200.0))

    found = evidence(meets(record, failure(FailureClass.SERVER_ERROR, status=500), NOON + 10.0))

    assert found.until == NOON + 200.0
    assert found.reason == "overloaded"
    assert found.since == NOON + 10.0
    assert found.http_status == 500


def test_guess_is_tested_fifteen_minutes_after_the_last_refusal() -> None:
    record = Record()
    meets(record, failure(FailureClass.OVERLOADED, stated_wait_s=4 * HOUR))

    found = evidence(meets(record, failure(FailureClass.SERVER_ERROR), NOON + 100.0))

    assert found.probe_at == NOON + 1_000.0


def test_test_of_a_longer_guess_is_not_put_off_beyond_its_end() -> None:
    record = Record()
    meets(record, failure(FailureClass.OVERLOADED, stated_wait_s=1_000.0))

    found = evidence(meets(record, failure(FailureClass.SERVER_ERROR), NOON + 200.0))

    assert found.probe_at == NOON + 1_000.0


def test_authoritative_wait_stays_so_when_a_shorter_one_follows() -> None:
    record = Record()
    meets(record, failure(FailureClass.RATE_LIMITED, reset_at=NOON + 500.0))

    found = evidence(meets(record, failure(FailureClass.SERVER_ERROR), NOON + 1.0))

    assert (found.until, found.probe_at) == (NOON + 500.0, None)


def test_refused_probe_of_a_failed_account_puts_off_the_next() -> None:
    record = Record()
    meets(record, failure(FailureClass.PAYMENT_REQUIRED))

    found = evidence(meets(record, failure(FailureClass.PAYMENT_REQUIRED), NOON + HOUR))

    assert found.probe_at == NOON + 2 * HOUR


# Credentials.


def test_refusal_that_names_the_key_fails_the_account_for_good() -> None:
    stand = meets(Record(), failure(FailureClass.AUTH_INVALID, names_key=True))

    assert stand.status is Status.FAILED
    assert stand.subject == subject_of_account("a-key")
    assert stand.available_at is None
    assert not stands(
        Record(healths={stand.subject: Health(failed=stand.evidence)}), 1e12
    ).may_serve


def test_second_bare_refusal_in_a_row_fails_the_account() -> None:
    record = Record()
    first = meets(record, failure(FailureClass.AUTH_INVALID))

    second = meets(record, failure(FailureClass.AUTH_INVALID), NOON + 600.0)

    assert first.status is Status.COOLDOWN
    assert second.status is Status.FAILED
    assert second.subject == subject_of_account("a-key")


def test_bare_refusals_of_one_burst_are_not_two_in_a_row() -> None:
    record = Record()
    meets(record, failure(FailureClass.AUTH_INVALID), NOON + 1.0, sent_at=NOON)

    stand = meets(record, failure(FailureClass.AUTH_INVALID), NOON + 1.5, sent_at=NOON + 0.5)

    assert stand.status is Status.COOLDOWN


def test_success_between_two_bare_refusals_parts_them() -> None:
    record = Record()
    meets(record, failure(FailureClass.AUTH_INVALID))
    record.learn(succeeded(A, record.health, NOON + 600.0))

    stand = meets(record, failure(FailureClass.AUTH_INVALID), NOON + 700.0)

    assert stand.status is Status.COOLDOWN


def test_success_of_a_call_sent_before_a_bare_refusal_does_not_part_them() -> None:
    record = Record()
    meets(record, failure(FailureClass.AUTH_INVALID))
    record.learn(succeeded(A, record.health, NOON - 1.0))

    stand = meets(record, failure(FailureClass.AUTH_INVALID), NOON + 700.0)

    assert stand.status is Status.FAILED


# Providers.


def test_second_profile_that_fails_alike_within_a_minute_benches_the_others() -> None:
    record = Record()
    meets(record, failure(FailureClass.SERVER_ERROR), who=A)
    alone = stands(record, who=C).may_serve

    meets(record, failure(FailureClass.SERVER_ERROR), NOON + 60.0, who=B)

    stand = stands(record, NOON + 60.0, who=C)
    assert alone
    assert not stand.may_serve
    assert stand.subject == subject_of_provider(C)
    assert stands(record, NOON + 60.0, who=profile("d", provider="mistral")) == ACTIVE


@pytest.mark.parametrize(
    ("second", "who", "later"),
    [
        (failure(FailureClass.NETWORK), B, 10.0),
        (failure(FailureClass.SERVER_ERROR), B, 60.1),
        (failure(FailureClass.SERVER_ERROR), A, 10.0),
        (failure(FailureClass.SERVER_ERROR, scope=FaultScope.PROFILE), B, 10.0),
    ],
    ids=["otherwise", "later", "the same profile", "the profile's own fault"],
)
def test_failures_that_have_nothing_in_common_bench_nobody_else(
    second: Failure, who: Profile, later: float
) -> None:
    record = Record()
    meets(record, failure(FailureClass.SERVER_ERROR), who=A)

    meets(record, second, NOON + later, who=who)

    assert stands(record, NOON + later, who=C).may_serve


def test_second_profiles_own_spent_quota_is_not_passed_on_to_the_provider() -> None:
    record = Record()
    meets(record, failure(FailureClass.QUOTA_EXHAUSTED, reset_at=NOON + HOUR), who=B)
    meets(record, failure(FailureClass.SERVER_ERROR), who=A)

    meets(record, failure(FailureClass.SERVER_ERROR), NOON + 1.0, who=B)

    assert evidence(stands(record, NOON + 1.0, who=C)).status is Status.COOLDOWN


@pytest.mark.parametrize("provider", ["", "custom"])
def test_addresses_that_no_catalogue_knows_have_nothing_in_common(provider: str) -> None:
    record = Record()
    one, other, third = (profile(name, provider=provider) for name in "abc")
    meets(record, failure(FailureClass.SERVER_ERROR), who=one)

    meets(record, failure(FailureClass.SERVER_ERROR), who=other)

    assert stands(record, who=third).may_serve
    assert subjects(one)[3] != subjects(other)[3]


def test_success_of_one_profile_ends_the_providers_cooldown() -> None:
    record = Record()
    meets(record, failure(FailureClass.SERVER_ERROR), who=A)
    meets(record, failure(FailureClass.SERVER_ERROR), who=B)

    record.learn(succeeded(B, record.health, NOON + 30.0))

    assert stands(record, NOON + 30.0, who=B) == ACTIVE
    assert stands(record, NOON + 30.0, who=C) == ACTIVE


# Waits that the catalogue knows of.

GROQ = profile(
    "a",
    provider="groq",
    guessed_waits=(
        ("requests_per_minute", 2.0),
        ("tokens_per_minute", 10.0),
        ("requests_per_day", None),
        ("tokens_per_hour", 900.0),
    ),
)


@pytest.mark.parametrize(
    ("kind", "window", "metric", "wait"),
    [
        ("rate_limited", MINUTE, Metric.REQUESTS, 2.0),
        ("rate_limited", MINUTE, Metric.TOKENS, 10.0),
        ("rate_limited", None, Metric.TOKENS, 10.0),
        ("rate_limited", MINUTE, None, 10.0),
        ("quota_exhausted", DAY, Metric.REQUESTS, 12 * HOUR),
        ("quota_exhausted", DAY, None, 12 * HOUR),
        ("quota_exhausted", CalendarUnit.HOUR, Metric.TOKENS, 900.0),
    ],
)
def test_a_refusal_without_a_wait_takes_the_catalogues_as_a_guess(
    kind: str, window: CalendarUnit | None, metric: Metric | None, wait: float
) -> None:
    refusal = failure(FailureClass(kind), status=429, quota_window=window, metric=metric)

    found = evidence(meets(Record(), refusal, who=GROQ))

    assert (found.until, found.probe_at) == (NOON + wait, NOON + min(wait, 900.0))
    assert (found.source, found.confidence) == (Source.CATALOGUE, Confidence.GUESSED)


@pytest.mark.parametrize(
    ("window", "metric"), [(None, None), (WEEK, None), (DAY, Metric.TOKENS)], ids=str
)
def test_what_the_catalogue_knows_no_wait_for_is_waited_out_by_the_table(
    window: CalendarUnit | None, metric: Metric | None
) -> None:
    refusal = failure(FailureClass.RATE_LIMITED, status=429, quota_window=window, metric=metric)

    found = evidence(meets(Record(), refusal, who=GROQ))

    assert (found.until, found.source) == (NOON + 60.0, Source.DEFAULT)


def test_a_stated_wait_comes_before_the_catalogues() -> None:
    told = {"stated_wait_s": 7.0, "source": Source.HEADER}
    refusal = failure(
        FailureClass.RATE_LIMITED, quota_window=MINUTE, metric=Metric.REQUESTS, **told
    )

    found = evidence(meets(Record(), refusal, who=GROQ))

    assert (found.until, found.source) == (NOON + 7.0, Source.HEADER)
