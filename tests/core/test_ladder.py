"""Who may serve a request, in what order, and why the others may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.chains import Failback, Gate, Hours, Member, SpendGate, Strategy
from spillover.core.health import subject_of_model, subject_of_profile
from spillover.core.ladder import (
    Ask,
    Pin,
    Skipped,
    Sticky,
    embedding_space,
    outside,
    with_model,
)
from spillover.core.limits import Block
from spillover.core.tokens import Calibration
from spillover.core.values import (
    Capability,
    Demand,
    FailureClass,
    RoutingPolicy,
    SkipReason,
    Status,
    owner_of_account,
    owner_of_model,
)
from tests.core.laddering import (
    DOWN,
    LIMITED,
    LOCAL,
    MISSING_KEY,
    PAID,
    SPENT,
    WAYS_OUT,
    A,
    B,
    C,
    benched,
    health,
    ladder,
    order,
    reasons,
)
from tests.core.making import NOON, Record, by_name, chain, limit, profile

if TYPE_CHECKING:
    from spillover.core.health import Health
    from spillover.core.values import Profile

# Who is left out, and why.


def test_all_serve_in_the_order_of_the_chain_when_nothing_is_in_the_way() -> None:
    found = ladder(chain("b", "a", "c"), A, B, C)

    assert order(found) == ["b", "a", "c"]
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("who", "record", "ask", "expected"),
    [
        (A, Record(disabled={"a"}), {}, Skipped(
            profile="a", reason=SkipReason.DISABLED, detail="disabled by hand")),
        (profile("a", key_missing=True), Record(), {}, Skipped(
            profile="a", reason=SkipReason.FAILED, detail="key_missing")),
        (A, health(a=benched(FailureClass.AUTH_INVALID, status=Status.FAILED, until=None)), {}, Skipped(
            profile="a", reason=SkipReason.FAILED, detail="auth_invalid",
            cause=FailureClass.AUTH_INVALID)),
        (A, health(a=LIMITED), {}, Skipped(
            profile="a", reason=SkipReason.COOLDOWN, detail="rate_limited",
            available_at=NOON + 60.0, cause=FailureClass.RATE_LIMITED)),
        (A, health(a=SPENT), {}, Skipped(
            profile="a", reason=SkipReason.EXHAUSTED, detail="quota_exhausted",
            available_at=NOON + 60.0, cause=FailureClass.QUOTA_EXHAUSTED)),
        (A, Record(), {"blocked": {"a": Block(limit=limit(5), available_at=NOON + 9.0)}}, Skipped(
            profile="a", reason=SkipReason.LIMIT, detail="requests_per_minute",
            available_at=NOON + 9.0)),
        (A, Record(), {"blocked": {"a": Block(limit=limit(5), available_at=NOON, stated=True)}},
         Skipped(
            profile="a", reason=SkipReason.EXHAUSTED, detail="requests_per_minute",
            available_at=NOON)),
        (A, Record(), {"blocked": {"a": Block(limit=limit(5), stated=True)}}, Skipped(
            profile="a", reason=SkipReason.LIMIT, detail="requests_per_minute")),
        (A, Record(), {"blocked": {"a": Block(limit=limit(5, per=None), never=True)}}, Skipped(
            profile="a", reason=SkipReason.LIMIT, detail="requests", never=True)),
        (A, Record(), {"blocked": {"a": Block(limit=None)}}, Skipped(
            profile="a", reason=SkipReason.COOLDOWN, detail="being probed by another request",
            probed=True)),
        (A, health(a=benched(FailureClass.TIMEOUT, until=NOON, probe_at=NOON)),
         {"blocked": {"a": Block(limit=None)}}, Skipped(
            profile="a", reason=SkipReason.COOLDOWN, detail="being probed by another request",
            cause=FailureClass.TIMEOUT, probed=True)),
        (profile("a", context_tokens=99), Record(), {}, Skipped(
            profile="a", reason=SkipReason.CONTEXT_TOO_SMALL, detail="100 tokens, context 99",
            never=True)),
        (profile("a", context_tokens=4_000), Record(), {"larger_than": 4_000}, Skipped(
            profile="a", reason=SkipReason.CONTEXT_TOO_SMALL, detail="4000 tokens, context 4000",
            never=True)),
        (A, Record(), {"too_small": frozenset({"a-model"})}, Skipped(
            profile="a", reason=SkipReason.CONTEXT_TOO_SMALL,
            detail="the same model just said the request is too long", never=True)),
        (profile("a", lacks=frozenset({Capability.VISION, Capability.TOOLS})), Record(),
         {"demand": Demand(needs=frozenset({Capability.TOOLS, Capability.VISION}))}, Skipped(
            profile="a", reason=SkipReason.LACKS_CAPABILITY, detail="tools, vision", never=True)),
        (A, Record(), {"space": "other"}, Skipped(
            profile="a", reason=SkipReason.LACKS_CAPABILITY,
            detail="vectors of another space than other", never=True)),
        (A, Record(), {"chain": chain("a", privacy=True)}, Skipped(
            profile="a", reason=SkipReason.PRIVACY, detail="only local profiles may serve")),
        (A, Record(), {"chain": chain("a", routing_policy=RoutingPolicy.LOCAL_ONLY)}, Skipped(
            profile="a", reason=SkipReason.POLICY, detail="local-only: not local")),
        (A, Record(), {"demand": Demand(policy=RoutingPolicy.BYOK_PAID)}, Skipped(
            profile="a", reason=SkipReason.POLICY, detail="byok-paid: not paid")),
        (A, Record(), {"chain": chain(Member(
            profile="a", hours=Hours(start_minute=780, end_minute=840)))}, Skipped(
            profile="a", reason=SkipReason.HOURS, detail="outside its hours",
            available_at=NOON + 3_600.0)),
        (A, Record(), {"tried": {"a": FailureClass.NETWORK}}, Skipped(
            profile="a", reason=SkipReason.TRIED, detail="network", cause=FailureClass.NETWORK)),
        (A, health(a=LIMITED), {"tried": {"a": FailureClass.RATE_LIMITED}}, Skipped(
            profile="a", reason=SkipReason.TRIED, detail="rate_limited",
            available_at=NOON + 60.0, cause=FailureClass.RATE_LIMITED)),
    ],
    ids=[
        "disabled", "key missing", "failed", "cooldown", "exhausted", "limit",
        "provider's word", "provider's word, held", "limit, never",
        "probed", "probed, with its cause", "context", "larger context", "same model", "capability",
        "space", "privacy", "policy", "request's policy", "hours", "tried", "tried and benched",
    ],
)  # fmt: skip
def test_profile_that_can_not_serve_says_why_and_until_when(
    who: Profile, record: Record, ask: dict[str, Any], expected: Skipped
) -> None:
    found = ladder(ask.pop("chain", chain("a")), who, record=record, **ask)

    assert found.candidates == ()
    assert found.skipped == (expected,)


def test_member_serves_within_its_hours() -> None:
    open_now = Member(profile="a", hours=Hours(start_minute=700, end_minute=840))

    assert order(ladder(chain(open_now), A)) == ["a"]


AFTERNOON = Member(profile="a", hours=Hours(start_minute=780, end_minute=840))
OPENS_AT = NOON + 3_600.0


@pytest.mark.parametrize(
    ("record", "back_at"),
    [
        (health(a=DOWN), OPENS_AT),
        (health(a=benched(FailureClass.TIMEOUT, until=NOON + 7_200.0)), NOON + 7_200.0),
        (health(a=MISSING_KEY), None),
        (Record(blocks={"a": Block(limit=limit(1))}), OPENS_AT),
        (Record(blocks={"a": Block(limit=limit(1), available_at=NOON + 7_200.0)}), NOON + 7_200.0),
        (Record(blocks={"a": Block(limit=limit(1), never=True)}), None),
    ],
)
def test_member_outside_its_hours_is_back_when_nothing_else_is_in_its_way_then(
    record: Record, back_at: float | None
) -> None:
    (skipped,) = ladder(chain(AFTERNOON), A, record=record).skipped

    assert (skipped.reason, skipped.available_at) == (SkipReason.HOURS, back_at)


def test_opening_of_whom_the_spend_gate_would_keep_back_helps_nobody() -> None:
    late = Member(profile="paid", hours=AFTERNOON.hours)
    gated = chain("a", late, spend_gate=SpendGate(on_quota=Gate.ASK))
    agreed = Demand(chars=4, spend_allowed=True)

    shut = ladder(gated, A, PAID, record=health(a=SPENT)).skipped[1]
    allowed = ladder(gated, A, PAID, record=health(a=SPENT), demand=agreed).skipped[1]
    unneeded = ladder(gated, A, PAID).skipped[0]

    assert (shut.reason, shut.available_at) == (SkipReason.HOURS, None)
    assert shut.detail == "outside its hours, and needs x-spillover-spend: yes"
    assert allowed.available_at == unneeded.available_at == OPENS_AT


def test_benched_profile_whose_credit_is_spent_is_never_back() -> None:
    record = health(a=DOWN)
    record.blocks["a"] = Block(limit=limit(1), never=True)

    assert ladder(chain("a"), A, record=record).skipped[0].available_at is None


def test_profiles_outside_the_chain_that_could_serve_are_told_local_ones_first() -> None:
    record = Record(disabled={"b"}, blocks={"c": Block(limit=limit(1))})
    asked, known = Ask(chain=chain("a"), demand=Demand(chars=4)), by_name(A, B, C, PAID, LOCAL)

    assert [each.name for each in outside(asked, known, record, NOON)] == ["local", "paid"]


def test_first_reason_in_the_way_is_the_one_that_is_told() -> None:
    who = profile("a", key_missing=True, lacks=frozenset({Capability.TOOLS}), context_tokens=1)
    tools = Demand(chars=99, needs=frozenset({Capability.TOOLS}))
    private = chain("a", privacy=True)
    everything = health(a=SPENT)
    everything.disabled.add("a")

    found = [
        ladder(private, who, record=everything, demand=tools, tried={"a": FailureClass.TIMEOUT}),
        ladder(private, who, record=everything, demand=tools),
        ladder(private, who, record=health(a=SPENT), demand=tools),
        ladder(chain("a"), who, record=health(a=SPENT), demand=tools),
        ladder(chain("a"), who, record=health(a=SPENT)),
        ladder(chain("a"), profile("a", context_tokens=1), record=health(a=SPENT)),
        ladder(chain("a"), profile("a", context_tokens=1), blocked={"a": Block(limit=limit(1))}),
    ]

    assert [reasons(each)["a"] for each in found] == [
        "tried", "disabled", "privacy", "lacks_capability", "failed", "exhausted",
        "context_too_small",
    ]  # fmt: skip


def test_candidate_carries_what_the_call_would_need_by_what_was_learned() -> None:
    record = Record(calibrations={"a": Calibration(chars_per_token=2.0)})

    found = ladder(chain("a", "b"), A, B, record=record)

    assert [candidate.need.input_tokens for candidate in found.candidates] == [200, 100]


def test_guess_that_may_be_tested_serves_as_a_probe() -> None:
    record = health(a=benched(FailureClass.TIMEOUT, until=NOON, probe_at=NOON))

    found = ladder(chain("a", "b"), A, B, record=record)

    assert [candidate.probe for candidate in found.candidates] == [subject_of_profile("a"), None]


def test_unknown_context_may_hold_anything() -> None:
    found = ladder(chain("a"), A, larger_than=1_000_000)

    assert order(found) == ["a"]


# Alternatives.

ALT = profile(
    "a",
    model="m1",
    alternatives=("m2", "m3"),
    limits=(
        limit(5),
        limit(9, owner=owner_of_model("a-key", "m1")),
        limit(7, owner=owner_of_account("a-key")),
    ),
)
MISSING = benched(FailureClass.MODEL_NOT_FOUND, status=Status.FAILED, until=None, probe_at=NOON + 9)


@pytest.mark.parametrize(
    ("known", "just_told", "model"),
    [
        ((), (), "m1"),
        (("m1",), (), "m2"),
        (("m1", "m2"), (), "m3"),
        ((), ("m1",), "m2"),
        (("m1",), ("m2",), "m3"),
        (("m3",), (), "m1"),
    ],
)
def test_first_model_that_is_not_known_to_be_missing_serves(
    known: tuple[str, ...], just_told: tuple[str, ...], model: str
) -> None:
    record = Record(healths={subject_of_model("a", each): MISSING for each in known})

    found = ladder(
        chain("a"), ALT, record=record, missing=frozenset(("a", each) for each in just_told)
    )

    assert [candidate.profile.model for candidate in found.candidates] == [model]


def test_profile_whose_models_are_all_missing_has_failed() -> None:
    record = Record(healths={subject_of_model("a", m): MISSING for m in ("m1", "m2", "m3")})

    found = ladder(chain("a"), ALT, record=record)

    assert found.skipped[0].reason is SkipReason.FAILED
    assert found.skipped[0].available_at == NOON + 9


def test_profile_that_waits_for_more_than_a_model_says_for_what() -> None:
    record = Record(
        healths={subject_of_model("a", "m1"): MISSING, subject_of_profile("a"): LIMITED}
    )

    found = ladder(chain("a"), ALT, record=record)

    assert found.skipped[0].reason is SkipReason.COOLDOWN
    assert found.skipped[0].available_at == NOON + 60.0


def test_limits_on_the_model_go_with_the_model() -> None:
    other = with_model(ALT, "m2")

    assert other.model == "m2"
    assert [each.owner for each in other.limits] == [
        "profile:a", owner_of_model("a-key", "m2"), owner_of_account("a-key")
    ]  # fmt: skip
    assert with_model(ALT, "m2").limits is other.limits


# Who is kept first.


def test_pinned_profile_comes_first() -> None:
    found = ladder(chain("a", "b", "c"), A, B, C, record=Record(pins={"default": Pin(profile="c")}))

    assert order(found) == ["c", "a", "b"]
    assert found.kept == "c"


def test_strictly_pinned_profile_serves_alone() -> None:
    record = Record(pins={"default": Pin(profile="b", strict=True)}, disabled={"c"})

    found = ladder(chain("a", "b", "c"), A, B, C, record=record)

    assert order(found) == ["b"]
    assert reasons(found) == {"a": "policy", "c": "disabled"}
    assert found.skipped[0].detail == "pinned to b"


def test_pin_to_a_profile_that_has_left_the_chain_binds_nobody() -> None:
    record = Record(pins={"default": Pin(profile="gone", strict=True)})

    assert order(ladder(chain("a", "b"), A, B, record=record)) == ["a", "b"]


def test_session_stays_with_who_served_it() -> None:
    assert order(ladder(chain("a", "b"), A, B, affinity="b")) == ["b", "a"]


@pytest.mark.parametrize(
    ("failback", "strategy", "since", "first"),
    [
        (Failback(), "priority", 1.0, "a"),
        (Failback(sticky=True), "priority", 1e6, "b"),
        (Failback(sticky=True), "round_robin", 1.0, "a"),
        (Failback(after_s=300.0), "priority", 299.0, "b"),
        (Failback(after_s=300.0), "priority", 300.0, "a"),
    ],
)
def test_failback_keeps_the_last_working_profile_as_long_as_it_says(
    failback: Failback, strategy: str, since: float, first: str
) -> None:
    of = chain("a", "b", failback=failback, strategy=Strategy(strategy))
    record = Record(stickies={"default": Sticky(profile="b", at=NOON - since)})

    assert order(ladder(of, A, B, record=record))[0] == first


def test_pin_comes_before_session_and_session_before_failback() -> None:
    of = chain("a", "b", "c", failback=Failback(sticky=True))
    record = Record(stickies={"default": Sticky(profile="b", at=NOON)})

    in_session = ladder(of, A, B, C, record=record, affinity="c")
    record.pins["default"] = Pin(profile="a")
    pinned = ladder(of, A, B, C, record=record, affinity="c")

    assert (in_session.kept, pinned.kept) == ("c", "a")


# Embeddings.


def test_space_of_a_chain_is_that_of_its_first_embedding_profile() -> None:
    chat = profile("a", lacks=frozenset({Capability.EMBEDDINGS}))
    named = profile("b", embedding_space="bge-m3")
    profiles = by_name(chat, named, C)

    assert embedding_space(chain("a", "b", "c"), profiles) == "bge-m3"
    assert embedding_space(chain("a", "c", "b"), profiles) == "c-model"
    assert embedding_space(chain("a"), profiles) is None


def test_vectors_fall_back_within_their_space_alone() -> None:
    same = profile("b", embedding_space="a-model")

    found = ladder(chain("a", "b", "c"), A, same, C, space="a-model")

    assert order(found) == ["a", "b"]


@pytest.mark.parametrize(
    ("block", "back_in_s"),
    [
        (None, 60.0),
        (Block(limit=None), 60.0),
        (Block(limit=None, available_at=NOON + 10.0), 60.0),
        (Block(limit=None, available_at=NOON + 300.0), 300.0),
    ],
)
def test_benched_profile_is_back_when_its_limits_have_room_too(
    block: Block | None, back_in_s: float
) -> None:
    record = Record(
        healths={subject_of_profile("a"): benched(FailureClass.OVERLOADED)},
        blocks={} if block is None else {"a": block},
    )

    benched_now = ladder(chain("a"), A, record=record).skipped
    just_tried = ladder(chain("a"), A, record=record, tried={"a": FailureClass.OVERLOADED}).skipped

    assert [each.available_at for each in benched_now] == [NOON + back_in_s]
    assert [each.available_at for each in just_tried] == [NOON + back_in_s]


def test_candidates_of_a_plain_chain_are_looked_at_only_as_far_as_asked() -> None:
    asked: list[str] = []

    class Watched(Record):
        def is_disabled(self, profile: str) -> bool:
            asked.append(profile)
            return super().is_disabled(profile)

    found = ladder(chain("a", "b", "c"), A, B, C, record=Watched(disabled={"a"}), as_needed=True)

    assert bool(found.candidates)
    assert found.candidates[0].profile.name == "b"
    assert [each.profile for each in found.skipped] == ["a"]
    assert asked == ["a", "b"]
    assert [each.profile.name for each in found.candidates] == ["b", "c"]
    assert len(found.candidates) == 2
    assert found.candidates[1].profile.name == found.candidates[-1].profile.name == "c"
    assert [each.profile.name for each in found.candidates[:1]] == ["b"]
    assert asked == ["a", "b", "c"]


def test_plain_chain_that_nobody_can_serve_has_no_candidates() -> None:
    found = ladder(chain("a", "b"), A, B, record=Record(disabled={"a", "b"}), as_needed=True)

    assert not found.candidates
    assert [each.profile for each in found.skipped] == ["a", "b"]


@pytest.mark.parametrize("evidence", [DOWN, SPENT, MISSING_KEY], ids=["down", "spent", "failed"])
def test_probe_by_hand_goes_past_what_is_held_against_a_profile(evidence: Health) -> None:
    record = health(a=evidence)
    record.disabled.add("a")

    found = ladder(chain("a"), A, record=record, demand=Demand(chars=4, probe=True))

    assert order(found) == ["a"]
    assert found.candidates[0].probe == subject_of_profile("a")


def test_probe_by_hand_does_not_go_past_key_and_privacy() -> None:
    keyless, demand = profile("a", key_missing=True), Demand(chars=4, probe=True)

    assert reasons(ladder(chain("a"), keyless, demand=demand)) == {"a": "failed"}
    assert reasons(ladder(chain("a", privacy=True), A, demand=demand)) == {"a": "privacy"}


@given(st.sampled_from(["chain", "request", "privacy"]), WAYS_OUT)
def test_nothing_leads_past_local_only(said_by: str, way: dict[str, Any]) -> None:
    only, other, kept = RoutingPolicy.LOCAL_ONLY, way["other"], way["kept"]
    of = chain(
        *("a", "b", "local", "paid", "c"),
        strategy=way["strategy"],
        privacy=said_by == "privacy",
        routing_policy=only if said_by == "chain" else other or RoutingPolicy.ANY,
        failback=Failback(sticky=True),
    )
    policy = only if said_by == "request" else other
    record = Record(
        pins={} if way["pin"] is None else {of.name: way["pin"]},
        stickies={} if kept is None else {of.name: Sticky(profile=kept, at=NOON)},
    )

    found = ladder(
        *(of, A, B, C, LOCAL, PAID),
        record=record,
        demand=Demand(chars=400, policy=policy, spend_allowed=True),
        affinity=kept,
        tried=dict.fromkeys(way["tried"], FailureClass.SERVER_ERROR),
        draw=way["draw"],
        as_needed=way["as_needed"],
    )

    assert set(order(found)) <= {"local"}
