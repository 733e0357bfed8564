"""What the shared record holds after entries, and whom it has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.core.health import Health, LastError, subject_of_account, subject_of_profile
from spillover.core.ladder import Pin, Sticky
from spillover.core.limits import Block, Denied, Granted
from spillover.core.pace import UNKNOWN
from spillover.core.values import (
    Calendar,
    CalendarUnit,
    FailureClass,
    Metric,
    Refill,
    Rolling,
    Usage,
    owner_of_account,
)
from spillover.ledger.book import LEASE_S, PRESUMED_KEPT_S, Book
from spillover.ledger.entries import (
    Alive,
    Cleared,
    HealthChanged,
    Jumped,
    Keyed,
    Pinned,
    Presumed,
    Released,
    Stuck,
    Switched,
)
from tests.core.laddering import DOWN, MISSING_KEY, SPENT
from tests.core.making import NOON, limit, profile
from tests.ledger.keeping import FIVE, NEED, candidate, limited, settled

if TYPE_CHECKING:
    from spillover.core.values import Profile, Window
    from spillover.ledger.entries import Entry

DAY = Calendar(unit=CalendarUnit.DAY)
TOKENS = limited("a", limit(1_000, Metric.TOKENS))
SHARED = limit(5, owner=owner_of_account("key"))
MINE = profile("mine", account="key", limits=(SHARED,))
YOURS = profile("yours", account="key", limits=(SHARED,))


def reserve(
    book: Book, who: Profile = FIVE, *, named: str = "r", now: float = NOON, process: str = "p"
) -> Granted | Denied:
    return book.reserve(named, [candidate(who)], process=process, now=now)[0]


def fold(book: Book, *entries: Entry) -> None:
    for entry in entries:
        book.apply(entry)


def room(book: Book, who: Profile = FIVE, now: float = NOON) -> int | None:
    """How much of a profile's first limit is left."""
    for entry in book.missing(who, now):
        book.apply(entry)
    gauge = book.gauges(who)[0]
    assert gauge.series is not None
    return gauge.capacity - gauge.series.used(gauge.metric, now) - gauge.tally.held[gauge.metric]


def used(book: Book, who: Profile = FIVE, now: float = NOON) -> tuple[int, int]:
    requests, tokens, *_ = book.used(who.name, "day", now)
    return requests, tokens


# Reserving and closing.


def test_reservation_counts_its_request_and_holds_its_tokens() -> None:
    book = Book()

    found = reserve(book, TOKENS)

    assert found == Granted(reservation="r", profile="a", at=NOON)
    assert used(book, TOKENS) == (1, 0)
    assert room(book, TOKENS) == 900


def test_first_candidate_with_room_is_held_and_the_others_are_told() -> None:
    book, full, never = Book(), limited("full", limit(0)), limited("big", limit(9, Metric.TOKENS))
    candidates = [candidate(full), candidate(never), candidate(FIVE)]

    found, _ = book.reserve("r", candidates, process="p", now=NOON)

    assert isinstance(found, Granted)
    assert found.profile == "a"
    assert [(each.profile, each.block.never) for each in found.passed] == [
        ("full", True),
        ("big", True),
    ]


def test_nobody_with_room_is_a_denial_that_holds_nothing() -> None:
    book = Book()
    for place in range(5):
        reserve(book, named=f"r{place}")

    found = reserve(book, named="late")

    assert isinstance(found, Denied)
    assert found.passed[0].block == Block(limit=limit(5), available_at=NOON + 61.0)
    assert set(book.open) == {f"r{place}" for place in range(5)}


def test_settlement_replaces_what_was_held_by_what_was_used() -> None:
    book = Book()
    reserve(book, TOKENS)

    fold(book, settled("r", TOKENS, usage=Usage(requests=1, input_tokens=10, output_tokens=7)))

    assert used(book, TOKENS) == (1, 17)
    assert room(book, TOKENS) == 983
    assert not book.open


def test_tokens_date_from_the_settlement_and_requests_from_the_send() -> None:
    book = Book()
    reserve(book, TOKENS)

    fold(book, settled("r", TOKENS, at=NOON + 50.0))

    later = NOON + 61.0
    assert book.used("a", "minute", later)[:2] == (0, 100)


def test_request_that_connected_slowly_dates_from_its_send() -> None:
    book = Book()
    reserve(book)

    fold(book, settled("r", at=NOON + 9.0, sent_at=NOON + 5.0))

    assert book.used("a", "minute", NOON + 61.0)[0] == 1
    assert book.used("a", "minute", NOON + 66.0)[0] == 0


