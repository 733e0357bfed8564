"""Calls against several limits at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.simulator.desk import Charge, Desk, Gauge
from spillover.simulator.spec import Allowance, Metric, Pool, WindowKind, limits
from tests.simulator.asking import NOON


def a_charge(input_tokens: int = 10, output_tokens: int = 0, **fields: Any) -> Charge:
    values: dict[str, Any] = {"key": "k", "model": "m", **fields}
    return Charge(input_tokens=input_tokens, output_tokens=output_tokens, **values)


def test_a_call_is_counted_on_every_limit_or_on_none() -> None:
    desk = Desk(limits("requests=2/minute", "tokens=15/minute"))
    first = desk.admit(a_charge(), NOON)
    second = desk.admit(a_charge(), NOON)

    used = [gauge.used for gauge in desk.gauges("k", "m", NOON)]

    assert first is None
    assert second is not None
    assert second.allowance.metric is Metric.TOKENS
    assert (second.used, second.asked, second.wait_s) == (10, 10, 60)
    assert used == [1, 10]


def test_of_several_limits_the_one_to_wait_longest_for_refuses() -> None:
    desk = Desk(limits("requests=1/minute", "requests=1/hour"))
    desk.admit(a_charge(), NOON)

    refusal = desk.admit(a_charge(), NOON)

    assert refusal is not None
    assert refusal.allowance.per == "hour"


def test_a_call_larger_than_a_whole_limit_never_fits() -> None:
    desk = Desk(limits("requests=5/minute", "input_tokens=5/minute"))

    refusal = desk.admit(a_charge(6), NOON)

    assert refusal is not None
    assert refusal.wait_s is None
    assert desk.gauges("k", "m", NOON)[0].used == 0


def test_nothing_passes_a_limit_of_nothing() -> None:
    refusal = Desk(limits("requests=0/day")).admit(a_charge(), NOON)

    assert refusal is not None
    assert refusal.wait_s is None


def test_a_settled_call_counts_what_it_used() -> None:
    desk = Desk(limits("tokens=100/minute", "input_tokens=100/minute", "output_tokens=100/minute"))
    charge = a_charge(10, 80)
    desk.admit(charge, NOON)
    desk.settle(charge, NOON + 5, input_tokens=12, output_tokens=20)

    used = [gauge.used for gauge in desk.gauges("k", "m", NOON + 5)]

    assert used == [32, 12, 20]


def test_concurrency_is_what_is_not_settled_yet() -> None:
    desk = Desk(limits("concurrency=1"))
    charge = a_charge()
    desk.admit(charge, NOON)
    refused = desk.admit(a_charge(), NOON)
    desk.settle(charge, NOON, input_tokens=0, output_tokens=0)

    assert refused is not None
    assert refused.allowance.metric is Metric.CONCURRENCY
    assert desk.admit(a_charge(), NOON) is None
    assert desk.gauges("k", "m", NOON) == []


@pytest.mark.parametrize(
    ("pool", "other_model", "other_key"),
    [(Pool.MODEL, True, True), (Pool.KEY, False, True), (Pool.PROJECT, True, False)],
)
def test_a_pool_says_who_shares_a_counter(
    pool: Pool, *, other_model: bool, other_key: bool
) -> None:
    desk = Desk((Allowance(metric=Metric.REQUESTS, amount=1, pool=pool),))
    desk.admit(a_charge(), NOON)

    by_model = desk.admit(a_charge(model="other"), NOON) is None
    by_key = desk.admit(a_charge(key="other"), NOON) is None

    assert (by_model, by_key) == (other_model, other_key)


def test_what_remains_is_whole_and_never_below_nothing() -> None:
    allowance = Allowance(metric=Metric.TOKENS, amount=10)

    left = [
        Gauge(allowance=allowance, used=used, resets_in_s=0).remaining for used in (2.5, 10, 12)
    ]

    assert left == [7, 0, 0]


@given(
    kind=st.sampled_from(WindowKind),
    gaps=st.lists(st.integers(0, 15), min_size=1, max_size=60),
)
def test_no_window_ever_admits_more_than_its_amount(kind: WindowKind, gaps: list[int]) -> None:
    """A bucket, being full at first, may give twice its amount in one span; the others once."""
    desk = Desk((Allowance(metric=Metric.REQUESTS, amount=5, per="20s", kind=kind),))
    now, admitted = NOON, []
    for gap in gaps:
        now += gap
        if desk.admit(a_charge(), now) is None:
            admitted.append(now)

    spans = [sum(start <= at < start + 20 for at in admitted) for start in admitted]
    slots = [sum(at // 20 == start // 20 for at in admitted) for start in admitted]

    match kind:
        case WindowKind.ROLLING:
            assert max(spans) <= 5
        case WindowKind.CALENDAR:
            assert max(slots) <= 5
        case WindowKind.REFILL:
            assert max(spans) <= 10


@given(gaps=st.lists(st.integers(0, 15), min_size=1, max_size=40), kind=st.sampled_from(WindowKind))
def test_a_call_that_waits_as_long_as_it_was_told_is_admitted(
    gaps: list[int], kind: WindowKind
) -> None:
    desk = Desk((Allowance(metric=Metric.REQUESTS, amount=3, per="20s", kind=kind),))
    now = NOON
    for gap in gaps:
        now += gap
        refusal = desk.admit(a_charge(), now)
        if refusal is not None and refusal.wait_s is not None:
            now += refusal.wait_s

            assert desk.admit(a_charge(), now + 1e-6) is None
