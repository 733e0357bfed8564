"""How many calls a provider takes at once, as its refusals teach it."""

from __future__ import annotations

import pytest

from spillover.core.crowding import FORGOTTEN_AFTER_S, Crowd, crowded_owner, grown, lowered
from spillover.core.values import FailureClass, FaultScope
from tests.core.making import NOON, failure, profile


def test_burst_teaches_what_was_in_flight_less_what_was_refused() -> None:
    learned = lowered(None, 50, sent_at=NOON - 0.1, at=NOON)
    for number in range(1, 46):
        # Accepted calls may have ended meanwhile: what is in flight by then says nothing.
        learned = lowered(learned, 3, sent_at=NOON - 0.05, at=NOON + number / 1_000)

    assert learned == Crowd(at=NOON, accepted=4)


def test_at_least_one_call_is_always_accepted() -> None:
    first = lowered(None, 1, sent_at=NOON - 0.1, at=NOON)
    second = lowered(first, 1, sent_at=NOON - 0.1, at=NOON + 0.1)

    assert (first.accepted, second.accepted) == (1, 1)


@pytest.mark.parametrize(
    ("sent_in_s", "in_flight", "accepted"),
    [
        (0.1, 6, 3),  # granted before the first refusal: others in flight are refused too
        (0.1, 3, 2),
        (120.0, 6, 5),  # two minutes let two more through
        (120.0, 8, 5),
        (FORGOTTEN_AFTER_S, 80, 79),
        (10 * FORGOTTEN_AFTER_S, 80, 79),
    ],
)
def test_later_refusal_counts_anew_but_never_lets_more_through(
    sent_in_s: float, in_flight: int, accepted: int
) -> None:
    before = Crowd(at=NOON, accepted=4)
    later = NOON + sent_in_s

    learned = lowered(before, in_flight, sent_at=later, at=later)

    assert learned == Crowd(at=later, accepted=accepted)


def test_word_of_a_future_that_never_came_is_replaced() -> None:
    before = Crowd(at=NOON + 2 * FORGOTTEN_AFTER_S, accepted=4)

    assert lowered(before, 6, sent_at=NOON, at=NOON) == Crowd(at=NOON, accepted=5)


@pytest.mark.parametrize(
    ("after_s", "accepted"), [(-5.0, 4), (0.0, 4), (59.9, 4), (60.0, 5), (600.0, 14)]
)
def test_one_more_is_let_through_for_each_minute_without_a_refusal(
    after_s: float, accepted: int
) -> None:
    assert grown(4, NOON, NOON + after_s) == accepted


@pytest.mark.parametrize(
    ("scope", "owner"),
    [(FaultScope.ACCOUNT, "account:a-key"), (FaultScope.PROFILE, "profile:a")],
)
def test_those_are_counted_whom_the_refusal_blames(scope: FaultScope, owner: str) -> None:
    refusal = failure(FailureClass.RATE_LIMITED, scope=scope, concurrency=True)

    assert crowded_owner(profile("a"), refusal) == owner
