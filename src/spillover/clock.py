"""Tell the time: the wall's epoch seconds, carried by a clock that no one can set.

`now` is a wall reading taken once plus the time that has gone by since, sleep included, so that a
small correction of the wall clock moves nothing. When the two differ by more than 2 s the wall was
set: the clock follows it, and tells those who date things before anyone reads the new time.

Refuses to know what is dated.
"""

from __future__ import annotations

import functools
import sys
import time
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Elapsed: TypeAlias = Callable[[], float]
    JumpWatcher: TypeAlias = Callable[[float, float], None]

DRIFT_S: Final = 2.0
"""How far the wall may differ before it counts as set."""
LOOK_S: Final = 0.01
"""How often the wall is looked at: a request asks for the time a dozen times."""


class Clock(Protocol):
    """A source of instants."""

    @property
    def offset(self) -> float:
        """Epoch seconds less those of the clock that no one can set; it changes at a jump alone.

        All processes of a machine that have seen the same jumps hold the same one, give or take the
        small corrections that are no jumps.
        """

    def now(self) -> float:
        """Return epoch seconds."""

    def on_jump(self, watcher: JumpWatcher) -> None:
        """Call `watcher(seconds, now)` at each jump, before `now` returns an instant after it."""


_elapsed: Elapsed = time.monotonic
"""Seconds of a clock that is never set and, where the system has one, counts sleep."""

if sys.platform == "linux":  # CLOCK_MONOTONIC stands still while a laptop sleeps, BOOTTIME doesn't
    _elapsed = functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME)


class SystemClock:
    """The machine's clock."""

    def __init__(self, *, wall: Elapsed = time.time, elapsed: Elapsed = _elapsed) -> None:
        """Take the first reading of both sources (seconds; `elapsed` from any beginning)."""
        self._wall = wall
        self._elapsed = elapsed
        self.offset = wall() - elapsed()
        self._look_at = 0.0
        self._watchers: list[JumpWatcher] = []

    def now(self) -> float:
        """Return epoch seconds, following the wall when it was set."""
        elapsed = self._elapsed()
        now = self.offset + elapsed
        if elapsed < self._look_at:
            return now
        self._look_at = elapsed + LOOK_S
        jump = self._wall() - now
        if -DRIFT_S <= jump <= DRIFT_S:
            return now
        self.offset += jump
        now += jump
        for watcher in self._watchers:
            watcher(jump, now)
        return now

    def on_jump(self, watcher: JumpWatcher) -> None:
        """Call `watcher(seconds, now)` at each jump, before `now` returns an instant after it."""
        self._watchers.append(watcher)
