"""How old evidence is, and when that is said."""

from __future__ import annotations

from datetime import date

import pytest

from spillover.catalogue import load
from spillover.catalogue.ageing import age_days, dates_of, day_of, is_stale, oldest

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


@pytest.mark.parametrize("as_of", ["", "lately", "2026-13", "2026"])
def test_what_is_no_date_is_refused(as_of: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        day_of(as_of)


def test_the_oldest_of_several_dates_counts() -> None:
    assert oldest(["2026-08-03", "2026-04", "2026-09-01"]) == "2026-04"
    assert oldest([]) is None


def test_rows_that_hold_under_a_condition_make_nothing_old() -> None:
    entry = load().providers["openrouter"]

    assert len(dates_of(entry)) == 2
    assert len(entry.free) == 3
