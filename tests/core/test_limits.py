"""Whether a call fits under limits, and when it will."""

from __future__ import annotations

import pytest
from msgspec import structs

from spillover.core.limits import Block, Gauge, Tally, admit, gauge, reading, room_of
from spillover.core.values import (
    METRIC_INDEX,
    Amounts,
    Lifetime,
    Limit,
    Metric,
    Refill,
    Rolling,
    Usage,
    parts_of,
)
from spillover.core.windows import new_series
from tests.core.making import NOON, limit

NEED = Usage(requests=1, input_tokens=60, output_tokens=40).amounts


def used(limit: Limit, amounts: Amounts, at: float = NOON) -> Tally:
    """A tally on which `amounts` were counted for the limit's window."""
    tally = Tally()
    if limit.window is not None:
        series = new_series(limit.window, limit.metric, limit.amount)
        series.add(at, parts_of(amounts))
        tally.series["it"] = series
    return tally


def verdict(
    limit: Limit, counted: Amounts = (0,) * 6, *, held: int = 0, in_flight: int = 0
) -> Block | None:
    """What one limit says to `NEED`."""
    tally = used(limit, counted)
    if limit.metric is not Metric.CONCURRENCY:
        tally.held[METRIC_INDEX[limit.metric]] = held
    tally.in_flight = in_flight
    return admit([gauge(limit, tally, tally.series.get("it"))], NEED, NOON)


def test_call_without_limits_fits() -> None:
    assert admit([], NEED, NOON) is None


@pytest.mark.parametrize(("counted", "held", "fits"), [(4, 0, True), (5, 0, False), (9, 0, False)])
def test_request_fits_while_one_is_left(counted: int, held: int, *, fits: bool) -> None:
    block = verdict(limit(5), (counted, 0, 0, 0, 0, 0), held=held)

    assert (block is None) is fits


@pytest.mark.parametrize(
    ("counted", "held", "fits"),
    [
        (0, 0, True),
        (900, 0, True),
        (901, 0, False),
        (0, 900, True),
        (0, 901, False),
        (450, 451, False),
    ],
)
def test_tokens_fit_beside_what_is_used_and_what_is_held(
    counted: int, held: int, *, fits: bool
) -> None:
    block = verdict(limit(1_000, Metric.TOKENS), (0, counted, 0, 0, 0, 0), held=held)

    assert (block is None) is fits


def test_used_up_limit_says_when_there_is_room_for_this_call() -> None:
    spent = limit(5)

    block = verdict(spent, (7, 0, 0, 0, 0, 0))

    assert block == Block(limit=spent, available_at=NOON + 61.0)


@pytest.mark.parametrize(("counted", "held", "never"), [(901, 0, True), (900, 1, False)])
def test_credit_that_is_used_never_comes_back_but_what_is_held_of_it_may(
    counted: int, held: int, *, never: bool
) -> None:
    credit = limit(1_000, Metric.TOKENS, window=Lifetime(), per="lifetime")

    block = verdict(credit, (0, counted, 0, 0, 0, 0), held=held)

    assert block == Block(limit=credit, never=never)


def test_room_that_others_hold_comes_back_nobody_knows_when() -> None:
    spent = limit(1_000, Metric.TOKENS)

    block = verdict(spent, held=950)

    assert block == Block(limit=spent, available_at=None)


def test_call_larger_than_the_whole_limit_never_fits() -> None:
    small = limit(99, Metric.TOKENS)

    block = verdict(small)

    assert block == Block(limit=small, never=True)


@pytest.mark.parametrize(
    "nothing",
    [
        limit(0),
        limit(0, Metric.COST),
        limit(0, Metric.REQUESTS, window=Refill(seconds=60.0, burst=5)),
        limit(0, Metric.CONCURRENCY, window=None),
    ],
    ids=["requests", "a metric the call does not need", "refill with a burst", "concurrency"],
)
def test_limit_of_nothing_lets_nothing_pass(nothing: Limit) -> None:
    block = verdict(nothing)

    assert block is not None
    assert block.never


def test_metric_that_the_call_does_not_need_may_be_overdrawn() -> None:
    assert verdict(limit(5, Metric.COST), (0, 0, 0, 0, 999, 0)) is None


