"""What providers say of their limits, kept among the counters and compared with our own count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.core.limits import Block, Denied, Granted
from spillover.core.stated import BALANCE, Stated
from spillover.core.values import LimitScope, Metric, Refill, Usage, owner_of_model
from spillover.ledger.book import Book
from spillover.ledger.entries import Cleared, Heard, Jumped, Settled
from spillover.ledger.statements import HEARD_MOST, Weighed
from tests.core.making import NOON, limit, profile
from tests.ledger.keeping import candidate, limited

if TYPE_CHECKING:
    from spillover.core.values import Profile

OWNER = owner_of_model("key", "m")
FREE = profile("a", account="key", model="m", pool=LimitScope.MODEL)
SIBLING = profile("b", account="key", model="m", pool=LimitScope.MODEL)
STRANGER = profile("c", account="key", model="other", pool=LimitScope.MODEL)


def stated(remaining: int | None, **fields: Any) -> Stated:
    known: dict[str, Any] = {
        "metric": Metric.REQUESTS,
        "per": "minute",
        "limit": 100,
        "remaining": remaining,
    }
    return Stated(**(known | fields))


def told(remaining: int | None, at: float = NOON, **fields: Any) -> Book:
    """A book that was told what is left."""
    book = Book()
    book.apply(Heard(OWNER, stated(remaining, **fields), None, at))
    return book


def reserve(book: Book, who: Profile = FREE, now: float = NOON, name: str = "r") -> Any:
    return book.reserve(name, [candidate(who)], process="p", now=now)[0]


def test_profile_without_limits_is_denied_by_the_providers_word() -> None:
    found = reserve(told(0))

    assert isinstance(found, Denied)
    block = found.passed[0].block
    assert block.stated
    assert block.available_at == NOON + 60.0
    assert block.limit is not None
    assert (block.limit.amount, block.limit.owner) == (100, OWNER)


def test_balance_that_is_too_low_denies_without_a_time() -> None:
    found = reserve(told(0, per=BALANCE))

    assert isinstance(found, Denied)
    block = found.passed[0].block
    assert (block.stated, block.never, block.available_at) == (True, True, None)


@pytest.mark.parametrize(("who", "fits"), [(FREE, False), (SIBLING, False), (STRANGER, True)])
def test_word_holds_for_all_who_share_the_limit(who: Profile, *, fits: bool) -> None:
    assert isinstance(reserve(told(0), who), Granted) is fits


def test_word_is_over_with_its_window() -> None:
    book = told(0)

    assert isinstance(reserve(book, now=NOON + 59.0), Denied)
    assert isinstance(reserve(book, now=NOON + 60.0), Granted)


def test_what_is_left_is_counted_down_by_what_is_sent() -> None:
    book = told(2)

    found = [reserve(book, name=f"r{place}") for place in range(3)]

    assert [type(each) for each in found] == [Granted, Granted, Denied]


def test_calls_in_flight_are_not_taken_off_twice() -> None:
    book = Book()
    who = profile("a", account="key", model="m", pool=LimitScope.MODEL)
    need = Usage(requests=1, input_tokens=60)
    granted, _ = book.reserve("r", [candidate(who, need=need)], process="p", now=NOON)
    assert isinstance(granted, Granted)
    said = stated(40, metric=Metric.TOKENS)

    book.apply(Heard(OWNER, said, None, NOON))
    during = book.weigh(who, said, NOON)
    book.apply(Settled("r", NOON, "a", "m", "key", Usage(requests=1, input_tokens=50)))
    behind = book.weigh(who, said, NOON)

    assert (during.counted, behind.counted) == (40, 50)


def test_bucket_frees_as_it_fills() -> None:
    book = Book()
    book.apply(Heard(OWNER, stated(0), Refill(seconds=60.0), NOON))

    found = reserve(book)

    assert isinstance(found, Denied)
    assert found.passed[0].block.available_at == pytest.approx(NOON + 0.6)


def test_lower_of_word_and_count_wins() -> None:
    own = limited("a", limit(1), account="key", model="m", pool=LimitScope.MODEL)
    book = told(9)
    reserve(book, own)

    found = reserve(book, own, name="second")

    assert isinstance(found, Denied)
    assert found.passed[0].block == Block(limit=limit(1), available_at=NOON + 61.0)


def test_latest_word_replaces_the_one_before() -> None:
    book = told(0)

    book.apply(Heard(OWNER, stated(5), None, NOON))

    assert isinstance(reserve(book), Granted)


def test_limit_alone_is_kept_and_denies_nobody() -> None:
    book = told(0)

    book.apply(Heard(OWNER, stated(None), None, NOON))

    assert isinstance(reserve(book), Granted)
    assert book.counters.heard[OWNER]["requests_per_minute"].stated.limit == 100


def test_counters_of_words_that_are_over_are_dropped() -> None:
    book = told(5)

    book.apply(Heard(OWNER, stated(5, per="day"), None, NOON + 60.0))

    names = [name for name in book.counters.tally(OWNER).series if name.startswith("stated:")]
    assert names == ["stated:requests_per_day"]
    assert len(book.counters.heard[OWNER]) == 2


def test_provider_that_names_ever_new_limits_is_not_followed() -> None:
    book = Book()

    for seconds in range(1, 3 * HEARD_MOST):
        book.apply(Heard(OWNER, stated(0, per=f"{seconds}h"), None, NOON))

    series = [name for name in book.counters.tally(OWNER).series if name.startswith("stated:")]
    assert len(book.counters.heard[OWNER]) == len(series) == HEARD_MOST


@pytest.mark.parametrize("entry", [Cleared(NOON), Cleared(NOON, "a"), Jumped(3_600.0, NOON)])
def test_word_is_forgotten_when_cleared_and_when_the_clock_jumps(entry: Any) -> None:
    book = Book()
    reserve(book)
    book.apply(Heard(OWNER, stated(0), None, NOON))

    book.apply(entry)

    assert not book.counters.heard
    assert isinstance(reserve(book, name="again"), Granted)


def test_clearing_another_profile_leaves_the_word() -> None:
    book = Book()
    reserve(book, STRANGER)
    book.apply(Heard(OWNER, stated(0), None, NOON))

    book.apply(Cleared(NOON, "c"))

    assert isinstance(reserve(book), Denied)


# Weighing.

OWN = limited("a", limit(50), account="key", model="m", pool=LimitScope.MODEL)
"""Half of what the provider allows."""


def weighed(book: Book, said: Stated, who: Profile = FREE, now: float = NOON) -> Weighed:
    for entry in book.missing(who, now):
        book.apply(entry)
    return book.weigh(who, said, now)


def test_first_word_is_news_that_nothing_can_be_compared_with() -> None:
    assert weighed(Book(), stated(90)) == Weighed(
        is_news=True, followed=False, counted=None, tolerance=2
    )


@pytest.mark.parametrize(("remaining", "news"), [(90, False), (88, False), (87, True), (93, True)])
def test_word_is_news_when_it_leaves_the_trend(remaining: int, *, news: bool) -> None:
    assert weighed(told(90), stated(remaining)) == Weighed(
        is_news=news, followed=True, counted=90, tolerance=2
    )


@pytest.mark.parametrize(("remaining", "news"), [(90, False), (50, False), (48, False), (47, True)])
def test_word_beside_our_count_is_news_only_when_it_is_lower(remaining: int, *, news: bool) -> None:
    found = weighed(told(90), stated(remaining), OWN, NOON + 60.0)

    assert found == Weighed(is_news=news, followed=False, counted=50, tolerance=2)


def test_our_lowest_count_is_what_is_compared() -> None:
    other = limit(30, owner=owner_of_model("key", "m"))
    who = limited("a", limit(50), other, account="key", model="m", pool=LimitScope.MODEL)

    assert weighed(told(90), stated(90), who).counted == 30


def test_word_without_a_rest_is_no_news_beside_the_same_limit() -> None:
    assert not weighed(told(90), stated(None), OWN, NOON + 60.0).is_news


def test_limits_of_other_metrics_and_windows_are_not_compared() -> None:
    who = limited("a", limit(5, Metric.TOKENS), limit(5, per="hour"), pool=LimitScope.PROFILE)

    assert weighed(Book(), stated(90), who).counted is None
