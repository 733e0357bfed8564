"""Windows that turned while their provider still refuses."""

from __future__ import annotations

from spillover.core.doubting import is_doubted
from spillover.core.health import succeeded
from spillover.core.values import Calendar, CalendarUnit, Confidence, FailureClass
from tests.core.making import NOON, Record, at, failure, profile
from tests.core.meeting import HOUR, evidence, meets

DAY, MINUTE = CalendarUnit.DAY, CalendarUnit.MINUTE
PACIFIC = "America/Los_Angeles"
GEMINI = profile(
    "a",
    provider="gemini",
    minute_window=Calendar(unit=MINUTE),
    day_window=Calendar(unit=DAY, zone=PACIFIC),
)


def test_minute_that_turned_in_vain_is_not_what_is_spent() -> None:
    record, now, ends = Record(), NOON + 15.0, []
    for _ in range(4):
        found = evidence(meets(record, failure(FailureClass.RATE_LIMITED), now, who=GEMINI))
        assert found.until is not None
        ends.append((found.until - now, found.probe_at is None))
        now = found.until

    assert ends == [(45.0, True), (60.0, False), (120.0, False), (240.0, False)]


def test_day_that_turned_in_vain_is_tested_until_a_call_succeeds() -> None:
    record, spent = Record(), failure(FailureClass.QUOTA_EXHAUSTED, quota_window=DAY)
    midnight = at("2026-05-14", PACIFIC)
    first = evidence(meets(record, spent, midnight - HOUR, who=GEMINI))
    burst = [evidence(meets(record, spent, midnight + 1.0, who=GEMINI)) for _ in range(2)]
    later = evidence(meets(record, spent, midnight + 901.0, who=GEMINI))
    record.learn(succeeded(GEMINI, record.health, midnight + 1_801.0))
    anew = evidence(meets(record, spent, midnight + 2 * HOUR, who=GEMINI))

    assert (first.until, first.probe_at, first.confidence) == (midnight, None, Confidence.KNOWN)
    for found, refused_at in ((burst[0], 1.0), (burst[1], 1.0), (later, 901.0)):
        assert found.until == midnight + 24 * HOUR
        assert found.probe_at == midnight + refused_at + 900.0
        assert found.confidence is Confidence.GUESSED
    assert (anew.until, anew.probe_at) == (midnight + 24 * HOUR, None)


def test_refusal_within_a_day_that_is_known_to_be_spent_casts_no_doubt_on_it() -> None:
    record, spent = Record(), failure(FailureClass.QUOTA_EXHAUSTED, quota_window=DAY)
    meets(record, spent, NOON, who=GEMINI)

    found = evidence(meets(record, spent, NOON + 60.0, who=GEMINI))

    assert (found.probe_at, found.confidence) == (None, Confidence.KNOWN)


def test_what_waits_for_no_time_tells_nothing_of_a_window() -> None:
    found = evidence(meets(Record(), failure(FailureClass.PAYMENT_REQUIRED)))

    assert not is_doubted(found, NOON + HOUR)
