"""How fast a profile is taken to be, and who is tried first for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.pace import (
    EXPLORED,
    LEAST_SUCCESS,
    UNKNOWN,
    Pace,
    answered,
    failed,
    fastest_first,
)

FAST = Pace(ttft_ms=100.0, ms_per_token=5.0)
SLOW = Pace(ttft_ms=900.0, ms_per_token=20.0)
paces = st.builds(
    Pace,
    ttft_ms=st.none() | st.floats(0.0, 1e6),
    ms_per_token=st.none() | st.floats(0.0, 1e4),
    success=st.floats(0.0, 1.0),
)


def order(*known: Pace, draw: float | None = 0.0, tokens: int = 100) -> list[int]:
    """Return the places of profiles in the order they would be tried."""
    return fastest_first(range(len(known)), lambda place: (known[place], tokens), draw)


def test_first_stream_is_taken_as_it_was() -> None:
    pace = answered(UNKNOWN, took_ms=1_100.0, ttft_ms=100.0, output_tokens=100)

    assert pace == Pace(ttft_ms=100.0, ms_per_token=10.0)
    assert pace.tokens_per_s == 100.0
    assert pace.expected_ms(50) == 600.0


def test_later_calls_move_what_is_known_by_their_share() -> None:
    pace = answered(FAST, took_ms=1_200.0, ttft_ms=200.0, output_tokens=100)

    assert pace.ttft_ms == pytest.approx(130.0)
    assert pace.ms_per_token == pytest.approx(6.5)


def test_short_answer_tells_little_of_the_rate() -> None:
    pace = answered(FAST, took_ms=100.0, ttft_ms=100.0, output_tokens=1)

    assert pace.ms_per_token == pytest.approx(5.0 - 5.0 * 0.3 / 32)


def test_unstreamed_answer_tells_the_rate_behind_the_known_first_content() -> None:
    assert answered(UNKNOWN, took_ms=500.0, ttft_ms=None, output_tokens=50) == Pace(
        ms_per_token=10.0
    )
    assert answered(FAST, took_ms=600.0, ttft_ms=None, output_tokens=100) == FAST


def test_answer_without_tokens_is_all_first_content() -> None:
    pace = answered(UNKNOWN, took_ms=40.0, ttft_ms=None, output_tokens=0)

    assert pace == Pace(ttft_ms=40.0)
    assert pace.tokens_per_s is None
    assert pace.expected_ms(0) == 40.0


def test_failures_make_a_profile_slow_and_answers_make_it_fast_again() -> None:
    once = failed(FAST)
    again = answered(once, took_ms=600.0, ttft_ms=100.0, output_tokens=100)

    assert once.success == pytest.approx(0.7)
    assert once.expected_ms(100) == pytest.approx(600.0 / 0.7)
    assert again.success == pytest.approx(0.79)


def test_who_fails_always_is_slow_but_not_for_ever() -> None:
    pace = FAST
    for _ in range(100):
        pace = failed(pace)

    assert pace.expected_ms(100) == pytest.approx(600.0 / LEAST_SUCCESS)


def test_soonest_done_is_tried_first() -> None:
    assert order(SLOW, FAST) == [1, 0]


def test_long_answers_go_to_the_better_rate_and_short_ones_to_the_sooner_start() -> None:
    eager, steady = Pace(ttft_ms=50.0, ms_per_token=50.0), Pace(ttft_ms=500.0, ms_per_token=1.0)

    assert order(eager, steady, tokens=1) == [0, 1]
    assert order(eager, steady, tokens=1_000) == [1, 0]


def test_unmeasured_is_tried_first_unless_all_it_did_was_to_fail() -> None:
    assert order(FAST, failed(UNKNOWN), UNKNOWN) == [2, 0, 1]


def test_ties_keep_their_order() -> None:
    assert order(UNKNOWN, UNKNOWN) == [0, 1]
    assert order(FAST, FAST) == [0, 1]


@pytest.mark.parametrize(
    ("draw", "first"),
    [(0.0, 1), (1 - EXPLORED - 0.001, 1), (0.96, 2), (0.99, 0), (0.999999, 0), (None, 1)],
)
def test_upper_end_of_the_draw_tries_one_of_the_others(draw: float | None, first: int) -> None:
    assert order(SLOW, FAST, Pace(ttft_ms=700.0), draw=draw)[0] == first


def test_there_is_nothing_to_explore_where_one_alone_may_serve() -> None:
    assert order(FAST, draw=0.999) == [0]
    assert order(draw=0.999) == []


def test_slow_one_that_is_fast_again_is_found_out() -> None:
    known = [FAST, SLOW]
    for _ in range(20):  # the trials of some 400 requests
        known[1] = answered(known[1], took_ms=60.0, ttft_ms=10.0, output_tokens=100)

    assert order(*known) == [1, 0]


@given(st.lists(paces, max_size=6), st.floats(0.0, 1.0, exclude_max=True))
def test_order_loses_and_doubles_nobody_and_one_at_most_is_out_of_place(
    known: list[Pace], draw: float
) -> None:
    found, plain = order(*known, draw=draw), order(*known, draw=None)

    assert sorted(found) == list(range(len(known)))
    assert [each for each in found if each != found[0]] == [
        each for each in plain if each != found[0]
    ]


@given(
    paces,
    st.floats(0.0, 1e7),
    st.none() | st.floats(0.0, 1e7),
    st.integers(0, 100_000),
)
def test_what_is_learned_stays_between_what_was_known_and_what_is_seen(
    pace: Pace, took_ms: float, ttft_ms: float | None, tokens: int
) -> None:
    found = answered(pace, took_ms=took_ms, ttft_ms=ttft_ms, output_tokens=tokens)

    assert pace.success <= found.success <= 1.0
    assert (found.ms_per_token or 0.0) >= 0.0
    assert found.expected_ms(tokens) is not None
    if ttft_ms is not None and pace.ttft_ms is not None:
        low, high = sorted((ttft_ms, pace.ttft_ms))
        assert low - 1e-6 <= (found.ttft_ms or 0.0) <= high + 1e-6