@pytest.mark.parametrize(("keep", "requests"), [(False, 0), (True, 1)])
def test_release_gives_back_all_or_all_but_the_request(requests: int, *, keep: bool) -> None:
    book = Book()
    reserve(book, TOKENS)

    fold(book, Released("r", NOON + 1.0, keep, FailureClass.NETWORK))

    assert used(book, TOKENS) == (requests, 0)
    assert book.learned["a"].outcomes == [False]
    assert room(book, TOKENS) == 1_000


def test_release_of_nothing_known_changes_nothing() -> None:
    book = Book()
    reserve(book)

    fold(book, Released("other", NOON))

    assert used(book) == (1, 0)


def test_settlement_of_a_call_nobody_remembers_counts_all_of_it() -> None:
    book = Book()

    fold(book, settled("r", TOKENS, sent_at=NOON - 30.0), settled("s", TOKENS))

    assert used(book, TOKENS) == (2, 200)


@pytest.mark.parametrize("window", [Rolling(seconds=60.0), DAY, Refill(seconds=60.0)])
def test_every_kind_of_window_counts_what_is_sent(window: Window) -> None:
    book, who = Book(), limited("a", limit(3, window=window))

    found = [type(reserve(book, who, named=str(place))) for place in range(4)]

    assert found == [Granted, Granted, Granted, Denied]


def test_concurrency_is_room_for_calls_in_flight() -> None:
    book, who = Book(), limited("a", limit(2, Metric.CONCURRENCY, window=None))
    reserve(book, who, named="one")
    reserve(book, who, named="two")
    full = reserve(book, who, named="three")

    fold(book, settled("one", who))

    assert isinstance(full, Denied)
    assert isinstance(reserve(book, who, named="three"), Granted)


def test_account_is_shared_by_its_profiles() -> None:
    book = Book()
    for place in range(3):
        reserve(book, MINE, named=f"m{place}")
    for place in range(2):
        reserve(book, YOURS, named=f"y{place}")

    assert isinstance(reserve(book, MINE, named="late"), Denied)
    assert isinstance(reserve(book, YOURS, named="late"), Denied)


def test_guess_is_tested_by_one_call_at_a_time() -> None:
    book = Book()
    probe = candidate(FIVE, probe="profile:a")
    first, _ = book.reserve("one", [probe], process="p", now=NOON)
    second, _ = book.reserve("two", [probe], process="q", now=NOON)
    fold(book, settled("one"))
    third, _ = book.reserve("three", [probe], process="q", now=NOON)

    assert [type(each) for each in (first, second, third)] == [Granted, Denied, Granted]
    assert second.passed[0].block == Block(limit=None)


# Crashes.


def test_process_that_stopped_saying_that_it_lives_is_dead() -> None:
    book = Book()
    fold(book, Alive("p", NOON), Alive("q", NOON + 15.0))

    assert book.dead(NOON + LEASE_S) == []
    assert book.dead(NOON + LEASE_S + 1.0) == ["p"]


def test_process_that_never_said_so_is_dead_when_its_calls_are_old() -> None:
    book = Book()
    reserve(book, process="stranger")

    assert book.dead(NOON + LEASE_S) == []
    assert book.dead(NOON + LEASE_S + 1.0) == ["stranger"]


def test_calls_of_the_dead_are_presumed_used_and_their_slots_are_free() -> None:
    book, who = (
        Book(),
        limited("a", limit(1_000, Metric.TOKENS), limit(1, Metric.CONCURRENCY, window=None)),
    )
    fold(book, Alive("p", NOON), Alive("q", NOON))
    reserve(book, who)

    fold(book, Presumed("p", NOON + 21.0))

    assert used(book, who) == (1, 100)
    assert book.open == {}
    assert list(book.alive) == ["q"]
    assert book.learned["a"].presumed == 1
    assert isinstance(reserve(book, who, named="next", process="q"), Granted)


def test_late_settlement_replaces_what_was_presumed() -> None:
    book = Book()
    reserve(book, TOKENS)
    fold(book, Presumed("p", NOON + 21.0))

    fold(book, settled("r", TOKENS, at=NOON + 30.0, usage=Usage(requests=1, input_tokens=7)))

    assert used(book, TOKENS, NOON + 30.0) == (1, 7)
    assert not book.presumed


