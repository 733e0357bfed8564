"""Let calls fail on a record, and look how profiles stand then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.core.benching import FailedCall, refused
from spillover.core.health import standing
from tests.core.making import NOON, profile

if TYPE_CHECKING:
    from spillover.core.chains import CooldownRule
    from spillover.core.health import Cooldown, Standing
    from spillover.core.values import Failure, Profile
    from tests.core.making import Record

A = profile("a")
B = profile("b")
C = profile("c")
HOUR = 3_600.0


def meets(
    record: Record,
    what: Failure,
    now: float = NOON,
    *,
    who: Profile = A,
    sent_at: float | None = None,
    rule: CooldownRule | None = None,
) -> Standing:
    """Let a call of `who` fail at `now`; return how it stands then."""
    failed = FailedCall(
        profile=who, failure=what, sent_at=now if sent_at is None else sent_at, now=now, rule=rule
    )
    record.learn(refused(failed, record.health))
    return stands(record, now, who=who)


def stands(record: Record, now: float = NOON, *, who: Profile = A) -> Standing:
    return standing(who, record.health, now)


def evidence(stand: Standing) -> Cooldown:
    assert stand.evidence is not None
    return stand.evidence
