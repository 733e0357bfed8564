"""Notice that a client leaves, or stops sending, while its request is under way.

Most requests are over before anyone could leave, so nothing is watched in the first moment.
Refuses to know what is being done for the client: it cancels the task that does it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from spillover.gateway.asgi import Message, Receive

QUICK_S: Final = 0.05
"""For so long nothing is watched."""
DAWDLE_S: Final = 30.0
"""A client that sends nothing of its body for this long is given up."""


class Vigil:
    """Watches over the current task's client, from its first byte until `end`."""

    __slots__ = (
        "_dawdle_s",
        "_heard",
        "_listener",
        "_receive",
        "_slow",
        "_task",
        "_timer",
        "_whole",
        "dawdled",
        "left",
    )

    def __init__(self, receive: Receive, *, dawdle_s: float) -> None:
        """Begin to watch on behalf of the running task."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a vigil is kept for a task")
        self.left = False
        """The client left, and the task was cancelled for it."""
        self.dawdled = False
        """The client stopped sending its body, and the task was cancelled for it."""
        self._task = task
        self._receive = receive
        self._dawdle_s = dawdle_s
        self._heard = 0
        self._whole = False
        self._slow = False
        self._listener: asyncio.Task[None] | None = None
        self._timer = task.get_loop().call_later(QUICK_S, self._wake)

    async def receive(self) -> Message:
        """Receive a part of the body."""
        message = await self._receive()
        self._heard += 1
        return message

    def heard_all(self) -> None:
        """Note that the body is whole: from now on there is nothing to hear but the leaving."""
        self._whole = True
        if self._slow:
            self._timer.cancel()
            self._listen()

    def end(self) -> None:
        """Stop watching; the task is not cancelled any more."""
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()

    def _wake(self) -> None:
        if self._whole:
            self._listen()
        else:
            self._slow = True
            self._wait_for_more()

    def _wait_for_more(self) -> None:
        loop = self._task.get_loop()
        self._timer = loop.call_later(self._dawdle_s, self._look, self._heard)

    def _look(self, heard: int) -> None:
        if heard == self._heard:
            self.dawdled = True
            self._task.cancel()
        else:
            self._wait_for_more()

    def _listen(self) -> None:
        self._listener = self._task.get_loop().create_task(self._hear_leaving())

    async def _hear_leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self._task.cancel()