@pytest.mark.parametrize(("keep", "requests"), [(False, 0), (True, 1)])
def test_late_release_takes_back_what_was_presumed(requests: int, *, keep: bool) -> None:
    book = Book()
    reserve(book, TOKENS)
    fold(book, Presumed("p", NOON + 21.0))

    fold(book, Released("r", NOON + 30.0, keep_request=keep))

    assert used(book, TOKENS, NOON + 30.0) == (requests, 0)


def test_presumed_call_is_remembered_for_an_hour() -> None:
    book = Book()
    reserve(book, TOKENS)
    fold(book, Presumed("p", NOON))

    fold(book, Presumed("q", NOON + PRESUMED_KEPT_S), Presumed("q", NOON + PRESUMED_KEPT_S + 1.0))

    assert not book.presumed
    assert used(book, TOKENS) == (1, 100)


# What users do.


def test_clearing_a_profile_takes_back_its_share_of_the_account() -> None:
    book = Book()
    for place in range(3):
        reserve(book, MINE, named=f"m{place}")
        fold(book, settled(f"m{place}", MINE))
    reserve(book, YOURS, named="y")

    fold(book, Cleared(NOON + 1.0, "mine"))

    assert used(book, MINE) == (0, 0)
    assert used(book, YOURS) == (1, 0)
    assert room(book, YOURS) == 4


def test_clearing_everything_leaves_calls_in_flight() -> None:
    book = Book()
    reserve(book, MINE, named="over")
    fold(book, settled("over", MINE))
    reserve(book, YOURS, named="open")

    fold(book, Cleared(NOON + 1.0))

    assert (used(book, MINE), used(book, YOURS)) == ((0, 0), (1, 0))
    assert room(book, MINE) == 4
    assert list(book.open) == ["open"]


def test_clearing_ends_waits_and_the_sticky_pointer_but_not_failures() -> None:
    book, account = Book(), subject_of_account("a-key")
    error = LastError(failure=FailureClass.TIMEOUT, status=504, message="", at=NOON, profile="a")
    reserve(book)
    fold(
        book,
        HealthChanged(subject_of_profile("a"), Health(cooldown=DOWN.cooldown, last_error=error)),
        HealthChanged(account, Health(exhausted=SPENT.exhausted, failed=MISSING_KEY.failed)),
        HealthChanged("provider:groq", DOWN),
        HealthChanged(subject_of_profile("b"), DOWN),
        Stuck("default", Sticky(profile="a", at=NOON)),
        Stuck("coding", Sticky(profile="b", at=NOON)),
    )

    fold(book, Cleared(NOON, "a", ("provider:groq",)))

    assert book.health(subject_of_profile("a")) == Health(last_error=error)
    assert book.health(account) == MISSING_KEY
    assert book.health("provider:groq") == Health()
    assert book.health(subject_of_profile("b")) == DOWN
    assert book.sticky("default") is None
    assert book.sticky("coding") is not None


def test_clearing_everything_ends_every_wait() -> None:
    book = Book()
    fold(book, HealthChanged("provider:groq", DOWN))

    fold(book, Cleared(NOON))

    assert book.health("provider:groq") == Health()


def test_clearing_a_profile_that_was_never_used_changes_no_count() -> None:
    book = Book()
    reserve(book)

    fold(book, Cleared(NOON, "other"))

    assert used(book) == (1, 0)


def test_call_presumed_before_a_clearing_is_not_taken_back_after_it() -> None:
    book = Book()
    reserve(book, TOKENS)
    fold(book, Presumed("p", NOON), Cleared(NOON, "a"))
    reserve(book, TOKENS, named="next")
    fold(book, settled("next", TOKENS))

    fold(book, settled("r", TOKENS, usage=Usage(requests=1, input_tokens=7)))

    assert used(book, TOKENS) == (2, 107)


def test_what_is_set_by_hand_is_set_and_undone() -> None:
    book = Book()
    pin = Pin(profile="a", strict=True)
    fold(book, Switched("a", disabled=True, at=NOON), Pinned("default", pin), Keyed("a", "print"))
    held = (book.is_disabled("a"), book.pin("default"), book.prints)

    fold(book, Switched("a", disabled=False, at=NOON), Pinned("default", None))
    fold(book, HealthChanged("profile:a", DOWN), HealthChanged("profile:a", None))

    assert held == (True, pin, {"a": "print"})
    assert (book.is_disabled("a"), book.pin("default"), book.health("profile:a")) == (
        False,
        None,
        None,
    )


# The clock.


