"""Put the profiles that may serve a request in order, by routing policy and strategy.

Rules of this file:
- `free-tier` and `auto-cheapest` decide the order themselves; the chain's strategy is passed over.
- What is not known comes last: an unranked profile, a paid one without a price.
- `free-tier` takes a profile that the conversation is about to outgrow after all others that cost
  nothing; where price decides, after those that cost the same: room is never bought unasked.
- Every order is stable: ties keep the chain's own.

Refuses to know who may serve at all, and who is kept first whatever the order says.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, assert_never

from spillover.core.chains import Strategy
from spillover.core.pace import fastest_first
from spillover.core.values import Capability, Operation, RoutingPolicy, Tier

if TYPE_CHECKING:
    from spillover.core.chains import Chain, Member
    from spillover.core.ladder import Ask, View
    from spillover.core.limits import Candidate
    from spillover.core.values import Demand


def ordered(
    ask: Ask, able: list[tuple[Member, Candidate]], view: View, now: float
) -> list[Candidate]:
    """Return those that may serve in order; ties keep the chain's own, which they come in."""
    chain = ask.chain
    plain = [candidate for _, candidate in able]
    policies = {chain.routing_policy, ask.demand.policy}
    if RoutingPolicy.FREE_TIER in policies:
        free = [c for c in plain if c.profile.tier is not Tier.PAID]
        free.sort(key=lambda c: (_is_cramped(c, ask.demand), _place(c)))
        return free + [c for c in plain if c.profile.tier is Tier.PAID]
    strategy = Strategy.CHEAPEST if RoutingPolicy.AUTO_CHEAPEST in policies else chain.strategy
    match strategy:
        case Strategy.ROUND_ROBIN:
            return _rotated(plain, chain, ask.turn)
        case Strategy.WEIGHTED:
            return _drawn(able, ask.draw)
        case Strategy.LEAST_USED:
            return sorted(plain, key=lambda c: view.load(c.profile, now))
        case Strategy.CHEAPEST:
            return sorted(plain, key=lambda c: (_expected_cost(c), _is_cramped(c, ask.demand)))
        case Strategy.FASTEST:
            # Who serves behind one that failed is no trial: the request has waited long enough.
            draw = None if ask.tried else ask.draw
            return fastest_first(
                plain, lambda c: (view.pace(c.profile.name), c.need.output_tokens), draw
            )
        case Strategy.QUALITY:
            return sorted(plain, key=_place)
        case Strategy.PRIORITY:
            return plain
        case _:
            assert_never(strategy)


AGENTIC_CONTEXT: Final = 16_384
"""Tokens that a conversation with tools outgrows in a few steps (Cerebras' free tier has 8,192)."""
ROOM: Final = 2
"""A context of less than so many times the request has no room for the next turns."""


def _is_cramped(candidate: Candidate, demand: Demand) -> bool:
    """Whether a conversation like this one is about to outgrow the profile's context."""
    context = candidate.profile.context_tokens
    if context is None or demand.operation is not Operation.CHAT:
        return False
    if Capability.TOOLS in demand.needs and context < AGENTIC_CONTEXT:
        return True
    return ROOM * (candidate.need.input_tokens + candidate.need.output_tokens) > context


def _place(candidate: Candidate) -> float:
    """The catalogue's rank; who has none comes after all who have."""
    rank = candidate.profile.rank
    return inf if rank is None else rank


def _expected_cost(candidate: Candidate) -> float:
    """What the call would cost its user; a price that nobody knows is taken as the highest."""
    if candidate.profile.tier is not Tier.PAID:
        return 0.0
    return inf if candidate.profile.price is None else candidate.need.cost_nanousd


def _rotated(plain: list[Candidate], chain: Chain, turn: int) -> list[Candidate]:
    """Begin at the chain's `turn`-th member; who can't serve is passed over in place."""
    place = {member.profile: i for i, member in enumerate(chain.members)}
    count = len(chain.members)
    return sorted(plain, key=lambda c: (place[c.profile.name] - turn) % count)


def _drawn(able: list[tuple[Member, Candidate]], draw: float) -> list[Candidate]:
    """Draw the first by weight; the others follow in the order of further draws by the same lot."""
    rest = list(able)
    drawn: list[Candidate] = []
    while rest:
        total = sum(member.weight for member, _ in rest)
        mark, chosen = draw * total, len(rest) - 1
        for place, (member, _) in enumerate(rest):
            mark -= member.weight
            if mark < 0:
                chosen = place
                break
        drawn.append(rest.pop(chosen)[1])
    return drawn
