"""Look after many short-lived waits with one timer.

A timer of the event loop's own costs more than most of what a request does, and nearly all of them
are put off before they ring. Here a wait is an entry in a set that is gone through every `every_s`.
Refuses to know what the waits are for.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

TICK_S: Final = 0.02
"""How late a wait may ring; never early."""


class Waiting(Protocol):
    """One that wants to be woken."""

    due_at: float
    """When, by the event loop's time."""

    def ring(self) -> object:
        """Wake up; it is not looked after any more."""


class Rounds:
    """Wakes each of those it looks after once its time has come; of one event loop."""

    __slots__ = ("_loop", "_timer", "_waiting")

    def __init__(self) -> None:
        """Begin with nobody to look after; used on the event loop of the first to come."""
        self._waiting: set[Waiting] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def time(self) -> float:
        """Return the event loop's time."""
        return (self._loop or self._running()).time()

    def task(self) -> asyncio.Task[Any]:
        """Return the running task; a loop that is known need not be asked of the system."""
        task = asyncio.current_task(self._loop or self._running())
        if task is None:
            message = "requests are served in tasks"
            raise RuntimeError(message)
        return task

    def add(self, waiting: Waiting) -> None:
        """Look after one more."""
        self._waiting.add(waiting)
        if self._timer is None:
            self._timer = self._running().call_later(TICK_S, self._go)

    def drop(self, waiting: Waiting) -> None:
        """Look after one no more; harmless when it is not looked after."""
        self._waiting.discard(waiting)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def _go(self) -> None:
        loop = self._running()
        now = loop.time()
        due = [each for each in self._waiting if each.due_at <= now]
        for each in due:
            self._waiting.discard(each)
            each.ring()
        self._timer = loop.call_later(TICK_S, self._go) if self._waiting else None
