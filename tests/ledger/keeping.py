"""What tests of the ledger share: a clock to set, calls to count, ledgers to open."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from spillover.core.limits import Candidate, Granted
from spillover.core.values import Usage, owner_of_profile
from spillover.ledger.entries import Released, Reserved, Settled
from spillover.ledger.ledger import Ledger
from spillover.ledger.opening import open_journal
from tests import own_time
from tests.core.making import NOON, limit, profile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
    from pathlib import Path

    from spillover.core.limits import Reservation
    from spillover.core.values import Limit, Profile
    from spillover.ledger.journal import Journal
    from spillover.ledger.ledger import Trouble

NEED = Usage(requests=1, input_tokens=60, output_tokens=40)
FIVE = profile("a", limits=(limit(5),))


@dataclass
class HandClock:
    """A clock that stands still until it is moved; `set_to` is someone setting the wall."""

    time: float = NOON
    offset: float = 0.0
    watchers: list[Callable[[float, float], None]] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def on_jump(self, watcher: Callable[[float, float], None]) -> None:
        self.watchers.append(watcher)

    def goes_on(self, seconds: float) -> None:
        self.time += seconds

    def set_to(self, time: float) -> None:
        jump, self.time = time - self.time, time
        self.offset += jump
        for watcher in self.watchers:
            watcher(jump, time)


def candidate(who: Profile = FIVE, *, need: Usage = NEED, probe: str | None = None) -> Candidate:
    return Candidate(profile=who, need=need, probe=probe)


def began(reservation: str, who: Profile = FIVE, *, at: float = NOON) -> Reserved:
    """The entry that reserves for a call."""
    return Reserved(reservation, at, "p", who.name, who.model, who.account, NEED)


def settled(
    reservation: str,
    who: Profile = FIVE,
    *,
    at: float = NOON,
    usage: Usage = NEED,
    **fields: Any,
) -> Settled:
    """The entry that settles a call."""
    return Settled(reservation, at, who.name, who.model, who.account, usage, **fields)


def limited(name: str, *limits: Limit, **fields: Any) -> Profile:
    """A profile with limits; those on profile `a`, as tests write them, are its own."""
    own = tuple(
        replace(each, owner=owner_of_profile(name)) if each.owner == owner_of_profile("a") else each
        for each in limits
    )
    return profile(name, limits=own, **fields)


async def granted(ledger: Ledger, who: Profile = FIVE, *, need: Usage = NEED) -> str:
    """Reserve for a profile that has room; the reservation."""
    found = await ledger.reserve([candidate(who, need=need)])
    assert isinstance(found, Granted), found
    return found.reservation


async def how_many(ledger: Ledger, who: Profile = FIVE, *, tries: int = 20) -> int:
    """Reserve until it is denied, give all back, and tell how many there was room for."""
    held: list[str] = []
    for _ in range(tries):
        found = await ledger.reserve([candidate(who)])
        if not isinstance(found, Granted):
            break
        held.append(found.reservation)
    await ledger.record(*[Released(each, NOON) for each in held])
    return len(held)


def used(ledger: Ledger, who: Profile = FIVE, now: float = NOON) -> tuple[int, int]:
    """Requests and tokens of the last day."""
    amounts = ledger.book.used(who.name, "day", now)
    return amounts[0], amounts[1]


def passed(found: Reservation) -> list[str]:
    return [each.profile for each in found.passed]


@asynccontextmanager
async def opened(
    place: Path | Journal | None,
    clock: HandClock | None = None,
    *,
    fail_closed: bool = False,
    troubles: list[Trouble] | None = None,
) -> AsyncIterator[Ledger]:
    """A ledger that has started, closed at the end."""
    journal = place
    if place is None or hasattr(place, "parent"):
        journal = open_journal(place, stamp="then").journal  # type: ignore[arg-type]
    heard = [] if troubles is None else troubles
    ledger = Ledger(
        journal,  # type: ignore[arg-type]
        clock or HandClock(),
        fail_closed=fail_closed,
        tell=heard.append,
    )
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.close()


def names(folder: Path, pattern: str) -> Iterable[str]:
    return sorted(path.name for path in folder.glob(pattern))


def run(story: Callable[[], Coroutine[None, None, None]]) -> None:
    """Tell a story within a bound."""

    async def bounded() -> None:
        async with asyncio.timeout(60.0):
            await story()

    own_time.run(bounded())