def test_refill_bucket_holds_its_burst() -> None:
    wide = limit(10, Metric.TOKENS, window=Refill(seconds=60.0, burst=100))
    narrow = limit(1_000, Metric.TOKENS, window=Refill(seconds=60.0, burst=99))

    assert verdict(wide) is None
    assert verdict(narrow) == Block(limit=narrow, never=True)


def test_refill_bucket_says_when_it_holds_enough() -> None:
    spent = limit(60, Metric.TOKENS, window=Refill(seconds=60.0, burst=100))

    block = verdict(spent, (0, 30, 0, 0, 0, 0))

    assert block == Block(limit=spent, available_at=NOON + 30.0)


@pytest.mark.parametrize(("in_flight", "fits"), [(0, True), (1, True), (2, False), (3, False)])
def test_concurrency_counts_calls_in_flight(in_flight: int, *, fits: bool) -> None:
    spent = limit(2, Metric.CONCURRENCY, window=None, per=None)

    block = verdict(spent, in_flight=in_flight)

    assert block == (None if fits else Block(limit=spent))


def test_never_comes_before_unknown_and_unknown_before_the_latest_instant() -> None:
    never = limit(99, Metric.TOKENS)
    unknown = limit(0 + 1, Metric.CONCURRENCY, window=None)
    late = limit(5, window=Rolling(seconds=3_600.0))
    soon = limit(5)
    full = (5, 0, 0, 0, 0, 0)
    gauges = {}
    for each in (never, unknown, late, soon):
        tally = used(each, full)
        tally.in_flight = 1
        gauges[each] = gauge(each, tally, tally.series.get("it"))
    order = [soon, late, unknown, never]

    for count in range(1, 5):
        block = admit([gauges[each] for each in order[:count]], NEED, NOON)
        turned = admit([gauges[each] for each in reversed(order[:count])], NEED, NOON)

        assert block is not None
        assert block.limit == order[count - 1]
        assert turned == block


def test_reading_shows_what_counts_and_what_is_held() -> None:
    spent = limit(1_000, Metric.TOKENS)
    tally = used(spent, (0, 300, 0, 0, 0, 0))
    tally.held[METRIC_INDEX[Metric.TOKENS]] = 50

    assert reading(gauge(spent, tally, tally.series["it"]), NOON) == (300, 50)
    assert reading(gauge(spent, tally, tally.series["it"]), NOON + 61.0) == (0, 50)


def test_reading_of_concurrency_is_what_is_in_flight() -> None:
    tally = Tally(in_flight=3)

    assert reading(gauge(limit(5, Metric.CONCURRENCY, window=None), tally, None), NOON) == (0, 3)


# What the provider says.


def by_word(spent: Limit, *, until: float) -> Gauge:
    tally = used(spent, (spent.amount, 0, 0, 0, 0, 0))
    own = gauge(spent, tally, tally.series["it"])
    return structs.replace(own, until=until, stated=True)


def test_block_by_the_providers_word_says_so() -> None:
    block = admit([by_word(limit(5), until=NOON + 1.0)], NEED, NOON)

    assert block == Block(limit=limit(5), available_at=NOON + 61.0, stated=True)


def test_call_larger_than_the_whole_that_is_stated_never_fits() -> None:
    block = admit([by_word(limit(0), until=NOON + 1.0)], NEED, NOON)

    assert block == Block(limit=limit(0), never=True, stated=True)


def test_word_that_is_over_says_nothing() -> None:
    over = by_word(limit(5), until=NOON)

    assert admit([over], NEED, NOON) is None
    assert reading(over, NOON) == (0, 0)


@pytest.mark.parametrize(
    ("in_flight", "after_s", "fits"),
    [(3, 0.0, True), (4, 0.0, False), (4, 59.0, False), (4, 60.0, True), (5, 60.0, False)],
)
def test_concurrency_that_was_learned_grows(in_flight: int, after_s: float, *, fits: bool) -> None:
    crowd = limit(4, Metric.CONCURRENCY, window=None, per=None)
    learned = structs.replace(gauge(crowd, Tally(in_flight=in_flight), None), learned_at=NOON)

    assert (admit([learned], NEED, NOON + after_s) is None) is fits
    assert room_of(gauge(crowd, Tally(), None), NOON + after_s) == 4
