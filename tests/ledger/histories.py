"""Random histories told to three keepers of one record: a book in memory, and two on one SQLite file.

They must agree after every step. Beside them stands a plain model, a list of sends and tokens with
their true times, that says when a limit was broken whatever the keepers count.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from spillover.core.budgets import Told
from spillover.core.ladder import Pin, Sticky
from spillover.core.limits import Granted
from spillover.core.stated import Stated, owner_of
from spillover.core.values import (
    Calendar,
    CalendarUnit,
    Lifetime,
    Metric,
    Refill,
    Rolling,
    Usage,
    owner_of_account,
)
from spillover.ledger.book import LEASE_S, Book
from spillover.ledger.entries import (
    Alerted,
    Alive,
    Cleared,
    Crowded,
    HealthChanged,
    Heard,
    Jumped,
    Pinned,
    Presumed,
    Released,
    Stuck,
    Switched,
)
from spillover.ledger.sqlite import SqliteJournal
from tests.core.laddering import DOWN
from tests.core.making import NOON, limit
from tests.ledger.keeping import candidate, limited, settled

if TYPE_CHECKING:
    from spillover.core.values import Profile
    from spillover.ledger.entries import Entry

REQUESTS, TOKENS, SHARED, WINDOW_S = 3, 400, 4, 60.0
KEY = owner_of_account("key")
PROFILES: Final = {
    each.name: each
    for each in (
        limited("a", limit(REQUESTS), limit(TOKENS, Metric.TOKENS), account="own"),
        limited("b", limit(SHARED, owner=KEY), account="key"),
        limited(
            "c",
            limit(SHARED, owner=KEY),
            limit(2, Metric.CONCURRENCY, window=None),
            limit(REQUESTS, window=Refill(seconds=WINDOW_S)),
            limit(50, window=Calendar(unit=CalendarUnit.DAY, zone="Asia/Kolkata")),
            limit(40, window=Lifetime(), owner=KEY),
            limit(9_000, Metric.TOKENS, window=Rolling(seconds=18_000.0), owner=KEY),
            account="key",
        ),
    )
}
NAMES = st.sampled_from(sorted(PROFILES))
KEEPERS = st.sampled_from([0, 1])


class Kept:
    """A process: its book and its journal."""

    def __init__(self, path: Path, place: int, born: int) -> None:
        self.name = f"p{place}.{born}"
        self.book = Book()
        self.journal = SqliteJournal(path, compact_after=5)


@dataclass
class Sent:
    """A call as it truly was."""

    profile: str
    at: float
    process: str
    reserved: int
    is_open: bool = True
    counts: bool = True
    used: list[tuple[float, int]] = field(default_factory=list)
    """(when, how many) tokens."""


class Histories(RuleBasedStateMachine):
    """What may happen to a ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="ledger")
        self.path = Path(self.folder.name) / "ledger.db"
        self.now = NOON
        self.offset = 0.0
        self.memory = Book()
        self.born = 0
        self.kept = [Kept(self.path, place, 0) for place in (0, 1)]
        self.calls: dict[str, Sent] = {}
        self.tell(0, Jumped(0.0, self.now, self.kept[0].name, self.offset))
        self.tell(0, *[Alive(each.name, self.now) for each in self.kept])

    def tell(self, keeper: int, *entries: Entry) -> None:
        """Record entries by one process; the memory is told the same."""
        kept = self.kept[keeper]
        kept.journal.begin(kept.book)
        for entry in entries:
            kept.book.apply(entry)
            self.memory.apply(entry)
        kept.journal.commit(kept.book, list(entries))

    def drawn(self, data: Any, *, is_open: bool = True) -> str:
        return str(
            data.draw(st.sampled_from([n for n, c in self.calls.items() if c.is_open is is_open]))
        )

    # What calls do.

    @rule(keeper=KEEPERS, name=NAMES, tokens=st.integers(1, 200))
    def reserve(self, keeper: int, name: str, tokens: int) -> None:
        who, kept = PROFILES[name], self.kept[keeper]
        reservation = f"r{len(self.calls)}"
        asked = [candidate(who, need=Usage(requests=1, input_tokens=tokens))]
        kept.journal.begin(kept.book)
        found, entries = kept.book.reserve(reservation, asked, process=kept.name, now=self.now)
        kept.journal.commit(kept.book, entries)
        same, _ = self.memory.reserve(reservation, asked, process=kept.name, now=self.now)
        assert found == same
        if isinstance(found, Granted):
            self.calls[reservation] = Sent(name, self.now, kept.name, tokens)
            self.keeps_limits(who)

    def keeps_limits(self, who: Profile) -> None:
        since = self.now - WINDOW_S
        sends = [c for c in self.calls.values() if c.counts and c.at > since]
        own = [c for c in sends if c.profile == who.name]
        if who.name == "a":
            mine = [c for c in self.calls.values() if c.profile == "a"]
            used = sum(count for c in mine for at, count in c.used if at > since)
            held = sum(c.reserved for c in mine if c.is_open)
            assert len(own) <= REQUESTS
            assert used + held <= TOKENS
        else:
            assert len([c for c in sends if c.profile != "a"]) <= SHARED
        if who.name == "c":
            assert len([c for c in self.calls.values() if c.profile == "c" and c.is_open]) <= 2

    @precondition(lambda self: any(c.is_open for c in self.calls.values()))
    @rule(keeper=KEEPERS, data=st.data(), tokens=st.integers(0, 400), late=st.booleans())
    def settle(self, keeper: int, data: Any, tokens: int, *, late: bool) -> None:
        name = self.drawn(data)
        call = self.calls[name]
        usage = Usage(requests=1, input_tokens=tokens)
        sent_at = min(self.now, call.at + 1.0) if late else call.at
        call.at, call.is_open = max(call.at, sent_at), False
        call.used.append((self.now, tokens))
        who = PROFILES[call.profile]
        self.tell(keeper, settled(name, who, at=self.now, usage=usage, sent_at=sent_at))

    @precondition(lambda self: any(c.is_open for c in self.calls.values()))
    @rule(keeper=KEEPERS, data=st.data(), keep=st.booleans())
    def release(self, keeper: int, data: Any, *, keep: bool) -> None:
        name = self.drawn(data)
        self.calls[name].is_open = False
        self.calls[name].counts = keep
        self.tell(keeper, Released(name, self.now, keep))

    @rule(
        keeper=KEEPERS,
        name=NAMES,
        per=st.sampled_from(["minute", "hour", "5m"]),
        left=st.none() | st.integers(0, 3),
        window=st.sampled_from([None, Refill(seconds=WINDOW_S)]),
    )
    def provider_speaks(
        self, keeper: int, name: str, per: str, *, left: int | None, window: Refill | None
    ) -> None:
        said = Stated(metric=Metric.REQUESTS, per=per, limit=3, remaining=left)
        self.tell(keeper, Heard(owner_of(PROFILES[name]), said, window, self.now))

    @rule(keeper=KEEPERS, name=NAMES, percent=st.sampled_from([50, 80]))
    def budget_is_told_of(self, keeper: int, name: str, percent: int) -> None:
        told = Told(percent=percent, amount=5, at=self.now)
        self.tell(keeper, Alerted(f"profile:{name}|cost|lifetime", told))

    @rule(keeper=KEEPERS, owner=st.sampled_from(["profile:b", "account:key"]))
    def provider_refuses_so_many_at_once(self, keeper: int, owner: str) -> None:
        # More were in flight than any history has: what is let through stays as it is.
        self.tell(keeper, Crowded(owner, self.now, self.now - 1.0, 1_000))

    # What users do.

    @rule(keeper=KEEPERS, name=st.one_of(st.none(), NAMES))
    def clear(self, keeper: int, name: str | None) -> None:
        for call in self.calls.values():
            if name in {None, call.profile}:
                call.used.clear()
                call.counts = call.counts and call.is_open
        self.tell(keeper, Cleared(self.now, name))

    @rule(keeper=KEEPERS, name=NAMES, on=st.booleans())
    def set_by_hand(self, keeper: int, name: str, *, on: bool) -> None:
        self.tell(
            keeper,
            Switched(name, on, self.now),
            Pinned("default", Pin(profile=name) if on else None),
            Stuck("default", Sticky(profile=name, at=self.now) if on else None),
            HealthChanged(f"profile:{name}", DOWN if on else None),
        )

    # Time, and what becomes of processes.

    @rule(seconds=st.sampled_from([0.5, 1.0, 7.0, 30.0, 59.0, 61.0, 3_600.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        keeper=KEEPERS, seconds=st.sampled_from([-86_400.0, -3_600.0, -20.0, 20.0, 90.0, 86_400.0])
    )
    def clock_is_set(self, keeper: int, seconds: float) -> None:
        self.now += seconds
        self.offset += seconds
        for call in self.calls.values():
            call.at += seconds
            call.used = [(at + seconds, count) for at, count in call.used]
        jumped = [Jumped(seconds, self.now, kept.name, self.offset) for kept in self.kept]
        self.tell(keeper, jumped[keeper])
        self.tell(1 - keeper, jumped[1 - keeper])

    @rule(keeper=KEEPERS)
    def dies(self, keeper: int) -> None:
        self.born += 1
        dead, self.kept[keeper] = self.kept[keeper], Kept(self.path, keeper, self.born)
        dead.journal.close()
        self.now += LEASE_S + 1.0
        other = self.kept[1 - keeper]
        self.tell(1 - keeper, Alive(other.name, self.now), Alive(self.kept[keeper].name, self.now))
        assert set(other.book.dead(self.now)) <= {dead.name}
        self.tell(1 - keeper, Presumed(dead.name, self.now))
        for call in self.calls.values():
            if call.is_open and call.process == dead.name:
                call.is_open = False
                call.used.append((self.now, call.reserved))

    @precondition(lambda self: any(not c.is_open for c in self.calls.values()))
    @rule(keeper=KEEPERS, data=st.data(), tokens=st.integers(0, 400))
    def settles_after_it_was_given_up(self, keeper: int, data: Any, tokens: int) -> None:
        presumed = sorted(self.memory.presumed)
        if presumed:
            name = data.draw(st.sampled_from(presumed))
            call = self.calls[name]
            call.used = [(self.now, tokens)]
            usage = Usage(requests=1, input_tokens=tokens)
            self.tell(keeper, settled(name, PROFILES[call.profile], at=self.now, usage=usage))

    @rule(keeper=KEEPERS)
    def tidies(self, keeper: int) -> None:
        self.kept[keeper].journal.tidy()

    @invariant()
    def all_agree(self) -> None:
        records = [observed(self.memory, self.now)]
        for kept in self.kept:
            kept.journal.refresh(kept.book)
            records.append(observed(kept.book, self.now))
        assert records[0] == records[1] == records[2]

    def teardown(self) -> None:
        for kept in self.kept:
            kept.journal.close()
        self.folder.cleanup()


def observed(book: Book, now: float) -> dict[str, Any]:
    """All that a book holds, read at one instant."""
    counters: dict[str, Any] = {}
    for owner, tally in book.counters.tallies.items():
        for series in tally.series.values():
            series.roll(now)
        if tally.series or tally.in_flight:
            counters[owner] = msgspec.to_builtins(tally)
    return {
        "counters": counters,
        "open": msgspec.to_builtins(book.open),
        "presumed": msgspec.to_builtins(book.presumed),
        "by hand": (book.disabled, book.pins, book.stickies, book.healths),
        "alive": (book.alive, book.serving),
        "learned": msgspec.to_builtins(book.learned),
        "heard": msgspec.to_builtins(book.counters.heard),
        "alerts": msgspec.to_builtins(book.alerts),
        "crowds": msgspec.to_builtins(book.counters.crowds),
    }