@pytest.mark.parametrize("jump", [-7_200.0, -10.0, 10.0, 7_200.0])
def test_jump_of_the_clock_opens_no_limit_and_forgets_no_call(jump: float) -> None:
    book = Book()
    for place in range(4):
        reserve(book, named=f"r{place}", process="p")
    fold(book, Alive("p", NOON), Presumed("gone", NOON), HealthChanged("profile:a", DOWN))
    fold(book, Stuck("default", Sticky(profile="a", at=NOON)))
    now = NOON + jump

    fold(book, Jumped(jump, now, "p"))

    assert room(book, now=now) == 1
    assert book.dead(now) == []
    cooldown, sticky = book.healths["profile:a"].cooldown, book.sticky("default")
    assert cooldown is not None
    assert sticky is not None
    assert (cooldown.until, sticky.at) == (NOON + 60.0 + jump, now)
    fold(book, Released("r0", now))
    assert room(book, now=now) == 2


def test_call_sent_before_the_clock_was_set_back_counts_when_it_ends_at_the_latest() -> None:
    book, now = Book(), NOON - 3_600.0
    reserve(book)
    fold(book, Jumped(-3_600.0, now, "p", -3_600.0))

    fold(book, settled("r", at=now + 1.0, sent_at=NOON))

    assert room(book, now=now + 61.5) == 4
    assert room(book, now=now + 62.0) == 5


def test_call_presumed_before_a_jump_is_corrected_after_it() -> None:
    book = Book()
    reserve(book, TOKENS)
    fold(book, Presumed("p", NOON + 21.0), Jumped(3_600.0, NOON + 3_621.0, "q"))

    fold(book, Released("r", NOON + 3_622.0))

    assert used(book, TOKENS, NOON + 3_622.0) == (0, 0)


SECOND = {
    "the same seen by another": (Jumped(3_600.5, NOON, "q", 3_600.5), 3_600.0),
    "one more": (Jumped(3_600.0, NOON, "q", 7_200.0), 7_200.0),
    "two seen as one": (Jumped(7_200.0, NOON, "q", 7_200.0), 7_200.0),
    "back again": (Jumped(-3_600.0, NOON, "q", 0.0), 0.0),
    "machine started anew": (Jumped(0.0, NOON, "q", 9e9, True), 3_600.0),
    "told by an older version": (Jumped(3_600.0, NOON, "q"), 7_200.0),
}


@pytest.mark.parametrize(("second", "moved"), SECOND.values(), ids=SECOND)
def test_jumps_move_the_record_to_where_the_last_one_led(second: Jumped, moved: float) -> None:
    book = Book()
    fold(book, Stuck("default", Sticky(profile="a", at=NOON)))

    fold(book, Jumped(3_600.0, NOON, "p", 3_600.0), second)

    assert book.stickies["default"].at == NOON + moved


# Windows that come later, and what is read.


def test_window_that_is_counted_later_knows_what_was_used_before() -> None:
    book, before = Book(), profile("a")
    for place in range(4):
        reserve(book, before, named=f"r{place}")
        fold(book, settled(f"r{place}", before))

    assert room(book, limited("a", limit(1_000, Metric.TOKENS))) == 600
    assert room(book, limited("a", limit(9, owner=owner_of_account("a-key")))) == 5


def test_limits_changed_by_a_new_configuration_bind_at_once() -> None:
    book = Book()
    reserve(book)

    found = reserve(book, limited("a", limit(1)), named="next")

    assert isinstance(found, Denied)


def test_reading_a_profile_that_was_never_used_counts_nothing() -> None:
    book = Book()

    assert book.used("a", "minute", NOON) == (0, 0, 0, 0, 0, 0)
    assert (book.block(candidate(FIVE), NOON), book.pace("a")) == (None, UNKNOWN)
    assert (book.calibration("a").outputs, book.load(FIVE, NOON)) == ([], 0.0)


def test_load_is_the_share_of_the_fullest_limit_else_of_requests() -> None:
    book, free, shut = Book(), profile("b"), limited("c", limit(0))
    reserve(book, named="one")
    reserve(book, free, named="two")
    fold(book, settled("one", took_ms=9.0, ttft_ms=4.0))

    assert book.load(FIVE, NOON) == 0.2
    assert book.load(shut, NOON) == 1.0
    assert 0.0 < book.load(free, NOON) < 0.001
    assert book.pace("a").ttft_ms == 4.0


def test_need_of_a_call_is_what_it_reserves() -> None:
    book = Book()
    reserve(book, TOKENS)

    assert book.open["r"].need == NEED
