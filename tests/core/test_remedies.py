"""What a person is told to do about a request that nobody serves."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.core.chains import Gate, Hours, Member, SpendGate
from spillover.core.ladder import Ask, Pin, Skipped, build
from spillover.core.limits import Block
from spillover.core.remedies import MOST, Plight, plight, remedies
from spillover.core.stated import BALANCE
from spillover.core.values import (
    Capability,
    Demand,
    FailureClass,
    Lifetime,
    Metric,
    Profile,
    RoutingPolicy,
    SkipReason,
)
from tests.core.laddering import DOWN, LOCAL, PAID, SPENT, A, B, health
from tests.core.making import NOON, Record, by_name, chain, limit, profile

ASKING = SpendGate(on_quota=Gate.ASK)
SHUT = SpendGate(on_quota=Gate.NEVER, on_outage=Gate.ASK)
SEES = Demand(chars=4, needs=frozenset({Capability.VISION}))
BLIND = profile("blind", lacks=frozenset({Capability.VISION}))
NARROW = profile("narrow", context_tokens=8)
LONG = Demand(chars=4_000)
SPENT_A = health(a=SPENT)
NIGHT = Hours(start_minute=13 * 60, end_minute=14 * 60)


def told(
    of: Any, *profiles: Profile, record: Record | None = None, unable: bool = False, **ask: Any
) -> list[str]:
    """What can be done when nobody of the chain `of` serves, by the ladder itself."""
    asked = Ask(**({"chain": of, "demand": Demand(chars=4)} | ask))
    view, known = record or Record(), by_name(*profiles)
    ladder = build(asked, known, view, NOON)
    assert not ladder.candidates
    return remedies(plight(asked, ladder.skipped, known, view, NOON), unable=unable)


def test_local_profile_outside_the_chain_is_named_as_the_model_to_ask_for() -> None:
    (said,) = told(chain("a"), A, PAID, LOCAL, record=SPENT_A)

    assert said == (
        "the local profile 'local' could serve it: ask for model 'local', or add it to the chain "
        "'default'"
    )


def test_who_asked_for_one_profile_alone_is_not_told_to_add_to_it() -> None:
    alone = chain("a", name="a", alone=True)

    assert told(alone, A, LOCAL, record=SPENT_A) == [
        "the local profile 'local' could serve it: ask for model 'local'"
    ]


@pytest.mark.parametrize(
    "record",
    [
        Record(disabled={"local"}),
        health(local=DOWN),
        Record(blocks={"local": Block(limit=limit(1))}),
    ],
)
def test_local_profile_that_could_not_serve_either_is_not_named(record: Record) -> None:
    record.healths |= SPENT_A.healths

    assert told(chain("a"), A, LOCAL, record=record) == []


def test_without_any_local_profile_it_is_said_how_to_add_one() -> None:
    (said,) = told(chain("a"), A, PAID, record=SPENT_A)
    (alone,) = told(chain("a", alone=True), A, record=SPENT_A)

    assert said == (
        "a local model has no quota: add ollama: {provider: ollama, model: 'qwen3:8b'} to profiles: "
        "in spillover.yaml, with its name in the chain 'default'"
    )
    assert alone.endswith("in spillover.yaml")
    assert told(chain("a"), A, record=health(a=DOWN)) == []


def test_spend_gate_that_asks_says_what_opens_it() -> None:
    of = chain("a", "paid", spend_gate=ASKING)

    assert told(of, A, PAID, LOCAL, record=SPENT_A)[0] == (
        "x-spillover-spend: yes lets 'paid' answer (spend_gate: {on_quota: ask})"
    )


def test_spend_gate_that_stays_shut_is_named_with_its_settings() -> None:
    of = chain("a", "paid", spend_gate=SHUT)
    agreed = Demand(chars=4, spend_allowed=True)

    for demand in (agreed, Demand(chars=4)):
        assert told(of, A, PAID, LOCAL, record=SPENT_A, demand=demand)[0] == (
            "spend_gate: {on_quota: never, on_outage: ask} of 'default' keeps 'paid' from answering"
        )


@pytest.mark.parametrize(
    ("fields", "demand", "said"),
    [
        (
            {"routing_policy": RoutingPolicy.LOCAL_ONLY},
            Demand(chars=4),
            ["routing_policy: local-only of 'default' stands in the way"],
        ),
        (
            {},
            Demand(chars=4, policy=RoutingPolicy.BYOK_PAID),
            ["the request's own x-spillover-policy: byok-paid stands in the way"],
        ),
        (
            {"privacy": True},
            Demand(chars=4),
            ["privacy: true stands in the way, and wants a local profile"],
        ),
    ],
)
def test_setting_that_keeps_everybody_out_is_named(
    fields: dict[str, Any], demand: Demand, said: list[str]
) -> None:
    away = Record(disabled={"local"})

    assert told(chain("a", **fields), A, LOCAL, record=away, demand=demand) == said


def test_pin_that_keeps_everybody_else_out_is_lifted_by_a_command() -> None:
    pinned = Record(disabled={"b"}, pins={"default": Pin(profile="b", strict=True)})

    assert told(chain("a", "b"), A, B, LOCAL, record=pinned)[0] == (
        "spillover use default auto lifts the pin"
    )


def test_hours_that_keep_everybody_out_are_named() -> None:
    late = chain(Member(profile="a", hours=NIGHT))

    assert told(late, A, LOCAL, record=Record(disabled={"local"})) == [
        "the hours of 'a' in 'default' stand in the way"
    ]


def test_policy_is_not_blamed_where_a_quota_stands_in_the_way() -> None:
    of = chain("a", "local", routing_policy=RoutingPolicy.LOCAL_ONLY)
    spent = Record(blocks={}, disabled=set())
    blocked = {"local": Block(limit=limit(1), available_at=NOON + 9.0)}

    assert told(of, A, LOCAL, record=spent, blocked=blocked) == []


@pytest.mark.parametrize(
    ("reason", "cause", "said"),
    [
        (SkipReason.DISABLED, None, "spillover enable lets 'a' serve again"),
        (
            SkipReason.FAILED,
            None,
            "'a' lacks its key: spillover check says where it was looked for",
        ),
        (
            SkipReason.FAILED,
            FailureClass.AUTH_INVALID,
            "give 'a' a key that its provider accepts",
        ),
        (
            SkipReason.TRIED,
            FailureClass.PAYMENT_REQUIRED,
            "add credit at the provider of 'a', then spillover enable it",
        ),
        (
            SkipReason.FAILED,
            FailureClass.MODEL_NOT_FOUND,
            "name a model that the provider of 'a' has: spillover catalogue lists models",
        ),
        (
            SkipReason.TRIED,
            FailureClass.NETWORK,
            "check this machine's network, its VPN and its proxy settings",
        ),
        (SkipReason.COOLDOWN, FailureClass.OVERLOADED, None),
        (SkipReason.LIMIT, None, None),
    ],
)
def test_what_a_person_can_mend_is_said_and_what_time_mends_is_not(
    reason: SkipReason, cause: FailureClass | None, said: str | None
) -> None:
    left_out = Skipped(profile="a", reason=reason, cause=cause)
    found = Plight(
        ask=Ask(chain=chain("a"), demand=LONG), skipped=(left_out,), profiles=by_name(A, LOCAL)
    )

    assert remedies(found, unable=False) == ([] if said is None else [said])


def test_local_server_that_can_not_be_reached_is_to_be_started() -> None:
    down = Skipped(profile="local", reason=SkipReason.TRIED, cause=FailureClass.NETWORK)
    ask = Ask(chain=chain("local"), demand=LONG)

    found = Plight(ask=ask, skipped=(down,), profiles=by_name(LOCAL))

    assert remedies(found, unable=False) == ["start the local server of 'local'"]


def test_used_up_credit_is_told_from_a_request_that_is_too_large() -> None:
    credit = limit(9, Metric.COST, window=Lifetime(), per="lifetime")
    hour = limit(9, Metric.TOKENS, per="hour")
    both = profile("a", limits=(hour, credit))

    spent = told(chain("a"), both, LOCAL, blocked={"a": Block(limit=credit, never=True)})
    large = told(chain("a"), both, LOCAL, blocked={"a": Block(limit=hour, never=True)})

    assert spent[-1] == (
        "the credit of 'a' is used up: raise its limit, or spillover usage clear begins a new one"
    )
    assert large[-1] == (
        "the request is larger than a whole limit of 'a': shorten it, or lower max_tokens"
    )


def test_balance_that_its_provider_calls_too_low_is_to_be_topped_up() -> None:
    balance = limit(9, Metric.COST, window=Lifetime(), per=BALANCE)
    low = Block(limit=balance, never=True, stated=True)

    said = told(chain("a"), A, LOCAL, blocked={"a": low})

    assert said[-1] == (
        "the provider of 'a' has too little credit left: add some, which is noticed by itself"
    )


def test_profiles_with_one_remedy_share_it_and_only_a_few_are_named() -> None:
    names = ("a", "b", "c", "d", "e")
    away = Record(disabled=set(names))

    said = told(chain(*names), *(profile(name) for name in names), LOCAL, record=away)

    assert said[-1] == "spillover enable lets 'a', 'b', 'c' and 2 more serve again"


def test_a_message_names_a_few_remedies() -> None:
    causes = (
        FailureClass.AUTH_INVALID,
        FailureClass.PAYMENT_REQUIRED,
        FailureClass.MODEL_NOT_FOUND,
        None,
    )
    skipped = tuple(Skipped(profile="a", reason=SkipReason.FAILED, cause=each) for each in causes)
    ask = Ask(chain=chain("a"), demand=LONG)

    assert len(remedies(Plight(ask=ask, skipped=skipped), unable=False)) == MOST == 4


def test_request_that_is_too_long_is_told_who_reads_more_and_what_to_add() -> None:
    assert told(chain("narrow"), NARROW, A, unable=True, demand=LONG) == [
        "the profile 'a' could serve it: ask for model 'a', or add it to the chain 'default'",
        "shorten it, or add a profile with a larger context than 8 tokens",
    ]


def test_request_that_is_too_long_for_who_knows_what_context() -> None:
    small = Skipped(profile="a", reason=SkipReason.CONTEXT_TOO_SMALL)
    ask = Ask(chain=chain("a"), demand=LONG)

    assert remedies(Plight(ask=ask, skipped=(small,)), unable=True) == [
        "shorten it, or add a profile with a larger context"
    ]


def test_request_that_nobody_is_able_for_is_told_who_is_and_what_to_add() -> None:
    assert told(chain("blind"), BLIND, PAID, A, unable=True, demand=SEES) == [
        "the profile 'a' could serve it: ask for model 'a', or add it to the chain 'default'",
        "add a profile whose model has vision",
    ]
    assert told(chain("a"), A, unable=True, space="other") == []
