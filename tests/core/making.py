"""Profiles, chains, failures and a record to look at, with what a test does not care about filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from spillover.core.chains import Chain, Member
from spillover.core.pace import UNKNOWN, Pace
from spillover.core.tokens import Calibration
from spillover.core.values import (
    Confidence,
    Failure,
    FailureClass,
    FaultScope,
    Limit,
    Metric,
    Profile,
    Rolling,
    Source,
    Tier,
    Window,
    owner_of_profile,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.core.health import Health
    from spillover.core.ladder import Pin, Sticky
    from spillover.core.limits import Block, Candidate

MINUTE = Rolling(seconds=60.0)
NOON = 1_763_640_000.0
"""2025-11-20 12:00:00 UTC, a Thursday."""


def at(text: str, zone: str = "UTC", *, fold: int = 0) -> float:
    """Epoch seconds of a wall time such as `2026-03-29 02:30` or `2026-03-29 02:30:15.5`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def profile(name: str = "a", **fields: Any) -> Profile:
    """A free profile, alone on its account."""
    own = {"provider": "groq", "account": f"{name}-key", "model": f"{name}-model"}
    return Profile(**({"name": name, "tier": Tier.FREE} | own | fields))


def limit(
    amount: int,
    metric: Metric = Metric.REQUESTS,
    *,
    window: Window | None = MINUTE,
    owner: str = owner_of_profile("a"),
    per: str | None = "minute",
) -> Limit:
    """A limit on profile `a`."""
    return Limit(metric=metric, amount=amount, window=window, owner=owner, per=per)


def chain(*names: str | Member, **fields: Any) -> Chain:
    """A chain of profiles by name."""
    members = tuple(n if isinstance(n, Member) else Member(profile=n) for n in names)
    return Chain(**({"name": "default", "members": members} | fields))


_SCOPES = {
    FailureClass.BAD_REQUEST: FaultScope.REQUEST,
    FailureClass.CONTENT_FILTER: FaultScope.REQUEST,
    FailureClass.CONTEXT_LENGTH: FaultScope.REQUEST,
    FailureClass.PAYMENT_REQUIRED: FaultScope.ACCOUNT,
    FailureClass.AUTH_INVALID: FaultScope.ACCOUNT,
    FailureClass.OVERLOADED: FaultScope.PROVIDER,
    FailureClass.SERVER_ERROR: FaultScope.PROVIDER,
    FailureClass.BAD_GATEWAY: FaultScope.PROVIDER,
    FailureClass.NETWORK: FaultScope.PROVIDER,
}


def failure(kind: FailureClass, **fields: Any) -> Failure:
    """A failure, with the scope that is usual for its class."""
    scope = _SCOPES.get(kind, FaultScope.PROFILE)
    states = fields.get("stated_wait_s") is not None or fields.get("reset_at") is not None
    stated = {"source": Source.HEADER, "confidence": Confidence.STATED} if states else {}
    return Failure(**({"failure": kind, "scope": scope} | stated | fields))


def by_name(*profiles: Profile) -> dict[str, Profile]:
    """Profiles as the ladder wants them."""
    return {each.name: each for each in profiles}


@dataclass(slots=True)
class Record:
    """A shared record that a test fills in by hand."""

    healths: dict[str, Health] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    pins: dict[str, Pin] = field(default_factory=dict)
    stickies: dict[str, Sticky] = field(default_factory=dict)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    loads: dict[str, float] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)

    def health(self, subject: str) -> Health | None:
        return self.healths.get(subject)

    def is_disabled(self, profile: str) -> bool:
        return profile in self.disabled

    def pin(self, chain: str) -> Pin | None:
        return self.pins.get(chain)

    def sticky(self, chain: str) -> Sticky | None:
        return self.stickies.get(chain)

    def calibration(self, profile: str) -> Calibration:
        return self.calibrations.get(profile, Calibration())

    def load(self, profile: Profile, now: float) -> float:
        return self.loads.get(profile.name, 0.0)

    def pace(self, profile: str) -> Pace:
        return self.paces.get(profile, UNKNOWN)

    def block(self, candidate: Candidate, now: float) -> Block | None:
        return self.blocks.get(candidate.profile.name)

    def learn(self, changes: Mapping[str, Health]) -> None:
        """Take in changed health."""
        self.healths.update(changes)
