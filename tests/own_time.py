"""Event loops that no machine is too slow for: their time goes by while they wait, hardly by work.

Everything that is timed in such a loop (limits, paces, cooldowns, windows) comes out alike on a
machine that is busy, or that stood still for seconds. What goes on outside it takes real time.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import TYPE_CHECKING, Any, TypeVar

from spillover.clock import SystemClock
from tests.core.making import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

TURN_S = 0.001
"""What work counts for at most until the loop waits again, and a wait that something ends early."""


class _Waits(selectors.DefaultSelector):
    """The system's selector, which adds up what it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._gone_s = 0.0
        self._since_s = time.monotonic()

    def time(self) -> float:
        return self._gone_s + min(time.monotonic() - self._since_s, TURN_S)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._goes_by()
        ready = super().select(timeout)
        self._goes_by(0.0 if ready or timeout is None else timeout)
        return ready

    def _goes_by(self, at_least_s: float = 0.0) -> None:
        now_s = time.monotonic()
        self._gone_s += max(at_least_s, min(now_s - self._since_s, TURN_S))
        self._since_s = now_s


class OwnTime(asyncio.SelectorEventLoop):
    """Such a loop."""

    def __init__(self) -> None:
        self._waits = _Waits()
        super().__init__(self._waits)

    def time(self) -> float:
        return self._waits.time()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Do what `asyncio.run` does, in such a loop."""
    with asyncio.Runner(loop_factory=OwnTime) as runner:
        return runner.run(main)


def wall() -> Callable[[], float]:
    """Return what tells epoch seconds by the running loop.

    It began at noon: no minute, hour or day ends while a test runs.
    """
    loop = asyncio.get_running_loop()
    return lambda: NOON + loop.time()


def clock() -> SystemClock:
    """Return a clock that goes by the running loop."""
    return SystemClock(wall=wall(), elapsed=asyncio.get_running_loop().time)
