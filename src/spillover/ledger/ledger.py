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
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from spillover.core.limits import Granted
from spillover.errors import LedgerError
from spillover.ledger.book import Book
from spillover.ledger.entries import (
    Alive,
    Entry,
    Jumped,
    Presumed,
    Released,
    Reserved,
    Settled,
    Tracked,
    Unwritable,
    moved,
)
from spillover.ledger.journal import Busy, Journal, Newer, StorageError, Unfit
from spillover.ledger.unwritten import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spillover.clock import Clock
    from spillover.core.limits import Candidate, Reservation

_Work: TypeAlias = "Callable[[float], tuple[object, list[Entry]]]"

BUSY_PAUSE_S: Final = (0.0002, 0.002)
"""How soon a held lock is tried again: drawn anew each time, so that processes don't march in step."""
BUSY_LONGEST_S: Final = 2.0
"""A lock that is held for longer counts as storage that fails."""
LINGER_S: Final = 0.002
"""How long what nobody waits for may wait for a step to share: a step of its own would hold up the
request that mostly follows."""
RETRY_STORAGE_S: Final = 0.5
RENEW_S: Final = 5.0
"""How often a process says that it lives."""
REFRESH_S: Final = 0.5
"""How often other processes' changes are looked for when nothing else brings them in."""
TIDY_S: Final = 10.0
UNWRITTEN_MOST: Final = 10_000
"""How many more entries are kept while storage fails before they are shortened once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Storage stopped or began to work, or something was left out of the record."""

    failing: bool
    message: str


