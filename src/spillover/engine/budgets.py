"""Tell how much of each budget is used, each threshold once in a window for all who share the ledger.

Who tells is decided in one step of the ledger. A process whose events nobody hears leaves the
telling to one that is heard.

Refuses to know requests, and what a threshold is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.core.budgets import budget_key, is_budget, to_tell
from spillover.core.values import METRIC_SCALE
from spillover.events import BudgetReached
from spillover.ledger.entries import Alerted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from spillover.clock import Clock
    from spillover.core.budgets import Told
    from spillover.core.limits import Gauge
    from spillover.core.values import Limit, Profile
    from spillover.events import Bus
    from spillover.ledger.entries import Entry
    from spillover.ledger.ledger import Ledger


class Budgets:
    """Looks at the profiles' budgets and tells of thresholds that were passed."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        events: Bus,
        profiles: Callable[[], Mapping[str, Profile]],
    ) -> None:
        """Begin without having looked."""
        self._ledger = ledger
        self._clock = clock
        self._events = events
        self._profiles = profiles
        self._denied: set[str] = set()
        """Budgets under which a call found no room since they were last looked at."""

    def denied(self, limit: Limit) -> None:
        """Note that a call found no room under a limit."""
        if is_budget(limit):
            self._denied.add(budget_key(limit))

    async def look(self) -> None:
        """Look at all budgets now, and tell what is new."""
        denied, self._denied = self._denied, set()
        if not self._events.is_heard or not any(self._new(denied, self._clock.now())):
            return
        made: list[tuple[Profile, Gauge, Told]] = []

        def work(now: float) -> list[Entry]:
            # Looked at anew: another process may have told of it meanwhile.
            made.extend(self._new(denied, now))
            return [Alerted(budget_key(each.limit), told) for _, each, told in made]

        await self._ledger.decide(work)
        for profile, gauge, told in made:
            self._events.publish(_event(profile, gauge, told))

    def _new(self, denied: set[str], now: float) -> Iterator[tuple[Profile, Gauge, Told]]:
        """Yield what is to be told of each budget, with the first profile that it binds."""
        book, seen = self._ledger.book, set()
        for profile in self._profiles().values():
            if not any(is_budget(limit) for limit in profile.limits):
                continue
            for gauge in book.gauges(profile):
                key = budget_key(gauge.limit)
                if gauge.stated or not is_budget(gauge.limit) or key in seen:
                    continue
                seen.add(key)
                told = to_tell(gauge, book.alerts.get(key), now, denied=key in denied)
                if told is not None:
                    yield profile, gauge, told


def _event(profile: Profile, gauge: Gauge, told: Told) -> BudgetReached:
    limit, series = gauge.limit, gauge.series
    scale = METRIC_SCALE.get(limit.metric, 1)
    used = 0 if series is None else series.used(gauge.metric, told.at)
    return BudgetReached(
        at=told.at,
        profile=profile.name,
        scope=limit.scope.value,
        limit=limit.name,
        percent=told.percent,
        used=used / scale,
        amount=gauge.capacity / scale,
        until=None if series is None else series.resets_at(gauge.metric, told.at),
    )
