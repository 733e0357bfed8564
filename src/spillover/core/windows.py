"""Count usage in a window: what still counts at an instant, and when enough of it has left.

Rules of this file:
- A counter never forgets early. A rolling window is kept in 60 buckets and a bucket leaves when its
  *end* is a whole window old, so usage leaves up to one bucket late and never before its time.
- Instants come in as arguments. What is dated in the future by more than the clocks of two processes
  may differ counts as just now; nothing else is ever re-dated here.

Refuses to know limits' amounts (a refill bucket's rate apart), owners, storage and the clock.

A worked timeline, `Rolling(seconds=60)` with one request each at 12:00:00.0 and 12:00:45.3:
both count until 12:01:01.0, when the bucket of second 0 has been over for 60 s; the second one
leaves at 12:01:46.0. A `Calendar(minute)` would forget both at 12:01:00.0.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil, floor, inf, nextafter
from typing import Final, TypeAlias, assert_never
from zoneinfo import ZoneInfo

import msgspec

from spillover.core.lifetime import LifetimeSeries
from spillover.core.values import (
    METRIC_INDEX,
    Calendar,
    CalendarUnit,
    Lifetime,
    Metric,
    Parts,
    Refill,
    Rolling,
    Window,
)

BUCKETS: Final = 60
"""Buckets in a rolling window."""

CLOCK_TOLERANCE_S: Final = 3.0
"""How far the clocks of processes that share a ledger may differ before usage is re-dated.

A process re-anchors its clock at a drift over 2 s; one more second is for the time between.
"""

_METRICS: Final = len(METRIC_INDEX)
_HOUR_S: Final = 3_600.0
_MINUTE_S: Final = 60.0


def _zeros() -> list[int]:
    return [0] * _METRICS


def _negative(amounts: list[int]) -> Parts:
    return tuple([(metric, -amount) for metric, amount in enumerate(amounts) if amount])


_NO_BUCKET: Final[tuple[float, list[int]]] = (inf, [])


class RollingSeries(msgspec.Struct, tag="rolling"):
    """Usage of the last `width * 60` seconds in buckets, oldest first."""

    width: float
    """Seconds in a bucket."""
    buckets: list[tuple[int, list[int]]] = msgspec.field(default_factory=list)
    """(index, amounts); a bucket spans [index * width, (index + 1) * width)."""
    totals: list[int] = msgspec.field(default_factory=_zeros)

    def _leaves_at(self, index: int) -> float:
        """Return when bucket `index` has been over for a whole window."""
        return (index + BUCKETS + 1) * self.width

    def roll(self, now: float) -> None:
        """Forget what has left the window at `now`, and date the future's usage to now."""
        buckets = self.buckets
        if not buckets:
            return
        if buckets[-1][0] * self.width > now + CLOCK_TOLERANCE_S:
            self._redate(now)
        # By the very sum that `frees_at` states, so that what it states is true to the last bit.
        if self._leaves_at(buckets[0][0]) > now:
            return
        gone = 0
        for index, amounts in buckets:
            if self._leaves_at(index) > now:
                break
            for metric in range(_METRICS):
                self.totals[metric] -= amounts[metric]
            gone += 1
        del buckets[:gone]

    def _redate(self, now: float) -> None:
        future = [b for b in self.buckets if b[0] * self.width > now + CLOCK_TOLERANCE_S]
        del self.buckets[len(self.buckets) - len(future) :]
        target = self._bucket(floor(now / self.width))
        for _, amounts in future:
            for metric in range(_METRICS):
                target[metric] += amounts[metric]

    def _bucket(self, index: int) -> list[int]:
        """Return the amounts of bucket `index`, made in its place when it is not there."""
        buckets = self.buckets
        place = len(buckets)
        while place and buckets[place - 1][0] > index:
            place -= 1
        if place and buckets[place - 1][0] == index:
            return buckets[place - 1][1]
        amounts = _zeros()
        buckets.insert(place, (index, amounts))
        return amounts

    def add(self, at: float, parts: Parts) -> None:
        """Count `parts` as used at `at`; negative amounts take back what was counted there.

        Never below nothing: what is taken back may have left the window already.
        """
        index, totals = floor(at / self.width), self.totals
        latest, bucket = self.buckets[-1] if self.buckets else _NO_BUCKET
        if latest != index:  # seldom
            bucket = self._bucket(index)
        for metric, amount in parts:
            if amount < 0:
                amount = max(amount, -bucket[metric])  # noqa: PLW2901 - the loop is the hottest there is
            bucket[metric] += amount
            totals[metric] += amount

    def used(self, metric: int, now: float) -> int:
        """Return what counts of `metric` at `now`."""
        self.roll(now)
        return self.totals[metric]

    def frees_at(self, metric: int, amount: int, now: float) -> float | None:
        """Return when `amount` of what counts will have left; None if so much does not count."""
        self.roll(now)
        freed = 0
        for index, amounts in self.buckets:
            freed += amounts[metric]
            if freed >= amount:
                return self._leaves_at(index)
        return None

    def resets_at(self, metric: int, now: float) -> float | None:
        """Return when the next part of `metric` leaves; None when nothing counts."""
        return self.frees_at(metric, 1, now)

    def forget(self, share: Series | None = None) -> None:
        """Forget everything, or the part that `share` (of the same window) counts too."""
        if not isinstance(share, RollingSeries):
            self.buckets.clear()
            self.totals[:] = _zeros()
            return
        for index, amounts in share.buckets:
            self.add((index + 0.5) * self.width, _negative(amounts))

    def shift(self, seconds: float, now: float) -> None:
        """Move all usage later by `seconds`, as the clock jumped by them; `now` is after the jump."""
        # Rounding up keeps usage at least as long as its true age asks.
        steps = ceil(seconds / self.width)
        self.buckets[:] = [(index + steps, amounts) for index, amounts in self.buckets]
        self.roll(now)


