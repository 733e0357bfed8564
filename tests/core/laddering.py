"""Build ladders over a few profiles, and read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from spillover.core.chains import Strategy
from spillover.core.health import Cooldown, Health, subject_of_profile
from spillover.core.ladder import Ask, Pin, build
from spillover.core.values import (
    Confidence,
    Demand,
    FailureClass,
    Price,
    RoutingPolicy,
    Source,
    Status,
    Tier,
)
from tests.core.making import NOON, Record, by_name, profile

if TYPE_CHECKING:
    from spillover.core.chains import Chain
    from spillover.core.ladder import Ladder
    from spillover.core.values import Profile

A, B, C = profile("a"), profile("b"), profile("c")
PAID = profile("paid", tier=Tier.PAID, price=Price(input=100, output=100))
LOCAL = profile("local", tier=Tier.LOCAL)
SMALL = Demand(chars=400)


def ladder(
    of: Chain, *profiles: Profile, record: Record | None = None, now: float = NOON, **ask: Any
) -> Ladder:
    asked = Ask(**({"chain": of, "demand": SMALL} | ask))
    return build(asked, by_name(*profiles), record or Record(), now)


def order(found: Ladder) -> list[str]:
    return [candidate.profile.name for candidate in found.candidates]


def reasons(found: Ladder) -> dict[str, str]:
    return {skipped.profile: skipped.reason.value for skipped in found.skipped}


def benched(
    kind: FailureClass,
    *,
    status: Status = Status.COOLDOWN,
    until: float | None = NOON + 60.0,
    probe_at: float | None = None,
) -> Health:
    cooldown = Cooldown(
        status=status, reason=kind.value, since=NOON - 1.0, until=until, probe_at=probe_at,
        source=Source.HEADER, confidence=Confidence.STATED,
    )  # fmt: skip
    evidence: Any = {status.value: cooldown}
    return Health(**evidence)


SPENT = benched(FailureClass.QUOTA_EXHAUSTED, status=Status.EXHAUSTED)
LIMITED = benched(FailureClass.RATE_LIMITED)
GUESSED = benched(FailureClass.RATE_LIMITED, probe_at=NOON + 60.0)
MISSING_KEY = benched(FailureClass.AUTH_INVALID, status=Status.FAILED, until=None)
DOWN = benched(FailureClass.SERVER_ERROR)


def health(**of: Health) -> Record:
    return Record(healths={subject_of_profile(name): each for name, each in of.items()})


WAYS_OUT = st.fixed_dictionaries(
    {
        "strategy": st.sampled_from(Strategy),
        "other": st.none() | st.sampled_from(RoutingPolicy),
        "pin": st.none() | st.builds(Pin, profile=st.sampled_from("abc"), strict=st.booleans()),
        "kept": st.none() | st.sampled_from(["a", "b", "local", "paid"]),
        "tried": st.sets(st.sampled_from(["a", "local"])),
        "draw": st.floats(0.0, 1.0, exclude_max=True),
        "as_needed": st.booleans(),
    }
)
"""All that might lead a request to another profile than its policy lets through."""
