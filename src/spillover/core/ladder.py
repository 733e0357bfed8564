"""Order the profiles of a chain for one request, and say why each of the others was left out.

One function makes the ladder for serving, explaining and simulating, so the three can't disagree.
Own limits are not read here: the ledger admits atomically, and what it denied comes back in `Ask`.

Refuses to know how a call is sent, what was counted, and the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol, overload

import msgspec
from msgspec.structs import replace

from spillover.core.chains import Chain, Member, SpendGate, Strategy
from spillover.core.health import Health, Standing, standing, subject_of_model
from spillover.core.hours import next_opening
from spillover.core.limits import Block, Candidate
from spillover.core.managed import is_away
from spillover.core.ordering import ordered
from spillover.core.spend_gate import behind_gate
from spillover.core.tokens import Calibration, estimate
from spillover.core.values import (
    Capability,
    Demand,
    FailureClass,
    Lifetime,
    Profile,
    RoutingPolicy,
    SkipReason,
    Status,
    Tier,
    Usage,
    Value,
    owner_of_model,
)

if TYPE_CHECKING:
    from spillover.core.pace import Pace


class Pin(Value, frozen=True, kw_only=True):
    """A profile that a user put first in a chain by hand."""

    profile: str
    strict: bool = False
    """It alone may serve."""


class Sticky(Value, frozen=True, kw_only=True):
    """The profile that last worked for a chain, and since when its preferred one is left."""

    profile: str
    at: float


class View(Protocol):
    """What the ladder reads of the shared record; a ledger answers from memory."""

    @property
    def health(self) -> Callable[[str], Health | None]:
        """What returns the evidence against a subject; asked several times for each request."""

    def is_disabled(self, profile: str) -> bool:
        """Return whether a user switched the profile off."""

    def pin(self, chain: str) -> Pin | None:
        """Return the chain's pinned profile."""

    def sticky(self, chain: str) -> Sticky | None:
        """Return the chain's last working profile."""

    def calibration(self, profile: str) -> Calibration:
        """Return what was learned of the profile's token counts."""

    def load(self, profile: Profile, now: float) -> float:
        """Return the fullest limit's share of use, 0 to 1 and beyond."""

    def pace(self, profile: str) -> Pace:
        """Return how fast the profile answered lately."""

    def block(self, candidate: Candidate, now: float) -> Block | None:
        """Return what keeps a candidate from being sent to now; for telling, it decides nothing."""


class Ask(Value, frozen=True, kw_only=True):
    """One request's question to the ladder."""

    chain: Chain
    demand: Demand
    draw: float = 0.0
    """Chance for `weighted`, in [0, 1)."""
    turn: int = 0
    """The chain's request number, for `round_robin`."""
    affinity: str | None = None
    """The profile that served this session before."""
    tried: Mapping[str, FailureClass] = msgspec.field(default_factory=dict)
    """Profiles that were sent to already, and how the last send ended."""
    blocked: Mapping[str, Block] = msgspec.field(default_factory=dict)
    """Profiles that the ledger denied, and why."""
    awaited: frozenset[str] = frozenset()
    """Profiles whose room belongs to others, who wait for it in line before this request."""
    space: str | None = None
    """For embeddings: the space that all vectors of the chain lie in."""
    larger_than: int = 0
    """Only models whose context is larger, or unknown: a provider said the request is too long."""
    too_small: frozenset[str] = frozenset()
    """Upstream models that said so."""
    missing: frozenset[tuple[str, str]] = frozenset()
    """(profile, upstream model) pairs that a provider just said it does not have."""
    unable: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Profiles whose protocol has no words for something of the request, and what that is."""
    as_needed: bool = False
    """Look at candidates only as far as somebody asks, where the chain's own order decides."""


class Skipped(Value, frozen=True, kw_only=True):
    """A profile that can't serve this request now."""

    profile: str
    reason: SkipReason
    detail: str = ""
    available_at: float | None = None
    never: bool = False
    cause: FailureClass | None = None
    """The failure behind a cooldown, a spent quota, a failed or a tried profile."""
    probed: bool = False
    """Another call is testing the profile's guessed cooldown right now."""
    away: bool = False
    """Its server, which we run, is gone or starts anew: it may be back any moment."""


