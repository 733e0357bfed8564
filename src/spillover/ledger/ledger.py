"""Reserve, settle and remember: the ledger's verbs, each atomic over all limits of a call.

What is asked for in one turn of the event loop is done in one step of the journal. A step never
waits: while another process holds the lock the asked-for work stands in line and the loop goes on.
When storage fails, the record goes on in memory and is written once storage works again (`local`),
or reservations are refused (`fail_closed`); what was settled is kept either way.

Refuses to know requests, providers and how the journal keeps things.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from spillover.clock import DRIFT_S, Clock
from spillover.errors import LedgerError
from spillover.ledger.book import Book
from spillover.core.limits import Granted
from spillover.ledger.entries import Entry, Jumped, Presumed, Released, Reserved, Tracked
from spillover.ledger.journal import Busy, Journal, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spillover.core.limits import Block, Candidate, Reservation

_T = TypeVar("_T")
_Work: TypeAlias = "Callable[[float], tuple[object, list[Entry]]]"

BUSY_PAUSE_S: Final = (0.0002, 0.002)
"""How soon a held lock is tried again: drawn anew each time, so that processes don't march in step."""
BUSY_LONGEST_S: Final = 2.0
"""A lock that is held for longer counts as storage that fails."""
RETRY_STORAGE_S: Final = 0.5
RENEW_S: Final = 5.0
"""How often a process says that it lives."""
REFRESH_S: Final = 0.5
"""How often other processes' changes are looked for when nothing else brings them in."""
TIDY_S: Final = 10.0
UNWRITTEN_MOST: Final = 100_000
"""Entries kept in memory while storage fails; further ones count but are lost with the process."""
JUMP_SEEN_S: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Storage stopped or began to work."""

    failing: bool
    message: str


@dataclass(slots=True)
class _Job:
    work: _Work
    future: asyncio.Future[object]


class Ledger:
    """The shared record, kept by a journal.

    Made on the event loop that uses it; `start` begins its upkeep, `close` ends it.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        fail_closed: bool = False,
        tell: Callable[[Trouble], None] = lambda _: None,
    ) -> None:
        """Begin with what the journal holds; a `Busy` journal is read at the first step."""
        self.book = Book()
        self.process = secrets.token_hex(6)
        self.degraded: str | None = None
        """Why the record is kept in memory alone at the moment; None while it is durable."""
        self._journal = journal
        self._clock = clock
        self._fail_closed = fail_closed
        self._tell = tell
        self._jumped_s = clock.jumped_s
        self._ids = itertools.count(1)
        self._jobs: list[_Job] = []
        self._scheduled = False
        self._busy_since: float | None = None
        self._retry_at = 0.0
        self._unwritten: list[Entry] = []
        self._watchers: list[Callable[[], None]] = []
        self._upkeep: asyncio.Task[None] | None = None

    # Verbs.

    async def reserve(self, candidates: Sequence[Candidate]) -> Reservation:
        """Hold room on the first candidate that has it.

        Raises `LedgerError` when storage fails and the configuration says to fail closed.
        """
        id = f"{self.process}-{next(self._ids)}"

        def work(now: float) -> tuple[Reservation, list[Entry]]:
            return self.book.reserve(id, candidates, process=self.process, now=now)

        future = self._enqueue(work)
        try:
            return await future  # type: ignore[return-value]
        except asyncio.CancelledError:
            # Granted in the very moment the caller left: nobody else could give it back.
            if future.done() and not future.cancelled() and isinstance(future.result(), Granted):
                self.record_soon(Released(id, self._clock.now()))
            raise

    async def record(self, *entries: Entry) -> None:
        """Fold and record entries in one step; returns once they are durable or kept for it."""
        await asyncio.shield(self.record_soon(*entries))

    def record_soon(self, *entries: Entry) -> asyncio.Future[object]:
        """Put entries in line for the next step; the future is done when they are recorded."""

        def work(_now: float) -> tuple[object, list[Entry]]:
            for entry in entries:
                self.book.apply(entry)
            return None, list(entries)

        return self._enqueue(work)

    def peek(self, candidates: Sequence[Candidate]) -> list[Block | None]:
        """Return what blocks each candidate now, by the same rule as `reserve`; holds nothing."""
        now = self._clock.now()
        return [self.book.block(candidate, now) for candidate in candidates]

    def salt(self) -> bytes:
        """Return the record's own random bytes, for fingerprints."""
        return self._journal.salt()

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` after each step that may have made room or changed health."""
        self._watchers.append(watcher)

    async def _do(self, work: Callable[[float], tuple[_T, list[Entry]]]) -> _T:
        return await self._enqueue(work)  # type: ignore[return-value]

    def _enqueue(self, work: _Work) -> asyncio.Future[object]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        self._jobs.append(_Job(work, future))
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._step)
        return future

    # Steps.

    def _step(self) -> None:
        """Do all work in line in one step of the journal."""
        self._scheduled = False
        if not self._jobs:
            return
        now = self._clock.now()
        if self.degraded is None or now >= self._retry_at:
            try:
                anew = self._journal.begin(self.book)
            except Busy:
                if self._wait_for_lock(now):
                    return
                self._failed(now, "another process holds the ledger's lock")
            except StorageError as error:
                self._failed(now, str(error))
            else:
                self._busy_since = None
                self._perform(now, anew=anew)
                return
        self._perform_in_memory(now)

    def _wait_for_lock(self, now: float) -> bool:
        """Try again in a moment; return False when the lock was held for too long."""
        if self.degraded is not None:
            return False
        if self._busy_since is None:
            self._busy_since = now
        if now - self._busy_since > BUSY_LONGEST_S:
            return False
        self._scheduled = True
        pause = random.uniform(*BUSY_PAUSE_S)  # noqa: S311 - spreads processes, guards nothing
        asyncio.get_running_loop().call_later(pause, self._step)
        return True

    def _perform(self, now: float, *, anew: bool) -> None:
        """Do the work in line inside the open step, and commit it."""
        if anew:
            for entry in self._unwritten:
                self.book.apply(entry)
        jobs, self._jobs = self._jobs, []
        entries = [*self._jump(now)]
        results = [self._run(job, now, entries) for job in jobs]
        try:
            self._journal.commit(self.book, [*self._unwritten, *entries])
        except (Busy, StorageError) as error:
            self._failed(now, str(error) or "the ledger's lock was lost")
            self._keep(entries)
        else:
            self._unwritten.clear()
            if self.degraded is not None:
                self.degraded = None
                self._tell(Trouble(failing=False, message="the ledger is written again"))
        self._answer(jobs, results, entries)

    def _perform_in_memory(self, now: float) -> None:
        """Do the work in line without storage."""
        jobs, self._jobs = self._jobs, []
        entries: list[Entry] = []
        results = [self._run(job, now, entries) for job in jobs]
        self._keep(entries)
        self._answer(jobs, results, entries)

    def _run(self, job: _Job, now: float, entries: list[Entry]) -> object:
        if job.future.cancelled():
            return None  # who asked has left before it was done
        result, made = job.work(now)
        entries += made
        return result

    def _answer(self, jobs: list[_Job], results: list[object], entries: list[Entry]) -> None:
        for job, result in zip(jobs, results, strict=True):
            if not job.future.done():
                job.future.set_result(result)
        # What was granted or denied makes no room: those who wait would wake each other for ever.
        if any(not isinstance(entry, Reserved | Tracked) for entry in entries):
            for watcher in self._watchers:
                watcher()

    def _keep(self, entries: list[Entry]) -> None:
        room = UNWRITTEN_MOST - len(self._unwritten)
        self._unwritten += entries[:room]

    def _failed(self, now: float, message: str) -> None:
        self._busy_since = None
        self._retry_at = now + RETRY_STORAGE_S
        if self.degraded is None:
            self._tell(Trouble(failing=True, message=message))
        self.degraded = message

    def _jump(self, now: float) -> list[Entry]:
        """Return the entry for a jump of the clock that no other process has recorded yet."""
        seconds = self._clock.jumped_s - self._jumped_s
        if abs(seconds) <= DRIFT_S:
            return []
        self._jumped_s = self._clock.jumped_s
        seen = self.book.jumped
        if (
            seen is not None
            and abs(seen.at - now) < JUMP_SEEN_S
            and abs(seen.seconds - seconds) < DRIFT_S + 1
        ):
            return []
        entry = Jumped(seconds, now)
        self.book.apply(entry)
        return [entry]

    # Upkeep.

    async def start(self) -> None:
        """Read the record, say that this process lives, and keep doing so until `close`."""
        await self._renew()
        self._upkeep = asyncio.create_task(self._keep_up(), name="ledger upkeep")

    async def _renew(self) -> None:
        def work(now: float) -> tuple[object, list[Entry]]:
            if self.degraded is not None:
                return None, []
            entries: list[Entry] = []
            for process in self._journal.renew(self.process, now):
                entry = Presumed(process, now)
                self.book.apply(entry)
                entries.append(entry)
            return None, entries

        await self._do(work)

    async def _keep_up(self) -> None:
        loop = asyncio.get_running_loop()
        renew_at = tidy_at = loop.time() + RENEW_S
        while True:
            await asyncio.sleep(REFRESH_S)
            self._refresh()
            if loop.time() >= renew_at:
                renew_at = loop.time() + RENEW_S
                await self._renew()
            if loop.time() >= tidy_at:
                tidy_at = loop.time() + TIDY_S
                with contextlib.suppress(Busy, StorageError):
                    await asyncio.to_thread(self._journal.tidy)

    def _refresh(self) -> None:
        """Bring in what other processes recorded, and write what storage could not take before."""
        if self.degraded is not None or self._unwritten:
            self._enqueue(lambda _now: (None, []))
            return
        with contextlib.suppress(Busy, StorageError):
            self._journal.refresh(self.book)
        for watcher in self._watchers:
            watcher()

    async def close(self) -> None:
        """Record what is in line, end the upkeep and let go of the storage."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._upkeep
        await self._do(lambda _now: (None, []))
        self._journal.close()

    def check(self) -> None:
        """Raise `LedgerError` when storage fails and the configuration says to fail closed."""
        if self._fail_closed and self.degraded is not None:
            message = f"the ledger can't be written: {self.degraded}"
            raise LedgerError(message)
