"""Say how old a figure's evidence is, and whether that is too old to rely on unseen.

Refuses to know today's date: it comes in.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from spillover.catalogue.entries import Provider

STALE_AFTER_DAYS: Final = 90
"""Free tiers change some four times a year: an older figure says so wherever it is shown."""


def day_of(as_of: str) -> date:
    """Return the day of a date as the catalogue writes it.

    A month alone means its last day, as does a day that it does not have.
    """
    year, month, *day = map(int, as_of.split("-"))
    last = monthrange(year, month)[1]
    return date(year, month, min(last, *day, last))


def age_days(as_of: str, today: date) -> int:
    """Return how many days old a figure is; none is younger than today."""
    return max(0, (today - day_of(as_of)).days)


def is_stale(as_of: str, today: date) -> bool:
    """Whether a figure is too old to rely on unseen."""
    return age_days(as_of, today) > STALE_AFTER_DAYS


def oldest(entry: Provider) -> str:
    """Return the earliest date of what an entry says and is applied without a condition."""
    rows = [row.as_of for row in entry.free if row.condition is None]
    return min((entry.as_of, *rows), key=day_of)