class _Job(msgspec.Struct):
    work: _Work
    future: asyncio.Future[object] | None = None
    """None: nobody waits for it."""
    reserves: bool = False


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
        degraded: str | None = None,
        tell: Callable[[Trouble], None] = lambda _: None,
    ) -> None:
        """Begin with an empty record; what the journal holds is read at the first step.

        `degraded` says why the journal can't be used yet, where that is known and told already.
        """
        self.book = Book()
        self.process = secrets.token_hex(6)
        self.degraded = degraded
        """Why the record is kept in memory alone at the moment; None while it is durable."""
        self._journal = journal
        self._clock = clock
        self._fail_closed = fail_closed
        self._tell = tell
        self._accounts: dict[str, str | None] = {}
        self._ids = itertools.count(1)
        self._jobs: list[_Job] = []
        self._scheduled = False
        self._lingers = False
        self._busy_since: float | None = None
        self._retry_at = 0.0
        self._unwritten: list[Entry] = []
        self._shorten_at = UNWRITTEN_MOST
        self._dated = False
        """The record was found, or put, at this process's own time."""
        self._watchers: list[Callable[[], None]] = []
        self._upkeep: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        clock.on_jump(self._jumped)

    # Verbs.

    async def reserve(self, candidates: Sequence[Candidate]) -> Reservation:
        """Hold room on the first candidate that has it.

        Raises `LedgerError` when storage fails and the configuration says to fail closed, and for a
        need that can't be recorded. Cancelled, it holds nothing.
        """
        reservation = f"{self.process}-{next(self._ids)}"

        def work(now: float) -> tuple[Reservation, list[Entry]]:
            try:
                return self.book.reserve(reservation, candidates, process=self.process, now=now)
            except Unwritable as unwritable:
                message = f"the ledger can't record what the request needs: {unwritable}"
                raise LedgerError(message, remedy="ask for less") from unwritable

        future = self._enqueue(work, reserves=True)
        try:
            return await future  # type: ignore[return-value]
        except asyncio.CancelledError:
            # Granted in the very moment the caller left: nobody else could give it back.
            done = future.done() and not future.cancelled() and future.exception() is None
            if done and isinstance(future.result(), Granted):
                self.record_soon(Released(reservation, self._clock.now()))
            raise

    async def record(self, *entries: Entry) -> None:
        """Fold and record entries in one step; returns once they are durable or kept for it."""
        future = self._enqueue(self._folding(entries))
        # The step is due before this task's next turn, unless it has to wait for a lock: a turn is
        # cheaper than a shield, and a cancelled one leaves the entries in line all the same.
        await asyncio.sleep(0)
        if not future.done():
            await asyncio.shield(future)

    async def decide(self, work: Callable[[float], list[Entry]]) -> None:
        """Fold and record what `work` makes of the record at an instant.

        No other process changes the record meanwhile, and `work` may be the first to see what they
        recorded before.
        """
        await self._enqueue(lambda now: (None, self._folded(work(now))))

    def record_soon(self, *entries: Entry) -> None:
        """Put entries in line for the next step, which nobody waits for."""
        self._line_up(_Job(self._folding(entries)))

    def _folding(self, entries: Sequence[Entry]) -> _Work:
        """Return the work of folding entries that are made now."""
        offset = self._clock.offset

        def work(_now: float) -> tuple[object, list[Entry]]:
            jumped = self._clock.offset - offset
            made = [moved(entry, jumped) for entry in entries] if jumped else entries
            return None, self._folded(made)

        return work

    def _folded(self, entries: Sequence[Entry]) -> list[Entry]:
        """Fold entries and return them; one that can't be recorded is told of and left out."""
        folded: list[Entry] = []
        for entry in entries:
            try:
                self.book.fold(entry)
                folded.append(entry)
            except Unwritable as unwritable:
                self._tell(Trouble(failing=False, message=f"an entry was left out: {unwritable}"))
                if isinstance(entry, Settled) and (call := self.book.open.get(entry.id)):
                    # It must end all the same: what was held counts.
                    at, owners = entry.at, (call.profile, call.model, call.account)
                    folded.append(Settled(entry.id, at, *owners, call.need, reported=False))
                    self.book.apply(folded[-1])
        return folded

    def catch_up(self) -> None:
        """Do what is in line now, so that a reader of the book sees it, unless a lock is waited for."""
        if self._jobs and self._busy_since is None:
            self._step()

    def check(self) -> None:
        """Raise `LedgerError` when storage fails and the configuration says to fail closed."""
        if self._fail_closed and self.degraded is not None:
            raise self._closed()

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` after each step that may have made room or changed health."""
        self._watchers.append(watcher)

    # Steps.

    def _enqueue(self, work: _Work, *, reserves: bool = False) -> asyncio.Future[object]:
        future: asyncio.Future[object] = self._running().create_future()
        self._line_up(_Job(work, future, reserves))
        return future

    def _line_up(self, job: _Job) -> None:
        self._jobs.append(job)
        if self._scheduled:
            return
        if job.future is not None:
            self._scheduled = True
            self._running().call_soon(self._step)
        elif not self._lingers:
            self._lingers = True
            self._running().call_later(LINGER_S, self._end_lingering)

    def _end_lingering(self) -> None:
        """Do what nobody waits for, if nothing came that it could share a step with."""
        self._lingers = False
        if not self._scheduled:
            self._step()

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:  # asked for once: Python 3.11 asks the system each time
            self._loop = asyncio.get_running_loop()
        return self._loop

    def _step(self) -> None:
        """Do all work in line in one step of the journal."""
        self._scheduled = False
        if not self._jobs:
            return
        now = self._clock.now()
        try:
            stored = self._begin(now)
        except Busy:
            self._scheduled = True
            pause = random.uniform(*BUSY_PAUSE_S)  # noqa: S311 - spreads processes, guards nothing
            asyncio.get_running_loop().call_later(pause, self._step)
            return
        jobs, self._jobs = self._jobs, []
        entries: list[Entry] = []
        now = self._clock.now()  # by which the record is dated, whatever the clock did meanwhile
        results = [self._run(job, now, entries, stored=stored) for job in jobs]
        if not (stored and self._commit(now, entries)):
            self._keep(now, entries)
            if self._fail_closed:
                results = [self._undone(result, now) for result in results]
        self._answer(jobs, results)
        # Room granted or denied makes no room: those who wait would wake each other for ever.
        if not all(isinstance(entry, Reserved | Tracked) for entry in entries):
            self._changed()

    def _begin(self, now: float) -> bool:
        """Begin a step of the journal; return whether storage works.

        Raises `Busy` while it is worth waiting for another process's step.
        """
        if self.degraded is not None and now < self._retry_at:
            return False
        try:
            try:
                anew = self._journal.begin(self.book, ahead=bool(self._unwritten))
            except Unfit as unfit:
                self._set_aside(now, unfit)
                anew = self._journal.begin(self.book, ahead=bool(self._unwritten))
        except Busy:
            if self.degraded is None and now - (self._busy_since or now) <= BUSY_LONGEST_S:
                self._busy_since = self._busy_since or now
                raise
            self._failed(now, "another process holds the ledger's lock")
            return False
        except Newer as newer:  # never moved: its processes have it open
            self._failed(now, f"the ledger is {newer}: start this process anew with that version")
            return False
        except StorageError as error:
            self._failed(now, str(error))
            return False
        self._busy_since = None
        self._restore(anew=anew)
        self._agree()
        return True

    def _restore(self, *, anew: bool) -> None:
        """Fold what is not recorded yet into a book that was read anew, and so without it."""
        if anew:
            for entry in self._unwritten:
                self.book.apply(entry)

    def _agree(self) -> None:
        """Move a record that others date by another time than this process's clock tells."""
        if not self.book.is_dated_by(self._clock.offset):
            now = self._clock.now()  # they may have been the first to see a jump
            if not self.book.is_dated_by(self._clock.offset):
                self._move(0.0, now)
        self._dated = True

    def _move(self, seconds: float, now: float) -> None:
        """Date the record by this process's clock, which has jumped by `seconds` just now."""
        offset, known = self._clock.offset, self.book.offset is not None
        # An offset that nobody alive goes by is of before the machine was started.
        begins = known and not self._dated and not self.book.is_witnessed(now - offset)
        entry = Jumped(seconds, now, self.process, offset, begins)
        self.book.apply(entry)
        self._unwritten.append(entry)
        self._dated = True

    def _run(self, job: _Job, now: float, entries: list[Entry], *, stored: bool) -> object:
        """Return what a job comes to, an exception included."""
        if job.future is not None and job.future.cancelled():
            return None  # who asked has left before it was done
        if job.reserves and self._fail_closed and not stored:
            return self._closed()
        try:
            result, made = job.work(now)
        except Exception as error:  # noqa: BLE001 - one job's fault must not be the others'
            return error
        entries += made
        return result

    def _commit(self, now: float, entries: list[Entry]) -> bool:
        """Record a step's entries; return False when storage failed."""
        try:
            self._journal.commit(self.book, [*self._unwritten, *entries])
        except Unfit as unfit:
            # The book has it all; the next step writes it whole.
            try:
                self._set_aside(now, unfit)
            except (Busy, StorageError) as error:
                self._failed(now, str(error) or str(unfit))
            else:
                self._failed(now, str(unfit), retry_in_s=0.0)
            return False
        except StorageError as error:
            self._failed(now, str(error))
            return False
        self._unwritten.clear()
        self._shorten_at = UNWRITTEN_MOST
        if self.degraded is not None:
            self.degraded = None
            self._tell(Trouble(failing=False, message="the ledger is written again"))
        return True

    def _undone(self, result: object, now: float) -> object:
        """Take back what a step granted that could not be recorded."""
        if not isinstance(result, Granted):
            return result
        entry = Released(result.reservation, now)
        self.book.apply(entry)
        self._keep(now, [entry])
        return self._closed()

    def _answer(self, jobs: list[_Job], results: list[object]) -> None:
        for job, result in zip(jobs, results, strict=True):
            future = job.future
            if future is None:
                if isinstance(result, Exception):
                    context = {"message": "an entry could not be folded", "exception": result}
                    self._running().call_exception_handler(context)
            elif future.done():
                continue
            elif isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()

    def _keep(self, now: float, entries: Sequence[Entry]) -> None:
        """Keep entries until storage works, however long that is."""
        if self._dated and not self._unwritten:
            # Others may write of a jump before these are written: they say how they are dated.
            self._unwritten.append(Jumped(0.0, now, self.process, self.book.offset))
        self._unwritten += entries
        if len(self._unwritten) >= self._shorten_at:
            self._unwritten = shortened(self._unwritten)
            self._shorten_at = len(self._unwritten) + UNWRITTEN_MOST

    def _failed(self, now: float, message: str, *, retry_in_s: float = RETRY_STORAGE_S) -> None:
        self._busy_since = None
        self._retry_at = now + retry_in_s
        if self.degraded is None:
            self._tell(Trouble(failing=True, message=message))
        self.degraded = message

    def _closed(self) -> LedgerError:
        return LedgerError(
            f"the ledger can't be written: {self.degraded}",
            remedy="mend the storage, or set on_ledger_error: local to go on without it",
        )

    def _set_aside(self, now: float, unfit: Unfit) -> None:
        """Have a damaged file moved; the record in memory is written to the new one."""
        done = self._journal.set_aside(datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ"))
        self._tell(Trouble(failing=False, message=f"{unfit}: {done}"))

    def _jumped(self, seconds: float, now: float) -> None:
        """Move the record with the clock, before anyone reads it by the new time."""
        # What others have recorded by now is dated by the old time, and has to move as well.
        with contextlib.suppress(Busy, StorageError):
            self._look()
        self._move(seconds, now)
        self._retry_at = min(self._retry_at, now + RETRY_STORAGE_S)
        self._busy_since = None

    def _look(self) -> None:
        """Fold what others have recorded; raises as the journal's `refresh` does."""
        self._restore(anew=self._journal.refresh(self.book, ahead=bool(self._unwritten)))

    # Upkeep.

    async def start(self) -> None:
        """Read the record, say that this process lives, and keep doing so until `close`."""
        await self.renew()
        self._upkeep = asyncio.create_task(self._keep_up(), name="ledger upkeep")

    async def serve(self, accounts: dict[str, str | None]) -> None:
        """Say which profiles this process serves from now on, and on which accounts.

        None: the key of that profile is missing here.
        """
        self._accounts = accounts
        await self.renew()

    async def renew(self) -> None:
        """Say that this process lives, and presume used what dead ones had in flight."""

        def work(now: float) -> tuple[object, list[Entry]]:
            alive = self._folded([Alive(self.process, now, self._accounts)])
            dead = [Presumed(process, now) for process in self.book.dead(now)]
            return None, alive + self._folded(dead)

        await self._enqueue(work)

    async def _keep_up(self) -> None:
        loop = asyncio.get_running_loop()
        renew_at, tidy_at = loop.time() + RENEW_S, loop.time() + TIDY_S
        while True:
            await asyncio.sleep(REFRESH_S)
            self._refresh()
            if loop.time() >= renew_at:
                renew_at = loop.time() + RENEW_S
                await self.renew()
            if loop.time() >= tidy_at or self._journal.swollen():
                tidy_at = loop.time() + TIDY_S
                with contextlib.suppress(Busy, StorageError):
                    await asyncio.to_thread(self._journal.tidy)

    def _refresh(self) -> None:
        """Bring in what other processes recorded, and write what storage could not take before."""
        if self.degraded is None and not self._unwritten:
            try:
                self._look()
                self._agree()
            except Busy:
                return
            except StorageError:
                pass  # a step will meet it too, and deal with it
            else:
                self._changed()
                if not self._unwritten:
                    return
        self._enqueue(lambda _now: (None, []))

    async def close(self) -> None:
        """Record what is in line, end the upkeep and let go of the storage."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._upkeep
        self._retry_at = 0.0
        await self.record(Presumed(self.process, self._clock.now()))
        self._journal.close()
