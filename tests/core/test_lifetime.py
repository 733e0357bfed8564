"""What is used of a credit counts for good."""

from __future__ import annotations

import msgspec

from spillover.core.lifetime import LifetimeSeries
from spillover.core.values import METRIC_INDEX, Lifetime, Metric, Rolling, parts_of
from spillover.core.windows import RollingSeries, Series, new_series, seed, window_key
from tests.core.making import NOON

COST = METRIC_INDEX[Metric.COST]
CALL = parts_of((1, 100, 60, 40, 7, 0))
BACK = parts_of((-1, -100, -60, -40, -7, 0))


def used(*calls: float) -> LifetimeSeries:
    """A credit that calls at these instants used."""
    series = LifetimeSeries()
    for at in calls:
        series.add(at, CALL)
    return series


def test_what_is_used_counts_however_old_it_is_and_whatever_the_clock_does() -> None:
    series = used(NOON, NOON - 86_400.0)

    series.shift(-86_400.0, NOON)
    series.roll(NOON + 1e9)

    assert series.used(COST, NOON + 1e9) == 14
    assert series.frees_at(COST, 1, NOON) is None
    assert series.resets_at(COST, NOON) is None


def test_what_is_taken_back_is_gone_and_there_is_never_less_than_nothing() -> None:
    series = used(NOON, NOON)

    for _ in range(3):
        series.add(NOON, BACK)

    assert series == LifetimeSeries()


def test_forgetting_leaves_nothing_and_forgetting_a_share_leaves_the_rest() -> None:
    whole, shared = used(NOON, NOON), used(NOON, NOON)

    whole.forget()
    shared.forget(used(NOON))

    assert (whole, shared) == (LifetimeSeries(), used(NOON))


def test_it_is_kept_like_any_other_counter() -> None:
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(used(NOON)), type=Series)

    assert kept == used(NOON)


def test_one_counter_serves_a_credit_of_any_amount_and_begins_with_what_is_known() -> None:
    keys = {window_key(Lifetime(), Metric.COST, amount) for amount in (5, 9)}
    credit, day = (new_series(each, Metric.COST, 5) for each in (Lifetime(), Rolling(seconds=60.0)))
    day.add(NOON, CALL)
    assert isinstance(day, RollingSeries)

    seed(credit, day, NOON)

    assert (keys, credit) == ({"lifetime"}, used(NOON))
