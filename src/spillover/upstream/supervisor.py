"""Run one local server: start it, see that it answers, bring it back when it ends, renew it in time.

What to do is decided by `spillover.core.managed`; this file awaits. Refuses to know profiles,
requests and the ledger: whoever has them says how many requests are in flight, and keeps requests
away while the server is.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Protocol

from spillover.core.managed import (
    UNHEALTHY_AFTER,
    Managed,
    ManagedState,
    comes_back,
    due,
    failures_after,
    pause_s,
)
from spillover.core.values import FailureClass, Value
from spillover.upstream.family import CommandFailed, Family
from spillover.upstream.holder import holder

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from spillover.upstream.output import Output

log = logging.getLogger(__name__)

POLL_S: Final = 0.1
"""How often a server that starts or drains is looked at."""
SLOWEST_CHECK_S: Final = 5.0
IDLE_WITHIN_S: Final = 300.0
"""How long a moment without requests is waited for, before new ones are kept away."""
STRAGGLERS_S: Final = 2.0
"""Failures told this soon after a start are of before it."""
USUAL_START_S: Final = 10.0


class Ties(Protocol):
    """What a server's requests are, as far as its supervisor is concerned."""

    async def keep_away(self, for_s: float, message: str) -> None:
        """Send no requests from now on, for about so long."""

    async def let_in(self) -> None:
        """Send requests again."""

    def in_flight(self) -> int:
        """Return how many requests are sent, or about to be."""

    def changed(self, report: Report) -> None:
        """Hear that the server's state changed."""


class Report(Value, frozen=True, kw_only=True):
    """How a server stands."""

    name: str
    state: ManagedState
    reason: str | None
    """Why it is not running, or was last started anew."""
    pid: int | None
    starts: int
    failures: int
    """In a row."""


class _Ended(Value, frozen=True, kw_only=True):
    why: str
    failed: bool = True
    planned: bool = False


