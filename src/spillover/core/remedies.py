"""Say what a person can do about a request that nobody serves, in clauses that name what to type.

Rules of this file:
- What lets this very request through comes first, what mends a profile after it, what to add last.
- Profiles with one remedy share its clause; a message names a few remedies, not all.

Refuses to know how such a request is answered, and when waiting alone will do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from spillover.core.chains import Gate
from spillover.core.ladder import Ask, Skipped, outside
from spillover.core.managed import RESTARTING
from spillover.core.spend_gate import ASKS, SPENT_CAUSES, SPENT_REASONS
from spillover.core.stated import BALANCE_LIMIT
from spillover.core.values import (
    FailureClass,
    Lifetime,
    Profile,
    RoutingPolicy,
    SkipReason,
    Tier,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spillover.core.ladder import View

NETWORK: Final = "check this machine's network, its VPN and its proxy settings"
MOST: Final = 4
"""Remedies that one message names."""
MOST_NAMES: Final = 3
"""Profiles that one remedy names."""


class Plight(Value, frozen=True, kw_only=True):
    """A request that nobody of its chain can serve, and what bears on helping it."""

    ask: Ask
    skipped: tuple[Skipped, ...]
    """The whole chain, each profile with its reason."""
    profiles: Mapping[str, Profile] = {}
    """All that are configured."""
    outside: tuple[Profile, ...] = ()
    """Those outside the chain that could serve it now, local ones first."""

    @property
    def chain(self) -> str:
        """The chain's name."""
        return self.ask.chain.name


def plight(
    ask: Ask,
    skipped: Sequence[Skipped],
    profiles: Mapping[str, Profile],
    view: View,
    now: float,
) -> Plight:
    """Return what bears on a request whose ladder has no candidate at `now`."""
    others = tuple(outside(ask, profiles, view, now))
    return Plight(ask=ask, skipped=tuple(skipped), profiles=profiles, outside=others)


def remedies(found: Plight, *, unable: bool) -> list[str]:
    """Return what can be done, the best first; `unable`: nobody in the chain ever can serve it."""
    clauses = [*_by_gate(found), *_by_policy(found), *_unreached(found)]
    clauses += _elsewhere(found, unable=unable)
    clauses += _mended(found)
    if unable:
        clauses += _larger_or_abler(found)
    elif any(each.reason in SPENT_REASONS or each.cause in SPENT_CAUSES for each in found.skipped):
        clauses += _local_one(found)
    return clauses[:MOST]


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _of(found: Plight, reason: SkipReason) -> list[str]:
    return [each.profile for each in found.skipped if each.reason is reason]


def _by_gate(found: Plight) -> Iterator[str]:
    """What opens the spend gate, where it keeps somebody back."""
    held = [each for each in found.skipped if each.reason is SkipReason.SPEND_GATE]
    asks = [each.profile for each in held if each.detail == ASKS]
    shut = [each.profile for each in held if each.detail != ASKS]
    gate = found.ask.chain.spend_gate
    kinds = {"on_quota": gate.on_quota, "on_outage": gate.on_outage}
    set_to = ", ".join(f"{kind}: {at}" for kind, at in kinds.items() if at is not Gate.ALLOW)
    if asks:
        yield f"x-spillover-spend: yes lets {_names(asks)} answer (spend_gate: {{{set_to}}})"
    if shut:
        yield f"spend_gate: {{{set_to}}} of {found.chain!r} keeps {_names(shut)} from answering"


_NARROW: Final = frozenset({RoutingPolicy.LOCAL_ONLY, RoutingPolicy.BYOK_PAID})


def _by_policy(found: Plight) -> Iterator[str]:
    """Which settings of the user's own keep profiles out, where they keep out all there are."""
    if any(each.reason not in BY_WILL for each in found.skipped):
        return
    chain, asked = found.ask.chain, found.ask.demand.policy
    if _of(found, SkipReason.POLICY):
        if chain.routing_policy in _NARROW:
            yield f"routing_policy: {chain.routing_policy} of {found.chain!r} stands in the way"
        if asked in _NARROW:
            yield f"the request's own x-spillover-policy: {asked} stands in the way"
        if chain.routing_policy not in _NARROW and asked not in _NARROW:
            yield f"spillover use {found.chain} auto lifts the pin"
    if _of(found, SkipReason.PRIVACY):
        yield "privacy: true stands in the way, and wants a local profile"
    if hours := _of(found, SkipReason.HOURS):
        yield f"the hours of {_names(hours)} in {found.chain!r} stand in the way"


BY_WILL: Final = frozenset(
    {
        SkipReason.POLICY,
        SkipReason.PRIVACY,
        SkipReason.HOURS,
        SkipReason.SPEND_GATE,
        SkipReason.DISABLED,
    }
)
"""Obstacles of the user's own making: they don't decide between spent and down."""


