"""How a request ends that nobody serves."""

from __future__ import annotations

import pytest

from spillover.core.ladder import Ask, Skipped
from spillover.core.refusals import STATUS_OF, Code, Refusal
from spillover.core.refusals import refusal as refusal_of
from spillover.core.remedies import Plight
from spillover.core.values import Demand, FailureClass, SkipReason
from tests.core.laddering import LOCAL
from tests.core.making import NOON, by_name, chain


def skipped(told: str, name: str = "a", in_s: float | None = None) -> Skipped:
    """`reason` or `reason:cause`."""
    reason, _, cause = told.partition(":")
    return Skipped(
        profile=name,
        reason=SkipReason(reason),
        detail=cause,
        available_at=None if in_s is None else NOON + in_s,
        cause=FailureClass(cause) if cause else None,
    )


def refusal(name: str, left_out: list[Skipped], now: float) -> Refusal:
    """How a request for a chain ends; a local profile that can't help is configured."""
    ask = Ask(chain=chain(*(each.profile for each in left_out), name=name), demand=Demand())
    return refusal_of(Plight(ask=ask, skipped=tuple(left_out), profiles=by_name(LOCAL)), now)


def code(*told: str) -> Code:
    return refusal("default", [skipped(each, f"p{i}") for i, each in enumerate(told)], NOON).code


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["limit"], Code.ALL_EXHAUSTED),
        (["exhausted:quota_exhausted"], Code.ALL_EXHAUSTED),
        (["cooldown:rate_limited", "limit"], Code.ALL_EXHAUSTED),
        (["tried:rate_limited", "tried:quota_exhausted"], Code.ALL_EXHAUSTED),
        (["limit", "disabled", "policy", "privacy", "hours", "spend_gate"], Code.ALL_EXHAUSTED),
        (["limit", "lacks_capability"], Code.ALL_EXHAUSTED),
        (["limit", "context_too_small"], Code.ALL_EXHAUSTED),
        (["limit", "tried:bad_request"], Code.ALL_EXHAUSTED),
        (["limit", "cooldown:overloaded"], Code.ALL_FAILED),
        (["limit", "failed:payment_required"], Code.ALL_FAILED),
        (["failed:auth_invalid"], Code.ALL_FAILED),
        (["tried:network"], Code.ALL_FAILED),
        (["failed"], Code.ALL_FAILED),
        (["disabled"], Code.ALL_FAILED),
        (["disabled", "disabled"], Code.ALL_FAILED),
        (["disabled", "policy"], Code.POLICY_ABSTAINED),
        (["policy"], Code.POLICY_ABSTAINED),
        (["privacy", "hours"], Code.POLICY_ABSTAINED),
        (["spend_gate"], Code.POLICY_ABSTAINED),
        (["lacks_capability"], Code.NO_CAPABLE_PROFILE),
        (["lacks_capability", "disabled"], Code.NO_CAPABLE_PROFILE),
        (["tried:bad_request"], Code.NO_CAPABLE_PROFILE),
        (["context_too_small"], Code.CONTEXT_LENGTH_EXCEEDED),
        (["context_too_small", "lacks_capability", "policy"], Code.CONTEXT_LENGTH_EXCEEDED),
    ],
)
def test_what_stands_in_the_way_of_all_decides_the_code(told: list[str], expected: Code) -> None:
    assert code(*told) is expected


def test_every_code_has_its_status() -> None:
    assert STATUS_OF.keys() == set(Code)
    assert refusal("default", [skipped("limit")], NOON).status == 429
    assert refusal("default", [skipped("tried:network")], NOON).status == 503


def test_message_names_everyone_with_the_reason_and_who_is_back_first() -> None:
    found = refusal(
        "coding",
        [
            skipped("exhausted:quota_exhausted", "groq", 7_300.0),
            skipped("limit", "glm", 41.2),
            skipped("policy", "old"),
        ],
        NOON,
    )

    assert found.message == (
        "every profile of 'coding' is spent: groq (exhausted: quota_exhausted, back in 3 h), "
        "glm (limit, back in 42 s), old (policy); "
        "soonest is glm in 42 s, at 2025-11-20 12:00:42 UTC"
    )
    assert found.retry_at == NOON + 41.2
    assert [each.profile for each in found.profiles] == ["groq", "glm", "old"]


