"""The conversation between a flow and whoever drives it: what holds whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.actions import Cancelled, Done, Look, Relay, Reserve, Send, Settle, Wait
from spillover.core.chains import Failback
from spillover.core.flow import serve
from spillover.core.limits import Block
from spillover.core.refusals import EndKind
from spillover.core.values import Demand, FailureClass, Price, Tier, Usage
from tests.core.driving import OK, USED, answers, breaks, ends, fails, leaves, woken, world
from tests.core.making import NOON, chain, limit, profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.core.actions import Outcome
    from tests.core.driving import World

A = profile("a", tier=Tier.PAID, price=Price(input=10, output=100))
B, C = profile("b", model="m1", alternatives=("m2",)), profile("c")
FULL = Block(limit=limit(5), available_at=NOON + 9.0)


# The client leaves.


def test_client_that_leaves_before_the_send_is_out_costs_nothing() -> None:
    w = world(A)

    ending = w.run(chain("a"), leaves(sent=False))

    assert ending.kind is EndKind.CANCELLED
    assert w.log == ["reserve a", "send a", "release all"]
    assert [step.result for step in ending.trail] == ["cancelled"]


def test_client_that_leaves_during_the_send_costs_the_question() -> None:
    w = world(A)

    w.run(chain("a"), leaves())

    settle = w.last(Settle)
    assert settle.usage == Usage(requests=1, input_tokens=100, cost_nanousd=1_000)
    assert (settle.reported, settle.ok, settle.sent_at) == (False, False, NOON)


@pytest.mark.parametrize("before", [(), (answers(),)], ids=["send", "relay"])
def test_what_the_provider_reported_before_the_client_left_is_settled(
    before: tuple[Callable[[float], Outcome], ...],
) -> None:
    w = world(A)

    ending = w.run(chain("a"), *before, leaves(usage=USED))

    settle = w.last(Settle)
    assert ending.kind is EndKind.CANCELLED
    assert (settle.usage, settle.reported, settle.ok) == (USED, True, False)


def test_client_that_leaves_during_the_relay_has_sent_whatever_the_driver_says() -> None:
    w = world(A)

    ending = w.run(chain("a"), answers(), leaves(sent=False))

    assert ending.profile == "a"
    assert w.last(Settle).sent_at == NOON


def test_what_a_failure_taught_is_kept_when_the_client_leaves_with_it() -> None:
    w = world(A, B, cancel_at=3)

    ending = w.run(chain("a", "b"), fails("overloaded"))

    assert w.log == ["reserve a b", "send a", "release tokens", "learn a"]
    assert ending.kind is EndKind.CANCELLED
    assert "profile:a" in w.record.healths


def story(name: str) -> tuple[World, dict[str, Any], tuple[Callable[[float], Outcome], ...]]:
    """A long way through the flow, made anew for each telling."""
    match name:
        case "falls back":
            return world(A, B, C), {}, (fails("overloaded"), fails("model_not_found"), *OK)
        case "retries":
            return world(A, B, C), {}, (fails("server_error"), fails("server_error"), *OK)
        case "waits":
            full = {"a": [FULL], "b": [FULL], "c": [FULL]}
            return world(A, B, C, denials=full), {"wait_s": 30.0}, OK
        case "sticks":
            failback = Failback(sticky=True)
            return world(A, B, C), {"failback": failback}, (fails("timeout"), *OK)
        case _:
            return world(A, B, C), {}, (fails("timeout"), answers(), breaks())


@pytest.mark.parametrize("name", ["falls back", "retries", "waits", "sticks", "breaks"])
def test_client_may_leave_during_any_action_and_nothing_stays_open(name: str) -> None:
    told, fields, script = story(name)
    told.run(chain("a", "b", "c", **fields), *script)

    for place, action in enumerate(told.actions):
        w, _, again = story(name)
        w.cancel_at = place
        w.scripted = False
        ending = w.run(chain("a", "b", "c", **fields), *again)

        assert not w.open, action
        assert set(w.closings.values()) <= {1}, action
        relayed = any(isinstance(before, Relay) for before in told.actions[:place])
        assert relayed or ending.kind is EndKind.CANCELLED, action
        blocking = [
            a for a in w.actions[place + 1 :] if isinstance(a, Send | Relay | Reserve | Wait)
        ]
        assert not blocking, action


# Whatever happens.

KINDS = st.sampled_from(FailureClass)
OUTCOMES = st.one_of(
    st.builds(
        fails,
        KINDS,
        usage=st.sampled_from([None, USED]),
        stated_wait_s=st.sampled_from([None, 0.0, 2.0, 500.0]),
        retry_elsewhere=st.booleans(),
        never_sent=st.booleans(),
        reset_mid_send=st.booleans(),
        mended=st.booleans(),
        by_deadline=st.sampled_from([False, False, False, True]),
    ),
    st.just(answers()),
    st.builds(leaves, sent=st.booleans()),
)
RELAYS = st.sampled_from([ends(), breaks(), leaves()])
DENIALS = st.lists(
    st.sampled_from(
        [None, FULL, Block(limit=limit(5)), Block(limit=limit(5), never=True), Block(limit=None)]
    ),
    max_size=4,
)


@given(
    outcomes=st.lists(OUTCOMES, max_size=30),
    relay=RELAYS,
    denials=st.fixed_dictionaries({"a": DENIALS, "b": DENIALS, "c": DENIALS}),
    waits=st.tuples(st.sampled_from([0.0, 30.0]), st.sampled_from([0.0, 5.0])),
    naps=st.lists(st.floats(0.0, 10.0), max_size=3),
)
def test_every_flow_ends_and_closes_each_reservation_once_whatever_happens(
    outcomes: list[Callable[[float], Outcome]],
    relay: Callable[[float], Outcome],
    denials: dict[str, list[Block | None]],
    waits: tuple[float, float],
    naps: list[float],
) -> None:
    w = world(A, B, C, denials=denials, scripted=False, relaying=relay)
    w.naps = [woken(nap) for nap in naps]

    ending = w.run(chain("a", "b", "c", wait_s=waits[0], patience_s=waits[1]), *outcomes)

    assert not w.open
    assert set(w.closings.values()) <= {1}
    assert len(ending.trail) == len(w.sent)
    assert len(w.actions) < 2_000
    assert (ending.kind is EndKind.CANCELLED) is any(
        isinstance(outcome, Cancelled) for outcome in w.told
    )


@given(
    outcomes=st.lists(st.builds(fails, KINDS, retry_elsewhere=st.just(True)), max_size=30),
    denials=st.fixed_dictionaries({"a": DENIALS, "b": DENIALS, "c": DENIALS}),
)
def test_profile_is_tried_once_but_for_its_retries_and_other_models(
    outcomes: list[Callable[[float], Outcome]], denials: dict[str, list[Block | None]]
) -> None:
    w = world(A, B, C, denials=denials, scripted=False, relaying=ends())

    w.run(chain("a", "b", "c"), *outcomes)

    turns = [pair for place, pair in enumerate(w.sent) if place == 0 or w.sent[place - 1] != pair]
    assert len(turns) == len(set(turns))
    assert all(w.sent.count(pair) <= 3 for pair in turns)


@pytest.mark.parametrize("to", [Look, Send, Relay])
def test_answer_that_does_not_fit_the_question_is_a_fault_of_who_drives(to: type[object]) -> None:
    w = world(A)
    flow = serve(chain("a"), Demand())
    action = next(flow)
    w.script = [answers()]
    while not isinstance(action, to):
        w.actions.append(action)
        action = flow.send(w.answer(action))

    with pytest.raises(TypeError):
        flow.send(Done(now=NOON))
