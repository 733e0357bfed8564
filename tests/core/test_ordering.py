"""In what order the profiles that may serve are tried: by policy, by strategy, by rank."""

from __future__ import annotations

import pytest

from spillover.core.chains import Gate, Member, SpendGate, Strategy
from spillover.core.pace import Pace
from spillover.core.values import (
    Capability,
    Demand,
    FailureClass,
    Operation,
    Price,
    RoutingPolicy,
    Tier,
)
from tests.core.laddering import (
    LOCAL,
    PAID,
    SPENT,
    A,
    B,
    C,
    health,
    ladder,
    order,
    reasons,
)
from tests.core.making import Record, chain, profile


@pytest.mark.parametrize(
    ("turn", "expected"), [(0, "abc"), (1, "bca"), (2, "cab"), (3, "abc"), (7, "bca")]
)
def test_round_robin_begins_one_further_each_time(turn: int, expected: str) -> None:
    found = ladder(chain("a", "b", "c", strategy=Strategy.ROUND_ROBIN), A, B, C, turn=turn)

    assert order(found) == list(expected)


def test_round_robin_passes_over_who_can_not_serve_in_place() -> None:
    record = Record(disabled={"b"})

    found = ladder(
        chain("a", "b", "c", strategy=Strategy.ROUND_ROBIN), A, B, C, turn=1, record=record
    )

    assert order(found) == ["c", "a"]


@pytest.mark.parametrize(
    ("draw", "expected"), [(0.0, "abc"), (0.49, "abc"), (0.5, "bca"), (0.79, "bca"), (0.9, "cba")]
)
def test_weighted_draws_by_weight(draw: float, expected: str) -> None:
    members = (
        Member(profile="a", weight=5),
        Member(profile="b", weight=3),
        Member(profile="c", weight=2),
    )

    found = ladder(chain(*members, strategy=Strategy.WEIGHTED), A, B, C, draw=draw)

    assert order(found)[0] == expected[0]
    assert sorted(order(found)) == ["a", "b", "c"]


def test_weights_of_nothing_keep_somebody() -> None:
    members = (Member(profile="a", weight=0), Member(profile="b", weight=0))

    found = ladder(chain(*members, strategy=Strategy.WEIGHTED), A, B, draw=0.5)

    assert sorted(order(found)) == ["a", "b"]


@pytest.mark.parametrize(
    ("strategy", "record", "expected"),
    [
        (Strategy.LEAST_USED, Record(loads={"a": 0.9, "paid": 0.1, "c": 0.5}), ["paid", "c", "a"]),
        (Strategy.CHEAPEST, Record(), ["a", "c", "paid"]),
        (
            Strategy.FASTEST,
            Record(paces={"a": Pace(ttft_ms=300.0), "paid": Pace(ttft_ms=100.0)}),
            ["c", "paid", "a"],
        ),
        (Strategy.QUALITY, Record(), ["paid", "a", "c"]),
    ],
)
def test_strategy_orders_and_ties_keep_the_chains_order(
    strategy: Strategy, record: Record, expected: list[str]
) -> None:
    found = ladder(chain("paid", "a", "c", strategy=strategy), A, C, PAID, record=record)

    assert order(found) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (RoutingPolicy.ANY, ["paid", "a", "local"]),
        (RoutingPolicy.FREE_TIER, ["a", "local", "paid"]),
        (RoutingPolicy.AUTO_CHEAPEST, ["a", "local", "paid"]),
        (RoutingPolicy.LOCAL_ONLY, ["local"]),
        (RoutingPolicy.BYOK_PAID, ["paid"]),
    ],
)
@pytest.mark.parametrize("asked_by", ["chain", "request"])
def test_routing_policy_filters_or_orders_whoever_asks_for_it(
    policy: RoutingPolicy, expected: list[str], asked_by: str
) -> None:
    of = chain("paid", "a", "local", routing_policy=policy if asked_by == "chain" else "any")
    demand = Demand(chars=400, policy=policy if asked_by == "request" else None)

    assert order(ladder(of, A, PAID, LOCAL, demand=demand)) == expected


def test_fastest_tries_another_now_and_then_but_not_behind_one_that_failed() -> None:
    record = Record(paces={name: Pace(ttft_ms=at) for name, at in (("a", 1.0), ("b", 2.0))})
    of = chain("a", "b", "c", strategy=Strategy.FASTEST)

    tried = ladder(of, A, B, C, record=record, draw=0.999, tried={"c": FailureClass.NETWORK})

    assert order(ladder(of, A, B, C, record=record, draw=0.5)) == ["c", "a", "b"]
    assert order(ladder(of, A, B, C, record=record, draw=0.999)) == ["b", "c", "a"]
    assert order(tried) == ["a", "b"]


