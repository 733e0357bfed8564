"""Which fallbacks may reach a paid profile."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.core.chains import Failback, Gate, SpendGate, Strategy
from spillover.core.ladder import Pin, Sticky
from spillover.core.limits import Block
from spillover.core.spend_gate import ASKS, SHUT
from spillover.core.values import Demand, FailureClass, RoutingPolicy
from tests.core.laddering import (
    DOWN,
    LIMITED,
    PAID,
    SPENT,
    A,
    B,
    health,
    ladder,
    order,
    reasons,
)
from tests.core.making import NOON, Record, chain, limit

NEVER = SpendGate(on_quota=Gate.NEVER, on_outage=Gate.NEVER)
ASK = SpendGate(on_quota=Gate.ASK, on_outage=Gate.ASK)
ON_QUOTA = SpendGate(on_quota=Gate.ALLOW, on_outage=Gate.NEVER)
ON_OUTAGE = SpendGate(on_quota=Gate.NEVER, on_outage=Gate.ALLOW)
FULL = {"a": Block(limit=limit(5), available_at=NOON + 9.0)}
AGREED = Demand(chars=400, spend_allowed=True)


@pytest.mark.parametrize(
    ("gate", "record", "ask", "opens"),
    [
        (SpendGate(), health(a=SPENT), {}, True),
        (NEVER, health(a=SPENT), {}, False),
        (NEVER, health(a=SPENT), {"demand": AGREED}, False),
        (ASK, health(a=SPENT), {}, False),
        (ASK, health(a=SPENT), {"demand": AGREED}, True),
        (ON_QUOTA, health(a=SPENT), {}, True),
        (ON_QUOTA, health(a=LIMITED), {}, True),
        (ON_QUOTA, Record(), {"blocked": FULL}, True),
        (ON_QUOTA, Record(), {"tried": {"a": FailureClass.PAYMENT_REQUIRED}}, True),
        (ON_QUOTA, health(a=DOWN), {}, False),
        (ON_QUOTA, Record(), {"tried": {"a": FailureClass.TIMEOUT}}, False),
        (ON_OUTAGE, health(a=DOWN), {}, True),
        (ON_OUTAGE, health(a=SPENT), {}, False),
        (ON_OUTAGE, Record(), {"blocked": FULL}, False),
        (ON_OUTAGE, Record(), {}, False),
        (NEVER, Record(disabled={"a"}), {}, True),
    ],
)
def test_gate_lets_the_kinds_of_fallback_pass_that_it_allows(
    gate: SpendGate, record: Record, ask: dict[str, Any], *, opens: bool
) -> None:
    found = ladder(chain("a", "paid", spend_gate=gate), A, PAID, record=record, **ask)

    assert ("paid" in order(found)) is opens
    assert (reasons(found).get("paid") == "spend_gate") is not opens


def test_gate_says_what_it_asks_for() -> None:
    asking = ladder(chain("a", "paid", spend_gate=ASK), A, PAID, record=health(a=SPENT))
    shut = ladder(chain("a", "paid", spend_gate=NEVER), A, PAID, record=health(a=SPENT))

    assert asking.skipped[1].detail == "needs x-spillover-spend: yes"
    assert shut.skipped[1].detail == "spending is switched off"


@pytest.mark.parametrize(
    ("gate", "record", "says"),
    [
        (SpendGate(on_quota=Gate.ASK, on_outage=Gate.NEVER), health(a=SPENT), ASKS),
        (SpendGate(on_quota=Gate.ASK, on_outage=Gate.NEVER), health(a=DOWN), SHUT),
        (SpendGate(on_quota=Gate.NEVER, on_outage=Gate.ASK), health(a=SPENT), SHUT),
        (SpendGate(on_quota=Gate.NEVER, on_outage=Gate.ASK), health(a=DOWN), ASKS),
        (SpendGate(on_quota=Gate.ASK, on_outage=Gate.NEVER), Record(), ASKS),
    ],
)
def test_gate_asks_for_agreement_only_where_that_opens_it(
    gate: SpendGate, record: Record, says: str
) -> None:
    found = ladder(chain("a", "paid", spend_gate=gate), A, PAID, record=record)

    assert [each.detail for each in found.skipped if each.profile == "paid"] == [says]


def test_every_free_profile_before_a_paid_one_has_a_say() -> None:
    record = health(a=SPENT, b=DOWN)

    found = ladder(chain("a", "b", "paid", spend_gate=ON_QUOTA), A, B, PAID, record=record)

    assert reasons(found)["paid"] == "spend_gate"


def test_paid_profile_that_the_chain_prefers_is_no_fallback() -> None:
    found = ladder(chain("paid", "a", spend_gate=NEVER), A, PAID, record=health(a=SPENT))

    assert order(found) == ["paid"]


@pytest.mark.parametrize(
    "fields",
    [{"strategy": Strategy.ROUND_ROBIN}, {"routing_policy": RoutingPolicy.FREE_TIER}],
    ids=["any order", "free first"],
)
def test_without_an_order_of_the_chains_own_every_free_profile_comes_first(
    fields: dict[str, Any],
) -> None:
    of = chain("paid", "a", spend_gate=NEVER, **fields)

    assert order(ladder(of, A, PAID)) == ["a"]


def test_pin_to_a_paid_profile_is_the_users_own_will() -> None:
    record = health(a=SPENT)
    record.pins["default"] = Pin(profile="paid")

    assert order(ladder(chain("a", "paid", spend_gate=NEVER), A, PAID, record=record)) == ["paid"]


def test_staying_with_a_paid_profile_needs_the_same_leave_as_reaching_it() -> None:
    of = chain("a", "paid", spend_gate=ASK, failback=Failback(sticky=True))
    record = Record(stickies={"default": Sticky(profile="paid", at=NOON)})

    assert order(ladder(of, A, PAID, record=record)) == ["a"]
    assert order(ladder(of, A, PAID, record=record, demand=AGREED)) == ["paid", "a"]
