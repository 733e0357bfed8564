"""When it is time to tell how much of a budget is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.core.budgets import (
    Told,
    budget_key,
    is_budget,
    shifted,
    to_tell,
    without,
)
from spillover.core.limits import Tally, gauge
from spillover.core.values import (
    METRIC_INDEX,
    Calendar,
    CalendarUnit,
    Lifetime,
    Limit,
    Metric,
    Refill,
    Rolling,
)
from spillover.core.windows import new_series, period
from tests.core.making import NOON, limit

if TYPE_CHECKING:
    from spillover.core.limits import Gauge
    from spillover.core.values import Window

DAY = Rolling(seconds=86_400.0)
CALENDAR = Calendar(unit=CalendarUnit.DAY)
MIDNIGHT = period(CalendarUnit.DAY, "UTC", NOON)[1]


def budget(window: Window | None = DAY, amount: int = 1_000, metric: Metric = Metric.COST) -> Limit:
    return limit(amount, metric, window=window, per="day")


def used(percent: float, window: Window = DAY, amount: int = 1_000) -> Gauge:
    """A budget of which so much was used just now."""
    series = new_series(window, Metric.COST, amount)
    series.add(NOON, ((METRIC_INDEX[Metric.COST], round(amount * percent / 100)),))
    return gauge(budget(window, amount), Tally(), series)


@pytest.mark.parametrize(
    ("percent", "told"),
    [(0, None), (49.9, None), (50, 50), (79.9, 50), (80, 80), (95, 90), (100, 100), (130, 100)],
)
def test_highest_threshold_that_was_passed_is_told(percent: float, told: int | None) -> None:
    found = to_tell(used(percent), None, NOON)

    assert (None if found is None else found.percent) == told


@pytest.mark.parametrize(("before", "told"), [(50, 80), (80, None), (90, None)])
def test_threshold_is_told_once_and_a_higher_one_after_it(before: int, told: int | None) -> None:
    found = to_tell(used(85), Told(percent=before, amount=1_000, at=NOON - 60.0), NOON)

    assert (None if found is None else found.percent) == told


@pytest.mark.parametrize(
    ("window", "told", "again"),
    [
        (DAY, Told(percent=80, amount=1_000, at=NOON - 86_399.0), False),
        (DAY, Told(percent=80, amount=1_000, at=NOON - 86_400.0), True),
        (Refill(seconds=60.0), Told(percent=80, amount=1_000, at=NOON - 60.0), True),
        (CALENDAR, Told(percent=80, amount=1_000, at=NOON, ends_at=MIDNIGHT), False),
        (CALENDAR, Told(percent=80, amount=1_000, at=NOON, ends_at=MIDNIGHT - 86_400.0), True),
        (Lifetime(), Told(percent=80, amount=1_000, at=NOON - 1e9), False),
        (Lifetime(), Told(percent=80, amount=500, at=NOON), True),
    ],
    ids=["day", "next day", "refilled", "period", "next period", "for good", "another amount"],
)
def test_what_was_told_holds_for_its_window_and_its_amount(
    window: Window, told: Told, *, again: bool
) -> None:
    assert (to_tell(used(85, window), told, NOON) is not None) is again


def test_what_is_told_is_dated_and_of_its_period() -> None:
    assert to_tell(used(85, CALENDAR), None, NOON) == Told(
        percent=80, amount=1_000, at=NOON, ends_at=MIDNIGHT
    )


@pytest.mark.parametrize(("percent", "told"), [(89, 80), (90, 100), (40, None)])
def test_budget_under_which_a_call_found_no_room_is_spent_when_little_is_left(
    percent: float, told: int | None
) -> None:
    found = to_tell(used(percent), None, NOON, denied=True)

    assert (None if found is None else found.percent) == told


def test_what_nothing_fits_under_is_never_told_of() -> None:
    assert to_tell(used(0, amount=0), None, NOON) is None
    assert to_tell(gauge(budget(None), Tally(), None), None, NOON) is None


@pytest.mark.parametrize(
    ("of", "counts"),
    [
        (budget(), True),
        (budget(amount=0), False),
        (budget(Lifetime(), metric=Metric.TOKENS), True),
        (budget(metric=Metric.TOKENS), False),
        (budget(None, metric=Metric.CONCURRENCY), False),
    ],
)
def test_money_and_credits_are_budgets(of: Limit, *, counts: bool) -> None:
    assert is_budget(of) is counts


def test_budget_is_named_by_its_owner_its_metric_and_its_window() -> None:
    assert budget_key(budget()) == "profile:a|cost|rolling:86400.0"
    assert budget_key(budget(None, metric=Metric.CONCURRENCY)) == "profile:a|concurrency|"
    assert budget_key(budget(amount=5)) == budget_key(budget(amount=7))


def test_what_was_told_of_some_owners_is_forgotten_without_the_others() -> None:
    told = Told(percent=50, amount=5, at=NOON)
    table = {"profile:a|cost|lifetime": told, "profile:ab|cost|lifetime": told}

    assert without(table, ["profile:a"]) == {"profile:ab|cost|lifetime": told}


def test_what_was_told_moves_with_the_clock_but_for_a_calendars() -> None:
    day, by_calendar = (Told(percent=50, amount=5, at=NOON, ends_at=at) for at in (None, MIDNIGHT))

    assert shifted(day, 9.0) == Told(percent=50, amount=5, at=NOON + 9.0)
    assert shifted(by_calendar, 9.0) == by_calendar
