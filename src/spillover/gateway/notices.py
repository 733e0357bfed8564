"""Tell people of transitions: on the page's bell, and wherever the configuration says.

Each place has its own events and its own folding of bursts. Nothing here holds up who tells events.
Refuses to know what a transition is, and how notices are sent.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from spillover.core.notices import USUAL, NoticeKind
from spillover.events import Notice
from spillover.events.folding import QUIET_S, Fold
from spillover.events.kinds import document
from spillover.events.transitions import Transitions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spillover.clock import Clock
    from spillover.config.schema import Notify
    from spillover.events import Bus, Event
    from spillover.events.delivery import Courier

KEPT: Final = 100


@dataclass(slots=True)
class _Target:
    """A place that notices are sent to."""

    courier: Courier
    kinds: frozenset[NoticeKind]
    fold: Fold


class Notices:
    """The notices of one gateway, from its making on."""

    def __init__(self, events: Bus, clock: Clock, *, quiet_s: float = QUIET_S) -> None:
        """Listen to `events`; nothing is sent before `adopt` says where to.

        `quiet_s` is the shortest quiet between two notices, and the page's only one.
        """
        self._quiet_s = quiet_s
        self._events = events
        self._clock = clock
        self._transitions = Transitions()
        self._bell = Fold(shortest_s=quiet_s, longest_s=quiet_s)
        self._kept: deque[Notice] = deque(maxlen=KEPT)
        self._numbers = itertools.count(1)
        self._targets: list[_Target] = []
        self._timer: asyncio.TimerHandle | None = None
        events.listen(self._hear)

    def adopt(self, wanted: Iterable[Notify]) -> None:
        """Send to these places from now on; one that stays goes on as it was."""
        wanted = tuple(wanted)
        if not (wanted or self._targets):
            return  # as mostly: what sends is not even imported
        from spillover.events.delivery import Courier  # noqa: PLC0415 - see above

        known = {(each.courier.address, each.kinds): each for each in self._targets}
        targets = []
        for each in wanted:
            address, kinds = each.to.reveal(), frozenset(each.events or USUAL)
            found = known.pop((address, kinds), None)
            targets.append(
                found or _Target(Courier(address), kinds, Fold(shortest_s=self._quiet_s))
            )
        self._targets = targets
        for left in known.values():
            left.courier.close()

    async def close(self) -> None:
        """Send what is held, and end; a place that is slow has a moment for it."""
        if self._timer is not None:
            self._timer.cancel()
        for target in self._targets:
            _send(target, target.fold.take(inf))
            target.courier.close()
        await asyncio.gather(*(asyncio.to_thread(each.courier.join) for each in self._targets))

    def _hear(self, event: Event) -> None:
        notice = self._transitions.hear(event)
        if notice is not None:
            # What is told of an event comes after it.
            asyncio.get_running_loop().call_soon(self._offer, notice)

    def _offer(self, notice: Notice) -> None:
        now = asyncio.get_running_loop().time()
        if notice.kind in _BELLS:
            self._ring(self._bell.offer(notice, now))
        for target in self._targets:
            if notice.kind in target.kinds:
                _send(target, target.fold.offer(notice, now))
        self._set_timer()

    def _take(self) -> None:
        """Tell what was held until now."""
        now = asyncio.get_running_loop().time()
        self._timer = None
        self._ring(self._bell.take(now))
        for target in self._targets:
            _send(target, target.fold.take(now))
        self._set_timer()

    def _set_timer(self) -> None:
        dues = [fold.due_at for fold in (self._bell, *(each.fold for each in self._targets))]
        due_at = min((each for each in dues if each is not None), default=None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due_at is not None:
            self._timer = asyncio.get_running_loop().call_at(due_at, self._take)

    def _ring(self, notice: Notice | None) -> None:
        """Keep a notice for the page, and tell it as an event."""
        if notice is not None:
            numbered = replace(notice, id=next(self._numbers))
            self._kept.append(numbered)
            self._events.publish(numbered)

    def test(self) -> None:
        """Send a notice to every place, at once."""
        text = "a test: notices of this gateway arrive here"
        notice = Notice(at=self._clock.now(), kind=NoticeKind.TEST, text=text)
        self._ring(notice)
        for target in self._targets:
            target.courier.send(notice)

    def status(self) -> list[dict[str, Any]]:
        """Return how the sending goes, by place."""
        return [
            {
                "to": each.courier.shown,
                "events": sorted(each.kinds),
                "sent": each.courier.sent,
                "failed": each.courier.failed,
                "problem": each.courier.problem,
            }
            for each in self._targets
        ]

    def latest(self, limit: int) -> list[dict[str, Any]]:
        """Return the latest notices, newest first."""
        found = [document(each) for each in reversed(self._kept)][:limit]
        return [{name: value for name, value in each.items() if name != "type"} for each in found]


_BELLS: Final = frozenset(USUAL)
"""What the page tells of."""


def _send(target: _Target, notice: Notice | None) -> None:
    if notice is not None:
        target.courier.send(notice)
