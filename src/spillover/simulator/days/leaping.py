"""An event loop on which waiting takes no time, and the clocks that go by it.

The loop leaps to the next thing that is due instead of waiting for it. It watches no sockets, and
does at once what is meant for a thread: what runs on it keeps to timers.
Refuses to know what happens at any time.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from spillover.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time begins at 0 and passes only when nothing is left to do."""

    def __init__(self) -> None:
        """Begin at 0."""
        self._leaper = _Leaper()
        super().__init__(self._leaper)

    def time(self) -> float:
        """Return the seconds that have passed on this loop."""
        return self._leaper.passed_s

    def run_in_executor(
        self, _executor: object, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Do it now, on this thread."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            done.set_exception(error)
        return done


class _Leaper(selectors.SelectSelector):
    """Lets the time pass that a loop wants to sleep for."""

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let `timeout` pass; nothing ever comes from outside."""
        if timeout is None:
            raise RuntimeError("nothing is due on this loop, and nothing can come from outside")
        self.passed_s += max(0.0, timeout)
        return []


class Era:
    """What time it is for all that happens on a loop, and by how much a machine is wrong about it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, began_at: float) -> None:
        """Begin at an instant (epoch seconds) with a machine whose clock is right."""
        self._loop = loop
        self._began_at = began_at
        self.off_s = 0.0
        """How far the machine's wall clock is ahead of the truth."""

    def now(self) -> float:
        """Return the true time in epoch seconds, by which providers go."""
        return self._began_at + self._loop.time()

    def clock(self) -> SystemClock:
        """Return a process's clock on that machine: it sees the wall being set."""
        return SystemClock(wall=lambda: self.now() + self.off_s, elapsed=self._loop.time)