class CalendarSeries(msgspec.Struct, tag="calendar"):
    """Usage since the start of the zone's current period."""

    unit: CalendarUnit
    zone: str
    starts_at: float = 0.0
    ends_at: float = 0.0
    totals: list[int] = msgspec.field(default_factory=_zeros)

    def roll(self, now: float) -> None:
        """Begin a new period when `now` is past the current one's end."""
        if self.starts_at - CLOCK_TOLERANCE_S <= now < self.ends_at:
            return
        if now >= self.ends_at:
            self.totals[:] = _zeros()
        # A clock that went back: what was used counts on, in the period it is now.
        self.starts_at, self.ends_at = period(self.unit, self.zone, now)

    def add(self, at: float, parts: Parts) -> None:
        """Count `parts` as used at `at`; negative amounts take back what was counted then.

        What a period that is over counted has left with it: nothing is taken back twice.
        """
        if at >= self.ends_at:
            self.roll(at)
        totals = self.totals
        for metric, amount in parts:
            if amount > 0:
                totals[metric] += amount
            elif at >= self.starts_at:
                totals[metric] = max(0, totals[metric] + amount)

    def used(self, metric: int, now: float) -> int:
        """Return what counts of `metric` at `now`."""
        self.roll(now)
        return self.totals[metric]

    def frees_at(self, metric: int, amount: int, now: float) -> float | None:
        """Return when `amount` of what counts will have left; None if so much does not count."""
        return self.ends_at if self.used(metric, now) >= amount else None

    def resets_at(self, metric: int, now: float) -> float | None:  # noqa: ARG002 - one shape for all windows
        """Return the end of the current period."""
        self.roll(now)
        return self.ends_at

    def forget(self, share: Series | None = None) -> None:
        """Forget everything, or the part that `share` (of the same window) counts too."""
        if not isinstance(share, CalendarSeries):
            self.totals[:] = _zeros()
        elif share.ends_at == self.ends_at:
            self.totals[:] = [
                max(0, own - part) for own, part in zip(self.totals, share.totals, strict=True)
            ]

    def shift(self, seconds: float, now: float) -> None:
        """Carry what was used into the period of `now`: a jump must not open a window early."""
        self.roll(now - seconds)  # what was over before the jump is over
        self.starts_at, self.ends_at = period(self.unit, self.zone, now)


