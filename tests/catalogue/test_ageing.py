"""How old evidence is, and when that is said."""

from __future__ import annotations

from datetime import date

import pytest

from spillover.catalogue import load
from spillover.catalogue.ageing import age_days, day_of, is_stale, oldest

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("as_of", "age", "stale"),
    [
        ("2026-11-20", 0, False),
        ("2026-08-22", 90, False),
        ("2026-08-21", 91, True),
        ("2027-01-01", 0, False),
        ("2026-08", 81, False),
        ("2026-02", 265, True),
    ],
    ids=["today", "90 days", "91 days", "the future", "a month", "february"],
)
def test_a_figure_is_stale_when_it_is_older_than_90_days(
    as_of: str, age: int, *, stale: bool
) -> None:
    assert (age_days(as_of, TODAY), is_stale(as_of, TODAY)) == (age, stale)


def test_a_day_that_its_month_does_not_have_is_the_last() -> None:
    assert day_of("2026-02-31") == date(2026, 2, 28)


def test_the_oldest_of_an_entrys_dates_counts() -> None:
    assert oldest(load().providers["gemini"]) == "2026-04"


def test_rows_that_hold_under_a_condition_make_nothing_old() -> None:
    entry = load().providers["sambanova"]

    assert [row.as_of for row in entry.free if row.condition] == ["2026-08-20"] * len(entry.free)
    assert oldest(entry) == entry.as_of
