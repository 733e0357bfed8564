"""What counts in a window, when it leaves, and that it never leaves early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.values import METRIC_INDEX, Calendar, CalendarUnit, Metric, Refill, Rolling
from spillover.core.windows import (
    BUCKETS,
    CalendarSeries,
    RefillSeries,
    RollingSeries,
    new_series,
    period,
    seed,
    window_key,
)
from tests.core.making import NOON, at

if TYPE_CHECKING:
    from spillover.core.values import Window
    from spillover.core.windows import Series

REQUESTS = METRIC_INDEX[Metric.REQUESTS]
TOKENS = METRIC_INDEX[Metric.TOKENS]
ONE = ((REQUESTS, 1),)
BACK = ((REQUESTS, -1),)


def requests(count: int) -> tuple[tuple[int, int]]:
    return ((REQUESTS, count),)


def rolling(seconds: float = 60.0) -> RollingSeries:
    return RollingSeries(width=seconds / BUCKETS)


def calendar(unit: CalendarUnit = CalendarUnit.DAY, zone: str = "UTC") -> CalendarSeries:
    return CalendarSeries(unit=unit, zone=zone)


def refill(amount: int = 60, seconds: float = 60.0) -> RefillSeries:
    return RefillSeries(metric=REQUESTS, amount=amount, seconds=seconds)


def empty(kind: type[Series]) -> Series:
    if kind is RollingSeries:
        return rolling()
    return calendar(CalendarUnit.MINUTE) if kind is CalendarSeries else refill()


EVERY = pytest.mark.parametrize("kind", [RollingSeries, CalendarSeries, RefillSeries])


# Rolling windows.


@pytest.mark.parametrize(
    ("used_at", "now", "used", "frees_at"),
    [
        ([0.0], 0.0, 1, 61.0),
        ([0.0], 60.999, 1, 61.0),
        ([0.0], 61.0, 0, None),
        ([0.0, 45.3], 50.0, 2, 61.0),
        ([0.0, 45.3], 61.0, 1, 106.0),
        ([0.0, 45.3], 106.0, 0, None),
        ([45.3, 0.0], 50.0, 2, 61.0),  # told late by another process
        ([0.2, 0.9], 1.0, 2, 61.0),
        ([0.0, 200.0], 200.0, 1, 261.0),
    ],
)
def test_rolling_usage_leaves_when_its_bucket_is_a_window_old(
    used_at: list[float], now: float, used: int, frees_at: float | None
) -> None:
    series = rolling()
    for each in used_at:
        series.add(NOON + each, ONE)

    assert series.used(REQUESTS, NOON + now) == used
    assert series.resets_at(REQUESTS, NOON + now) == (frees_at and NOON + frees_at)


def test_rolling_window_says_when_enough_has_left() -> None:
    series = rolling()
    for each in (0.0, 10.0, 20.0):
        series.add(NOON + each, requests(2))

    freed = [series.frees_at(REQUESTS, amount, NOON + 30.0) for amount in (1, 2, 3, 6, 7)]

    assert freed == [NOON + 61.0, NOON + 61.0, NOON + 71.0, NOON + 81.0, None]


def test_rolling_usage_taken_back_is_taken_from_its_own_bucket() -> None:
    series = rolling()
    series.add(NOON, requests(2))
    series.add(NOON + 30.0, ONE)

    series.add(NOON, BACK)

    assert series.used(REQUESTS, NOON + 30.0) == 2
    assert series.used(REQUESTS, NOON + 61.0) == 1


def test_rolling_usage_that_has_left_is_not_taken_back_again() -> None:
    series = rolling()
    series.add(NOON, ONE)
    series.add(NOON + 100.0, ONE)
    series.roll(NOON + 100.0)

    series.add(NOON, BACK)

    assert series.used(REQUESTS, NOON + 100.0) == 1


@given(
    seconds=st.sampled_from([1.0, 7.0, 60.0, 3_600.0, 18_000.0, 86_400.0, 2_678_400.0]),
    gaps=st.lists(st.floats(0, 0.6), min_size=1, max_size=40),
    amount=st.integers(1, 5),
)
def test_no_sliding_window_ever_holds_more_than_the_limit_and_room_is_back_in_a_bucket(
    seconds: float, gaps: list[float], amount: int
) -> None:
    series = rolling(seconds)
    now = NOON
    admitted: list[float] = []
    slack = 1e-5  # the clock's own resolution at this epoch
    for gap in gaps:
        now += gap * seconds
        recent = [each for each in admitted if each > now - seconds + slack]
        lately = [each for each in admitted if each > now - seconds - seconds / BUCKETS - slack]
        if series.used(REQUESTS, now) < amount:
            assert len(recent) < amount
            series.add(now, ONE)
            admitted.append(now)
        else:
            assert len(lately) >= amount


@given(
    seconds=st.floats(1.0, 10_000_000.0),
    used_at=st.lists(st.floats(0, 1), min_size=1, max_size=20),
)
def test_rolling_room_is_there_at_the_very_instant_it_was_stated_for(
    seconds: float, used_at: list[float]
) -> None:
    series = rolling(seconds)
    for each in used_at:
        series.add(NOON + each * seconds, ONE)
    now = NOON + seconds
    used = series.used(REQUESTS, now)

    frees_at = series.resets_at(REQUESTS, now)

    if used:
        assert frees_at is not None
        assert frees_at > now
        assert series.used(REQUESTS, frees_at) < used


# Calendar windows.


@pytest.mark.parametrize(
    ("unit", "zone", "now", "starts", "ends"),
    [
        ("minute", "UTC", "2026-05-13 10:20:30.5", "2026-05-13 10:20", "2026-05-13 10:21"),
        ("hour", "UTC", "2026-05-13 10:59:59", "2026-05-13 10:00", "2026-05-13 11:00"),
        ("day", "UTC", "2026-05-13 00:00", "2026-05-13 00:00", "2026-05-14 00:00"),
        ("week", "UTC", "2026-05-13 10:00", "2026-05-11 00:00", "2026-05-18 00:00"),
        ("week", "UTC", "2026-05-11 00:00", "2026-05-11 00:00", "2026-05-18 00:00"),
        ("month", "UTC", "2024-02-29 23:59", "2024-02-01 00:00", "2024-03-01 00:00"),
        ("month", "UTC", "2026-12-31 23:59", "2026-12-01 00:00", "2027-01-01 00:00"),
        ("hour", "Asia/Kolkata", "2026-05-13 10:20", "2026-05-13 10:00", "2026-05-13 11:00"),
        ("hour", "Asia/Kathmandu", "2026-05-13 10:20", "2026-05-13 10:00", "2026-05-13 11:00"),
        ("day", "America/Los_Angeles", "2026-05-13 23:59", "2026-05-13 00:00", "2026-05-14 00:00"),
        ("day", "Pacific/Chatham", "2026-05-13 23:59", "2026-05-13 00:00", "2026-05-14 00:00"),
    ],
)
def test_period_follows_the_wall_of_its_zone(
    unit: str, zone: str, now: str, starts: str, ends: str
) -> None:
    found = period(CalendarUnit(unit), zone, at(now, zone))

    assert found == (at(starts, zone), at(ends, zone))


@pytest.mark.parametrize(
    ("zone", "now", "hours"),
    [
        ("America/Los_Angeles", "2026-03-08 12:00", 23),
        ("America/Los_Angeles", "2026-11-01 12:00", 25),
        ("Europe/Berlin", "2026-03-29 01:00", 23),
        ("Europe/Berlin", "2026-10-25 12:00", 25),
        ("Australia/Lord_Howe", "2026-10-04 12:00", 23.5),
        ("Australia/Lord_Howe", "2026-04-05 12:00", 24.5),
        ("Africa/Cairo", "2026-04-24 12:00", 23),  # its midnight does not exist
        ("America/Havana", "2026-03-08 12:00", 23),  # neither does this one
        ("America/Havana", "2026-11-01 12:00", 25),  # and this one comes twice
        ("Asia/Tokyo", "2026-03-29 12:00", 24),
    ],
)
def test_day_of_a_clock_change_has_its_true_length(zone: str, now: str, hours: float) -> None:
    starts_at, ends_at = period(CalendarUnit.DAY, zone, at(now, zone))

    assert (ends_at - starts_at) / 3_600 == hours
    assert period(CalendarUnit.DAY, zone, ends_at)[0] == ends_at


def test_hour_that_a_clock_change_repeats_is_two_periods() -> None:
    first = period(CalendarUnit.HOUR, "Europe/Berlin", at("2026-10-25 02:30", "Europe/Berlin"))
    second = period(
        CalendarUnit.HOUR, "Europe/Berlin", at("2026-10-25 02:30", "Europe/Berlin", fold=1)
    )

    assert first[1] == second[0]
    assert second[1] - second[0] == 3_600


def test_day_whose_end_comes_twice_ends_at_the_second_one() -> None:
    zone = "America/St_Johns"  # until 2011 its clocks went back at 00:01
    again = at("2010-11-06 23:30", zone, fold=1)

    starts_at, ends_at = period(CalendarUnit.DAY, zone, again)

    assert starts_at <= again < ends_at
    assert ends_at == at("2010-11-07 00:00", zone, fold=1)


@given(
    unit=st.sampled_from(CalendarUnit),
    zone=st.sampled_from(
        ["UTC", "America/St_Johns", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia"]
    ),
    now=st.floats(at("2005-01-01"), at("2030-01-01")),
)
def test_every_instant_lies_in_its_period(unit: CalendarUnit, zone: str, now: float) -> None:
    starts_at, ends_at = period(unit, zone, now)

    assert starts_at <= now < ends_at


def test_calendar_usage_counts_until_the_period_ends() -> None:
    series = calendar(zone="America/Los_Angeles")
    midnight = at("2026-05-14 00:00", "America/Los_Angeles")
    series.add(midnight - 3_600.0, requests(20))

    assert series.used(REQUESTS, midnight - 0.001) == 20
    assert series.frees_at(REQUESTS, 20, midnight - 1.0) == midnight
    assert series.frees_at(REQUESTS, 21, midnight - 1.0) is None
    assert series.resets_at(REQUESTS, midnight - 1.0) == midnight
    assert series.used(REQUESTS, midnight) == 0


def test_calendar_usage_of_a_period_that_is_over_is_not_taken_from_the_new_one() -> None:
    series = calendar(CalendarUnit.MINUTE)
    series.add(NOON - 1.0, ONE)
    series.add(NOON, ONE)

    series.add(NOON - 1.0, BACK)

    assert series.used(REQUESTS, NOON) == 1


def test_calendar_usage_taken_back_within_its_period_is_gone() -> None:
    series = calendar(CalendarUnit.MINUTE)
    series.add(NOON, ONE)
    series.add(NOON, BACK)
    series.add(NOON, BACK)

    assert series.used(REQUESTS, NOON + 1.0) == 0


# Refill buckets.


@pytest.mark.parametrize(
    ("now", "missing"),
    [(0.0, 60), (0.5, 60), (1.0, 59), (30.0, 30), (59.5, 1), (60.0, 0), (600.0, 0)],
)
def test_bucket_refills_continuously_and_a_begun_unit_is_still_missing(
    now: float, missing: int
) -> None:
    series = refill(amount=60)
    series.add(NOON, requests(60))

    assert series.used(REQUESTS, NOON + now) == missing


def test_bucket_says_when_enough_and_when_all_is_back() -> None:
    series = refill(amount=60)
    series.add(NOON, requests(30))

    assert series.frees_at(REQUESTS, 1, NOON) == NOON + 1.0
    assert series.frees_at(REQUESTS, 30, NOON) == NOON + 30.0
    assert series.frees_at(REQUESTS, 31, NOON) is None
    assert series.resets_at(REQUESTS, NOON + 10.0) == NOON + 30.0
    assert series.resets_at(REQUESTS, NOON + 30.0) is None
    rounded = refill(amount=3, seconds=0.1)
    rounded.add(NOON, requests(2))
    assert rounded.used(REQUESTS, rounded.frees_at(REQUESTS, 1, NOON) or 0.0) == 1


def test_bucket_of_nothing_never_refills() -> None:
    series = refill(amount=0)
    series.add(NOON, ONE)

    assert series.used(REQUESTS, NOON + 1e6) == 1
    assert series.frees_at(REQUESTS, 1, NOON) is None
    assert series.resets_at(REQUESTS, NOON) is None


def test_bucket_counts_its_own_metric_alone() -> None:
    series = new_series(Refill(seconds=60.0), Metric.TOKENS, 8_000)
    series.add(NOON, ((REQUESTS, 5), (TOKENS, 100)))
    series.add(NOON, ONE)

    assert series.used(TOKENS, NOON) == 100


def test_units_put_back_late_are_not_given_twice() -> None:
    series = refill(amount=60)
    series.add(NOON, requests(10))
    series.add(NOON + 8.0, requests(5))  # 8 of the first are back: 2 + 5 are missing

    series.add(NOON, requests(-10))  # none of them was used, but only 2 are still missing

    assert series.used(REQUESTS, NOON + 8.0) == 5


def test_taking_back_an_old_call_does_not_refill_the_bucket_again() -> None:
    series = refill(amount=60)
    series.add(NOON, ONE)
    series.add(NOON + 60.0, requests(60))

    series.add(NOON, BACK)

    assert series.used(REQUESTS, NOON + 60.0) == 60


@given(
    amount=st.integers(1, 10**12),
    seconds=st.sampled_from([1.0, 60.0, 3_600.0, 86_400.0]),
    steps=st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)), min_size=1, max_size=20),
)
def test_bucket_never_gives_more_than_burst_and_refill_and_keeps_its_word(
    amount: int, seconds: float, steps: list[tuple[float, float]]
) -> None:
    series = refill(amount=amount, seconds=seconds)
    now = NOON
    begun, taken = NOON, 0
    for gap, share in steps:
        now += gap * seconds
        wanted = max(1, int(share * amount))
        if series.used(REQUESTS, now) + wanted > amount:
            excess = series.used(REQUESTS, now) + wanted - amount
            frees_at = series.frees_at(REQUESTS, excess, now)
            assert frees_at is not None
            assert frees_at > now
            now = frees_at
            assert series.used(REQUESTS, now) + wanted <= amount
        series.add(now, requests(wanted))
        taken += wanted
        most = amount + (now - begun) * amount / seconds
        assert taken <= most + 1 + amount * 1e-9


# What all windows share.


@EVERY
def test_usage_dated_far_in_the_future_counts_as_just_now(kind: type[Series]) -> None:
    series = empty(kind)
    series.add(NOON + 86_400.0, ONE)

    assert series.used(REQUESTS, NOON) == 1
    assert series.used(REQUESTS, NOON + 61.0) == 0


@EVERY
def test_usage_dated_as_far_ahead_as_clocks_differ_keeps_its_date(kind: type[Series]) -> None:
    series = empty(kind)
    series.add(NOON + 2.0, ONE)
    series.used(REQUESTS, NOON)

    assert series.used(REQUESTS, NOON + 2.0) == 1


@EVERY
@pytest.mark.parametrize("jump", [-86_400.0, -30.0, 30.0, 86_400.0])
def test_jump_of_the_clock_opens_no_window_early(kind: type[Series], jump: float) -> None:
    series = empty(kind)
    series.add(NOON + 1.0, requests(60))
    now = NOON + 1.0 + jump

    series.shift(jump, now)

    assert series.used(REQUESTS, now) == 60
    assert series.used(REQUESTS, now + 120.0) == 0


@EVERY
def test_jump_of_the_clock_brings_nothing_back_that_had_left(kind: type[Series]) -> None:
    series = empty(kind)
    series.add(NOON, requests(60))

    series.shift(-30.0, NOON + 3_600.0)

    assert series.used(REQUESTS, NOON + 3_600.0) == 0


@EVERY
def test_forgetting_leaves_nothing(kind: type[Series]) -> None:
    series = empty(kind)
    series.add(NOON, requests(7))

    series.forget()

    assert series.used(REQUESTS, NOON) == 0


@EVERY
def test_forgetting_a_share_leaves_the_rest(kind: type[Series]) -> None:
    shared, own = empty(kind), empty(kind)
    for series in (shared, own):
        series.add(NOON, requests(7))
    shared.add(NOON, requests(5))

    shared.forget(own)

    assert shared.used(REQUESTS, NOON) == 5


def test_share_of_a_period_that_is_over_is_gone_already() -> None:
    shared, own = calendar(CalendarUnit.MINUTE), calendar(CalendarUnit.MINUTE)
    own.add(NOON - 30.0, requests(7))
    shared.add(NOON, requests(5))

    shared.forget(own)

    assert shared.used(REQUESTS, NOON) == 5


def test_share_of_a_bucket_is_what_it_misses_now() -> None:
    shared, own = refill(amount=60), refill(amount=60)
    for series in (shared, own):
        series.add(NOON, requests(10))
    shared.add(NOON + 4.0, requests(20))

    shared.forget(own)  # 4 of its 10 are back

    assert shared.used(REQUESTS, NOON + 4.0) == 20


@pytest.mark.parametrize(
    ("window", "key"),
    [
        (Rolling(seconds=60), "rolling:60.0"),
        (Rolling(seconds=1_000_001.0), "rolling:1000001.0"),
        (Calendar(unit=CalendarUnit.DAY, zone="Asia/Tokyo"), "calendar:day:Asia/Tokyo"),
        (Refill(seconds=60.0, burst=9), "refill:tokens:8000:60.0"),
    ],
)
def test_window_is_named_by_what_its_counter_depends_on(window: Window, key: str) -> None:
    assert window_key(window, Metric.TOKENS, 8_000) == key


@pytest.mark.parametrize(
    ("window", "used"),
    [
        (Rolling(seconds=3_600.0), 3),
        (Rolling(seconds=86_400.0), 7),
        (Calendar(unit=CalendarUnit.DAY), 7),
        (Refill(seconds=86_400.0), 3),  # the first four are back, at one a second
    ],
)
def test_new_counter_is_seeded_with_what_an_older_one_knows(window: Window, used: int) -> None:
    older = rolling(86_400.0)
    older.add(NOON - 40_000.0, requests(4))
    older.add(NOON - 600.0, requests(3))
    series = new_series(window, Metric.REQUESTS, 86_400)

    seed(series, older, NOON)

    assert series.used(REQUESTS, NOON) == used


def test_seeded_usage_never_leaves_before_its_time() -> None:
    older, series = rolling(86_400.0), rolling(3_600.0)
    older.add(NOON - 600.0, ONE)

    seed(series, older, NOON)

    frees_at = series.resets_at(REQUESTS, NOON)
    assert frees_at is not None
    assert frees_at >= NOON - 600.0 + 3_600.0
