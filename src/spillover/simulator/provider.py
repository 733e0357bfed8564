"""Be a simulated provider: take requests, count them, answer them, and remember what came.

Refuses to know sockets: a request comes as a value, a performance goes back, and its end is told
by the caller. Safe to use from several threads.
"""

from __future__ import annotations

import threading
from email.utils import formatdate
from typing import TYPE_CHECKING

from spillover.simulator.asked import tokens_of
from spillover.simulator.clerk import Clerk
from spillover.simulator.composer import Composer, Setting
from spillover.simulator.exchange import Booking, Performance, Request, Turned
from spillover.simulator.faults import FAULTS, Fault, Script, Scripted
from spillover.simulator.flavours import flavour_of
from spillover.simulator.plays import Framing, reply_play
from spillover.simulator.records import Counters, Log, Outcome, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.simulator.spec import ProviderSpec


class Provider:
    """A simulated provider: its limits, its script of faults, its memory of requests."""

    def __init__(self, spec: ProviderSpec, clock: Callable[[], float]) -> None:
        """Take a spec and a clock of epoch seconds; raises ValueError for an unknown flavour."""
        self._flavour = flavour_of(spec.flavour)
        self._clock = clock
        self._lock = threading.RLock()
        self._script = Script()
        self._log = Log(spec.keep_records)
        self._serial = 0
        self._date = (-1, "")
        self._take(spec)
        self._desk = self._clerk.new_desk()

    @property
    def spec(self) -> ProviderSpec:
        """What it is at present."""
        return self._spec

    @property
    def base_path(self) -> str:
        """The path before `/chat/completions`."""
        return self._flavour.base_path

    def change(self, spec: ProviderSpec) -> None:
        """Become another spec of the same flavour; other limits start unused."""
        if spec.flavour != self._spec.flavour:
            raise ValueError(
                f"a {self._spec.flavour} can't become a {spec.flavour}: start another one"
            )
        with self._lock:
            same = spec.limits == self._spec.limits
            self._take(spec)
            if not same:
                self._desk = self._clerk.new_desk()

    def script(
        self,
        fault: Fault | str,
        *,
        times: int | None = 1,
        model: str | None = None,
        carrying: str | None = None,
    ) -> None:
        """Spoil the next `times` answers (None: until cleared).

        Only those of one model, and to requests whose body holds a text, if these are given. Several scripted faults come one after another. A text names one of `FAULTS`.
        """
        if isinstance(fault, str):
            if fault not in FAULTS:
                raise ValueError(f"no fault: {fault!r} (there are {', '.join(FAULTS)})")
            fault = FAULTS[fault]
        with self._lock:
            self._script.add(Scripted(fault=fault, times=times, model=model, carrying=carrying))

    def clear_script(self) -> None:
        """Answer well again."""
        with self._lock:
            self._script.clear()

    @property
    def scripted(self) -> tuple[Scripted, ...]:
        """The faults still to come."""
        with self._lock:
            return self._script.entries

    def reset(self) -> None:
        """Forget faults, requests and usage; calls in flight go on."""
        with self._lock:
            self._script.clear()
            self._log.clear()
            self._desk = self._clerk.new_desk()

    def counters(self) -> Counters:
        """Return the sums since the start or the last reset."""
        with self._lock:
            return self._log.counters()

    @property
    def records(self) -> tuple[Record, ...]:
        """The requests kept, oldest first."""
        with self._lock:
            return self._log.records

    def most_requests(self, seconds: float) -> int:
        """Return the most requests accepted within any span of that length."""
        with self._lock:
            return self._log.most_requests(seconds)

    def most_tokens(self, seconds: float) -> int:
        """Return the most tokens of calls that ended within any span of that length."""
        with self._lock:
            return self._log.most_tokens(seconds)

    def carried(self, text: str) -> int:
        """Return how many of the kept requests hold a text in path, headers or body."""
        return sum(record.carries(text) for record in self.records)

    def handle(self, request: Request) -> Performance:
        """Return what to do about a request; `finish` must follow."""
        now = self._clock()
        record = Record(
            at=now,
            method=request.method,
            path=request.target,
            raw_headers=request.headers,
            body=request.body,
            key=request.key,
        )
        with self._lock:
            self._log.receive(record)
            date = self._dated(int(now))
            framing = Framing(chunked=request.chunked, keep=request.keep, date=date)
            try:
                return self._served(request, record, framing)
            except Turned as turned:
                record.status, record.outcome = turned.reply.status, turned.outcome
                self._log.turn_away(record)
                play = reply_play(turned.reply, framing, delay_s=self._spec.delay_s)
                return Performance(play=play)

    def finish(self, done: Performance, *, performed: bool, chars: int) -> None:
        """Settle a performance: whether all of its play was written, and how much content."""
        booking = done.booking
        if booking is None:
            return
        composed, record = booking.composed, booking.record
        record.input_tokens = composed.input_tokens
        record.output_tokens = composed.output_tokens
        if not performed or not done.play.whole:
            record.output_tokens = min(record.output_tokens, tokens_of(chars))
        abandoned = not performed and composed.outcome is Outcome.ANSWERED
        record.outcome = Outcome.ABANDONED if abandoned else composed.outcome
        now = self._clock()
        with self._lock:
            self._log.settle(record, now)
            used = {"input_tokens": record.input_tokens, "output_tokens": record.output_tokens}
            booking.desk.settle(booking.charge, now, **used)

    def _served(self, request: Request, record: Record, framing: Framing) -> Performance:
        """Admit and answer a request, or raise `Turned`."""
        asked = self._clerk.read(request)
        record.model, record.stream = asked.model, asked.stream
        desk, now = self._desk, record.at
        charge = self._clerk.admit(asked, desk, request.key, now)
        self._log.accept(record)
        self._serial += 1
        setting = Setting(
            framing=framing,
            told=self._clerk.told(desk, charge, now, stream=asked.stream),
            serial=self._serial,
            now=now,
        )
        composed = self._composer.compose(
            asked, setting, self._script.take(asked.model, request.body)
        )
        record.status = composed.status
        booking = Booking(record=record, composed=composed, charge=charge, desk=desk)
        return Performance(play=composed.play, booking=booking)

    def _take(self, spec: ProviderSpec) -> None:
        self._spec = spec
        self._clerk = Clerk(spec, self._flavour)
        self._composer = Composer(spec, self._flavour)

    def _dated(self, second: int) -> str:
        """Return the `date` header's value; a second's is made once."""
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1]
