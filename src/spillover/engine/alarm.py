"""Cancel the running task when its time is up.

`asyncio.timeout` does the same for several times the price, and stands in the way of every request.
Refuses to know what the time is for.
"""

from __future__ import annotations

import asyncio
from typing import Any


def running_task() -> asyncio.Task[Any]:
    """Return the running task; to be asked once, for Python 3.11 asks the system each time."""
    task = asyncio.current_task()
    if task is None:
        message = "requests are served in tasks"
        raise RuntimeError(message)
    return task


class Alarm:
    """Rings once, unless it is put off before: what is awaited then is cancelled."""

    __slots__ = ("_handle", "_task", "rang")

    def __init__(self, task: asyncio.Task[Any], seconds: float) -> None:
        """Ring for `task`, which is running, in `seconds`."""
        self.rang = False
        self._task = task
        self._handle = task.get_loop().call_later(max(0.0, seconds), self._ring)

    def _ring(self) -> None:
        self.rang = True
        self._task.cancel()

    def put_off(self) -> None:
        """Do not ring any more."""
        self._handle.cancel()

    def was_it(self) -> bool:
        """Return whether a cancellation that was just met is the alarm's alone, and take it back."""
        return self.rang and self._task.uncancel() == 0
