"""Tell the time: the wall's epoch seconds, carried by a clock that no one can set.

`now` is a wall reading taken once plus the time that has gone by since, sleep included, so that a
small correction of the wall clock moves nothing. When the two differ by more than 2 s the wall was
set: the clock follows it, and `jumped_s` grows by the difference, for those who date things.
"""

from __future__ import annotations

import sys
import time
from typing import Final, Protocol

DRIFT_S: Final = 2.0
"""How far the wall may differ before it counts as set."""


class Clock(Protocol):
    """A source of instants."""

    @property
    def jumped_s(self) -> float:
        """The sum of all jumps so far."""

    def now(self) -> float:
        """Return epoch seconds."""


def _elapsed() -> float:
    """Return seconds of a clock that is never set and, where the system has one, counts sleep."""
    return time.monotonic()


if sys.platform == "linux":  # CLOCK_MONOTONIC stands still while a laptop sleeps, BOOTTIME doesn't

    def _elapsed() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class SystemClock:
    """The machine's clock."""

    def __init__(self) -> None:
        """Take the first reading."""
        self.jumped_s = 0.0
        self._anchor = time.time() - _elapsed()

    def now(self) -> float:
        """Return epoch seconds, following the wall when it was set."""
        elapsed = _elapsed()
        now = self._anchor + elapsed
        drift = time.time() - now
        if drift > DRIFT_S or drift < -DRIFT_S:
            self._anchor += drift
            self.jumped_s += drift
            return now + drift
        return now