RANKED = [
    profile("plain"),
    profile("third", rank=3),
    profile("dear", tier=Tier.PAID, rank=1, price=Price(input=9, output=9)),
    profile("first", rank=1),
    profile("also-first", tier=Tier.LOCAL, rank=1),
    profile("unpriced", tier=Tier.PAID),
    profile("other-plain", tier=Tier.LOCAL),
]
"""In chain order: free ones, local ones and paid ones, with ranks and without."""


def test_quality_goes_by_rank_whatever_the_tier_and_the_unranked_come_last() -> None:
    of = chain(*(each.name for each in RANKED), strategy=Strategy.QUALITY)

    found = ladder(of, *RANKED)

    assert order(found) == [
        "dear", "first", "also-first", "third", "plain", "unpriced", "other-plain",
    ]  # fmt: skip


@pytest.mark.parametrize("strategy", Strategy)
def test_free_tier_goes_by_rank_and_then_to_the_paid_in_chain_order_whatever_the_strategy(
    strategy: Strategy,
) -> None:
    of = chain(
        *(each.name for each in RANKED), strategy=strategy, routing_policy=RoutingPolicy.FREE_TIER
    )

    found = ladder(of, *RANKED, draw=0.5, turn=3)

    assert order(found) == [
        "first", "also-first", "third", "plain", "other-plain", "dear", "unpriced",
    ]  # fmt: skip


def test_free_tier_keeps_the_paid_behind_the_gate_while_a_free_one_is_spent() -> None:
    of = chain(
        *("paid", "a", "local"),
        routing_policy=RoutingPolicy.FREE_TIER,
        spend_gate=SpendGate(on_quota=Gate.NEVER),
    )

    found = ladder(of, A, LOCAL, PAID, record=health(a=SPENT, local=SPENT))

    assert reasons(found) == {"paid": "spend_gate", "a": "exhausted", "local": "exhausted"}


@pytest.mark.parametrize("strategy", Strategy)
def test_auto_cheapest_goes_by_price_whatever_the_strategy(strategy: Strategy) -> None:
    of = chain(
        *(each.name for each in RANKED),
        strategy=strategy,
        routing_policy=RoutingPolicy.AUTO_CHEAPEST,
    )

    found = ladder(of, *RANKED, draw=0.5, turn=3)

    assert order(found)[-2:] == ["dear", "unpriced"]
    assert order(found)[:5] == ["plain", "third", "first", "also-first", "other-plain"]


def test_a_price_that_nobody_knows_is_taken_as_the_highest() -> None:
    unpriced = profile("unpriced", tier=Tier.PAID)

    found = ladder(chain("unpriced", "paid", strategy=Strategy.CHEAPEST), unpriced, PAID)

    assert order(found) == ["paid", "unpriced"]


TOOLS = frozenset({Capability.CHAT, Capability.TOOLS})
CRAMPED = profile("cramped", rank=1, context_tokens=8_192)
ROOMY = profile("roomy", rank=2, context_tokens=131_072)
SHORT, AGENTIC = Demand(chars=400), Demand(chars=400, needs=TOOLS)
GROWN, VAST = Demand(chars=16_000), Demand(chars=80_000)


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        (SHORT, ["cramped", "roomy", "a", "paid"]),
        (AGENTIC, ["roomy", "a", "cramped", "paid"]),
        (GROWN, ["roomy", "a", "cramped", "paid"]),
        (VAST, ["roomy", "a", "paid"]),
    ],
)
def test_free_tier_takes_who_is_about_to_be_outgrown_last_and_leaves_out_who_is(
    demand: Demand, expected: list[str]
) -> None:
    of = chain("paid", "a", "cramped", "roomy", routing_policy=RoutingPolicy.FREE_TIER)

    found = ladder(of, A, PAID, CRAMPED, ROOMY, demand=demand)

    assert order(found) == expected
    assert reasons(found) == ({"cramped": "context_too_small"} if demand is VAST else {})


def test_room_for_a_conversation_is_never_bought_unasked() -> None:
    of = chain("cramped", "paid", "roomy", strategy=Strategy.CHEAPEST)

    found = ladder(of, PAID, CRAMPED, ROOMY, demand=AGENTIC)

    assert order(found) == ["roomy", "cramped", "paid"]


def test_embeddings_are_no_conversation() -> None:
    of = chain("cramped", "roomy", routing_policy=RoutingPolicy.FREE_TIER)
    demand = Demand(chars=20_000, operation=Operation.EMBEDDINGS)

    assert order(ladder(of, CRAMPED, ROOMY, demand=demand)) == ["cramped", "roomy"]
