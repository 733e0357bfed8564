"""Notice that a client leaves, or stops sending, while its request is under way.

Most requests are over before anyone could leave, so nothing is watched in the first moment.
Refuses to know what is being done for the client: it cancels the task that does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

    from spillover.engine.rounds import Rounds
    from spillover.gateway.asgi import Message, Receive

QUICK_S: Final = 0.05
"""For so long nothing is watched."""
DAWDLE_S: Final = 30.0
"""A client that sends nothing of its body for this long is given up."""
GRACE_S: Final = 60.0
"""For so long it doesn't matter how slowly a body comes."""
LEAST_BYTES_PER_S: Final = 1_000
"""What a body must have come at on the whole, the grace left out: so it comes within a time that
depends on its size, however it is dripped."""


class Vigil:
    """Watches over the current task's client, from its first byte until `end`."""

    __slots__ = (
        "_dawdle_s",
        "_heard",
        "_heard_before",
        "_listener",
        "_measured_from",
        "_receive",
        "_rounds",
        "_task",
        "_whole",
        "dawdled",
        "due_at",
        "left",
    )

    def __init__(
        self, receive: Receive, rounds: Rounds, *, dawdle_s: float, grace_s: float = GRACE_S
    ) -> None:
        """Begin to watch on behalf of the running task, looked after by `rounds`."""
        self.left = False
        """The client left, and the task was cancelled for it."""
        self.dawdled = False
        """The client stopped sending its body, or drips it, and the task was cancelled for it."""
        began_at = rounds.time()
        self.due_at = began_at + QUICK_S
        self._measured_from = began_at + grace_s
        self._task = rounds.task()
        self._receive = receive
        self._rounds = rounds
        self._dawdle_s = dawdle_s
        self._heard = 0
        """Bytes of the body."""
        self._heard_before: int | None = None
        """At the last look at a body that takes its time; None: none was taken."""
        self._whole = False
        self._listener: asyncio.Task[None] | None = None
        rounds.add(self)

    async def receive(self) -> Message:
        """Receive a part of the body."""
        message = await self._receive()
        self._heard += len(message.get("body", b""))
        return message

    def heard_all(self) -> None:
        """Note that the body is whole: from now on there is nothing to hear but the leaving."""
        self._whole = True
        if self._heard_before is not None:
            self._rounds.drop(self)
            self._listen()

    def end(self) -> None:
        """Stop watching; the task is not cancelled any more."""
        self._rounds.drop(self)
        if self._listener is not None:
            self._listener.cancel()

    def ring(self) -> None:
        """Look whether the client still sends; when it has sent all, wait for its leaving."""
        if self._whole:
            self._listen()
        elif self._heard == self._heard_before or self._heard < self._least():
            self.dawdled = True
            self._task.cancel()
        else:
            self._heard_before = self._heard
            self.due_at = self._rounds.time() + self._dawdle_s
            self._rounds.add(self)

    def _least(self) -> float:
        """Return how many bytes must have come by now."""
        return (self._rounds.time() - self._measured_from) * LEAST_BYTES_PER_S

    def _listen(self) -> None:
        self._listener = self._task.get_loop().create_task(self._hear_leaving())

    async def _hear_leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self._task.cancel()