class RefillSeries(msgspec.Struct, tag="refill"):
    """What is missing from a bucket that refills continuously."""

    metric: int
    """Index of the one metric that the bucket counts."""
    amount: int
    """Units that come back in every `seconds`."""
    seconds: float
    debt: float = 0.0
    """Units missing at `at`."""
    at: float = 0.0

    def roll(self, now: float) -> None:
        """Date to now what lies in the future; what has come back is worked out where it is asked."""
        if self.at > now + CLOCK_TOLERANCE_S:
            self.at = now

    def _missing(self, now: float) -> float:
        since = now - self.at
        if since <= 0.0:
            return self.debt
        # Divided last: whole units come back at whole fractions of the window, without rounding.
        return self.debt - since * self.amount / self.seconds

    def add(self, at: float, parts: Parts) -> None:
        """Take this bucket's metric of `parts` out at `at`; negative amounts put it back.

        What is put back late has come back in part already: that part is not given twice.
        """
        amount: float = 0
        for metric, part in parts:
            if metric == self.metric:
                amount = part
        if amount == 0:
            return
        if at > self.at:
            self.debt = max(0.0, self._missing(at))
            self.at = at
        elif amount < 0:
            amount = min(0.0, amount + (self.at - at) * self.amount / self.seconds)
        if amount > 0:
            self.debt += amount
        else:
            self.debt = max(0.0, self.debt + amount)

    def used(self, metric: int, now: float) -> int:  # noqa: ARG002 - one shape for all windows
        """Return what is missing at `now`, a begun unit counted whole."""
        self.roll(now)
        return max(0, ceil(self._missing(now)))

    def frees_at(self, metric: int, amount: int, now: float) -> float | None:
        """Return when `amount` fewer whole units will be missing; None if so many are not, or never."""
        left = self.used(metric, now) - amount
        if left < 0 or self.amount <= 0:
            return None
        at = self.at + (self.debt - left) * self.seconds / self.amount
        while self._missing(at) > left:
            at = nextafter(at, inf)
        return at

    def resets_at(self, metric: int, now: float) -> float | None:
        """Return when the bucket is full again; None when it is, or never will be."""
        missing = self.used(metric, now)
        return self.frees_at(metric, missing, now) if missing else None

    def forget(self, share: Series | None = None) -> None:
        """Fill the bucket, or put back the part that `share` (of the same window) misses too."""
        if not isinstance(share, RefillSeries):
            self.debt = 0.0
            return
        at = max(self.at, share.at)
        self.debt = max(0.0, self._missing(at) - max(0.0, share._missing(at)))  # noqa: SLF001 - its own kind
        self.at = at

    def shift(self, seconds: float, now: float) -> None:
        """Move the last refill by `seconds`, as the clock jumped by them; `now` is after the jump."""
        self.at += seconds
        self.roll(now)


Series: TypeAlias = RollingSeries | CalendarSeries | RefillSeries | LifetimeSeries


def window_key(window: Window, metric: Metric, amount: int) -> str:
    """Return the name of a window's counter under one owner.

    All but refill counters count every metric at once, whatever the limit's amount; a refill bucket counts one metric, at
    the rate that the limit's amount gives.
    """
    match window:
        case Rolling():
            return f"rolling:{float(window.seconds)}"
        case Calendar():
            return f"calendar:{window.unit}:{window.zone}"
        case Refill():
            return f"refill:{metric}:{amount}:{float(window.seconds)}"
        case Lifetime():
            return "lifetime"
        case _:
            assert_never(window)


def new_series(window: Window, metric: Metric, amount: int) -> Series:
    """Return an empty counter for `window`; `metric` and `amount` shape a refill bucket alone.

    Raises `zoneinfo.ZoneInfoNotFoundError` for a zone that does not exist.
    """
    match window:
        case Rolling():
            return RollingSeries(width=window.seconds / BUCKETS)
        case Calendar():
            _zone(window.zone)
            return CalendarSeries(unit=window.unit, zone=window.zone)
        case Refill():
            return RefillSeries(metric=METRIC_INDEX[metric], amount=amount, seconds=window.seconds)
        case Lifetime():
            return LifetimeSeries()
        case _:
            assert_never(window)


def seed(series: Series, older: RollingSeries, now: float) -> None:
    """Count in a new `series` what an existing counter of the same owner knows of its window.

    The buckets of `older` may be coarser; each is dated at its end, so that nothing leaves early.
    """
    older.roll(now)
    for index, amounts in older.buckets:
        ends_at = min(now, (index + 1) * older.width)
        series.roll(ends_at)
        series.add(ends_at, tuple(enumerate(amounts)))
    series.roll(now)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def period(unit: CalendarUnit, zone: str, now: float) -> tuple[float, float]:
    """Return start and end (epoch seconds) of the zone's period that holds `now`."""
    tz = _zone(zone)
    local = datetime.fromtimestamp(now, UTC).astimezone(tz)
    if unit in {CalendarUnit.MINUTE, CalendarUnit.HOUR}:
        # By offset, not by wall clock: an hour that a clock change repeats is two periods.
        length = _MINUTE_S if unit is CalendarUnit.MINUTE else _HOUR_S
        offset = (local.utcoffset() or timedelta()).total_seconds()
        start = floor((now + offset) / length) * length - offset
        return start, start + length
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0, tzinfo=None)
    match unit:
        case CalendarUnit.DAY:
            first, following = midnight, midnight + timedelta(days=1)
        case CalendarUnit.WEEK:
            first = midnight - timedelta(days=midnight.weekday())
            following = first + timedelta(days=7)
        case CalendarUnit.MONTH:
            first = midnight.replace(day=1)
            following = (first + timedelta(days=32)).replace(day=1)
        case _:
            assert_never(unit)
    ends_at = following.replace(tzinfo=tz).timestamp()
    if ends_at <= now:
        # Clocks went back over midnight: the day before goes on until the second one.
        ends_at = following.replace(tzinfo=tz, fold=1).timestamp()
    return first.replace(tzinfo=tz).timestamp(), ends_at
