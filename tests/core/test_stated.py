"""What a provider's statement amounts to: how long it holds, and the counter that it becomes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.stated import (
    BALANCE,
    UNKNOWN_LIMIT,
    Stated,
    capacity,
    ends_at,
    in_written_units,
    is_news,
    owner_of,
    replica,
    span_label,
    span_s,
    tolerance,
    window_of,
)
from spillover.core.values import (
    METRIC_INDEX,
    Calendar,
    CalendarUnit,
    LimitScope,
    Metric,
    Refill,
    Rolling,
    Window,
    owner_of_account,
    owner_of_model,
    owner_of_profile,
)
from tests.core.making import NOON, profile

REQUESTS, TOKENS = 0, 1
DAY_BUCKET = Refill(seconds=86_400.0)
UTC_MINUTE = Calendar(unit=CalendarUnit.MINUTE)


def stated(per: str = "minute", **fields: Any) -> Stated:
    known: dict[str, Any] = {"metric": Metric.REQUESTS, "per": per, "limit": 100}
    return Stated(**(known | fields))


def left(said: Stated, window: Window | None, at: float, *, sent: int = 0, held: int = 0) -> int:
    """What is left at `at` after so many requests of ours at noon."""
    series = replica(said, window, held=held, at=NOON)
    series.add(NOON, ((REQUESTS, sent),))
    return capacity(said) - series.used(REQUESTS, at)


def test_statement_is_named_as_users_write_limits() -> None:
    assert stated("5h", metric=Metric.TOKENS).name == "tokens_per_5h"


@pytest.mark.parametrize(
    ("per", "seconds"),
    [
        ("second", 1),
        ("minute", 60),
        ("hour", 3_600),
        ("day", 86_400),
        ("1.5s", 1.5),
        ("10s", 10),
        ("90s", 90),
        ("5m", 300),
        ("5h", 18_000),
        ("2d", 172_800),
        ("1000000s", 1_000_000),
    ],
)
def test_lengths_of_windows_are_spelt_as_in_limits(per: str, seconds: float) -> None:
    assert span_s(per) == seconds
    assert span_label(seconds) == per


def test_windows_of_minutes_and_days_are_the_profiles() -> None:
    who = profile(minute_window=UTC_MINUTE, day_window=DAY_BUCKET)

    assert [window_of(who, per) for per in ("minute", "day", "hour")] == [
        UTC_MINUTE,
        DAY_BUCKET,
        None,
    ]


@pytest.mark.parametrize(
    ("pool", "owner"),
    [
        (LimitScope.PROFILE, owner_of_profile("a")),
        (LimitScope.MODEL, owner_of_model("key", "m")),
        (LimitScope.ACCOUNT, owner_of_account("key")),
    ],
)
def test_providers_own_limits_are_whose_the_pool_says(pool: LimitScope, owner: str) -> None:
    assert owner_of(profile("a", account="key", model="m", pool=pool)) == owner


@pytest.mark.parametrize(
    ("said", "window", "ends_in_s"),
    [
        (stated(), None, 60.0),
        (stated(), Rolling(seconds=60.0), 60.0),
        (stated(full_at=NOON + 70.0), None, 40.0),
        (stated(full_at=NOON), None, 0.0),
        (stated(full_at=NOON + 99.0), None, 60.0),
        (stated(), UTC_MINUTE, 30.0),
        (stated("day", full_at=NOON + 70.0), DAY_BUCKET, 86_400.0),
    ],
)
def test_statement_holds_until_its_window_is_over(
    said: Stated, window: Window | None, ends_in_s: float
) -> None:
    assert ends_at(said, window, NOON + 30.0) == NOON + 30.0 + ends_in_s


def test_counter_stands_where_the_provider_says_and_goes_on_with_what_is_sent() -> None:
    said = stated(remaining=10)

    assert left(said, None, NOON, sent=3) == 7


def test_what_is_in_flight_is_not_taken_off_twice() -> None:
    series = replica(stated(remaining=10), None, held=4, at=NOON)

    assert series.used(REQUESTS, NOON) == 86


def test_bucket_fills_as_the_providers_does() -> None:
    said = stated("day", remaining=0)

    assert left(said, DAY_BUCKET, NOON) == 0
    assert left(said, DAY_BUCKET, NOON + 864.0) == 1
    assert left(said, DAY_BUCKET, NOON + 43_200.0) == 50


def test_window_that_is_no_bucket_is_full_at_its_end() -> None:
    said = stated(remaining=0, full_at=NOON + 40.0)
    series = replica(said, None, held=0, at=NOON)

    assert series.frees_at(REQUESTS, 1, NOON) == NOON + 40.0
    assert left(said, None, NOON + 39.0) == 0


def test_whole_that_is_not_stated_is_large_enough_for_any_call() -> None:
    said = stated(limit=None, remaining=3)

    assert capacity(said) == UNKNOWN_LIMIT
    assert left(said, Refill(seconds=60.0), NOON, sent=1) == 2


def test_statement_of_a_whole_alone_leaves_nothing() -> None:
    assert left(stated(), None, NOON) == 0


@pytest.mark.parametrize(
    ("said", "held", "most"),
    [
        (stated(limit=1_000, remaining=500), 0, 20),
        (stated(limit=1_000, remaining=500), 40, 60),
        (stated(limit=20, remaining=10), 0, 1),
        (stated(limit=None, remaining=10), 0, 1),
        (stated(limit=1_000, remaining=3), 0, 3),
        (stated(limit=1_000, remaining=0), 40, 0),
        (stated(), 0, 0),
    ],
)
def test_two_hundredths_and_what_is_in_flight_are_no_difference(
    said: Stated, held: int, most: int
) -> None:
    assert tolerance(said, held) == most


@pytest.mark.parametrize(
    ("said", "before", "expected", "news"),
    [
        (stated(remaining=90), None, 90, True),
        (stated(remaining=90), stated(), 90, False),
        (stated(remaining=90), stated(), 92, False),
        (stated(remaining=90), stated(), 93, True),
        (stated(remaining=90), stated(), 87, True),
        (stated(remaining=0), stated(), 1, True),
        (stated(remaining=90), stated(), None, True),
        (stated(remaining=90), stated(limit=99), 90, True),
        (stated(remaining=90, limit=None), stated(), 90, False),
        (stated(), stated(), 90, False),
    ],
)
def test_statement_is_news_when_it_differs_from_what_is_known(
    said: Stated, before: Stated | None, expected: int | None, *, news: bool
) -> None:
    assert is_news(said, before, expected, held=0) is news


@given(limit=st.integers(0, 10**6), data=st.data())
def test_last_of_a_quota_never_goes_unnoticed(limit: int, data: st.DataObject) -> None:
    rest = data.draw(st.integers(0, limit))
    counted = data.draw(st.integers(0, limit))
    held = data.draw(st.integers(0, limit))
    said = stated(limit=limit, remaining=rest)

    if not is_news(said, said, counted, held=held):
        assert (counted > 0) <= (rest > 0)


def test_balance_comes_back_at_no_instant() -> None:
    said = Stated(metric=Metric.COST, per=BALANCE, limit=100, remaining=5)

    series = replica(said, None, held=2, at=NOON)

    cost = METRIC_INDEX[Metric.COST]
    assert series.used(cost, NOON) == 93
    assert series.resets_at(cost, NOON) is None
    assert series.frees_at(cost, 10, NOON) is None


def test_balance_is_named_so_and_good_for_a_month() -> None:
    said = Stated(metric=Metric.COST, per=BALANCE, remaining=5)

    assert said.name == "balance"
    assert ends_at(said, None, NOON) == NOON + 31 * 86_400.0
    assert span_label(31 * 86_400) == "month"


@pytest.mark.parametrize(
    ("metric", "amount", "shown"),
    [(Metric.REQUESTS, 9, 9), (Metric.COST, 250_000_000, 0.25), (Metric.NEURONS, 1_500_000, 1.5)],
)
def test_amounts_are_shown_as_they_are_written(metric: Metric, amount: int, shown: float) -> None:
    assert in_written_units(metric, amount) == shown
