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

    from spillover.core.ladder import Ask, Skipped
    from spillover.core.values import Profile


def behind_gate(
    ask: Ask,
    names: Sequence[str],
    profiles: Mapping[str, Profile],
    skipped: Mapping[str, Skipped],
) -> dict[str, str]:
    """Return the paid ones of `names` that the gate keeps back, each with what would open it.

    While a free candidate that comes before a paid one has not been left it is not known yet what
    kind of fallback would lead on, so the paid one waits for a later look at the ladder.
    """
    gate = ask.chain.spend_gate
    closed = {Gate.NEVER} if ask.demand.spend_allowed else {Gate.NEVER, Gate.ASK}
    shut = {quota for quota, at in ((True, gate.on_quota), (False, gate.on_outage)) if at in closed}
    if not shut:
        return {}
    asks = Gate.ASK in closed and Gate.ASK in {gate.on_quota, gate.on_outage}
    detail = "needs x-spillover-spend: yes" if asks else "spending is switched off"
    paid = [name for name in names if profiles[name].tier is Tier.PAID]
    return {
        name: detail
        for name in paid
        if any(
            free not in skipped or _is_quota(skipped[free]) in shut
            for free in _free_before(ask, name, profiles)
        )
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
