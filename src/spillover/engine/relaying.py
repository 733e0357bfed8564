"""Relay a stream behind its commit point: give the client what comes, and watch for its end.

Nothing is sent again from here on: a cut, a stall or an error ends the answer. Refuses to know how
it began and what its end leads to.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from spillover.core.evidence import TransportFault
from spillover.upstream import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.engine.call import Give
    from spillover.engine.reading import Reading
    from spillover.upstream import Exchange

AFTER_DONE_S: Final = 0.25
"""How long the end of a body is waited for behind the sentinel, to keep the connection."""


class Relaying:
    """One stream on its way to its client."""

    def __init__(
        self,
        exchange: Exchange,
        reading: Reading,
        held: list[bytes],
        *,
        stall_s: float,
        ends_s: float,
    ) -> None:
        """Relay `exchange` as `reading` reads it, after the events `held` so far.

        `stall_s` is the longest silence, `ends_s` the loop's time at which all must be over.
        """
        self._exchange = exchange
        self._reading = reading
        self._held = held
        self._stall_s = stall_s
        self._ends_s = ends_s
        self._time = asyncio.get_running_loop().time
        """The event loop's time, by which the watch rings too."""
        self._progress_s = 0.0
        self._is_reading = False
        self._is_behind = False
        self._give: Give = _nobody
        self._expired: TransportFault | None = None
        self._stuck: Callable[[], None] | None = None
        self._watch: asyncio.TimerHandle | None = None

    async def pour(self, give: Give, stuck: Callable[[], None]) -> bool:
        """Give the client the stream's events as they come; return whether more may follow.

        True: the client is behind, and the rest waits until this is called again. False: it has
        ended, and the reading knows how. `stuck` is called when the total time is up while the
        client is behind.
        """
        if self._stuck is None:
            self._stuck = stuck
            self._start_watch()
        self._give = give
        try:
            if await self._is_left_behind():
                return True
            await self._end_of_body()
        except UpstreamBroken as broken:
            if self._expired is not None:
                self._reading.fail(self._expired)
            else:
                self._reading.fail(broken.fault, str(broken))
        except BaseException:
            self.close()
            raise
        self.close()
        return False

    async def _is_left_behind(self) -> bool:
        """Relay until the client is behind, or until there are no more events (False)."""
        reading = self._reading
        if self._held:
            held, self._held = self._held, []
            if not self._gave(held):
                return True
        if reading.has_ended:
            return False
        # Counted from here: a slow client's time is not the provider's.
        self._progress_s = self._time()
        self._is_reading = True
        self._is_behind = False
        await self._exchange.pour(self._relay)
        self._is_reading = False
        if self._is_behind:
            return True
        if not reading.has_ended:
            rest: list[bytes] = []
            reading.feed_rest(rest)
            self._gave(rest)
        return False

    def _relay(self, chunk: bytes) -> bool:
        """Give the client what came; return whether to go on."""
        self._progress_s = self._time()
        out: list[bytes] = []
        self._reading.take(chunk, out)
        self._is_behind = not self._gave(out)
        return not (self._is_behind or self._reading.has_ended)

    def _gave(self, events: list[bytes]) -> bool:
        """Give the client events; return whether it keeps up."""
        return not events or self._give(events[0] if len(events) == 1 else b"".join(events))

    async def _end_of_body(self) -> None:
        """Read the end of the body behind the sentinel, so that the connection can be kept."""
        if not self._reading.judge.done:
            return
        try:
            async with asyncio.timeout(AFTER_DONE_S):
                while await self._exchange.read():
                    pass
        except (TimeoutError, UpstreamBroken):
            pass  # the answer is whole all the same; the connection just can't be kept

    def _start_watch(self) -> None:
        """Watch for a stall and for the total time with one timer, moved on only when it rings."""
        self._progress_s = self._time()
        self._watch = asyncio.get_running_loop().call_later(self._next_look(), self._look)

    def _next_look(self) -> float:
        stalls_s = self._progress_s + self._stall_s
        return max(0.0, min(stalls_s, self._ends_s) - self._time())

    def _look(self) -> None:
        now = self._time()
        if now >= self._ends_s:
            self._expire(TransportFault.TOTAL_TIMEOUT)
        elif self._is_reading and now - self._progress_s >= self._stall_s:
            self._expire(TransportFault.STALL)
        else:
            if not self._is_reading:
                self._progress_s = now
            self._watch = asyncio.get_running_loop().call_later(self._next_look(), self._look)

    def _expire(self, fault: TransportFault) -> None:
        self._expired = fault
        self._exchange.close()
        if self._stuck is not None and not self._is_reading:
            self._stuck()

    def close(self) -> None:
        """Let go of the connection; an answer that is not read to its end closes it."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._exchange.close()


def _nobody(_: bytes) -> bool:
    return False