class Supervisor:
    """One local server."""

    def __init__(
        self, server: Managed, environ: Mapping[str, str], *, ties: Ties, output: Output
    ) -> None:
        """Run nothing before `run`."""
        self.server = server
        self._environ = environ
        self._ties = ties
        self._output = output
        self._state = ManagedState.STARTING
        self._reason: str | None = None
        self._family: Family | None = None
        self._starts = 0
        self._failures = 0
        self._start_took_s = USUAL_START_S
        self._healthy_at_s: float | None = None
        """Of the present process; None while it is not healthy."""
        self._trouble: FailureClass | None = None
        self._leaving: str | None = None
        self._wake = asyncio.Event()

    @property
    def report(self) -> Report:
        """How it stands."""
        return Report(
            name=self.server.name,
            state=self._state,
            reason=self._reason,
            pid=None if self._family is None else self._family.pid,
            starts=self._starts,
            failures=self._failures,
        )

    def failed(self, failure: FailureClass) -> None:
        """Look at the server now: a request to it failed so."""
        self._trouble = failure
        self._wake.set()

    def retire(self, why: str) -> None:
        """End it when no request is in flight to it; `run` then returns."""
        self._leaving = why
        self._wake.set()

    async def run(self) -> None:
        """Keep the server up until retired or cancelled; none of its processes is left then."""
        try:
            while self._leaving is None:
                ended = await self._once()
                served_s = self._served_s()
                self._healthy_at_s = None
                if ended.planned:
                    continue
                await self._after(ended, served_s)
        finally:
            self._output.close()

    async def _after(self, ended: _Ended, served_s: float) -> None:
        """Wait as long as the end of the server asks for."""
        if ended.failed:
            self._failures = failures_after(self._failures, served_s)
        if comes_back(self.server.restart, failed=ended.failed):
            pause = pause_s(max(1, self._failures))
            self._say(ManagedState.WAITING, f"{ended.why}; next start in {pause:g} s")
            await self._ties.keep_away(pause + self._start_took_s, ended.why)
            await self._wait(pause, until_retired=True)
            self._reason = ended.why  # the pause is over
            return
        self._trouble = None
        self._say(ManagedState.STOPPED, ended.why)
        await self._ties.let_in()  # so that requests fail, and say that it is wanted
        never = not comes_back(self.server.restart, failed=True)
        while self._leaving is None and (never or self._trouble is None):
            self._wake.clear()
            await self._wake.wait()

    def _served_s(self) -> float:
        return 0.0 if self._healthy_at_s is None else _time_s() - self._healthy_at_s

    async def _once(self) -> _Ended:
        """Start the server and stay with it until it ended."""
        await self._ties.keep_away(self._start_took_s, "the server starts")
        self._say(ManagedState.STARTING, self._reason)
        if await self._is_open():
            who = await asyncio.to_thread(holder, self.server.port) or "another process"
            return _Ended(why=f"port {self.server.port} is in use by {who}")
        try:
            self._family = family = await Family.start(
                self.server.command,
                folder=self.server.folder,
                environ=self._environ,
                hear=self._output.write,
            )
        except CommandFailed as error:
            return _Ended(why=f"it can't be started: {error}")
        self._starts += 1
        try:
            return await self._begin(family) or await self._stay(family)
        finally:
            try:
                await _whatever_comes(family.stop())
            finally:
                self._family = None

    async def _begin(self, family: Family) -> _Ended | None:
        """Wait until the server is healthy; return how it ended if it did before."""
        began_s = _time_s()
        while not await self._is_healthy():
            waited_s = _time_s() - began_s
            if family.ended.done():
                return self._how_it_ended(family)
            if self._leaving is not None:
                return _Ended(why=self._leaving, planned=True)
            if waited_s > self.server.start_within_s:
                return _Ended(why=f"it was not healthy within {self.server.start_within_s:g} s")
            if waited_s > self._start_took_s:
                self._start_took_s = 2 * waited_s
                await self._ties.keep_away(waited_s, "the server starts")
            await asyncio.wait({family.ended}, timeout=POLL_S)
        if family.ended.done():  # whoever answered was another one
            return self._how_it_ended(family)
        self._healthy_at_s = _time_s()
        self._start_took_s = max(POLL_S, self._healthy_at_s - began_s)
        self._trouble = None
        await self._ties.let_in()
        self._say(ManagedState.RUNNING, self._reason)
        return None

    async def _stay(self, family: Family) -> _Ended:
        """Look at a healthy server now and then, and whenever a request to it failed."""
        unhealthy = 0
        while True:
            await self._wait(self.server.health_every_s, family)
            if family.ended.done():
                return self._how_it_ended(family)
            told, self._trouble = self._trouble, None
            healthy = await self._is_healthy()
            unhealthy = 0 if healthy else unhealthy + 1
            if not healthy and (unhealthy >= UNHEALTHY_AFTER or not await self._is_open()):
                return _Ended(why="it does not answer its health check")
            why = self._leaving
            if why is None and told is FailureClass.BAD_GATEWAY and self._served_s() > STRAGGLERS_S:
                why = "a request was answered 502"
            if told is not None and healthy and self._served_s() <= STRAGGLERS_S:
                await self._ties.let_in()
            if why is None:
                memory = None
                if self.server.max_memory is not None:
                    memory = await asyncio.to_thread(family.memory)
                why = due(self.server, age_s=self._served_s(), memory=memory)
            if why is not None:
                return await self._recycle(family, why)

    async def _recycle(self, family: Family, why: str) -> _Ended:
        """End the server between two requests."""
        self._say(ManagedState.RECYCLING, why)
        began_s = _time_s()
        while self._ties.in_flight() and _time_s() - began_s < IDLE_WITHIN_S:
            if family.ended.done():
                return self._how_it_ended(family)
            await asyncio.wait({family.ended}, timeout=POLL_S)
        await self._ties.keep_away(self._start_took_s, why)
        while self._ties.in_flight() and not family.ended.done():
            await self._ties.keep_away(self._start_took_s, why)
            await asyncio.wait({family.ended}, timeout=POLL_S)
        return _Ended(why=why, failed=False, planned=True)

    def _how_it_ended(self, family: Family) -> _Ended:
        status = family.ended.result()
        if status is None:
            how = "it was killed"
        elif status < 0:
            how = f"it was ended by signal {-status}"
        else:
            how = f"it exited with status {status}"
        last = f": {self._output.last}" if self._output.last else ""
        return _Ended(why=f"{how}{last}"[:300], failed=status != 0)

    async def _wait(
        self, seconds: float, family: Family | None = None, *, until_retired: bool = False
    ) -> None:
        """Wait so long, or until something happens."""
        deadline_s = _time_s() + seconds
        while (left_s := deadline_s - _time_s()) > 0:
            self._wake.clear()
            if self._leaving is not None or (self._trouble is not None and not until_retired):
                return
            woken = asyncio.ensure_future(self._wake.wait())
            waited = {woken} if family is None else {woken, family.ended}
            try:
                await asyncio.wait(waited, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                woken.cancel()
            if family is not None and family.ended.done():
                return

    def _say(self, state: ManagedState, reason: str | None) -> None:
        self._state, self._reason = state, reason
        level = logging.WARNING if state in _TROUBLED else logging.INFO
        log.log(
            level, "upstream %s: %s%s", self.server.name, state, f" ({reason})" if reason else ""
        )
        self._ties.changed(self.report)

    async def _is_open(self) -> bool:
        """Return whether somebody listens on the server's port."""
        try:
            async with asyncio.timeout(self._check_within_s):
                _, writer = await asyncio.open_connection(self.server.host, self.server.port)
        except OSError:  # a timeout among them
            return False
        writer.close()
        return True

    @property
    def _check_within_s(self) -> float:
        return min(SLOWEST_CHECK_S, self.server.health_every_s)

    async def _is_healthy(self) -> bool:
        """Return whether the server answers its health check with anything below 500."""
        server = self.server
        if server.health is None:
            return await self._is_open()
        writer = None
        try:
            async with asyncio.timeout(self._check_within_s):
                reader, writer = await asyncio.open_connection(server.host, server.port)
                host = f"{server.host}:{server.port}"
                writer.write(f"GET {server.health} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                words = (await reader.readline()).split(maxsplit=2)
        except (OSError, ValueError):
            return False
        finally:
            if writer is not None:
                writer.transport.abort()
        return len(words) > 1 and words[1].isdigit() and int(words[1]) < _SERVER_ERROR


def _time_s() -> float:
    """Return the event loop's time, by which the waits end too."""
    return asyncio.get_running_loop().time()


async def _whatever_comes(work: Coroutine[None, None, None]) -> None:
    """Do it to the end, even when cancelled meanwhile; a cancellation then goes on its way."""
    task = asyncio.ensure_future(work)
    cancelled = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


_SERVER_ERROR: Final = 500
_TROUBLED: Final = frozenset({ManagedState.WAITING, ManagedState.STOPPED})
