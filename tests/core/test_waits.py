"""What a request waits for before anything is sent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from spillover.core.actions import Wait
from spillover.core.chains import Failback, Gate, Hours, Member, SpendGate, Strategy, TimeLimits
from spillover.core.ladder import Ladder, Pin, Skipped, Sticky
from spillover.core.limits import Block
from spillover.core.managed import resting
from spillover.core.refusals import Code, EndKind
from spillover.core.values import Capability, Demand, FailureClass, SkipReason, Tier
from spillover.core.waits import RECHECK_S, back
from tests.core.driving import OK, fails, woken, world
from tests.core.laddering import DOWN, GUESSED, LIMITED, health
from tests.core.making import NOON, Record, chain, limit, profile

A, B = profile("a"), profile("b")
BLIND = frozenset({Capability.VISION})


def full(frees_in_s: float | None = 9.0, *, never: bool = False) -> Block:
    at = None if frees_in_s is None else NOON + frees_in_s
    return Block(limit=limit(5), available_at=at, never=never)


TESTED = Block(limit=None)
SERVED = ["relay", "settle"]


# In line, when nobody can serve.


def test_request_waits_in_line_until_the_soonest_profile_frees() -> None:
    w = world(A, B, denials={"a": [full(20.0)], "b": [full(9.0)]})

    ending = w.run(chain("a", "b", wait_s=30.0), *OK)

    assert ending.kind is EndKind.SERVED
    assert w.log == ["reserve a b", "queue 9", "reserve a b", "send a", *SERVED]


def test_request_that_would_wait_too_long_is_refused_at_once() -> None:
    w = world(A, denials={"a": [full(31.0)]})

    ending = w.run(chain("a", wait_s=30.0))

    assert ending.refusal is not None
    assert ending.refusal.code is Code.ALL_EXHAUSTED
    assert w.log == ["reserve a", "a > None: limit"]


def test_local_server_that_restarts_is_waited_for_though_its_bound_is_later() -> None:
    away = resting(None, now=NOON, until=NOON + 60.0, message="restarts")
    w = world(A, record=health(a=away))

    w.run(chain("a", wait_s=30.0))

    assert w.log[0] == "queue 30"


@pytest.mark.parametrize(("failure", "sends"), [("network", 1), ("bad_gateway", 2)])
def test_local_server_that_died_under_a_request_is_waited_for(failure: str, sends: int) -> None:
    w = world(msgspec.structs.replace(A, restarts=True))

    w.run(chain("a", wait_s=20.0), *[fails(failure)] * sends)

    assert len(w.sent) == sends
    assert [line for line in w.log if line.startswith("queue")]


def test_preferred_server_that_died_is_waited_for_as_long_as_patience_lasts() -> None:
    w = world(msgspec.structs.replace(A, restarts=True), B)

    w.run(chain("a", "b", patience_s=5.0), fails("network"), *OK)

    assert w.log[4:6] == ["queue 4", "reserve b"]


def test_room_that_frees_nobody_knows_when_is_waited_for_to_the_end() -> None:
    w = world(A, denials={"a": [full(None)]})

    w.run(chain("a", wait_s=30.0), *OK)

    assert w.log == ["reserve a", "queue 30", "reserve a", "send a", *SERVED]


def test_call_larger_than_a_whole_limit_is_not_waited_for() -> None:
    w = world(A, denials={"a": [full(None, never=True)]})

    ending = w.run(chain("a", wait_s=30.0))

    assert ending.kind is EndKind.REFUSED
    assert w.log == ["reserve a", "a > None: limit"]


def test_what_can_never_fit_stays_out_after_a_wait() -> None:
    w = world(A, B, denials={"a": [full(None, never=True)], "b": [full(9.0)]})

    w.run(chain("a", "b", wait_s=30.0), *OK)

    assert w.log[:4] == ["reserve a b", "queue 9", "reserve b", "a > b: limit"]


def test_request_woken_in_vain_waits_again_for_what_is_left() -> None:
    w = world(A, denials={"a": [full(None), full(None)]}, naps=[woken(12.0)])

    w.run(chain("a", wait_s=30.0), *OK)

    assert w.log[:5] == ["reserve a", "queue 30", "reserve a", "queue 18", "reserve a"]


def test_cooldown_and_hours_are_waited_out_too() -> None:
    soon = Member(profile="b", hours=Hours(start_minute=721, end_minute=800))
    w = world(A, B, record=health(a=DOWN))

    w.run(chain("a", soon, wait_s=70.0), *OK)

    assert w.log == ["queue 60", "reserve a b", "send a", "learn a", *SERVED]


def test_profile_that_asked_for_time_is_tried_again_once_it_has_passed() -> None:
    w = world(A)

    ending = w.run(chain("a", wait_s=30.0), fails("rate_limited", stated_wait_s=5.0), *OK)

    assert w.log == [
        "reserve a", "send a", "release tokens", "learn a", "queue 5",
        "reserve a", "send a", "learn a", *SERVED,
    ]  # fmt: skip
    assert [step.result for step in ending.trail] == ["rate_limited", "ok"]


def test_profile_that_is_down_is_not_waited_for_once_it_was_tried() -> None:
    w = world(A)

    ending = w.run(chain("a", wait_s=300.0), fails("overloaded", stated_wait_s=5.0))

    assert ending.refusal is not None
    assert ending.refusal.code is Code.ALL_FAILED
    assert not [line for line in w.log if "queue" in line]


FIRST_A = {"awaited": frozenset({"a"})}
"""Others wait for profile `a`, and came before."""


def test_request_stands_behind_those_who_wait_for_the_profile_it_could_use() -> None:
    w = world(A, sight=FIRST_A)

    ending = w.run(chain("a", wait_s=30.0), *OK)

    assert w.log[:2] == ["queue 30", "reserve a"]
    assert w.last(Wait).awaited == {"a"}
    assert ending.kind is EndKind.SERVED


def test_request_is_served_at_once_by_a_profile_that_nobody_waits_for() -> None:
    w = world(A, B, sight=FIRST_A)

    w.run(chain("a", "b", wait_s=30.0), *OK)

    assert w.log == ["reserve b", "send b", *SERVED]


def test_request_whose_own_profile_is_full_waits_for_it_and_behind_the_others() -> None:
    w = world(A, B, sight=FIRST_A, denials={"b": [full(9.0)]})

    w.run(chain("a", "b", wait_s=30.0), *OK)

    assert w.log[:4] == ["reserve b", "queue 9", "reserve b", "send b"]
    assert w.last(Wait).awaited == {"a", "b"}


def test_a_profile_that_others_wait_for_counts_as_spent_at_the_spend_gate() -> None:
    gate = SpendGate(on_quota=Gate.ALLOW, on_outage=Gate.NEVER)
    w = world(A, profile("p", tier=Tier.PAID), sight=FIRST_A)

    w.run(chain("a", "p", wait_s=30.0, spend_gate=gate), *OK)

    assert w.log[0] == "reserve p"


def test_request_stands_in_line_for_whatever_may_come_to_serve_it_and_for_nothing_else() -> None:
    record = health(c=GUESSED, f=DOWN)
    record.disabled.add("off")
    kinds = [A, B, profile("c"), profile("f"), profile("off"), profile("blind", lacks=BLIND)]
    denials = {"a": [full(9.0)], "b": [full(never=True)]}
    w = world(*kinds, record=record, denials=denials)
    names = [each.name for each in kinds]

    w.run(chain(*names, wait_s=30.0), *OK, demand=Demand(chars=400, needs=BLIND))

    assert w.last(Wait).awaited == {"a", "c", "f", "off"}


def test_request_that_tried_a_profile_waits_for_it_only_if_time_mends_it() -> None:
    w = world(A, B)
    script = (
        fails("overloaded", stated_wait_s=1.0),
        fails("rate_limited", stated_wait_s=5.0),
        *OK,
    )

    w.run(chain("a", "b", wait_s=30.0), *script)

    assert w.last(Wait).awaited == {"b"}


def test_chain_that_does_not_wait_has_no_line_to_stand_in() -> None:
    w = world(A, sight=FIRST_A)

    w.run(chain("a"), *OK)

    assert w.log[0] == "reserve a"


def test_deadline_bounds_the_wait() -> None:
    limits = TimeLimits(deadline_s=10.0)
    w = world(A, denials={"a": [full(None)]})

    ending = w.run(chain("a", wait_s=30.0, time_limits=limits))

    assert w.log == ["reserve a", "queue 10"]
    assert ending.refusal is not None
    assert ending.refusal.code is Code.DEADLINE_EXCEEDED


# While another call tests the only profile.


def test_request_looks_again_soon_while_the_only_profile_is_being_tested() -> None:
    w = world(A, record=health(a=GUESSED), now=NOON + 60.0, denials={"a": [TESTED, TESTED]})

    w.run(chain("a"), *OK)

    assert w.log[:5] == [
        "reserve a", f"wait {RECHECK_S}", "reserve a", f"wait {RECHECK_S}", "reserve a",
    ]  # fmt: skip


def test_request_that_another_profile_can_serve_does_not_wait_for_a_test() -> None:
    w = world(A, B, record=health(a=GUESSED), now=NOON + 60.0, denials={"a": [TESTED]})

    w.run(chain("a", "b"), *OK)

    assert w.log == ["reserve a b", "a > b: rate_limited", "send b", *SERVED]


def test_test_that_does_not_end_is_waited_for_up_to_the_deadline() -> None:
    w = world(A, record=health(a=GUESSED), now=NOON + 60.0, denials={"a": [TESTED] * 5})

    ending = w.run(chain("a", time_limits=TimeLimits(deadline_s=0.9)))

    assert w.log[-1] == "wait 0.15"
    assert ending.refusal is not None
    assert ending.refusal.code is Code.DEADLINE_EXCEEDED


# Patience for someone better.


def test_preferred_profile_is_waited_for_when_it_frees_within_the_chains_patience() -> None:
    w = world(A, B, denials={"a": [full(1.5)]})

    w.run(chain("a", "b", patience_s=2.0), *OK)

    assert w.log == ["reserve a", "queue 1.5", "reserve a", "send a", *SERVED]


def test_preferred_profile_that_frees_later_is_left_at_once() -> None:
    w = world(A, B, denials={"a": [full(2.5)]})

    w.run(chain("a", "b", patience_s=2.0), *OK)

    assert w.log == ["reserve a", "reserve b", "a > b: limit", "send b", *SERVED]


def test_stated_wait_within_the_patience_is_waited_out() -> None:
    w = world(A, B)

    w.run(chain("a", "b", patience_s=5.0), fails("rate_limited", stated_wait_s=1.0), *OK)

    assert w.log == [
        "reserve a", "send a", "release tokens", "learn a", "queue 1",
        "reserve a", "send a", "learn a", *SERVED,
    ]  # fmt: skip


def test_failure_that_time_alone_does_not_mend_is_not_waited_out() -> None:
    w = world(A, B)

    w.run(chain("a", "b", patience_s=5.0), fails("overloaded", stated_wait_s=1.0), *OK)

    assert "reserve b" in w.log
    assert not [line for line in w.log if "wait" in line]


def test_patience_ends_and_everybody_is_offered_again() -> None:
    w = world(A, B, denials={"a": [full(1.5), full(3.0)]}, naps=[woken(2.0)])

    w.run(chain("a", "b", patience_s=2.0), *OK)

    assert w.log[:4] == ["reserve a", "queue 1.5", "reserve a b", "a > b: limit"]


@pytest.mark.parametrize(
    ("fields", "record", "sight"),
    [
        ({"strategy": Strategy.ROUND_ROBIN}, Record(), {"turn": 1}),
        ({}, Record(pins={"default": Pin(profile="b")}), {}),
        ({}, Record(), {"affinity": "b"}),
        (
            {"failback": Failback(sticky=True)},
            Record(stickies={"default": Sticky(profile="b", at=NOON)}),
            {},
        ),
    ],
    ids=["no order", "pinned", "session", "sticky"],
)
def test_nobody_better_is_waited_for_where_the_order_is_not_the_chains(
    fields: dict[str, Any], record: Record, sight: dict[str, Any]
) -> None:
    record.healths = health(a=LIMITED).healths
    w = world(A, B, record=record, sight=sight)

    w.run(chain("a", "b", patience_s=100.0, **fields), *OK)

    assert w.log[:2] == ["reserve b", "send b"]


def test_who_comes_after_the_one_that_can_serve_is_not_waited_for() -> None:
    w = world(A, B, record=health(b=LIMITED))

    w.run(chain("a", "b", patience_s=100.0), *OK)

    assert w.log[0] == "reserve a"


# Who is back.


def test_those_are_back_whose_time_has_come_and_who_may_serve_again() -> None:
    tried = SkipReason.TRIED
    found = Ladder(
        candidates=(),
        skipped=(
            Skipped(profile="now", reason=SkipReason.LIMIT, available_at=NOON),
            Skipped(profile="later", reason=SkipReason.LIMIT, available_at=NOON + 1.0),
            Skipped(profile="unknown", reason=SkipReason.LIMIT),
            Skipped(profile="asked for time", reason=tried, available_at=NOON,
                    cause=FailureClass.RATE_LIMITED),
            Skipped(profile="was down", reason=tried, available_at=NOON,
                    cause=FailureClass.TIMEOUT),
        ),
    )  # fmt: skip

    assert list(back(found, NOON)) == ["now", "asked for time"]
