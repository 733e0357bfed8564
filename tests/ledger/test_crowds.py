"""What was learned of calls at once, kept as a limit among the counters."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.core.crowding import FORGOTTEN_AFTER_S
from spillover.core.limits import Denied, Granted, room_of
from spillover.core.values import LimitScope, owner_of_account, owner_of_profile
from spillover.ledger.book import Book
from spillover.ledger.entries import Cleared, Crowded, Jumped
from tests.core.making import NOON, profile
from tests.ledger.keeping import candidate

A, SIBLING, STRANGER = (
    profile("a", account="key"),
    profile("b", account="key"),
    profile("c", account="other"),
)


def crowded(in_flight: int, owner: str = owner_of_account("key")) -> Book:
    """A book that knows of a refusal at noon with so many calls in flight."""
    book = Book()
    book.apply(Crowded(owner, NOON, NOON - 0.1, in_flight))
    return book


def granted(book: Book, *who: Any, now: float = NOON) -> list[bool]:
    found = []
    for number, each in enumerate(who):
        answer = book.reserve(f"r{number}", [candidate(each)], process="p", now=now)[0]
        found.append(isinstance(answer, Granted))
    return found


def test_no_more_are_in_flight_than_were_accepted() -> None:
    assert granted(crowded(3), A, A, A) == [True, True, False]


def test_denied_call_says_which_limit_it_was() -> None:
    found = crowded(2).reserve("r", [candidate(A)], process="p", now=NOON)
    again = crowded(2)
    granted(again, A)
    denied = again.reserve("s", [candidate(A)], process="p", now=NOON)[0]

    assert isinstance(found[0], Granted)
    assert isinstance(denied, Denied)
    block = denied.passed[0].block
    assert block.limit is not None
    assert (block.limit.metric, block.limit.amount, block.never) == ("concurrency", 1, False)


def test_account_is_shared_and_other_accounts_are_free() -> None:
    assert granted(crowded(2), A, SIBLING, STRANGER) == [True, False, True]


def test_profiles_own_is_its_own() -> None:
    assert granted(crowded(2, owner_of_profile("a")), A, A, SIBLING) == [True, False, True]


@pytest.mark.parametrize(("after_s", "fit"), [(59.0, 1), (60.0, 2), (121.0, 3)])
def test_room_grows_by_a_call_a_minute(after_s: float, fit: int) -> None:
    book = crowded(2)

    assert granted(book, *[A] * 5, now=NOON + after_s).count(True) == fit
    (gauge,) = book.gauges(A)
    assert room_of(gauge, NOON + after_s) == fit
    assert gauge.limit.scope is LimitScope.ACCOUNT


def test_it_is_forgotten_after_an_hour_and_dropped_when_another_is_learned() -> None:
    book, later = crowded(2), NOON + FORGOTTEN_AFTER_S

    assert granted(book, *[A] * 70, now=later) == [True] * 70
    book.apply(Crowded("account:other", later, later, 9))
    assert list(book.counters.crowds) == ["account:other"]


@pytest.mark.parametrize(
    "entry",
    [
        Cleared(NOON),
        Cleared(NOON, "a"),
        Jumped(90.0, NOON + 90.0, "p", 90.0),
    ],
)
def test_clearing_and_a_jump_of_the_clock_forget_it(entry: Cleared | Jumped) -> None:
    book = crowded(3)
    book.apply(Jumped(0.0, NOON, "p", 0.0))
    granted(book, A)

    book.apply(entry)

    assert not book.counters.crowds
    assert all(granted(book, *[A] * 5))
