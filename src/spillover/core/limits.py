"""Decide whether a call fits under a profile's limits, and when it will if it doesn't.

`admit` is the definition: every ledger holds to it, whatever it keeps its counters in.
Refuses to know where counters live, who else is a candidate, and what happens next.
"""

from __future__ import annotations

from math import inf
from typing import TypeAlias

import msgspec

from spillover.core.crowding import grown
from spillover.core.values import (
    METRIC_INDEX,
    Amounts,
    Lifetime,
    Limit,
    Metric,
    Profile,
    Refill,
    Usage,
    Value,
)
from spillover.core.windows import Series


class Tally(msgspec.Struct):
    """What one owner of counters holds right now: open reservations and counters by window."""

    held: list[int] = msgspec.field(default_factory=lambda: [0] * len(METRIC_INDEX))
    """Amounts of the open reservations; requests are counted when sent, so none are held."""
    in_flight: int = 0
    series: dict[str, Series] = msgspec.field(default_factory=dict)


class Gauge(msgspec.Struct, frozen=True):
    """A limit bound to the counter it reads."""

    limit: Limit
    metric: int
    """Index of the limit's metric; -1 for concurrency."""
    capacity: int
    """What may count at once: the amount, or a refill bucket's burst."""
    tally: Tally
    series: Series | None
    until: float = inf
    """From here on it says nothing: a provider's word is good for a window."""
    stated: bool = False
    """It follows what the provider said, not what we counted."""
    learned_at: float | None = None
    """Of a concurrency that was learned from refusals then: it grows from there on."""


class Candidate(Value, frozen=True, kw_only=True):
    """A profile that may serve, and what the call would need of it."""

    profile: Profile
    need: Usage
    probe: str | None = None
    """Health subject whose guess this call would test; one such call may be open at a time."""


class Block(Value, frozen=True, kw_only=True):
    """Why a candidate has no room."""

    limit: Limit | None
    """None: another call is already testing the profile's guessed cooldown."""
    available_at: float | None = None
    """When there is room again; None: not known, or never."""
    never: bool = False
    """The call is larger than the whole limit, or than what is left of one that never comes back."""
    stated: bool = False
    """By the provider's word; otherwise by our count."""


class Blocked(Value, frozen=True, kw_only=True):
    """A candidate that was passed over in a reservation."""

    profile: str
    block: Block


class Granted(Value, frozen=True, kw_only=True):
    """The first candidate with room, and the reservation held for it."""

    reservation: str
    profile: str
    at: float
    passed: tuple[Blocked, ...] = ()


class Denied(Value, frozen=True, kw_only=True):
    """No candidate had room."""

    passed: tuple[Blocked, ...]


Reservation: TypeAlias = Granted | Denied


def gauge(limit: Limit, tally: Tally, series: Series | None) -> Gauge:
    """Bind `limit` to the counter it reads."""
    capacity = limit.amount
    if capacity and isinstance(limit.window, Refill) and limit.window.burst is not None:
        capacity = limit.window.burst
    metric = -1 if limit.metric is Metric.CONCURRENCY else METRIC_INDEX[limit.metric]
    return Gauge(limit, metric, capacity, tally, series)


def room_of(gauge: Gauge, now: float) -> int:
    """Return what may count at once at `now`."""
    if gauge.learned_at is None:
        return gauge.capacity
    return grown(gauge.capacity, gauge.learned_at, now)


def reading(gauge: Gauge, now: float) -> tuple[int, int]:
    """Return what a limit's counter shows at `now`: (used, reserved)."""
    if gauge.until <= now:
        return 0, 0
    if gauge.series is None:
        return 0, gauge.tally.in_flight
    return gauge.series.used(gauge.metric, now), gauge.tally.held[gauge.metric]


def admit(gauges: list[Gauge], need: Amounts, now: float) -> Block | None:
    """Return None when `need` fits under every limit at `now`, else what blocks it longest.

    A limit that the call can never fit under comes before one that frees at an unknown time, and
    that before one with a known instant; of those the latest, for only then is there room.
    """
    worst: Block | None = None
    for each in gauges:
        metric, series = each.metric, each.series
        if series is None:
            if each.tally.in_flight < room_of(each, now):
                continue
        else:
            wanted = need[metric]
            if wanted == 0 and each.capacity > 0:
                continue
            used = series.used(metric, now)
            if 0 < wanted <= each.capacity - used - each.tally.held[metric]:
                continue
        if each.until <= now:  # asked last, for few have an end
            continue
        block = _block(each, need, now)
        if worst is None or _rank(block) > _rank(worst):
            worst = block
    return worst


def _rank(block: Block) -> tuple[bool, bool, float]:
    return block.never, block.available_at is None, block.available_at or 0.0


def _block(gauge: Gauge, need: Amounts, now: float) -> Block:
    if gauge.series is None:
        return Block(limit=gauge.limit, never=gauge.capacity <= 0)
    used, reserved = reading(gauge, now)
    wanted = max(need[gauge.metric], 1)
    spent = used if isinstance(gauge.limit.window, Lifetime) else 0
    if wanted > gauge.capacity - spent:
        return Block(limit=gauge.limit, never=True, stated=gauge.stated)
    excess = used + reserved + wanted - gauge.capacity
    available_at = gauge.series.frees_at(gauge.metric, excess, now)
    return Block(limit=gauge.limit, available_at=available_at, stated=gauge.stated)
