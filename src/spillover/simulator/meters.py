"""Count what a simulated provider's limits allow: the judge's own, independent arithmetic.

Refuses to know HTTP, flavours and the ledger. Instants are epoch seconds given by the caller;
rolling windows are exact to the single entry, at the price of remembering each.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from spillover.simulator.spec import Allowance, WindowKind

ROUNDING: Final = 1e-3
"""A thousandth of a unit is no usage: instants themselves are exact to a quarter microsecond."""


class Meter(Protocol):
    """The used part of one allowance, for one pool."""

    def used(self, now: float) -> float:
        """Return what counts as used at `now`."""

    def add(self, amount: float, now: float) -> None:
        """Count an amount from now on."""

    def correct(self, amount: float, charged_at: float, now: float) -> None:
        """Take back (a negative amount) or add to what was counted at `charged_at`."""

    def wait_s(self, amount: float, now: float) -> float:
        """Return how long until `amount` more fits; 0 when it does. It must fit when empty."""

    def empty_in_s(self, now: float) -> float:
        """Return how long until nothing counts as used any more."""


class RollingMeter:
    """Usage leaves when it is older than the window."""

    def __init__(self, amount: int, seconds: float) -> None:
        """Start empty."""
        self._amount = amount
        self._seconds = seconds
        self._entries: deque[list[float]] = deque()
        self._sum = 0.0

    def used(self, now: float) -> float:
        """Return what was added within the last window."""
        entries = self._entries
        while entries and entries[0][0] <= now - self._seconds:
            self._sum -= entries.popleft()[1]
        return self._sum

    def add(self, amount: float, now: float) -> None:
        """Count an amount from now on."""
        self._entries.append([now, amount])
        self._sum += amount

    def correct(self, amount: float, charged_at: float, now: float) -> None:
        """Lower the very entry that was too high, so that it leaves in one piece; add the rest."""
        if amount > 0:
            self.add(amount, now)
            return
        self.used(now)
        for entry in reversed(self._entries):
            if entry[0] == charged_at:
                entry[1] += amount
                self._sum += amount
                return

    def wait_s(self, amount: float, now: float) -> float:
        """Return when enough of the oldest entries have left."""
        excess = self.used(now) + amount - self._amount
        for at, entry in self._entries:
            if excess <= 0:
                return 0.0
            excess -= entry
            if excess <= 0:
                return at + self._seconds - now
        return 0.0

    def empty_in_s(self, now: float) -> float:
        """Return when the newest entry leaves."""
        self.used(now)
        return self._entries[-1][0] + self._seconds - now if self._entries else 0.0


class CalendarMeter:
    """Usage counts until the next boundary of the zone's clock."""

    def __init__(self, amount: int, per: str, *, seconds: float, zone: str) -> None:
        """Start empty; a `per` that is no calendar unit is cut from the epoch in equal spans."""
        self._amount = amount
        self._per = per
        self._seconds = seconds
        self._zone = ZoneInfo(zone)
        self._used = 0.0
        self._from = 0.0
        self._until = 0.0

    def used(self, now: float) -> float:
        """Return what was added since the last boundary."""
        if not self._from <= now < self._until:
            self._used = 0.0
            self._from, self._until = self._span(now)
        return self._used

    def add(self, amount: float, now: float) -> None:
        """Count an amount until the next boundary."""
        self._used = self.used(now) + amount

    def correct(self, amount: float, charged_at: float, now: float) -> None:
        """Correct what was counted, unless a boundary has cleared it since."""
        self.used(now)
        if amount > 0 or charged_at >= self._from:
            self._used += amount

    def wait_s(self, amount: float, now: float) -> float:
        """Return the time to the next boundary, if it has to be waited for."""
        return self._until - now if self.used(now) + amount > self._amount else 0.0

    def empty_in_s(self, now: float) -> float:
        """Return the time to the next boundary."""
        self.used(now)
        return self._until - now

    def _span(self, now: float) -> tuple[float, float]:
        if self._per not in {"day", "week", "month"}:
            # Minutes begin with the epoch's in every zone; so do hours, but in a few odd zones.
            start = now // self._seconds * self._seconds
            return start, start + self._seconds
        local = datetime.fromtimestamp(now, self._zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self._per == "week":
            first = midnight - timedelta(days=midnight.weekday())
            following = first + timedelta(days=7)
        elif self._per == "month":
            first = midnight.replace(day=1)
            following = (first + timedelta(days=32)).replace(day=1)
        else:
            first, following = midnight, midnight + timedelta(days=1)
        return first.timestamp(), following.timestamp()


class RefillMeter:
    """A bucket that holds the amount and refills evenly, once per window."""

    def __init__(self, amount: int, seconds: float) -> None:
        """Start full, that is with nothing used."""
        self._amount = amount
        self._per_s = amount / seconds
        self._used = 0.0
        self._at = 0.0

    def used(self, now: float) -> float:
        """Return what the bucket lacks."""
        if now > self._at:
            self._used = max(0.0, self._used - (now - self._at) * self._per_s)
            self._at = now
        return self._used

    def add(self, amount: float, now: float) -> None:
        """Take an amount out; the bucket may go below empty."""
        self._used = self.used(now) + amount

    def correct(self, amount: float, charged_at: float, now: float) -> None:
        """Put back or take out more; a bucket never holds more than its amount."""
        del charged_at
        self._used = max(0.0, self.used(now) + amount)

    def wait_s(self, amount: float, now: float) -> float:
        """Return when the bucket holds `amount`."""
        excess = self.used(now) + amount - self._amount
        return excess / self._per_s if excess > ROUNDING else 0.0

    def empty_in_s(self, now: float) -> float:
        """Return when the bucket is full again."""
        return self.used(now) / self._per_s if self._per_s else 0.0


def meter_of(allowance: Allowance) -> Meter:
    """Return an empty meter for an allowance whose kind is said."""
    seconds = allowance.seconds
    match allowance.kind:
        case WindowKind.CALENDAR:
            zone = allowance.zone or "UTC"
            return CalendarMeter(allowance.amount, allowance.per, seconds=seconds, zone=zone)
        case WindowKind.REFILL:
            return RefillMeter(allowance.amount, seconds)
        case WindowKind.ROLLING | None:
            return RollingMeter(allowance.amount, seconds)