def _unreached(found: Plight) -> Iterator[str]:
    """What to look at when everyone is out of reach: rather this machine's fault than all of theirs.

    Local servers say nothing for or against it.
    """
    local = {name for name, profile in found.profiles.items() if profile.tier is Tier.LOCAL}
    others = [
        each
        for each in found.skipped
        if not (each.reason in BY_WILL or each.detail == RESTARTING or each.profile in local)
    ]
    if others and all(each.cause is FailureClass.NETWORK for each in others):
        yield NETWORK


def _elsewhere(found: Plight, *, unable: bool) -> Iterator[str]:
    """Who outside the chain could serve: a local one, or whoever can what the chain can't."""
    able = [each for each in found.outside if unable or each.tier is Tier.LOCAL]
    if not able:
        return
    first = able[0].name
    kind = "local " if able[0].tier is Tier.LOCAL else ""
    into = "" if found.ask.chain.alone else f", or add it to the chain {found.chain!r}"
    yield f"the {kind}profile {first!r} could serve it: ask for model {first!r}{into}"


def _mended(found: Plight) -> Iterator[str]:
    """What mends the profiles of the chain, those with one remedy together."""
    by_remedy: dict[Callable[[str], str], list[str]] = {}
    for each in found.skipped:
        remedy = _remedy_of(each, found)
        if remedy is not None:
            by_remedy.setdefault(remedy, []).append(each.profile)
    for remedy, names in by_remedy.items():
        yield remedy(_names(names))


def _remedy_of(skipped: Skipped, found: Plight) -> Callable[[str], str] | None:
    profile = found.profiles.get(skipped.profile)
    match skipped.reason:
        case SkipReason.DISABLED:
            return _ENABLE
        case SkipReason.FAILED if skipped.cause is None:
            return _ADD_KEY
        case SkipReason.LIMIT if skipped.never:
            return _RENEW if profile is not None and _is_credit(skipped, profile) else _SHORTEN
        case SkipReason.EXHAUSTED if skipped.detail == BALANCE_LIMIT:
            return _TOP_UP
        case _ if skipped.cause in _OF_CAUSE:
            return _OF_CAUSE[skipped.cause]
        case _ if skipped.cause is FailureClass.NETWORK and profile is not None:
            return _START if profile.tier is Tier.LOCAL else None
        case _:
            return None


def _is_credit(skipped: Skipped, profile: Profile) -> bool:
    """Whether what has no room is a limit that never comes back."""
    return any(
        isinstance(limit.window, Lifetime) and skipped.detail == limit.name
        for limit in profile.limits
    )


def _worded(text: str) -> Callable[[str], str]:
    return lambda names: text.format(names=names)


_ENABLE: Final = _worded("spillover enable lets {names} serve again")
_ADD_KEY: Final = _worded("{names} lacks its key: spillover check says where it was looked for")
_RENEW: Final = _worded(
    "the credit of {names} is used up: raise its limit, or spillover usage clear begins a new one"
)
_SHORTEN: Final = _worded(
    "the request is larger than a whole limit of {names}: shorten it, or lower max_tokens"
)
_TOP_UP: Final = _worded(
    "the provider of {names} has too little credit left: add some, which is noticed by itself"
)
_START: Final = _worded("start the local server of {names}")
_OF_CAUSE: Final = {
    FailureClass.AUTH_INVALID: _worded("give {names} a key that its provider accepts"),
    FailureClass.PAYMENT_REQUIRED: _worded(
        "add credit at the provider of {names}, then spillover enable it"
    ),
    FailureClass.MODEL_NOT_FOUND: _worded(
        "name a model that the provider of {names} has: spillover catalogue lists models"
    ),
}
"""Failures that a person alone can mend."""


def _larger_or_abler(found: Plight) -> Iterator[str]:
    """What a profile would need that could serve such a request."""
    if _of(found, SkipReason.CONTEXT_TOO_SMALL):
        known = [
            profile.context_tokens or 0
            for member in found.ask.chain.members
            if (profile := found.profiles.get(member.profile)) is not None
        ]
        most = f" than {max(known)} tokens" if any(known) else ""
        yield f"shorten it, or add a profile with a larger context{most}"
    elif needs := sorted(found.ask.demand.needs):
        yield f"add a profile whose model has {' and '.join(needs)}"


def _local_one(found: Plight) -> Iterator[str]:
    """How to get a profile that no quota stops, where there is none."""
    if any(each.tier is Tier.LOCAL for each in found.profiles.values()):
        return
    into = "" if found.ask.chain.alone else f", with its name in the chain {found.chain!r}"
    yield (
        "a local model has no quota: add ollama: {provider: ollama, model: 'qwen3:8b'} to profiles: "
        f"in spillover.yaml{into}"
    )