class Candidates(Sequence[Candidate]):
    """Candidates that are looked at only as far as somebody asks: mostly the first one serves."""

    def __init__(self, known: list[Candidate], more: Iterator[Candidate]) -> None:
        self._known = known
        self._more = more

    def __bool__(self) -> bool:
        """Whether there is any; a plain ladder always knows its first."""
        return bool(self._known)

    def __iter__(self) -> Iterator[Candidate]:
        """Iterate in the order in which they should be tried."""
        yield from self._known
        for candidate in self._more:
            self._known.append(candidate)
            yield candidate

    @overload
    def __getitem__(self, place: int) -> Candidate: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Candidate]: ...
    def __getitem__(self, place: int | slice) -> Candidate | Sequence[Candidate]:
        """Return the candidate at `place`; one that was looked at before costs nothing."""
        if isinstance(place, int) and 0 <= place < len(self._known):
            return self._known[place]
        return list(self)[place]

    def __len__(self) -> int:
        """Return how many there are, having looked at all."""
        return sum(1 for _ in self)


class Ladder(Value, frozen=True, kw_only=True):
    """The candidates in the order they should be tried, and the rest with their reasons.

    Where the chain's own order decides, `skipped` holds those before the first candidate for sure,
    and all of them when there is no candidate.
    """

    candidates: Sequence[Candidate]
    skipped: tuple[Skipped, ...]
    kept: str | None = None
    """The profile that a pin, its session or the failback puts first, whatever the strategy says."""


def build(ask: Ask, profiles: Mapping[str, Profile], view: View, now: float) -> Ladder:
    """Return the ladder of a request at `now`."""
    skipped: dict[str, Skipped] = {}
    able: list[tuple[Member, Candidate]] = []
    pin = _pin(ask.chain, view)
    kept = pin.profile if pin is not None else _kept(ask, view, now)
    if ask.as_needed and kept is None and _is_plain(ask):
        return _as_needed(ask, profiles, view, now)
    for member in ask.chain.members:
        found = _consider(ask, member, profiles[member.profile], view, now)
        if isinstance(found, Skipped):
            skipped[found.profile] = found
        elif pin is not None and pin.strict and pin.profile != member.profile:
            skipped[member.profile] = Skipped(
                profile=member.profile, reason=SkipReason.POLICY, detail=f"pinned to {pin.profile}"
            )
        else:
            able.append((member, found))
    in_order = ordered(ask, able, view, now)
    in_order.sort(key=lambda c: c.profile.name != kept)
    closed = [name for name, each in skipped.items() if each.reason is SkipReason.HOURS]
    names = [*(c.profile.name for c in in_order), *closed]
    held_back = behind_gate(ask, names, profiles, skipped)
    if pin is not None:  # it is the user's own will
        held_back.pop(pin.profile, None)
    for name, detail in held_back.items():
        if name not in skipped:
            skipped[name] = Skipped(profile=name, reason=SkipReason.SPEND_GATE, detail=detail)
    candidates = tuple(c for c in in_order if c.profile.name not in skipped)
    if not candidates:  # the opening of those whom the gate would keep back then helps nobody
        for name in held_back.keys() & closed:
            detail = f"{_OUT_OF_HOURS}, and {held_back[name]}"
            skipped[name] = replace(skipped[name], detail=detail, available_at=None)
    in_chain_order = tuple(
        skipped[member.profile] for member in ask.chain.members if member.profile in skipped
    )
    return Ladder(candidates=candidates, skipped=in_chain_order, kept=kept)


def outside(ask: Ask, profiles: Mapping[str, Profile], view: View, now: float) -> list[Profile]:
    """Return the profiles outside the chain that could serve the request now, local ones first."""
    members = {member.profile for member in ask.chain.members}
    able: list[Candidate] = []
    for name, profile in profiles.items():
        if name not in members:
            found = _consider(ask, Member(profile=name), profile, view, now)
            if isinstance(found, Candidate) and view.block(found, now) is None:
                able.append(found)
    return sorted((each.profile for each in able), key=lambda p: _NEAREST.index(p.tier))


_NEAREST: Final = (Tier.LOCAL, Tier.FREE, Tier.PAID)


def _as_needed(ask: Ask, profiles: Mapping[str, Profile], view: View, now: float) -> Ladder:
    """Return the ladder of a plain chain, known up to its first candidate."""
    found = (_consider(ask, m, profiles[m.profile], view, now) for m in ask.chain.members)
    skipped: list[Skipped] = []
    for each in found:
        if isinstance(each, Candidate):
            more = (other for other in found if isinstance(other, Candidate))
            return Ladder(candidates=Candidates([each], more), skipped=tuple(skipped))
        skipped.append(each)
    return Ladder(candidates=(), skipped=tuple(skipped))


