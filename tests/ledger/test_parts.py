"""A book written in parts and read back."""

from __future__ import annotations

import msgspec
import pytest

from spillover.core.values import Calendar, CalendarUnit, Metric, Refill
from spillover.ledger import parts
from spillover.ledger.book import Book
from spillover.ledger.entries import Alive
from tests.core.making import NOON, limit
from tests.ledger.keeping import candidate, limited
from tests.ledger.test_entries import ALL

WIDE = limited(
    "a",
    limit(9),
    limit(900, Metric.TOKENS, window=Refill(seconds=60.0)),
    limit(9_000, Metric.TOKENS, window=Calendar(unit=CalendarUnit.DAY)),
)


def lived() -> Book:
    """A book that has seen every kind of entry."""
    book = Book()
    for entry in ALL:
        book.apply(entry)
    book.apply(Alive("q", NOON, {"a": "key", "b": None}))
    book.reserve("open", [candidate(WIDE)], process="p", now=NOON)
    return book


def test_book_is_read_back_as_it_was_written() -> None:
    book, other = lived(), Book()

    parts.load(other, list(parts.dump(book, book.counters.tallies)))

    assert dict(parts.dump(other, other.counters.tallies)) == dict(
        parts.dump(book, book.counters.tallies)
    )
    assert other.counters.members == book.counters.members
    assert other.open.keys() == {"open"}
    assert other.serving == book.serving == {"q": {"a": "key", "b": None}}


def test_book_read_back_decides_by_what_it_read() -> None:
    book, other = lived(), Book()
    other.gauges(WIDE)  # bound to counters that are no more

    parts.load(other, list(parts.dump(book, book.counters.tallies)))

    need = candidate(WIDE)
    assert other.block(need, NOON) == book.block(need, NOON)
    assert other.load(WIDE, NOON) == book.load(WIDE, NOON) > 0


def test_only_the_owners_asked_for_are_written() -> None:
    book = lived()

    written = [name for name, _ in parts.dump(book, ["profile:a", "profile:unknown"])]

    assert written == ["profile:a", "rest"]


def test_nothing_is_an_empty_book() -> None:
    book = lived()

    parts.load(book, [])

    assert not book.open
    assert not book.counters.tallies
    assert not book.counters.dirty


@pytest.mark.parametrize("name", ["rest", "profile:a"])
def test_bytes_that_are_no_part_are_an_error(name: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        parts.load(Book(), [(name, b"\xc1")])