def test_detail_that_says_the_same_as_the_reason_is_said_once() -> None:
    same = Skipped(profile="a", reason=SkipReason.TRIED, detail="tried")

    assert (
        refusal("default", [same], NOON).message == "no profile of 'default' can serve: a (tried)"
    )


def test_clients_see_each_profiles_obstacle() -> None:
    found = refusal("default", [skipped("limit", "a", in_s=60.0)], NOON)

    (obstacle,) = found.obstacles
    assert (obstacle.profile, obstacle.reason) == ("a", "limit")
    assert obstacle.available_at == NOON + 60.0


def test_message_ends_with_what_can_be_done() -> None:
    found = refusal("default", [skipped("failed:auth_invalid"), skipped("disabled", "b")], NOON)

    assert found.message == (
        "no profile of 'default' can serve: a (failed: auth_invalid), b (disabled); "
        "give 'a' a key that its provider accepts; spillover enable lets 'b' serve again"
    )


def restarting(name: str = "local") -> Skipped:
    return Skipped(profile=name, reason=SkipReason.COOLDOWN, detail="restarting")


@pytest.mark.parametrize(
    ("told", "advises"),
    [
        ([skipped("tried:network"), skipped("cooldown:network", "b", 30.0)], True),
        ([restarting(), skipped("tried:network")], True),
        ([skipped("tried:network"), skipped("disabled", "b")], True),
        ([skipped("tried:network"), skipped("cooldown:overloaded", "b")], False),
        ([restarting()], False),
        ([skipped("disabled")], False),
    ],
)
def test_whoever_reaches_nobody_is_told_to_look_at_their_own_network(
    told: list[Skipped], *, advises: bool
) -> None:
    message = refusal("default", told, NOON).message

    assert ("check this machine's network, its VPN and its proxy settings" in message) is advises


def test_chain_without_profiles_fails_without_a_list() -> None:
    found = refusal("default", [], NOON)

    assert (found.code, found.message) == (Code.ALL_FAILED, "no profile of 'default' can serve")


def test_who_opens_later_is_told_of_but_not_to_be_retried() -> None:
    found = refusal("default", [skipped("hours", in_s=60.0)], NOON)

    assert found.code is Code.POLICY_ABSTAINED
    assert found.retry_at is None
    assert "soonest is a in 60 s, at 2025-11-20 12:01:00 UTC" in found.message


def test_no_time_is_named_where_waiting_does_not_help() -> None:
    found = refusal("default", [skipped("lacks_capability", in_s=60.0)], NOON)

    assert (found.code, found.retry_at) == (Code.NO_CAPABLE_PROFILE, None)
    assert "soonest" not in found.message


NEVER = Skipped(profile="a", reason=SkipReason.LIMIT, never=True)


@pytest.mark.parametrize(
    ("left_out", "vain"),
    [
        ([NEVER], True),
        ([NEVER, skipped("disabled"), skipped("spend_gate"), skipped("failed")], True),
        ([NEVER, skipped("hours", in_s=60.0)], False),
        ([NEVER, skipped("failed", in_s=60.0)], False),
        ([NEVER, skipped("limit")], False),
        ([skipped("policy")], False),  # 403: nobody tries that again
    ],
)
def test_retrying_is_vain_where_only_a_person_changes_anything(
    left_out: list[Skipped], *, vain: bool
) -> None:
    assert refusal("default", left_out, NOON).is_vain_to_retry is vain


@pytest.mark.parametrize(
    ("in_s", "span"),
    [
        (0.2, "1 s"),
        (-5.0, "1 s"),
        (119.9, "120 s"),
        (120.0, "2 min"),
        (7_199.0, "120 min"),
        (7_200.0, "2 h"),
        (172_799.0, "48 h"),
        (172_801.0, "3 d"),
    ],
)
def test_spans_are_told_as_people_say_them_and_rounded_up(in_s: float, span: str) -> None:
    assert refusal("x", [skipped("limit", in_s=in_s)], NOON).message.count(f" in {span}, at ") == 1


@pytest.mark.parametrize(("in_s", "told"), [(0.0, 1), (-9.0, 1), (0.1, 1), (1.2, 2), (60.0, 60)])
def test_clients_are_told_whole_seconds_rounded_up_and_at_least_one(in_s: float, told: int) -> None:
    assert refusal("x", [skipped("limit", in_s=in_s)], NOON).retry_after_s(NOON) == told


def test_clients_are_told_nothing_where_nothing_is_known() -> None:
    assert refusal("x", [skipped("limit")], NOON).retry_after_s(NOON) is None
