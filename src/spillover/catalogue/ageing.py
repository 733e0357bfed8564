"""Say how old a figure's evidence is, and whether that is too old to rely on unseen.

Refuses to know today's date: it comes in.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spillover.catalogue.entries import Provider

STALE_AFTER_DAYS: Final = 90
"""Free tiers change some four times a year: an older figure says so wherever it is shown."""
_MONTH_ALONE: Final = len("2026-04")


def day_of(as_of: str) -> date:
    """Return the day of a date as the catalogue writes it; a month alone means its last.

    Raises ValueError for what is no date.
    """
    if len(as_of) != _MONTH_ALONE:
        return date.fromisoformat(as_of)
    first = date.fromisoformat(f"{as_of}-01")
    return first.replace(day=monthrange(first.year, first.month)[1])


def age_days(as_of: str, today: date) -> int:
    """Return how many days old a figure is; none is younger than today."""
    return max(0, (today - day_of(as_of)).days)


def is_stale(as_of: str, today: date) -> bool:
    """Whether a figure is too old to rely on unseen."""
    return age_days(as_of, today) > STALE_AFTER_DAYS


def oldest(dates: Iterable[str]) -> str | None:
    """Return the earliest of some dates as the catalogue writes them, None of none."""
    return min(dates, key=day_of, default=None)


def dates_of(entry: Provider) -> tuple[str, ...]:
    """Return the dates of everything in an entry that is applied by itself."""
    rows = [row.as_of for row in entry.free if row.condition is None]
    return (entry.as_of, *rows)
