"""Decide which paid profiles a request may not reach, for it would get there by a forbidden fallback.

Two kinds of fallback are told apart: a free profile is spent (`on_quota`), or it is down
(`on_outage`). A paid profile that the chain prefers to every free one is no fallback at all.

Refuses to know what else keeps profiles from serving, and who is pinned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spillover.core.chains import Gate, Strategy
from spillover.core.values import FailureClass, RoutingPolicy, SkipReason, Tier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spillover.core.chains import SpendGate
    from spillover.core.ladder import Ask, Skipped
    from spillover.core.values import Profile


ASKS: Final = "needs x-spillover-spend: yes"
SHUT: Final = "spending is switched off"


def behind_gate(
    ask: Ask,
    names: Sequence[str],
    profiles: Mapping[str, Profile],
    skipped: Mapping[str, Skipped],
) -> dict[str, str]:
    """Return the paid ones of `names` that the gate keeps back, each with `ASKS` or `SHUT`.

    While a free candidate that comes before a paid one has not been left it is not known yet what
    kind of fallback would lead on, so the paid one waits for a later look at the ladder.
    """
    gate = ask.chain.spend_gate
    for_good = _kinds(gate, {Gate.NEVER})
    shut = for_good if ask.demand.spend_allowed else _kinds(gate, {Gate.NEVER, Gate.ASK})
    held: dict[str, str] = {}
    if not shut:
        return held
    for name in names:
        if profiles[name].tier is not Tier.PAID:
            continue
        before = _free_before(ask, name, profiles)
        met = {_is_quota(skipped[free]) for free in before if free in skipped}
        if met & shut or any(free not in skipped for free in before):
            # A request that agrees passes a gate that asks, and none that stays shut beside it.
            held[name] = ASKS if shut != for_good and not met & for_good else SHUT
    return held


def _kinds(gate: SpendGate, at: set[Gate]) -> set[bool | None]:
    """Return the kinds of fallback for which the gate stands so: True for quota, False for outage."""
    return {
        quota for quota, is_at in ((True, gate.on_quota), (False, gate.on_outage)) if is_at in at
    }


def _free_before(ask: Ask, name: str, profiles: Mapping[str, Profile]) -> list[str]:
    """Return the free profiles that the chain means to be used before profile `name`."""
    members = [member.profile for member in ask.chain.members]
    policies = {ask.chain.routing_policy, ask.demand.policy}
    by_tier = policies & {RoutingPolicy.FREE_TIER, RoutingPolicy.AUTO_CHEAPEST}
    if ask.chain.strategy is Strategy.PRIORITY and not by_tier:
        members = members[: members.index(name)]
    return [each for each in members if profiles[each].tier is not Tier.PAID]


SPENT_CAUSES: Final = frozenset(
    {FailureClass.RATE_LIMITED, FailureClass.QUOTA_EXHAUSTED, FailureClass.PAYMENT_REQUIRED}
)
"""Failures that say "spent" rather than "down"."""
SPENT_REASONS: Final = frozenset({SkipReason.LIMIT, SkipReason.EXHAUSTED})

_OUTAGE_REASONS: Final = frozenset({SkipReason.FAILED, SkipReason.COOLDOWN, SkipReason.TRIED})


def _is_quota(skipped: Skipped) -> bool | None:
    """Return True for a spent quota, False for an outage, None for neither."""
    if skipped.reason in SPENT_REASONS or skipped.cause in SPENT_CAUSES:
        return True
    return False if skipped.reason in _OUTAGE_REASONS else None
