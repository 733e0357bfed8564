"""How used amounts come back, by kind of window."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from spillover.simulator.meters import CalendarMeter, RefillMeter, RollingMeter, meter_of
from spillover.simulator.spec import Allowance, Metric, WindowKind
from tests.simulator.asking import NOON


def test_rolling_usage_leaves_when_it_is_as_old_as_the_window() -> None:
    meter = RollingMeter(5, 60)
    meter.add(3, NOON)
    meter.add(2, NOON + 10)

    used = [meter.used(NOON + s) for s in (10, 59.9, 60, 69.9, 70)]

    assert used == [5, 5, 2, 2, 0]


def test_rolling_wait_is_until_enough_of_the_oldest_has_left() -> None:
    meter = RollingMeter(5, 60)
    meter.add(1, NOON)
    meter.add(4, NOON + 10)

    waits = [meter.wait_s(amount, NOON + 20) for amount in (0, 1, 2)]

    assert waits == [0, 40, 50]
    assert meter.empty_in_s(NOON + 20) == 50
    assert meter.empty_in_s(NOON + 100) == 0


def test_a_rolling_correction_leaves_together_with_what_it_corrects() -> None:
    meter = RollingMeter(1_000, 60)
    meter.add(900, NOON)
    meter.correct(-800, NOON, NOON + 30)
    meter.correct(50, NOON, NOON + 30)
    meter.correct(-10, NOON - 100, NOON + 30)

    used = [meter.used(NOON + s) for s in (30, 60, 90)]

    assert used == [150, 50, 0]


def test_a_calendar_minute_clears_at_its_boundary_whenever_it_was_used() -> None:
    meter = CalendarMeter(5, "minute", seconds=60, zone="UTC")
    meter.add(5, NOON + 59)

    assert meter.wait_s(1, NOON + 59) == 1
    assert meter.empty_in_s(NOON + 59) == 1
    assert meter.wait_s(1, NOON + 60) == 0
    assert meter.used(NOON + 60) == 0


@pytest.mark.parametrize(
    ("per", "zone", "at", "clears"),
    [
        ("day", "America/Los_Angeles", "2026-11-20T23:59:59", "2026-11-21T00:00:00"),
        ("day", "America/Los_Angeles", "2026-03-08T01:00:00", "2026-03-09T00:00:00"),
        ("day", "UTC", "2026-11-20T12:00:00", "2026-11-21T00:00:00"),
        ("week", "UTC", "2026-11-20T12:00:00", "2026-11-23T00:00:00"),
        ("month", "Europe/Berlin", "2026-12-31T23:00:00", "2027-01-01T00:00:00"),
        ("hour", "UTC", "2026-11-20T12:34:56", "2026-11-20T13:00:00"),
        ("20s", "UTC", "2026-11-20T12:00:33", "2026-11-20T12:00:40"),
    ],
)
def test_a_calendar_window_clears_by_the_clock_of_its_zone(
    per: str, zone: str, at: str, clears: str
) -> None:
    allowance = Allowance(
        metric=Metric.REQUESTS, amount=1, per=per, kind=WindowKind.CALENDAR, zone=zone
    )
    meter = meter_of(allowance)
    now, then = (
        datetime.fromisoformat(one).replace(tzinfo=ZoneInfo(zone)).timestamp()
        for one in (at, clears)
    )
    meter.add(1, now)

    wait_s = meter.wait_s(1, now)

    assert wait_s == then - now


def test_a_calendar_correction_of_a_cleared_window_is_forgotten() -> None:
    meter = CalendarMeter(100, "minute", seconds=60, zone="UTC")
    meter.add(90, NOON + 50)
    meter.correct(-80, NOON + 50, NOON + 55)
    before = meter.used(NOON + 55)
    meter.correct(-10, NOON + 50, NOON + 61)
    meter.correct(7, NOON + 50, NOON + 62)

    assert before == 10
    assert meter.used(NOON + 62) == 7


def test_a_bucket_refills_evenly() -> None:
    meter = RefillMeter(60, 60)
    meter.add(60, NOON)

    assert meter.wait_s(1, NOON) == 1
    assert meter.wait_s(1, NOON + 1) == 0
    assert meter.used(NOON + 30) == 30
    assert meter.empty_in_s(NOON + 30) == 30
    assert meter.used(NOON + 100) == 0


def test_a_bucket_below_empty_has_to_climb_first_and_never_overflows() -> None:
    meter = RefillMeter(60, 60)
    meter.add(50, NOON)
    meter.correct(40, NOON, NOON)
    overdrawn = meter.wait_s(1, NOON)
    meter.correct(-200, NOON, NOON)

    assert overdrawn == 31
    assert meter.used(NOON) == 0


def test_a_bucket_of_nothing_is_always_full() -> None:
    assert RefillMeter(0, 60).empty_in_s(NOON) == 0


@pytest.mark.parametrize(
    ("kind", "meter"),
    [
        (WindowKind.ROLLING, RollingMeter),
        (None, RollingMeter),
        (WindowKind.REFILL, RefillMeter),
        (WindowKind.CALENDAR, CalendarMeter),
    ],
)
def test_an_allowance_has_the_meter_of_its_kind(kind: WindowKind | None, meter: type) -> None:
    allowance = Allowance(metric=Metric.REQUESTS, amount=1, kind=kind)

    assert isinstance(meter_of(allowance), meter)
