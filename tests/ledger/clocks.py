"""Random settings of the machine's clock, under several processes that share one ledger's file.

Beside them stands the truth, the time at which each request was granted by a clock that no one can
set: whatever is done to the wall, no limit is passed by it, and room comes back.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from spillover.clock import SystemClock
from spillover.core.limits import Granted
from spillover.core.values import Refill
from spillover.ledger.entries import Alive, Released
from spillover.ledger.ledger import Ledger
from spillover.ledger.sqlite import SqliteJournal
from tests.core.making import NOON, limit
from tests.ledger.keeping import candidate, limited, settled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_T = TypeVar("_T")
MOST, WINDOW_S, PROCESSES = 3, 60.0, 3
WHO: Final = limited("a", limit(MOST), limit(MOST, window=Refill(seconds=WINDOW_S)))
WITNESSED_S: Final = 15.0
JUMPS = st.sampled_from([-86_400.0, -3_600.0, -61.0, -20.0, 20.0, 61.0, 3_600.0, 86_400.0])
PLACES = st.integers(0, PROCESSES - 1)


class Machine:
    """A wall clock that can be set, another one that can't, and what happens between two readings."""

    def __init__(self) -> None:
        self.wall = NOON
        self.elapsed = 5_000.0
        self.surprises: list[Callable[[], None]] = []
        self._surprised = False

    def goes_on(self, seconds: float) -> None:
        self.wall += seconds
        self.elapsed += seconds

    def is_set(self, seconds: float) -> None:
        self.wall += seconds

    def read(self) -> float:
        """The wall; whatever is due happens right after it was read."""
        read = self.wall
        if self.surprises and not self._surprised:
            self._surprised = True
            self.surprises.pop(0)()
            self._surprised = False
        return read


class Running:
    """A process: its clock and its ledger."""

    def __init__(self, machine: Machine, path: Path) -> None:
        self.clock = SystemClock(wall=machine.read, elapsed=lambda: machine.elapsed)
        self.ledger = Ledger(SqliteJournal(path, compact_after=5), self.clock)

    def steps(self) -> None:
        """Do a step at once, as another process may between any two moves of this one."""
        self.ledger.record_soon(Alive(self.ledger.process, self.clock.now()))
        self.ledger._step()


class Clocks(RuleBasedStateMachine):
    """What may happen to the clock, and to those who tell the time by it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="clocks")
        self.path = Path(self.folder.name) / "ledger.db"
        self.loop = asyncio.new_event_loop()
        self.machine = Machine()
        self.granted: list[float] = []
        self.open: list[tuple[str, float]] = []
        self.renewed_at = self.machine.elapsed
        self.running = [Running(self.machine, self.path) for _ in range(PROCESSES)]
        self.acting = 0
        self.all_renew()

    def do(self, place: int, work: Callable[[Running], Awaitable[_T]]) -> _T:
        """Have one process do something."""

        async def done() -> _T:
            return await asyncio.wait_for(work(self.running[place]), 30.0)

        self.acting = place
        return self.loop.run_until_complete(done())

    def all_renew(self) -> None:
        for place in range(PROCESSES):
            self.do(place, lambda each: each.ledger.renew())
        self.renewed_at = self.machine.elapsed

    def reserved(self, place: int) -> bool:
        found = self.do(place, lambda each: each.ledger.reserve([candidate(WHO)]))
        if not isinstance(found, Granted):
            return False
        self.open.append((found.reservation, found.at))
        self.granted.append(self.machine.elapsed)
        return True

    # What is done to the clock.

    @rule(seconds=JUMPS)
    def clock_is_set(self, seconds: float) -> None:
        self.machine.is_set(seconds)

    @rule(seconds=JUMPS, after=st.integers(0, 3))
    def clock_is_set_between_two_readings(self, seconds: float, after: int) -> None:
        self.machine.surprises += [lambda: None] * after
        self.machine.surprises.append(lambda: self.machine.is_set(seconds))

    @rule(seconds=JUMPS, place=PLACES, after=st.integers(0, 3))
    def clock_is_set_and_another_sees_it_first(
        self, seconds: float, place: int, after: int
    ) -> None:
        def happens() -> None:
            self.machine.is_set(seconds)
            if place != self.acting:
                self.running[place].steps()

        self.machine.surprises += [lambda: None] * after
        self.machine.surprises.append(happens)

    @rule(seconds=st.sampled_from([0.01, 0.4, 3.0]))
    def moment_goes_by(self, seconds: float) -> None:
        self.machine.goes_on(seconds)

    @rule(seconds=st.sampled_from([5.0, 19.0, 45.0, 59.5]))
    def time_goes_by(self, seconds: float) -> None:
        self.all_renew()
        self.machine.goes_on(seconds)
        self.all_renew()

    # What processes do.

    @rule(place=PLACES)
    def reserves(self, place: int) -> None:
        if self.reserved(place):
            now = self.machine.elapsed
            assert sum(at > now - WINDOW_S for at in self.granted) <= MOST

    @precondition(lambda self: self.open)
    @rule(place=PLACES, keep=st.booleans())
    def call_ends(self, place: int, *, keep: bool) -> None:
        name, sent_at = self.open.pop()

        async def end(each: Running) -> None:
            at = each.clock.now()
            usage = settled(name, WHO, at=at, sent_at=sent_at)
            await each.ledger.record(Released(name, at, True) if keep else usage)

        self.do(place, end)

    @rule(place=PLACES)
    def reads(self, place: int) -> None:
        async def read(each: Running) -> None:
            now = each.clock.now()
            each.ledger.book.block(candidate(WHO), now)
            each.ledger.book.load(WHO, now)

        self.do(place, read)

    @rule(place=PLACES)
    def looks(self, place: int) -> None:
        async def look(each: Running) -> None:
            each.ledger._refresh()

        self.do(place, look)

    @precondition(lambda self: self.machine.elapsed - self.renewed_at <= WITNESSED_S)
    @rule(place=PLACES)
    def starts_anew(self, place: int) -> None:
        self.running[place].ledger._journal.close()
        self.running[place] = Running(self.machine, self.path)
        self.do(place, lambda each: each.ledger.renew())

    @rule(place=PLACES)
    def room_comes_back(self, place: int) -> None:
        self.machine.surprises.clear()
        self.all_renew()
        for _ in range(2):
            self.machine.goes_on(WINDOW_S + 1.0)
            self.all_renew()

        assert self.reserved(place)

    def teardown(self) -> None:
        for each in self.running:
            each.ledger._journal.close()
        self.loop.close()
        self.folder.cleanup()
