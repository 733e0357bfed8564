"""Keep a chain's waiting requests in the order they came.

Only the first in line is woken when room may have come about; whoever leaves wakes the next.
Refuses to know what they wait for.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class _Place:
    ticket: int
    woken: asyncio.Future[None] = field(compare=False)


class Line:
    """Requests that wait, first come first."""

    def __init__(self) -> None:
        """Begin empty."""
        self._next = 0
        self._held: list[int] = []
        self._places: list[_Place] = []

    def join(self) -> int:
        """Return a ticket; it stands in line until `leave`."""
        self._next += 1
        self._held.append(self._next)
        return self._next

    def is_behind(self, ticket: int | None) -> bool:
        """Return whether others stand before `ticket`, or at all when there is none."""
        return bool(self._held) and self._held[0] != ticket

    async def wait(self, ticket: int, seconds: float) -> None:
        """Wait at most `seconds`, less when first in line and nudged."""
        place = _Place(ticket, asyncio.get_running_loop().create_future())
        insort(self._places, place)
        try:
            async with asyncio.timeout(seconds):
                await place.woken
        except TimeoutError:
            pass
        finally:
            self._places.remove(place)

    def nudge(self) -> None:
        """Wake the first in line: there may be room."""
        if self._places and self._held and self._places[0].ticket == self._held[0]:
            woken = self._places[0].woken
            if not woken.done():
                woken.set_result(None)

    def leave(self, ticket: int) -> None:
        """Give up a ticket and wake who is first now."""
        if ticket in self._held:
            self._held.remove(ticket)
            self.nudge()
