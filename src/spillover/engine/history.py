"""Count requests as they end, write the sums beside the requests, and read them back.

Counting is a few additions for each request. Every `FLUSH_S` seconds what was counted is added to what
all who share the ledger's file have; what storage can't take waits.
Refuses to know how sums are kept and how a history is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from spillover.core.history import (
    COST,
    ERRORS,
    FALLBACKS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    REQUESTS,
    SAVED,
    UNSERVED,
    Counts,
    Grain,
    Key,
    nothing,
    shed,
    spread,
)
from spillover.core.refusals import EndKind
from spillover.core.savings import saved_nanousd, spent_nanousd
from spillover.core.values import Usage
from spillover.ledger.history import Fallback
from spillover.ledger.journal import Busy, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spillover.clock import Clock
    from spillover.config.routing import Routing
    from spillover.core.values import Profile
    from spillover.engine.traces import Trace
    from spillover.events import RequestFallback
    from spillover.ledger.history import HistoryStore, Numbered

FLUSH_S: Final = 2.0
"""So much of the history a killed process loses."""
FORGET_S: Final = 60.0
"""How often what is too old is dropped."""
WAITING_MOST: Final = 20_000
"""Sums that wait for storage to work; of more the oldest minutes go, and hours and days stay."""
FELL_MOST: Final = 500
"""Fallbacks that are kept between two writes: of a storm the latest."""

_UNSERVED: Final = frozenset({EndKind.BROKEN, EndKind.PROVIDER_ERROR, EndKind.REFUSED})

log = logging.getLogger(__name__)


class History:
    """What this process saw, added to what all have seen."""

    def __init__(
        self,
        store: HistoryStore,
        clock: Clock,
        routing: Callable[[], Routing],
        *,
        every_s: float = FLUSH_S,
    ) -> None:
        """Count from now on; `start` begins the writing, `every_s` seconds."""
        self._store = store
        self._clock = clock
        self._routing = routing
        self._every_s = every_s
        self._minutes: dict[int, dict[tuple[str, str], Counts]] = {}
        """Counted since the last write: by minute, then by chain and profile."""
        self._minute = -1
        self._sums_now: dict[tuple[str, str], Counts] = {}
        """Of `_minute`, the one that was counted in last: so it is not looked up for each request."""
        self._waiting: dict[Key, Counts] = {}
        """To be written, in every grain."""
        self._fell: deque[Fallback] = deque(maxlen=FELL_MOST)
        self._lock = asyncio.Lock()
        self._ends = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._fails = False
        self._forget_at = 0.0

    # Counting.

    def ended(self, trace: Trace) -> None:
        """Count a request that has ended."""
        done, ending = trace.done, trace.ending
        if done is None or ending is None:
            raise AssertionError(trace.request_id)
        chain, answered = trace.chain, done.profile or ""
        sums = self._sums(done.at, chain, answered)
        sums[REQUESTS] += 1
        if ending.kind in _UNSERVED:
            sums[UNSERVED] += 1
        for sent in trace.sends:
            profile, usage = sent.candidate.profile, sent.usage
            if profile.name != answered:
                sums = self._sums(done.at, chain, answered := profile.name)
            if sent.failure is not None:
                sums[ERRORS] += 1
            if usage is not None:
                sums[INPUT_TOKENS] += usage.input_tokens
                sums[OUTPUT_TOKENS] += usage.output_tokens
                sums[COST] += spent_nanousd(profile, usage)

    def fell(self, event: RequestFallback) -> None:
        """Count a fallback, and keep it."""
        self._sums(event.at, event.chain, event.source)[FALLBACKS] += 1
        self._fell.append(
            Fallback(
                event.at,
                event.chain,
                event.source,
                event.to,
                event.cause,
                event.until,
                event.waited_ms,
                event.request_id,
            )
        )

    def _sums(self, at: float, chain: str, profile: str) -> Counts:
        """Return what counts in the minute of `at`."""
        minute = int(at // 60.0)
        if minute != self._minute:
            self._minute, self._sums_now = minute, self._minutes.setdefault(minute, {})
        found = self._sums_now.get((chain, profile))
        if found is None:
            found = self._sums_now[chain, profile] = nothing()
        return found

    # Reading.

    async def sums(
        self,
        grain: Grain,
        since: float,
        *,
        step_s: int,
        chain: str | None = None,
        profile: str | None = None,
    ) -> list[tuple[Key, Counts]]:
        """Return what all have counted of a grain from `since` on, added up by step, and what waits here."""
        await self.flush()
        async with self._lock:
            found: list[tuple[Key, Counts]] = []
            with contextlib.suppress(Busy, StorageError):
                found = await asyncio.to_thread(
                    self._store.sums, grain, since, step_s=step_s, chain=chain, profile=profile
                )
            found += [
                (key, counts)
                for key, counts in self._waiting.items()
                if key.grain is grain
                and key.at >= since
                and chain in {None, key.chain}
                and profile in {None, key.profile}
            ]
        return found

    async def fallbacks(
        self, *, since: float, before: int | None, limit: int, wanted: Mapping[str, str | None]
    ) -> list[Numbered]:
        """Return the latest fallbacks of all; `wanted` as `HistoryStore.fallbacks` has it.

        While storage fails there are none: they have no number yet.
        """
        await self.flush()
        with contextlib.suppress(Busy, StorageError):
            return await asyncio.to_thread(
                self._store.fallbacks, since=since, before=before, limit=limit, wanted=wanted
            )
        return []

    # Writing.

    def start(self) -> None:
        """Begin to write what is counted."""
        self._task = asyncio.create_task(self._keep_writing(), name="history")

    async def _keep_writing(self) -> None:
        while not self._ends.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._ends.wait()
            await self._write()

    async def flush(self) -> None:
        """Write what was counted, if storage takes it."""
        # A write that has begun goes on, whoever stops waiting for it: it must be known how it ended.
        await asyncio.shield(asyncio.create_task(self._write()))

    async def _write(self) -> None:
        async with self._lock:
            self._take()
            now = self._clock.now()
            try:
                if self._waiting:
                    await self._add()
                if self._fell:
                    await self._note()
                if now >= self._forget_at:
                    self._forget_at = now + FORGET_S
                    await asyncio.to_thread(self._store.forget, now)
            except (Busy, StorageError) as error:
                if not self._fails:
                    log.warning("history can't be written, and waits in memory: %s", error)
                self._fails = True
            else:
                self._fails = False

    async def _add(self) -> None:
        sums, self._waiting = self._waiting, {}
        try:
            await asyncio.to_thread(self._store.add, sums)
        except BaseException:
            self._waiting = sums
            raise

    async def _note(self) -> None:
        fell = list(self._fell)
        self._fell.clear()
        try:
            await asyncio.to_thread(self._store.note, fell)
        except BaseException:
            self._fell = deque([*fell, *self._fell], maxlen=FELL_MOST)
            raise

    def _take(self) -> None:
        """Move what was counted by minute to what is to be written, with what it saved."""
        minutes, self._minutes, self._minute = self._minutes, {}, -1
        routing, sums = self._routing(), {}
        for minute, found in minutes.items():
            for (chain, profile), counts in found.items():
                counts[SAVED] = saved(routing, chain, profile, counts) or 0
                sums[Key(Grain.MINUTE, minute * Grain.MINUTE, chain, profile)] = counts
        spread(sums, self._waiting)
        shed(self._waiting, WAITING_MOST)

    async def close(self) -> None:
        """Write what is left, and let go."""
        self._ends.set()
        if self._task is not None:
            await self._task
        await self.flush()
        self._store.close()


def saved(routing: Routing, chain: str, profile: str, counts: Counts) -> int | None:
    """Return what a profile's tokens in a chain saved, in nano-dollars; None: nobody knows."""
    known = routing.profiles.get(profile)
    if known is None:
        return None
    usage = Usage(input_tokens=counts[INPUT_TOKENS], output_tokens=counts[OUTPUT_TOKENS])
    return saved_nanousd(known, members(routing, chain), usage)


def members(routing: Routing, chain: str) -> list[Profile]:
    """Return the profiles of a chain; none of one that is not (any more)."""
    found = routing.chains.get(chain)
    if found is None:
        return []
    return [routing.profiles[member.profile] for member in found.members]
