"""Keep what providers say of their limits among the counters, and compare it with our own count.

A statement is a counter beside others: it begins where the provider says, and counts what we send.
Refuses to know headers, and what a call needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from spillover.core.limits import Gauge, reading
from spillover.core.stated import (
    BALANCE,
    capacity,
    ends_at,
    is_news,
    owner_of,
    replica,
    span_s,
    tolerance,
)
from spillover.core.values import METRIC_INDEX, Lifetime, Limit, Profile, Rolling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spillover.core.stated import Stated
    from spillover.core.values import Window
    from spillover.ledger.counters import Counters
    from spillover.ledger.entries import Heard

HEARD_MOST: Final = 16
"""Limits that are kept of what one provider says: who names ever new ones is not followed."""


class Weighed(msgspec.Struct, frozen=True):
    """What a provider's statement is beside our count."""

    is_news: bool
    """It differs from what is known, and is to be kept."""
    followed: bool
    """An earlier one is in force."""
    counted: int | None
    """What we count as left; None: nobody does."""
    tolerance: int
    """By how much the two may differ and still agree."""


def hear(counters: Counters, entry: Heard) -> None:
    """Keep a statement, and drop the counters of those that are over."""
    owner, stated = entry.owner, entry.stated
    tally, said = counters.tally(owner), counters.heard.setdefault(owner, {})
    for name, each in said.items():
        if name == stated.name or ends_at(each.stated, each.window, each.at) <= entry.at:
            tally.series.pop(_key(name), None)
    said.pop(stated.name, None)
    said[stated.name] = entry
    if len(said) > HEARD_MOST:
        oldest = next(iter(said))
        del said[oldest]
        tally.series.pop(_key(oldest), None)
    if stated.remaining is not None:
        held = tally.held[METRIC_INDEX[stated.metric]]
        series = replica(stated, entry.window, held=held, at=entry.at)
        tally.series[_key(stated.name)] = series
    counters.dirty.add(owner)


def forget(counters: Counters, owners: Iterable[str]) -> None:
    """Forget what was said of owners' limits: the next answer says it anew."""
    for owner in owners:
        for name in counters.heard.pop(owner, {}):
            counters.tally(owner).series.pop(_key(name), None)
            counters.dirty.add(owner)


def opinions(counters: Counters, profile: Profile) -> Iterator[Gauge]:
    """Yield the counters that follow what was said of a profile's limits, as limits to be kept."""
    owner = owner_of(profile)
    for name, heard in counters.heard.get(owner, {}).items():
        series, stated = counters.series(owner, _key(name)), heard.stated
        if series is not None:
            limit = Limit(
                metric=stated.metric,
                amount=stated.limit or 0,
                window=heard.window or _window(stated),
                owner=owner,
                scope=profile.pool,
                per=stated.per,
            )
            yield Gauge(
                limit=limit,
                metric=METRIC_INDEX[stated.metric],
                capacity=capacity(stated),
                tally=counters.tally(owner),
                series=series,
                until=ends_at(stated, heard.window, heard.at),
                stated=True,
            )


def weigh(
    counters: Counters, gauges: Sequence[Gauge], profile: Profile, stated: Stated, now: float
) -> Weighed:
    """Compare a statement with the profile's `gauges`, and with what was said before."""
    counted: int | None = None
    expected: int | None = None
    for each in gauges:
        if each.limit.metric is not stated.metric or each.limit.per != stated.per:
            continue
        left = max(0, each.capacity - sum(reading(each, now)))
        if not each.stated:
            counted = left if counted is None else min(counted, left)
        elif each.until > now:
            expected = left
    owner = owner_of(profile)
    kept = counters.heard.get(owner, {}).get(stated.name)
    held = counters.tally(owner).held[METRIC_INDEX[stated.metric]]
    followed = expected is not None
    if counted is None:
        counted = expected
    elif expected is None:  # only its saying less than we count is news
        expected = max(counted, stated.remaining or 0)
    return Weighed(
        is_news=is_news(stated, None if kept is None else kept.stated, expected, held=held),
        followed=followed,
        counted=counted,
        tolerance=tolerance(stated, held),
    )


def _window(stated: Stated) -> Window:
    """Return how a window is taken to come back of which nothing is known."""
    return Lifetime() if stated.per == BALANCE else Rolling(seconds=span_s(stated.per))


def _key(limit: str) -> str:
    """Return the name of the counter that follows what a provider said of a limit."""
    return f"stated:{limit}"
