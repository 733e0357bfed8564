"""Decide when it is time to tell how much of a budget is used: once for each threshold and window.

A budget is a limit on cost, or a credit of whatever kind; a limit that nothing fits under is none.
Several thresholds passed at once are told as the highest. What was told holds for the window that it
was told in: to the end of a calendar's period, for a window's length where usage leaves as it ages,
for good where it never does.

Refuses to know who tells, who hears, and where what was told is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from spillover.core.values import Calendar, Lifetime, Limit, Metric, Refill, Rolling, Value
from spillover.core.windows import window_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from spillover.core.limits import Gauge

THRESHOLDS: Final = (50, 80, 90, 100)
"""Per cent of a budget whose use is told of."""
NEARLY: Final = 90
"""From here on a budget counts as spent when a call found no room under it."""


class Told(Value, frozen=True, kw_only=True, array_like=True):
    """What was last told of a budget."""

    percent: int
    """The threshold."""
    amount: int
    """Of the budget, in base units: another one is another budget."""
    at: float
    ends_at: float | None = None
    """End of the calendar's period; None: the window has none."""


def is_budget(limit: Limit) -> bool:
    """Return whether a limit is one whose use is told of."""
    counts_money = limit.metric is Metric.COST or isinstance(limit.window, Lifetime)
    return counts_money and limit.amount > 0


def budget_key(limit: Limit) -> str:
    """Return the name of a budget among those of all owners, whatever its amount."""
    window = "" if limit.window is None else window_key(limit.window, limit.metric, 0)
    return f"{limit.owner}|{limit.metric}|{window}"


def to_tell(gauge: Gauge, told: Told | None, now: float, *, denied: bool = False) -> Told | None:
    """Return what is to be told of a budget at `now`, None if nothing is new.

    `told` is what was told last; `denied`: a call just found no room under it.
    """
    if gauge.series is None or gauge.capacity <= 0:
        return None
    used = gauge.series.used(gauge.metric, now) * 100 // gauge.capacity
    percent = max((each for each in THRESHOLDS if each <= used), default=0)
    if denied and percent >= NEARLY:
        percent = THRESHOLDS[-1]
    ends_at = None
    if isinstance(gauge.limit.window, Calendar):
        ends_at = gauge.series.resets_at(gauge.metric, now)
    before = told.percent if told is not None and _holds(told, gauge, ends_at, now) else 0
    if percent <= before:
        return None
    return Told(percent=percent, amount=gauge.capacity, at=now, ends_at=ends_at)


def _holds(told: Told, gauge: Gauge, ends_at: float | None, now: float) -> bool:
    """Return whether what was told is of the budget as it is now, and of its present window."""
    if told.amount != gauge.capacity or told.ends_at != ends_at:
        return False
    window = gauge.limit.window
    return not isinstance(window, Rolling | Refill) or now < told.at + window.seconds


def without(told: Mapping[str, Told], owners: Collection[str]) -> dict[str, Told]:
    """Return what was told of budgets but those of some owners: their usage is counted anew."""
    begun = tuple(f"{owner}|" for owner in owners)
    return {key: each for key, each in told.items() if not key.startswith(begun)}


def shifted(told: Told, seconds: float) -> Told:
    """Return what was told after the clock jumped by `seconds`; a calendar's periods stay."""
    return told if told.ends_at is not None else replace(told, at=told.at + seconds)
