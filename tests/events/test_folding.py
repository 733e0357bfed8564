"""Bursts become few notices, and none is lost."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spillover.core.notices import GRAVE, NoticeKind
from spillover.events import Notice
from spillover.events.folding import CALM_S, LINES_MOST, LONGEST_S, QUIET_S, Fold, folded
from tests.core.making import NOON


def notice(text: str = "a", kind: NoticeKind = NoticeKind.FALLBACK, **fields: Any) -> Notice:
    return Notice(at=NOON, kind=kind, text=text, **fields)


class Played:
    """A fold by itself in time: what is told, and when."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self.told: list[tuple[float, Notice]] = []

    def passes_to(self, now: float) -> None:
        while (due_at := self.fold.due_at) is not None and due_at <= now:
            self._add(due_at, self.fold.take(due_at))

    def offers(self, now: float, what: Notice) -> None:
        self.passes_to(now)
        self._add(now, self.fold.offer(what, now))

    def _add(self, now: float, told: Notice | None) -> None:
        if told is not None:
            self.told.append((now, told))


def test_the_first_is_told_at_once_and_what_follows_together() -> None:
    played = Played(Fold())

    for now, text in ((0.0, "a"), (1.0, "b"), (2.0, "c")):
        played.offers(now, notice(text))
    played.passes_to(100.0)

    assert [(now, told.text, told.count) for now, told in played.told] == [
        (0.0, "a", 1),
        (QUIET_S, "b\nc", 2),
    ]


def test_nothing_is_due_before_its_time() -> None:
    fold = Fold()
    fold.offer(notice(), 0.0)
    fold.offer(notice(), 1.0)

    assert fold.take(QUIET_S - 0.1) is None
    assert fold.due_at == QUIET_S
    assert fold.take(QUIET_S) is not None
    assert [fold.due_at, fold.take(99.0)] == [None, None]


def test_what_comes_after_the_quiet_but_before_the_held_is_told_waits_with_it() -> None:
    fold = Fold()
    fold.offer(notice("a"), 0.0)
    fold.offer(notice("b"), 1.0)

    assert fold.offer(notice("c"), QUIET_S + 1) is None
    told = fold.take(QUIET_S + 1)
    assert told is not None
    assert told.text == "b\nc"


def test_what_goes_on_and_on_is_told_less_and_less_often_until_it_calms() -> None:
    played = Played(Fold())
    for minute in range(120):
        played.offers(60.0 * minute, notice())
    in_two_hours = len(played.told)
    late = 60.0 * 120 + LONGEST_S + CALM_S * 2
    played.offers(late, notice("later"))
    played.offers(late + 1, notice("and"))
    played.passes_to(late + QUIET_S)

    assert in_two_hours < 25
    assert [(now - late, told.text) for now, told in played.told[-2:]] == [
        (0.0, "later"),
        (QUIET_S, "and"),
    ]


def test_the_grave_does_not_wait_for_a_long_quiet() -> None:
    played = Played(Fold())
    for minute in range(60):
        played.offers(60.0 * minute, notice())
    played.passes_to(played.told[-1][0])
    (before, _) = played.told[-1]

    played.offers(60.0 * 59 + 1, notice("out of money", NoticeKind.BUDGET))
    played.passes_to(60.0 * 59 + 1 + QUIET_S)

    now, told = played.told[-1]
    assert now > before
    assert told.text.splitlines()[0] == "out of money"


KINDS = st.sampled_from(NoticeKind)
EVENTS = st.lists(st.tuples(st.floats(0.0, 300.0), KINDS), max_size=60)


@given(EVENTS, st.sampled_from([QUIET_S, LONGEST_S]))
def test_every_notice_is_told_exactly_once_with_quiet_between(
    events: list[tuple[float, NoticeKind]], longest_s: float
) -> None:
    played, now = Played(Fold(longest_s=longest_s)), 0.0
    for pause, kind in events:
        now += pause
        played.offers(now, notice(kind.value, kind))
    played.passes_to(now + LONGEST_S)

    assert sum(told.count for _, told in played.told) == len(events)
    assert all(b - a >= QUIET_S for (a, _), (b, _) in pairwise(played.told))


@given(EVENTS)
def test_the_grave_is_told_within_the_shortest_quiet(
    events: list[tuple[float, NoticeKind]],
) -> None:
    played, now = Played(Fold()), 0.0
    for pause, kind in events:
        now += pause
        played.offers(now, notice(kind.value, kind))
        if kind in GRAVE:
            before = sum(told.count for _, told in played.told)
            due_at = played.fold.due_at
            assert due_at is None or due_at <= now + QUIET_S
            assert before or due_at is not None


def test_several_are_told_by_what_they_share() -> None:
    told = folded(
        [
            notice("a", chain="default", cause="limit"),
            notice("b", NoticeKind.FAILED, chain="default", cause="timeout"),
            notice("a", chain="default", cause="limit"),
        ]
    )

    assert (told.kind, told.count) == (NoticeKind.FAILED, 3)
    assert told.text == "b\na (×2)"
    assert (told.chain, told.cause, told.profile) == ("default", None, None)


def test_of_very_many_the_rest_is_counted() -> None:
    told = folded([notice(str(number)) for number in range(20)])

    assert told.text.splitlines() == ["0", "1", "2", "3", "and 16 more"]
    assert len(told.text.splitlines()) == LINES_MOST
    assert folded([notice(str(n)) for n in range(LINES_MOST)]).text.count("\n") == LINES_MOST - 1
