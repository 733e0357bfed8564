"""Chains: which profiles a client's name stands for, and how they are walked.

Refuses to know what a profile is, what it has left and how it fares. Spans are seconds and end in
`_s`.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from spillover.core.values import FailureClass, RoutingPolicy, Value


class Strategy(StrEnum):
    """How a chain orders the profiles that may serve."""

    PRIORITY = "priority"
    ROUND_ROBIN = "round_robin"
    WEIGHTED = "weighted"
    LEAST_USED = "least_used"
    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    QUALITY = "quality"


class Gate(StrEnum):
    """Whether one kind of fallback may go from a free profile to a paid one."""

    ALLOW = "allow"
    ASK = "ask"
    NEVER = "never"


class Hours(Value, frozen=True, kw_only=True):
    """The daily span in which a chain's member may serve; an end before the start passes midnight."""

    start_minute: int
    """Minutes after the zone's midnight."""
    end_minute: int
    zone: str = "UTC"


class Member(Value, frozen=True, kw_only=True):
    """A profile's place in a chain."""

    profile: str
    weight: int = 1
    hours: Hours | None = None


class Failback(Value, frozen=True, kw_only=True):
    """When a chain goes back to a preferred profile."""

    sticky: bool = False
    """Stay with the last working profile until it can't serve."""
    after_s: float | None = None
    """Stay until this long has passed since the preferred one was last refused."""


class SpendGate(Value, frozen=True, kw_only=True):
    """Whether a fallback from a free profile may reach a paid one."""

    on_quota: Gate = Gate.ALLOW
    on_outage: Gate = Gate.ALLOW


class TimeLimits(Value, frozen=True, kw_only=True):
    """How long each phase of an attempt, and a request before its commit point, may take."""

    connect_s: float = 5.0
    first_token_s: float = 60.0
    stall_s: float = 60.0
    total_s: float = 1_800.0
    deadline_s: float = 300.0


class CooldownRule(Value, frozen=True, kw_only=True):
    """A user's own wait for one failure class."""

    wait_s: float
    fixed: bool = False
    """Beats what the provider states; otherwise used only when it states nothing."""


class Caching(Value, frozen=True, kw_only=True):
    """How long, and how much of, a chain's answers are kept for those who ask the same again."""

    ttl_s: float
    most_bytes: int = 64_000_000


class Chain(Value, frozen=True, kw_only=True):
    """The ordered profiles that a client names as its model, and how to walk them."""

    name: str
    title: str = ""
    members: tuple[Member, ...]
    strategy: Strategy = Strategy.PRIORITY
    routing_policy: RoutingPolicy = RoutingPolicy.ANY
    privacy: bool = False
    """Only local profiles may serve."""
    failback: Failback = Failback()
    wait_s: float = 0.0
    """How long to queue when nothing can serve (`when_exhausted`); 0: fail at once."""
    patience_s: float = 0.0
    truncate: bool = False
    """Leave out middle turns of a conversation that is too long for everyone."""
    cache: Caching | None = None
    """None: each request is answered anew."""
    spend_gate: SpendGate = SpendGate()
    time_limits: TimeLimits = TimeLimits()
    retries: dict[FailureClass, int] = msgspec.field(default_factory=dict)
    """Sends beyond the first, by class, where they differ from the table."""
    cooldowns: dict[FailureClass, CooldownRule] = msgspec.field(default_factory=dict)
    alone: bool = False
    """Made for a profile that a client named itself: no fallback."""
