"""Sums of what happened, and their layout for a plot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.history import (
    COST,
    ERRORS,
    KEPT_S,
    METRICS,
    MOST,
    REQUESTS,
    SPANS,
    By,
    Counts,
    Grain,
    Key,
    add,
    nothing,
    series,
    shed,
    shown,
    spread,
)
from tests.core.making import NOON

START = int(NOON)
PAIRS = st.tuples(st.sampled_from(["default", "coding"]), st.sampled_from(["", "groq", "glm"]))
KEYS = st.builds(
    lambda minute, pair: Key(Grain.MINUTE, START + 60 * minute, *pair),
    st.integers(-3_000, 3_000),
    PAIRS,
)
SUMS = st.dictionaries(KEYS, st.lists(st.integers(0, 9), min_size=8, max_size=8), max_size=30)


def one(metric: int, count: int = 1) -> Counts:
    counts = nothing()
    counts[metric] = count
    return counts


def minute(at: float, profile: str = "groq", chain: str = "default") -> Key:
    return Key(Grain.MINUTE, int(at), chain, profile)


@pytest.mark.parametrize("name", SPANS)
def test_an_axis_ends_with_the_step_under_way_and_is_never_longer_than_sums_are_kept(
    name: str,
) -> None:
    span = SPANS[name]

    axis = span.axis(NOON + 61.5)

    assert (len(axis), axis.step) == (span.steps, span.step_s)
    assert axis[-1] <= NOON + 61.5 < axis[-1] + span.step_s
    assert axis.start % span.step_s == 0
    assert span.step_s % span.grain == 0
    assert len(axis) * span.step_s <= KEPT_S[span.grain]


def test_sums_add_up_and_none_is_larger_than_can_be_kept() -> None:
    sums: dict[Key, Counts] = {}

    for counts in (one(REQUESTS), one(REQUESTS, 2), one(COST, MOST), one(COST, MOST)):
        add(sums, minute(NOON), counts)

    assert sums[minute(NOON)][REQUESTS] == 3
    assert sums[minute(NOON)][COST] == MOST


@given(SUMS)
def test_every_grain_has_the_same_totals(minutes: dict[Key, Counts]) -> None:
    into: dict[Key, Counts] = {}

    spread(minutes, into)

    totals = {
        grain: [
            sum(counts[metric] for key, counts in into.items() if key.grain is grain)
            for metric in range(len(METRICS))
        ]
        for grain in Grain
    }
    assert totals[Grain.MINUTE] == totals[Grain.HOUR] == totals[Grain.DAY]
    assert all(key.at % key.grain == 0 for key in into)


@given(SUMS, st.sampled_from(sorted(SPANS)), st.sampled_from(By))
def test_series_hold_what_lies_on_the_axis_and_nothing_else(
    minutes: dict[Key, Counts], name: str, by: By
) -> None:
    axis = SPANS[name].axis(NOON)

    found = series(axis, minutes.items(), by)

    end = axis[-1] + axis.step
    inside = [counts for key, counts in minutes.items() if axis.start <= key.at < end]
    for metric in range(len(METRICS)):
        laid_out = sum(sum(arrays[metric]) for arrays in found.values())
        assert laid_out == sum(counts[metric] for counts in inside)
    assert all(len(array) == len(axis) for arrays in found.values() for array in arrays)
    assert list(found) == sorted(found)


def test_series_are_by_profile_or_by_chain() -> None:
    axis = SPANS["hour"].axis(NOON)
    sums = [
        (minute(NOON, "groq", "a"), one(REQUESTS)),
        (minute(NOON, "glm", "a"), one(ERRORS)),
        (minute(NOON - 60, "groq", "b"), one(REQUESTS)),
    ]

    sums.append((minute(NOON - 10**6, chain="older"), one(REQUESTS)))  # off the axis
    profiles, chains = series(axis, sums, By.PROFILE), series(axis, sums, By.CHAIN)

    assert profiles["groq"][REQUESTS][-2:] == [1, 1]
    assert (chains["a"][REQUESTS][-1], chains["a"][ERRORS][-1]) == (1, 1)
    assert list(profiles) == ["glm", "groq"]


def test_of_too_many_sums_the_oldest_minutes_go_and_hours_and_days_stay() -> None:
    sums: dict[Key, Counts] = {}
    spread({minute(NOON + 60 * n): one(REQUESTS) for n in range(10)}, sums)

    shed(sums, 12)
    before = dict(sums)
    shed(sums, 12)

    assert {key.grain: counts for key, counts in sums.items()}[Grain.DAY] == one(REQUESTS, 10)
    assert len(sums) == 12
    assert before == sums


def test_the_oldest_minutes_go_first() -> None:
    sums = {minute(NOON + 60 * n): one(REQUESTS) for n in (2, 0, 1)}

    shed(sums, 1)

    assert list(sums) == [minute(NOON + 120)]


def test_money_is_written_in_dollars() -> None:
    assert shown(COST, 1_500_000_000) == 1.5
    assert shown(REQUESTS, 3) == 3
