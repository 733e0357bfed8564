"""Cancel the running task when its time is up.

`asyncio.timeout` does the same for many times the price, and stands in the way of every request.
Refuses to know what the time is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from spillover.engine.rounds import Rounds


class Alarm:
    """Rings once, unless it is put off before: what is awaited then is cancelled."""

    __slots__ = ("_rounds", "_task", "due_at", "rang")

    def __init__(self, rounds: Rounds, task: asyncio.Task[Any], seconds: float) -> None:
        """Ring for `task`, which is running, in `seconds`, as exactly as `rounds` are made."""
        self.rang = False
        self.due_at = rounds.time() + seconds
        self._task = task
        self._rounds = rounds
        rounds.add(self)

    def ring(self) -> None:
        """Cancel what is awaited."""
        self.rang = True
        self._task.cancel()

    def put_off(self) -> None:
        """Do not ring any more."""
        self._rounds.drop(self)

    def was_it(self) -> bool:
        """Return whether a cancellation that was just met is the alarm's alone, and take it back."""
        return self.rang and self._task.uncancel() == 0