_OPEN_GATE: Final = SpendGate()


def _is_plain(ask: Ask) -> bool:
    """Whether the chain's own order is the order of its candidates, and no gate stands in it."""
    chain = ask.chain
    return (
        chain.strategy is Strategy.PRIORITY
        and chain.spend_gate == _OPEN_GATE
        and ask.demand.policy is None
        and chain.routing_policy is RoutingPolicy.ANY
    )


def _pin(chain: Chain, view: View) -> Pin | None:
    """Return the chain's pin; one to a profile that has left the chain binds nobody."""
    pin = view.pin(chain.name)
    if pin is None or all(member.profile != pin.profile for member in chain.members):
        return None
    return pin


def _consider(
    ask: Ask, member: Member, profile: Profile, view: View, now: float
) -> Skipped | Candidate:
    """Return why a profile can't serve, or what the call would need of it."""
    name = profile.name
    if name in ask.tried:
        return _tried(ask, profile, view, now)
    if view.is_disabled(name) and not ask.demand.probe:
        return Skipped(profile=name, reason=SkipReason.DISABLED, detail="disabled by hand")
    unfit = _unfit(ask, profile)
    if unfit is not None:
        return unfit
    if profile.key_missing:
        return Skipped(profile=name, reason=SkipReason.FAILED, detail="key_missing")
    profile, stand = _with_served_model(ask, profile, view, now)
    opens_at = now if member.hours is None else next_opening(member.hours, now)
    if opens_at > now:
        return Skipped(
            profile=name,
            reason=SkipReason.HOURS,
            detail=_OUT_OF_HOURS,
            available_at=_back_at(_both_over(opens_at, stand), ask, profile, view, now),
        )
    evidence = stand.evidence
    if evidence is not None and not (stand.may_serve or ask.demand.probe):
        return Skipped(
            profile=name,
            reason=_SKIP_OF_STATUS[evidence.status],
            detail=evidence.reason,
            available_at=_back_at(stand.available_at, ask, profile, view, now),
            cause=_CAUSES.get(evidence.reason),
            away=is_away(evidence.reason, restarts=profile.restarts),
        )
    need = estimate(ask.demand, profile, view.calibration(name))
    small = _too_small(ask, profile, need)
    if small is not None:
        return small
    block = ask.blocked.get(name)
    if block is not None:
        return _denied(name, block, stand)
    if name in ask.awaited:
        return Skipped(profile=name, reason=SkipReason.LIMIT, detail="others wait for it in line")
    tests = stand.probe or not stand.may_serve
    return Candidate(profile=profile, need=need, probe=stand.subject if tests else None)


def _with_served_model(
    ask: Ask, profile: Profile, view: View, now: float
) -> tuple[Profile, Standing]:
    """Return the profile with the first of its models that is not known to be missing."""
    own = standing(profile, view.health, now)
    if own.may_serve and not ask.missing:
        return profile, own
    for model in (profile.model, *profile.alternatives):
        if (profile.name, model) in ask.missing:
            continue
        other = profile if model == profile.model else with_model(profile, model)
        stand = standing(other, view.health, now)
        if stand.may_serve or stand.subject != subject_of_model(profile.name, model):
            return other, stand
    return profile, own


@lru_cache(maxsize=1_024)
def with_model(profile: Profile, model: str) -> Profile:
    """Return `profile` with another upstream model; limits on its model go to that one's counter."""
    own = owner_of_model(profile.account, profile.model)
    others = owner_of_model(profile.account, model)
    limits = tuple(
        replace(limit, owner=others) if limit.owner == own else limit for limit in profile.limits
    )
    return replace(profile, model=model, limits=limits)


_OUT_OF_HOURS: Final = "outside its hours"


def _both_over(opens_at: float, stand: Standing) -> float | None:
    """Return when the hours have begun and the evidence is over; None: nobody knows."""
    if stand.may_serve:
        return opens_at
    return None if stand.available_at is None else max(opens_at, stand.available_at)


_CAUSES: Final = {cause.value: cause for cause in FailureClass}

_SKIP_OF_STATUS: Final = {
    Status.COOLDOWN: SkipReason.COOLDOWN,
    Status.EXHAUSTED: SkipReason.EXHAUSTED,
    Status.FAILED: SkipReason.FAILED,
}


