"""Entries kept while storage fails, shortened without a count lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from spillover.core.ladder import Pin, Sticky
from spillover.core.values import Usage, owner_of_profile
from spillover.ledger.book import Book
from spillover.ledger.entries import (
    Alive,
    Cleared,
    HealthChanged,
    Jumped,
    Pinned,
    Presumed,
    Released,
    Reserved,
    Settled,
    Stuck,
)
from spillover.ledger.unwritten import shortened
from tests.core.laddering import DOWN
from tests.core.making import NOON, limit
from tests.ledger.keeping import began, limited, settled

if TYPE_CHECKING:
    from spillover.ledger.entries import Entry

A, B = limited("a", limit(5)), limited("b", limit(5))


def folded(*entries: Entry) -> Book:
    book = Book()
    for entry in entries:
        book.apply(entry)
    return book


def test_calls_that_are_over_become_one_an_hour_and_profile() -> None:
    usage = Usage(requests=1, input_tokens=5, output_tokens=6, cost_nanousd=7, microneurons=8)
    calls: list[Entry] = []
    for place in range(100):
        at = NOON + place * 60.0
        who = A if place % 2 else B
        calls += [began(f"r{place}", who, at=at), settled(f"r{place}", who, at=at, usage=usage)]

    short = shortened(calls)

    assert len(short) == 2 * 2 * 2
    assert folded(*short).used("a", "day", NOON + 6_000.0) == (50, 550, 250, 300, 350, 400)


def test_sum_is_dated_by_the_last_of_its_calls() -> None:
    calls: list[Entry] = []
    for place, at in enumerate((NOON, NOON + 90.0, NOON + 40.0)):
        calls += [began(f"r{place}", at=at), settled(f"r{place}", at=at + 5.0, sent_at=at + 1.0)]

    first, second = shortened(calls)

    assert isinstance(first, Reserved)
    assert isinstance(second, Settled)
    assert (first.at, second.at, first.need) == (NOON + 91.0, NOON + 95.0, Usage(requests=3))
    assert second.sent_at == 0.0


def test_call_that_used_nothing_leaves_nothing_but_the_request_that_it_keeps() -> None:
    nothing, request = Released("r", NOON), Released("s", NOON, keep_request=True)

    for ended, requests in ((nothing, 0), (request, 1)):
        book = folded(*shortened([began(ended.id), ended]))
        assert book.used("a", "day", NOON)[:2] == (requests, 0)
        assert book.counters.members == {"a": ("a-key", "a-model")}


def test_end_of_an_earlier_call_and_a_call_in_flight_stay() -> None:
    entries: list[Entry] = [settled("before"), Released("earlier", NOON), began("after")]

    assert shortened(entries) == entries


def test_second_end_of_a_call_stays_what_it_was() -> None:
    entries: list[Entry] = [began("r"), settled("r"), settled("r")]

    assert folded(*shortened(entries)).used("a", "day", NOON) == folded(*entries).used(
        "a", "day", NOON
    )


def test_last_word_of_what_is_set_stays() -> None:
    pin, sticky = Pin(profile="a"), Sticky(profile="b", at=NOON)
    entries: list[Entry] = [
        Pinned("x", None),
        Alive("p", NOON),
        HealthChanged("profile:a", DOWN),
        Pinned("x", pin),
        Pinned("y", None),
        Stuck("x", sticky),
        HealthChanged("profile:a", None),
        Alive("p", NOON + 5.0),
    ]

    assert shortened(entries) == entries[3:]


def test_what_bears_on_all_before_it_stays_in_its_place() -> None:
    calls = [(began(name, A), settled(name)) for name in "rs"]
    between: list[Entry] = [
        Jumped(90.0, NOON + 90.0, "p", 90.0),
        Cleared(NOON, "b"),
        Presumed("q", NOON),
    ]

    short = shortened([*calls[0], *between, *calls[1]])

    assert [type(each) for each in short[2:5]] == [Jumped, Cleared, Presumed]
    assert len(short) == 7


NAMES = st.sampled_from("rstuvw")
ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.builds(began, NAMES, st.sampled_from([A, B])),
    st.builds(settled, NAMES),
    st.builds(Released, NAMES, st.just(NOON), st.booleans()),
    st.builds(Cleared, st.just(NOON), st.sampled_from([None, "a", "b"])),
)


def lawful(entries: list[Entry]) -> list[Entry]:
    """Leave out what never happens: a second beginning, an end of a call on another profile."""
    seen: dict[str, Reserved] = {}
    kept: list[Entry] = []
    for entry in entries:
        if isinstance(entry, Reserved):
            if entry.id in seen:
                continue
            seen[entry.id] = entry
        on = seen.get(entry.id) if isinstance(entry, Settled) else None
        kept.append(entry if on is None else settled(on.id, A if on.profile == "a" else B))
    return kept


@given(st.lists(ENTRIES, max_size=30).map(lawful), st.integers(0, 30))
def test_what_is_held_and_counted_is_the_same_whatever_is_shortened_and_how_often(
    entries: list[Entry], cut: int
) -> None:
    whole = folded(*entries)
    short = folded(*shortened([*shortened(entries[:cut]), *entries[cut:]]))

    assert short.open == whole.open
    for who in (A, B):
        assert short.used(who.name, "day", NOON) == whole.used(who.name, "day", NOON)
        tallies = [book.counters.tally(owner_of_profile(who.name)) for book in (short, whole)]
        assert tallies[0].held == tallies[1].held
        assert tallies[0].in_flight == tallies[1].in_flight
