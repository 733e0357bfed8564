"""Decide what a request waits for before anything is sent: its turn, room, or a preferred profile.

Refuses to know who waits beside it (the ladder leaves out what others wait for) and how waiting is
done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spillover.core.actions import Wait
from spillover.core.chains import Chain, Strategy
from spillover.core.values import FailureClass, SkipReason, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.core.ladder import Ladder, Skipped

RECHECK_S: Final = 0.25
"""How soon to look again while another call tests the only profile that could serve."""


class Bounds(Value, frozen=True, kw_only=True):
    """Until when a request of a chain may wait for what."""

    chain: Chain
    deadline_at: float
    """Up to the commit point; it bounds the other two."""
    queue_until: float
    """For anyone to serve it (`when_exhausted`)."""
    patience_until: float
    """For someone better than the one who would serve it."""


def bounds_of(chain: Chain, began_at: float) -> Bounds:
    """Return the bounds of a request that began at `began_at`."""
    deadline_at = began_at + chain.time_limits.deadline_s
    return Bounds(
        chain=chain,
        deadline_at=deadline_at,
        queue_until=min(deadline_at, began_at + chain.wait_s),
        patience_until=min(deadline_at, began_at + chain.patience_s),
    )


def worth_waiting(bounds: Bounds, ladder: Ladder, now: float) -> Wait | None:
    """Return what to wait for before anything is sent; None when nothing is worth a wait."""
    if ladder.candidates:
        return _for_better(bounds, ladder, now)
    if now < bounds.queue_until:
        times = [s.available_at for s in ladder.skipped if s.available_at and _returns(s)]
        if times and min(times) <= bounds.queue_until:
            return Wait(until=max(min(times), now), awaited=_awaited(ladder))
        if any(_may_lift(s) for s in ladder.skipped):
            return Wait(until=bounds.queue_until, awaited=_awaited(ladder))
    if any(s.probed for s in ladder.skipped):
        return Wait(until=min(now + RECHECK_S, bounds.deadline_at))
    return None


def back(ladder: Ladder, now: float) -> Iterator[str]:
    """Yield the profiles of a ladder that have become available by `now`, or may have."""
    for each in ladder.skipped:
        is_over = each.available_at is not None and each.available_at <= now and _returns(each)
        if is_over or each.away:
            yield each.profile


_WAITED_OUT: Final = frozenset({FailureClass.RATE_LIMITED, FailureClass.QUOTA_EXHAUSTED})
"""A provider that failed so asked for nothing but time."""


def _returns(skipped: Skipped) -> bool:
    """Return whether a profile serves this request once it is available."""
    tried = skipped.reason is SkipReason.TRIED
    return not tried or skipped.cause in _WAITED_OUT or skipped.away


def _may_lift(skipped: Skipped) -> bool:
    """Return whether it may be over at a time nobody can know: a call ends, a local server is up."""
    unknown = skipped.available_at is None and not skipped.never
    return skipped.away or (unknown and skipped.reason is SkipReason.LIMIT)


_LASTS_NOT: Final = frozenset(
    {
        SkipReason.LIMIT,
        SkipReason.COOLDOWN,
        SkipReason.EXHAUSTED,
        SkipReason.FAILED,
        SkipReason.DISABLED,
        SkipReason.HOURS,
    }
)
"""What time, another request or a person may end; all else is the request's own."""


def _awaited(ladder: Ladder) -> frozenset[str]:
    """Return all profiles that may come to serve this request, whichever of them is back first."""
    return frozenset(
        s.profile
        for s in ladder.skipped
        if not s.never and (s.reason in _LASTS_NOT or (s.available_at is not None and _returns(s)))
    )


_BETTER_BY_TIME: Final = frozenset(
    {SkipReason.LIMIT, SkipReason.COOLDOWN, SkipReason.EXHAUSTED, SkipReason.TRIED}
)


def _for_better(bounds: Bounds, ladder: Ladder, now: float) -> Wait | None:
    """Wait for a preferred profile that is back within the chain's patience."""
    chain, first = bounds.chain, ladder.candidates[0].profile.name
    in_order = chain.strategy is Strategy.PRIORITY and ladder.kept != first
    if now >= bounds.patience_until or not in_order:
        return None
    names = [member.profile for member in chain.members]
    better = set(names[: names.index(first)])
    times = {
        s.profile: at
        for s in ladder.skipped
        if s.profile in better and s.reason in _BETTER_BY_TIME and _returns(s)
        for at in [_back_by(s, bounds.patience_until)]
        if at is not None
    }
    if not times:
        return None
    # One that is back before its time, as a server that has started, is found at once.
    return Wait(until=max(min(times.values()), now), awaited=frozenset(times))


def _back_by(skipped: Skipped, latest: float) -> float | None:
    """Return until when to wait for a profile, `latest` at most; None: it is back later."""
    at = skipped.available_at
    if skipped.away:  # what is stated is a bound: mostly it is back long before
        return latest if at is None else min(at, latest)
    return at if at is not None and at <= latest else None