def _tried(ask: Ask, profile: Profile, view: View, now: float) -> Skipped:
    cause = ask.tried[profile.name]
    stand = standing(profile, view.health, now)
    return Skipped(
        profile=profile.name,
        reason=SkipReason.TRIED,
        detail=cause.value,
        available_at=_back_at(stand.available_at, ask, profile, view, now),
        cause=cause,
        away=is_away(cause, restarts=profile.restarts),
    )


def _back_at(at: float | None, ask: Ask, profile: Profile, view: View, now: float) -> float | None:
    """Return when a profile is back that may serve from `at` on, as far as a limit lets it then."""
    if at is None:
        return None
    need = estimate(ask.demand, profile, view.calibration(profile.name))
    block = view.block(Candidate(profile=profile, need=need), now)
    if block is None:
        return at
    # What frees at no known time is held by our own calls in flight.
    return None if block.never else max(at, block.available_at or at)


def _denied(name: str, block: Block, stand: Standing) -> Skipped:
    if block.limit is None:
        cause = None if stand.evidence is None else _CAUSES.get(stand.evidence.reason)
        return Skipped(
            profile=name,
            reason=SkipReason.COOLDOWN,
            detail="being probed by another request",
            cause=cause,
            probed=True,
        )
    # What frees at no known time is held by our own calls in flight, but for a balance.
    is_known = block.available_at is not None or isinstance(block.limit.window, Lifetime)
    by_word = block.stated and is_known
    return Skipped(
        profile=name,
        reason=SkipReason.EXHAUSTED if by_word else SkipReason.LIMIT,
        detail=block.limit.name,
        available_at=block.available_at,
        never=block.never,
    )


def _unfit(ask: Ask, profile: Profile) -> Skipped | None:
    """Return why this profile may not or can not serve such a request at all."""
    name, chain, demand = profile.name, ask.chain, ask.demand
    if chain.privacy and profile.tier is not Tier.LOCAL:
        return Skipped(
            profile=name, reason=SkipReason.PRIVACY, detail="only local profiles may serve"
        )
    for policy in (chain.routing_policy, demand.policy):
        tier = _ONLY_TIER.get(policy) if policy is not None else None
        if tier is not None and profile.tier is not tier:
            return Skipped(profile=name, reason=SkipReason.POLICY, detail=f"{policy}: not {tier}")
    missing = sorted(demand.needs & profile.lacks)
    if missing:
        return Skipped(
            profile=name, reason=SkipReason.LACKS_CAPABILITY, detail=", ".join(missing), never=True
        )
    if name in ask.unable:
        detail = f"{ask.unable[name]}, in another protocol"
        return Skipped(profile=name, reason=SkipReason.LACKS_CAPABILITY, detail=detail, never=True)
    if ask.space is not None and (profile.embedding_space or profile.model) != ask.space:
        detail = f"vectors of another space than {ask.space}"
        return Skipped(profile=name, reason=SkipReason.LACKS_CAPABILITY, detail=detail, never=True)
    return None


_ONLY_TIER: Final = {
    RoutingPolicy.LOCAL_ONLY: Tier.LOCAL,
    RoutingPolicy.BYOK_PAID: Tier.PAID,
}


def embedding_space(chain: Chain, profiles: Mapping[str, Profile]) -> str | None:
    """Return the space whose vectors a chain answers: that of its first embedding profile."""
    for member in chain.members:
        profile = profiles[member.profile]
        if Capability.EMBEDDINGS not in profile.lacks:
            return profile.embedding_space or profile.model
    return None


def _too_small(ask: Ask, profile: Profile, need: Usage) -> Skipped | None:
    context = profile.context_tokens
    if profile.model in ask.too_small:
        detail = "the same model just said the request is too long"
    elif context is not None and (need.input_tokens > context or context <= ask.larger_than):
        detail = f"{max(need.input_tokens, ask.larger_than)} tokens, context {context}"
    else:
        return None
    return Skipped(
        profile=profile.name, reason=SkipReason.CONTEXT_TOO_SMALL, detail=detail, never=True
    )


def _kept(ask: Ask, view: View, now: float) -> str | None:
    """Return who served this session, else who the failback keeps."""
    chain = ask.chain
    if ask.affinity is not None:
        return ask.affinity
    last = view.sticky(chain.name)
    if last is None or chain.strategy is not Strategy.PRIORITY:
        return None
    after_s = chain.failback.after_s
    keeps = chain.failback.sticky or (after_s is not None and now < last.at + after_s)
    return last.profile if keeps else None
