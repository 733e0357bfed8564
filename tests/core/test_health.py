"""Whether evidence lets a profile serve, and what ends it."""

from __future__ import annotations

from spillover.core.health import (
    ACTIVE,
    HEALTHY,
    Cooldown,
    Health,
    cleared,
    shifted,
    subject_of_account,
    subject_of_profile,
    succeeded,
)
from spillover.core.values import (
    Calendar,
    CalendarUnit,
    Confidence,
    FailureClass,
    Source,
    Status,
)
from tests.core.making import NOON, Record, failure, profile
from tests.core.meeting import HOUR, A, evidence, meets, stands

GEMINI = profile("a", day_window=Calendar(unit=CalendarUnit.DAY))


# How things stand.


def test_authoritative_wait_ends_in_full_traffic() -> None:
    record = Record()
    meets(record, failure(FailureClass.RATE_LIMITED, reset_at=NOON + 50.0))

    assert not stands(record, NOON + 49.9).may_serve
    assert stands(record, NOON + 50.0) == ACTIVE


def test_guess_ends_in_one_probe() -> None:
    record = Record()
    meets(record, failure(FailureClass.OVERLOADED))

    stand = stands(record, NOON + 30.0)

    assert stand.may_serve
    assert stand.probe
    assert stand.status is Status.ACTIVE
    assert stand.available_at is None


def test_guess_that_is_tested_early_shows_what_it_is() -> None:
    record = Record()
    meets(record, failure(FailureClass.QUOTA_EXHAUSTED))

    stand = stands(record, NOON + 900.0)

    assert stand.may_serve
    assert stand.probe
    assert stand.status is Status.EXHAUSTED


def test_strongest_evidence_shows_and_the_last_to_end_says_when() -> None:
    record = Record()
    meets(record, failure(FailureClass.QUOTA_EXHAUSTED, reset_at=NOON + 100.0))

    stand = meets(record, failure(FailureClass.TIMEOUT, reset_at=NOON + 300.0))

    assert stand.status is Status.EXHAUSTED
    assert stand.available_at == NOON + 300.0


def test_end_is_unknown_when_that_of_any_evidence_is() -> None:
    record = Record()
    meets(record, failure(FailureClass.AUTH_INVALID, names_key=True))

    stand = meets(record, failure(FailureClass.TIMEOUT))

    assert stand.status is Status.FAILED
    assert stand.available_at is None


def test_evidence_that_still_holds_hides_one_that_may_be_tested() -> None:
    record = Record()
    meets(record, failure(FailureClass.QUOTA_EXHAUSTED))
    meets(record, failure(FailureClass.TIMEOUT), NOON + 890.0)

    stand = stands(record, NOON + 900.0)

    assert not stand.may_serve
    assert evidence(stand).reason == "timeout"
    assert stand.available_at == NOON + 950.0


# What mends.


def test_success_ends_all_evidence_that_is_older_than_its_call() -> None:
    record = Record()
    for kind in ("rate_limited", "quota_exhausted", "payment_required", "model_not_found"):
        meets(record, failure(FailureClass(kind)))

    record.learn(succeeded(A, record.health, NOON + 0.1))

    assert stands(record, NOON + 0.1) == ACTIVE


def test_success_of_an_older_call_does_not_end_newer_evidence() -> None:
    record = Record()
    meets(record, failure(FailureClass.RATE_LIMITED), NOON + 5.0)

    record.learn(succeeded(A, record.health, NOON))

    assert not stands(record, NOON + 5.0).may_serve


def test_success_of_a_healthy_profile_changes_nothing() -> None:
    record = Record(healths={subject_of_profile("a"): HEALTHY})

    assert succeeded(A, record.health, NOON) == {}


def test_clearing_ends_waits_and_keeps_what_failed() -> None:
    record = Record()
    for kind in (FailureClass.RATE_LIMITED, FailureClass.QUOTA_EXHAUSTED):
        meets(record, failure(kind))
    health = record.healths[subject_of_profile("a")]
    failed = Cooldown(
        status=Status.FAILED, reason="auth_invalid", since=NOON, until=None, probe_at=None,
        source=Source.DEFAULT, confidence=Confidence.GUESSED,
    )  # fmt: skip

    mended = cleared(Health(cooldown=health.cooldown, exhausted=health.exhausted, failed=failed))

    assert mended == Health(failed=failed)


def test_jump_of_the_clock_moves_spans_and_leaves_calendars() -> None:
    record = Record()
    meets(record, failure(FailureClass.OVERLOADED))
    meets(record, failure(FailureClass.QUOTA_EXHAUSTED, quota_window=CalendarUnit.DAY), who=GEMINI)
    meets(record, failure(FailureClass.AUTH_INVALID, names_key=True))
    before = record.healths

    after = {subject: shifted(health, HOUR) for subject, health in before.items()}

    own = after[subject_of_profile("a")]
    assert own.cooldown is not None
    assert own.cooldown.since == NOON + HOUR
    assert own.cooldown.until == NOON + HOUR + 30.0
    assert own.cooldown.probe_at == NOON + HOUR + 30.0
    assert own.exhausted == before[subject_of_profile("a")].exhausted
    failed = after[subject_of_account("a-key")].failed
    assert failed is not None
    assert (failed.until, failed.probe_at) == (None, None)
