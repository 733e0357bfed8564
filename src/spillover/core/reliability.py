"""Judge from the latest outcomes of a profile's calls how far it can be relied on.

Real traffic tells, and probes where a user asked for them. What is judged here is shown; it keeps no
profile from serving: evidence does (health).
Refuses to know how outcomes are kept, probes, and the clock.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from spillover.core.values import FailureClass

if TYPE_CHECKING:
    from collections.abc import Sequence

OUTCOMES_KEPT: Final = 50
"""How many of a profile's latest outcomes are judged."""
RELIABLE: Final = 0.9
"""Below this share of answered calls a profile is degraded."""
HALF: Final = 0.5
"""Below this it is unhealthy."""
RUN: Final = 3
"""So many failures in a row make it unhealthy, whatever was before."""

NO_FAULT: Final = frozenset(
    {
        FailureClass.RATE_LIMITED,
        FailureClass.QUOTA_EXHAUSTED,
        FailureClass.CONTEXT_LENGTH,
        FailureClass.BAD_REQUEST,
        FailureClass.CONTENT_FILTER,
    }
)
"""A spent quota, or a request that is refused for itself, says nothing of a profile's reliability."""


class Condition(StrEnum):
    """How far a profile can be relied on."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


def reliability(outcomes: Sequence[bool]) -> float | None:
    """Return the share of calls that were answered; None: there were none."""
    return sum(outcomes) / len(outcomes) if outcomes else None


def condition(outcomes: Sequence[bool], *, failed: bool = False) -> Condition:
    """Return how far a profile can be relied on by its outcomes, the oldest first.

    `failed`: it needs a person, whatever its calls came to. Without outcomes nothing speaks against it.
    """
    share = reliability(outcomes)
    if failed:
        return Condition.UNHEALTHY
    if share is None:
        return Condition.HEALTHY
    if not any(outcomes[-RUN:]) and len(outcomes) >= RUN:
        return Condition.UNHEALTHY
    if share < HALF and len(outcomes) > RUN:
        return Condition.UNHEALTHY
    return Condition.DEGRADED if share < RELIABLE or not outcomes[-1] else Condition.HEALTHY
