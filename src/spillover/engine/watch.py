"""Tell of every change of a profile's status, of limits reached and budgets used, once each.

What changes is looked at soon after something happened that may have changed it, when a cooldown's
time is up, and now and then for what other processes did.
Refuses to know requests, and never decides who may serve.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Final

from spillover.core.values import Lifetime
from spillover.engine.budgets import Budgets
from spillover.engine.status import Situation, situation
from spillover.events import LimitReached, ProfileStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from spillover.clock import Clock
    from spillover.core.limits import Blocked
    from spillover.core.values import Limit, Profile, Status
    from spillover.events import Bus
    from spillover.ledger.ledger import Ledger

SOON_S: Final = 0.05
"""How long after a happening the statuses are looked at: bursts are looked at once."""
SELDOM_S: Final = 1.0
UNKNOWN_S: Final = 60.0
"""For how long a limit counts as reached when nobody knows when it frees."""


class Watch:
    """Looks at all profiles' statuses and tells of changes."""

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
        self._known: dict[str, Situation] = {}
        self._reached: dict[tuple[str, Limit], float] = {}
        self._budgets = Budgets(ledger, clock, events, profiles)
        self._soon = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take the statuses as they are, and tell of changes until `close`."""
        now = self._clock.now()
        for name, profile in self._profiles().items():
            self._known[name] = situation(profile, self._ledger.book, now)
        self._task = asyncio.create_task(self._run(), name="status watch")

    def look_soon(self) -> None:
        """Look at the statuses in a moment: something happened."""
        self._soon.set()

    def blocked(self, passed: Iterable[Blocked]) -> None:
        """Tell of limits that a reservation ran into, once until they free."""
        now = self._clock.now()
        for each in passed:
            limit, block = each.block.limit, each.block
            if limit is None:
                continue  # a test is under way
            if block.never and limit.amount > 0 and not isinstance(limit.window, Lifetime):
                continue  # the one call is too large: nothing is spent
            self._budgets.denied(limit)
            key = (each.profile, limit)
            if self._reached.get(key, 0.0) > now:
                continue
            self._reached[key] = inf if block.never else block.available_at or now + UNKNOWN_S
            self._events.publish(
                LimitReached(
                    at=now,
                    profile=each.profile,
                    limit=limit.name,
                    amount=limit.amount,
                    available_at=block.available_at,
                )
            )
            self.look_soon()

    def forget(self) -> None:
        """Tell of limits anew when they are reached again: what was counted is gone."""
        self._reached.clear()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._pause()):
                    await self._soon.wait()
                await asyncio.sleep(SOON_S)
            except TimeoutError:
                pass
            self._soon.clear()
            self.look()
            await self._budgets.look()

    def _pause(self) -> float:
        now = self._clock.now()
        ends = [
            s.until - now for s in self._known.values() if s.until is not None and s.until > now
        ]
        return min([SELDOM_S, *ends])

    def look(self) -> None:
        """Look at the statuses now, and tell of what changed."""
        now = self._clock.now()
        known, self._known = self._known, {}
        for name, profile in self._profiles().items():
            new = self._known[name] = situation(profile, self._ledger.book, now)
            old = known.get(name)
            if old is not None and (old.status, old.reason) != (new.status, new.reason):
                self._tell(name, old.status, new, now)

    def _tell(self, name: str, old: Status, new: Situation, now: float) -> None:
        self._events.publish(
            ProfileStatus(
                at=now,
                profile=name,
                source=old.value,
                to=new.status.value,
                reason=new.reason,
                until=new.until,
            )
        )

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
