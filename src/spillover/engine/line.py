"""Keep waiting requests in the order they came, each in line for the profiles that it waits for.

A request is woken when room may have come about and nobody stands before it for one of its profiles;
whoever leaves, or waits for less than before, wakes those who are first now.
Refuses to know what keeps a profile from serving and which requests it could serve.
"""

from __future__ import annotations

import asyncio
import itertools
from bisect import insort
from typing import Final

NOBODY: Final[frozenset[str]] = frozenset()


class Line:
    """Requests that wait, for each profile first come first."""

    def __init__(self) -> None:
        """Begin empty."""
        self._tickets = itertools.count(1)
        self._lines: dict[str, list[int]] = {}
        """The tickets that wait for each profile, in order; none is empty."""
        self._places: dict[int, asyncio.Future[None]] = {}

    def join(self) -> int:
        """Return a ticket; the place it first waited from is kept until `leave`."""
        return next(self._tickets)

    def before(self, ticket: int | None) -> frozenset[str]:
        """Return the profiles that others wait for before `ticket`, or at all when there is none."""
        if not self._lines:
            return NOBODY
        return frozenset(
            profile for profile, line in self._lines.items() if ticket is None or line[0] < ticket
        )

    async def wait(self, ticket: int, profiles: frozenset[str], seconds: float) -> None:
        """Wait for `profiles` at most `seconds`, less when nudged while first in line for one."""
        self._stand(ticket, profiles)
        place = self._places[ticket] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await place
        except TimeoutError:
            pass
        finally:
            del self._places[ticket]

    def nudge(self) -> None:
        """Wake whoever is first in line for a profile: there may be room."""
        for first in {line[0] for line in self._lines.values()}:
            place = self._places.get(first)
            if place is not None and not place.done():
                place.set_result(None)

    def leave(self, ticket: int) -> None:
        """Give up a ticket and wake those who are first now."""
        self._stand(ticket, NOBODY)

    def _stand(self, ticket: int, profiles: frozenset[str]) -> None:
        """Stand in line for these profiles and no others any more."""
        stood = {profile for profile, line in self._lines.items() if ticket in line}
        for profile in profiles - stood:
            insort(self._lines.setdefault(profile, []), ticket)
        for profile in stood - profiles:
            self._lines[profile].remove(ticket)
            if not self._lines[profile]:
                del self._lines[profile]
        if stood - profiles:
            self.nudge()
