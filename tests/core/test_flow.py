"""One request's way, told as transcripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.core.actions import Relay, Release, Send, Settle
from spillover.core.chains import CooldownRule, Failback, Strategy, TimeLimits
from spillover.core.ladder import Pin, Sticky
from spillover.core.limits import Block
from spillover.core.refusals import Code, Ending, EndKind, Step
from spillover.core.values import Demand, FailureClass, Operation
from tests.core.driving import OK, USED, answers, breaks, fails, world
from tests.core.laddering import GUESSED, LIMITED, health
from tests.core.making import NOON, Record, chain, limit, profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.core.actions import Outcome
    from spillover.core.health import Health

A, B, C = profile("a"), profile("b"), profile("c")
FULL = Block(limit=limit(5), available_at=NOON + 9.0)
BUSY = Block(limit=None)


def trail(ending: Ending) -> str:
    return ",".join(f"{step.profile}:{step.result}" for step in ending.trail)


def code(ending: Ending) -> Code:
    assert ending.refusal is not None
    return ending.refusal.code


def test_request_is_served_by_the_first_profile() -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), *OK)

    assert w.log == ["reserve a b", "send a", "relay", "settle"]
    assert ending == Ending(
        kind=EndKind.SERVED, trail=(Step(profile="a", result="ok"),), profile="a"
    )
    settle = w.last(Settle)
    assert (settle.usage, settle.reported, settle.ok) == (USED, True, True)
    assert (settle.sent_at, settle.took_ms, settle.ttft_ms) == (NOON, 2_000.0, 9.0)


def test_send_and_relay_know_the_deadline_and_the_trail() -> None:
    w = world(A, B)

    w.run(chain("a", "b", time_limits=TimeLimits(deadline_s=70.0)), fails("overloaded"), *OK)

    assert (w.last(Send).attempt, w.last(Send).deadline_at) == (2, NOON + 70.0)
    assert [step.result for step in w.last(Relay).trail] == ["overloaded", "ok"]


# Falling back.


def test_full_profile_is_passed_over() -> None:
    w = world(A, B, denials={"a": [FULL]})

    ending = w.run(chain("a", "b"), *OK)

    assert w.log == ["reserve a b", "a > b: limit", "send b", "relay", "settle"]
    assert trail(ending) == "b:ok"


def test_request_that_no_profile_has_room_for_is_refused() -> None:
    w = world(A, B, denials={"a": [FULL], "b": [FULL]})

    ending = w.run(chain("a", "b"))

    assert w.log == ["reserve a b", "a > None: limit"]
    assert code(ending) is Code.ALL_EXHAUSTED


@pytest.mark.parametrize(
    "kind",
    ["rate_limited", "quota_exhausted", "payment_required", "auth_invalid", "model_not_found",
     "overloaded", "timeout", "network"],
)  # fmt: skip
def test_failed_profile_is_benched_and_the_next_one_serves(kind: str) -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), fails(kind), *OK)

    assert w.log == [
        "reserve a b", "send a", "release tokens", "learn a",
        "reserve b", f"a > b: {kind}", "send b", "relay", "settle",
    ]  # fmt: skip
    assert trail(ending) == f"a:{kind},b:ok"
    assert w.last(Release).failure is FailureClass(kind)
    assert any(subject.endswith(("a", "a-key", "a-model")) for subject in w.record.healths)


def test_request_goes_on_past_who_was_benched_before_and_says_so() -> None:
    w = world(A, B, record=health(a=LIMITED))

    w.run(chain("a", "b"), *OK)

    assert w.log == ["reserve b", "a > b: rate_limited", "send b", "relay", "settle"]


@pytest.mark.parametrize(
    ("record", "fields", "said"),
    [
        (Record(), {}, []),
        (Record(disabled={"a"}), {}, []),
        (health(a=LIMITED), {"strategy": Strategy.ROUND_ROBIN}, []),
        (Record(healths=health(a=LIMITED).healths, pins={"default": Pin(profile="b")}), {}, []),
    ],
    ids=["nobody", "disabled by hand", "no order", "pinned"],
)
def test_nothing_is_said_where_nobody_preferred_was_left(
    record: Record, fields: dict[str, Strategy], said: list[str]
) -> None:
    w = world(A, B, record=record)

    w.run(chain("a", "b", **fields), *OK)

    assert [line for line in w.log if ">" in line] == said


def test_profile_without_a_key_is_named_as_the_cause() -> None:
    w = world(profile("a", key_missing=True), B)

    w.run(chain("a", "b"), *OK)

    assert w.log[1] == "a > b: key_missing"


def test_chain_that_is_used_up_says_what_became_of_each() -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), fails("network"), fails("rate_limited"))

    assert w.log[-1] == "b > None: rate_limited"
    assert code(ending) is Code.ALL_FAILED
    assert trail(ending) == "a:network,b:rate_limited"
    assert ending.refusal is not None
    assert [s.reason.value for s in ending.refusal.profiles] == ["tried", "tried"]
    assert ending.refusal.retry_at == NOON + 31.0


@pytest.mark.parametrize(
    ("evidence", "cause"), [(GUESSED, "rate_limited"), (LIMITED, "cooldown")], ids=["held", "ended"]
)
def test_profile_that_another_call_is_testing_is_left_with_its_evidence(
    evidence: Health, cause: str
) -> None:
    w = world(A, B, record=health(a=evidence), now=NOON + 60.0, denials={"a": [BUSY]})

    w.run(chain("a", "b"), *OK)

    assert w.log[1] == f"a > b: {cause}"


def test_nobody_is_left_where_nobody_was_there_to_begin_with() -> None:
    w = world(A, record=Record(disabled={"a"}))

    ending = w.run(chain("a"))

    assert w.log == []
    assert code(ending) is Code.ALL_FAILED


# Retries.


def test_server_error_is_sent_three_times_each_on_a_reservation_of_its_own() -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), *[fails("server_error")] * 3, *OK)

    assert w.log == [
        "reserve a b", "send a", "release tokens", "wait 0.25",
        "reserve a", "send a", "release tokens", "wait 0.5",
        "reserve a", "send a", "release tokens", "learn a",
        "reserve b", "a > b: server_error", "send b", "relay", "settle",
    ]  # fmt: skip
    assert trail(ending) == "a:server_error,a:server_error,a:server_error,b:ok"


@pytest.mark.parametrize(
    ("kind", "fields", "retries", "sends"),
    [
        ("bad_gateway", {}, {}, 2),
        ("network", {"reset_mid_send": True}, {}, 2),
        ("network", {}, {}, 1),
        ("overloaded", {}, {"overloaded": 2}, 3),
        ("server_error", {}, {"server_error": 0}, 1),
    ],
)
def test_profile_is_sent_to_as_often_as_its_failure_is_worth(
    kind: str, fields: dict[str, Any], retries: dict[str, int], sends: int
) -> None:
    w = world(A)
    of = chain("a", retries={FailureClass(k): count for k, count in retries.items()})

    w.run(of, *[fails(kind, **fields)] * sends)

    assert [name for name, _ in w.sent] == ["a"] * sends


def test_back_off_is_spread_by_chance() -> None:
    w = world(A, sight={"draw": 0.999})

    w.run(chain("a"), fails("bad_gateway"), *OK)

    assert "wait 0.7495" in w.log


def test_retry_that_finds_no_room_falls_back() -> None:
    w = world(A, B, denials={"a": [None, FULL]})

    w.run(chain("a", "b"), fails("server_error"), *OK)

    assert w.log[4:] == [
        "reserve a", "learn a", "reserve b", "a > b: server_error", "send b", "relay", "settle",
    ]  # fmt: skip


def test_retry_that_would_begin_after_the_deadline_is_not_made() -> None:
    w = world(A, B)

    w.run(chain("a", "b", time_limits=TimeLimits(deadline_s=1.2)), fails("server_error"), *OK)

    assert w.log[3:5] == ["learn a", "reserve b"]


def test_what_was_our_own_doing_is_mended_and_sent_again_at_once_but_not_forever() -> None:
    w = world(A, B)
    ours = fails("bad_request", mended=True)

    ending = w.run(chain("a", "b"), ours, ours, *OK)

    assert w.log[:7] == [
        "reserve a b", "send a", "release tokens", "reserve a", "send a", "release tokens", "learn a",
    ]  # fmt: skip
    assert trail(ending) == "a:bad_request,a:bad_request,b:ok"


# What is counted.


def test_call_that_never_reached_the_provider_is_given_back_whole() -> None:
    w = world(A)

    w.run(chain("a"), fails("network", never_sent=True))

    assert "release all" in w.log


def test_failed_call_whose_usage_is_reported_is_settled_with_it() -> None:
    w = world(A)

    w.run(chain("a"), fails("content_filter", retry_elsewhere=False, usage=USED))

    settle = w.last(Settle)
    assert (settle.usage, settle.reported, settle.ok) == (USED, True, False)


# What lies with the request.


@pytest.mark.parametrize("kind", ["bad_request", "content_filter"])
def test_providers_word_on_the_request_is_final_at_once(kind: str) -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), fails(kind, retry_elsewhere=False, status=400))

    assert ending.kind is EndKind.PROVIDER_ERROR
    assert ending.profile == "a"
    assert ending.failure is not None
    assert ending.failure.status == 400


def test_request_that_only_one_provider_rejects_goes_on() -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), fails("bad_request"), *OK)

    assert trail(ending) == "a:bad_request,b:ok"


def test_request_that_all_reject_ends_in_the_first_ones_words() -> None:
    w = world(A, B)

    ending = w.run(
        chain("a", "b"), fails("bad_request", message="first"), fails("bad_request", message="2nd")
    )

    assert ending.kind is EndKind.PROVIDER_ERROR
    assert ending.profile == "a"
    assert ending.failure is not None
    assert ending.failure.message == "first"
    assert trail(ending) == "a:bad_request,b:bad_request"


def test_request_that_one_rejects_may_be_served_by_others_later() -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), fails("bad_request"), fails("rate_limited"))

    assert code(ending) is Code.ALL_EXHAUSTED


def test_too_long_request_goes_to_a_larger_context() -> None:
    small, same = profile("a", context_tokens=8_000), profile("b", model="a-model")
    no_larger, larger = profile("c", context_tokens=8_000), profile("d", context_tokens=128_000)
    w = world(small, same, no_larger, larger)

    ending = w.run(chain("a", "b", "c", "d"), fails("context_length"), *OK)

    assert trail(ending) == "a:context_length,d:ok"


def test_too_long_request_goes_to_an_unknown_context() -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), fails("context_length"), *OK)

    assert trail(ending) == "a:context_length,b:ok"


def test_too_long_request_ends_in_the_providers_words_when_nobody_is_larger() -> None:
    w = world(A, profile("b", model="a-model"))

    ending = w.run(chain("a", "b"), fails("context_length", status=413))

    assert ending.kind is EndKind.PROVIDER_ERROR
    assert (ending.profile, trail(ending)) == ("a", "a:context_length")


# Alternatives.

ALT = profile("a", model="m1", alternatives=("m2", "m3"))


def test_models_of_a_profile_are_tried_in_turn_when_one_is_missing() -> None:
    w = world(ALT, B)

    ending = w.run(chain("a", "b"), fails("model_not_found"), fails("model_not_found"), *OK)

    assert w.sent == [("a", "m1"), ("a", "m2"), ("a", "m3")]
    assert not [line for line in w.log if ">" in line]
    assert trail(ending) == "a:model_not_found,a:model_not_found,a:ok"


def test_profile_without_another_model_is_left() -> None:
    w = world(ALT, B)

    w.run(chain("a", "b"), *[fails("model_not_found")] * 3, *OK)

    assert [name for name, _ in w.sent] == ["a", "a", "a", "b"]


def test_missing_model_is_not_asked_for_again_before_the_record_knows() -> None:
    w = world(ALT, forgetful=True)

    w.run(chain("a"), *[fails("model_not_found")] * 3)

    assert w.sent == [("a", "m1"), ("a", "m2"), ("a", "m3")]


# Behind the commit point.


def test_broken_answer_ends_the_request_and_benches_the_profile() -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), answers(), breaks())

    assert w.log == ["reserve a b", "send a", "relay", "settle failed", "learn a"]
    assert w.last(Settle).failure is FailureClass.NETWORK
    assert ending.kind is EndKind.BROKEN
    assert trail(ending) == "a:network"
    assert ending.failure is not None
    assert ending.failure.after_content


def test_users_own_cooldown_applies_before_and_behind_the_commit_point() -> None:
    rules = {FailureClass.NETWORK: CooldownRule(wait_s=500.0, fixed=True)}
    before, behind = world(A), world(A)

    before.run(chain("a", cooldowns=rules), fails("network"))
    behind.run(chain("a", cooldowns=rules), answers(), breaks())

    for w, now in ((before, NOON + 1.0), (behind, NOON + 2.0)):
        cooldown = w.record.healths["profile:a"].cooldown
        assert cooldown is not None
        assert cooldown.until == now + 500.0


def test_success_mends_what_was_held_against_the_profile() -> None:
    w = world(A, record=health(a=LIMITED), now=NOON + 60.0)
    w.run(chain("a"), fails("timeout"))
    w.now += 60.0
    w.log.clear()

    w.run(chain("a"), *OK)

    assert w.log == ["reserve a", "send a", "learn a", "relay", "settle"]
    assert w.record.healths["profile:a"].cooldown is None


@pytest.mark.parametrize(
    ("failback", "kept", "script", "sticks"),
    [
        (Failback(), None, OK, None),
        (Failback(sticky=True), None, OK, "a"),
        (Failback(sticky=True), "a", OK, None),
        (Failback(sticky=True), "b", OK, None),
        (Failback(sticky=True), "a", (fails("network"), *OK), "b"),
        (Failback(after_s=300.0), "b", OK, None),
        (Failback(after_s=300.0), "b", (fails("network"), *OK), "a"),
    ],
)
def test_chain_remembers_its_last_working_profile_where_its_failback_asks_for_it(
    failback: Failback,
    kept: str | None,
    script: tuple[Callable[[float], Outcome], ...],
    sticks: str | None,
) -> None:
    record = Record(stickies={} if kept is None else {"default": Sticky(profile=kept, at=NOON)})
    w = world(A, B, record=record)

    w.run(chain("a", "b", failback=failback), *script)

    assert [line for line in w.log if "stick" in line] == (
        [] if sticks is None else [f"stick {sticks}"]
    )


# The end of patience with everyone.


def test_request_ends_when_its_deadline_is_over() -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b", time_limits=TimeLimits(deadline_s=1.0)), fails("overloaded"))

    assert code(ending) is Code.DEADLINE_EXCEEDED
    assert trail(ending) == "a:overloaded"
    assert ending.refusal is not None
    assert ending.refusal.message == "no answer began within the deadline of 1 s of 'default'"


def test_send_that_the_deadline_cut_short_is_not_the_profiles_fault() -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), fails("timeout", by_deadline=True))

    assert code(ending) is Code.DEADLINE_EXCEEDED
    assert w.log == ["reserve a b", "send a", "release tokens"]
    assert w.last(Release).failure is None
    assert not w.record.healths


@pytest.mark.parametrize("attempts", [0, 1])
def test_request_that_can_not_be_recorded_is_refused(attempts: int) -> None:
    w = world(A, unrecorded="the disk is full", unrecorded_from=attempts)

    ending = w.run(chain("a"), *[fails("server_error")] * attempts)

    assert code(ending) is Code.LEDGER_UNAVAILABLE
    assert ending.refusal is not None
    assert ending.refusal.message == "the disk is full"


def test_vectors_are_served_from_the_chains_space_alone() -> None:
    w = world(A, profile("b", embedding_space="a-model"), C)

    w.run(
        chain("a", "c", "b"),
        fails("network"),
        *OK,
        demand=Demand(operation=Operation.EMBEDDINGS, chars=400),
        space="a-model",
    )

    assert [name for name, _ in w.sent] == ["a", "b"]
