"""What a provider says of its own quota, kept as a second opinion beside our own count.

A statement becomes a counter that stands where the provider says it does and goes on with what we
send; `core.limits.admit` reads it like any other, so the lower of the two wins until it ends.
Refuses to know headers, owners and where counters are kept.
"""

from __future__ import annotations

from typing import Final, assert_never

from spillover.core.lifetime import LifetimeSeries
from spillover.core.values import (
    METRIC_INDEX,
    METRIC_SCALE,
    UNIT_S,
    Calendar,
    CalendarUnit,
    LimitScope,
    Metric,
    Profile,
    Refill,
    Value,
    Window,
    owner_of_account,
    owner_of_model,
    owner_of_profile,
)
from spillover.core.windows import CalendarSeries, RefillSeries, Series, period

UNKNOWN_LIMIT: Final = 1 << 53
"""Stands for a whole that is not stated: no call is too large for it by itself."""

BALANCE: Final = "balance"
"""Stands for a window's length where an amount is for good: a prepaid balance, a key's budget."""

BALANCE_LIMIT: Final = f"{Metric.COST.value}_per_{BALANCE}"
"""What a balance is called among the limits that stand in a request's way."""

SPANS_S: Final = {
    "second": 1.0,
    **{unit.value: seconds for unit, seconds in UNIT_S.items()},
    BALANCE: UNIT_S[CalendarUnit.MONTH],
}
"""Seconds in the windows that have names. A word on a balance is good for a month."""
_UNITS_S: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


class Stated(Value, frozen=True, kw_only=True, array_like=True):
    """What a provider says of one of its limits."""

    metric: Metric
    per: str
    """The window's length, as limits spell it: `minute`, `day`, `5h`."""
    limit: int | None = None
    remaining: int | None = None
    resets_at: float | None = None
    """When there is room again; only where nothing is left."""
    full_at: float | None = None
    """When all of it is there again: some count to a window's end, some to a full bucket."""

    @property
    def name(self) -> str:
        """The limit as users write it: `requests_per_day`; `balance` for one."""
        if self.per == BALANCE:
            return BALANCE
        return f"{self.metric.value}_per_{self.per}"


def in_written_units(metric: Metric, amount: int) -> float:
    """Return an amount in base units as users write it: dollars, neurons."""
    scale = METRIC_SCALE.get(metric)
    return amount if scale is None else amount / scale


def span_s(per: str) -> float:
    """Return the seconds in a window's length as limits spell it."""
    seconds = SPANS_S.get(per)
    return float(per[:-1]) * _UNITS_S[per[-1]] if seconds is None else seconds


def span_label(seconds: float) -> str:
    """Return a window's length as limits spell it: `minute`, `day`, `5h`, `90s`."""
    named = next((name for name, span in SPANS_S.items() if span == seconds), None)
    if named is not None:
        return named
    unit = next((unit for unit in ("d", "h", "m") if seconds % _UNITS_S[unit] == 0), "s")
    return f"{seconds / _UNITS_S[unit]:.15g}{unit}"


def owner_of(profile: Profile) -> str:
    """Return the counter key of what a profile's provider says of its limits."""
    match profile.pool:
        case LimitScope.PROFILE:
            return owner_of_profile(profile.name)
        case LimitScope.MODEL:
            return owner_of_model(profile.account, profile.model)
        case LimitScope.ACCOUNT:
            return owner_of_account(profile.account)
        case _:
            assert_never(profile.pool)


def window_of(profile: Profile, per: str) -> Window | None:
    """Return how the provider's window resets, None where that is not known."""
    return {"minute": profile.minute_window, "day": profile.day_window}.get(per)


def ends_at(stated: Stated, window: Window | None, at: float) -> float:
    """Return when a statement of `at` says nothing any more, a window's length later at the latest."""
    latest = at + span_s(stated.per)
    match window:
        case Refill():
            return latest  # what we send meanwhile moves the instant at which the bucket is full
        case Calendar():
            latest = min(latest, period(window.unit, window.zone, at)[1])
        case _:
            pass
    return latest if stated.full_at is None else max(at, min(latest, stated.full_at))


def capacity(stated: Stated) -> int:
    """Return the whole that a statement is of."""
    return UNKNOWN_LIMIT if stated.limit is None else stated.limit


def replica(stated: Stated, window: Window | None, *, held: int, at: float) -> Series:
    """Return a counter that stands where the provider said at `at`, to go on with what we send.

    `held` is what calls in flight have reserved: the provider has taken them off already.
    """
    metric = METRIC_INDEX[stated.metric]
    left = 0 if stated.remaining is None else stated.remaining
    used = max(0, capacity(stated) - left - held)
    if stated.per == BALANCE:  # it is topped up or it is not: no instant gives any of it back
        balance = LifetimeSeries()
        balance.totals[metric] = used
        return balance
    if isinstance(window, Refill) and stated.limit is not None:
        return RefillSeries(
            metric=metric, amount=stated.limit, seconds=window.seconds, debt=float(used), at=at
        )
    # It is not read behind its end, so what unit follows does not matter.
    series = CalendarSeries(
        unit=CalendarUnit.MINUTE, zone="UTC", starts_at=at, ends_at=ends_at(stated, window, at)
    )
    series.totals[metric] = used
    return series


def tolerance(stated: Stated, held: int) -> int:
    """Return by how much a statement may differ from a count and still agree with it.

    Two hundredths, and what is in flight, for nobody knows yet what that will have used; but never
    so much that the last of a quota goes unnoticed.
    """
    least = 1 if stated.limit is None else max(1, stated.limit // 50)
    return min(least + held, stated.remaining or 0)


def is_news(stated: Stated, before: Stated | None, expected: int | None, *, held: int) -> bool:
    """Return whether a statement differs from what is known.

    `before` is the last one that was kept; `expected` what a counter in force says is left.
    """
    if before is None or (stated.limit is not None and stated.limit != before.limit):
        return True
    if stated.remaining is None:
        return False
    return expected is None or abs(expected - stated.remaining) > tolerance(stated, held)
