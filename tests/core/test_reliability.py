"""How far a profile can be relied on, by what its latest calls came to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.failures import TREATMENTS, Then
from spillover.core.reliability import NO_FAULT, Condition, condition, reliability
from spillover.core.values import FailureClass

Y, N = True, False


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], Condition.HEALTHY),
        ([Y], Condition.HEALTHY),
        ([N], Condition.DEGRADED),
        ([N, N], Condition.DEGRADED),
        ([N, N, N], Condition.UNHEALTHY),
        ([*[Y] * 47, N, N, N], Condition.UNHEALTHY),
        ([*[Y] * 49, N], Condition.DEGRADED),
        ([N, *[Y] * 49], Condition.HEALTHY),
        ([*[N] * 6, *[Y] * 44], Condition.DEGRADED),
        ([N, N, N, N, N, Y, Y], Condition.UNHEALTHY),
        ([N, N, Y], Condition.DEGRADED),
    ],
)
def test_condition_goes_by_the_share_and_by_the_latest_run(
    outcomes: list[bool], expected: Condition
) -> None:
    assert condition(outcomes) is expected


def test_who_needs_a_person_is_unhealthy_whatever_its_calls_came_to() -> None:
    assert condition([], failed=True) is Condition.UNHEALTHY
    assert condition([Y] * 50, failed=True) is Condition.UNHEALTHY


def test_reliability_is_the_share_of_answered_calls_and_unknown_without_calls() -> None:
    assert reliability([]) is None
    assert reliability([Y, N, Y, Y]) == 0.75


def test_what_the_request_is_to_blame_for_is_no_fault_of_the_profile() -> None:
    own = {each for each in FailureClass if TREATMENTS[each].then is not Then.FALLBACK}

    assert {*own, FailureClass.RATE_LIMITED, FailureClass.QUOTA_EXHAUSTED} == NO_FAULT


@given(st.lists(st.booleans(), min_size=1, max_size=50))
def test_one_more_answer_never_makes_it_worse(outcomes: list[bool]) -> None:
    order = list(Condition)

    before, after = condition(outcomes), condition([*outcomes, Y])

    assert order.index(after) <= order.index(before)
