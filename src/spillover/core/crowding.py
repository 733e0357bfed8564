"""Learn how many calls a provider takes at once, from those that it refused as too many.

Rules of this file:
- What was accepted is what was in flight less what was refused: of a burst that is known only when
  its last refusal is in, so each refusal of calls that were sent before the first one takes off one.
- A refusal never lets more through than before: of calls that were granted before the first refusal
  and sent after it, those in flight still count many who are about to be refused too.
- It grows again by one call for each minute without such a refusal, and is forgotten after an hour.

Refuses to know who counts what is in flight, and where this is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spillover.core.values import FaultScope, Value, owner_of_account, owner_of_profile

if TYPE_CHECKING:
    from spillover.core.values import Failure, Profile

GROWS_EVERY_S: Final = 60.0
FORGOTTEN_AFTER_S: Final = 3_600.0


class Crowd(Value, frozen=True, kw_only=True, array_like=True):
    """How many calls were accepted at once."""

    at: float
    """When the first refusal of a burst was known."""
    accepted: int
    """At least 1."""


def crowded_owner(profile: Profile, failure: Failure) -> str:
    """Return the counter key of whoever has too many calls in flight."""
    if failure.scope is FaultScope.ACCOUNT:
        return owner_of_account(profile.account)
    return owner_of_profile(profile.name)


def lowered(before: Crowd | None, in_flight: int, *, sent_at: float, at: float) -> Crowd:
    """Return what a refusal at `at` of a call that was sent at `sent_at` teaches.

    `in_flight` counts the refused call too.
    """
    if before is None or abs(sent_at - before.at) >= FORGOTTEN_AFTER_S:
        return Crowd(at=at, accepted=max(1, in_flight - 1))
    if sent_at <= before.at:
        return Crowd(at=before.at, accepted=max(1, before.accepted - 1))
    let_through = min(in_flight, grown(before.accepted, before.at, at))
    return Crowd(at=at, accepted=max(1, let_through - 1))


def grown(accepted: int, since: float, now: float) -> int:
    """Return how many calls may be in flight at `now`, of what was accepted at `since`."""
    return accepted + max(0, int((now - since) // GROWS_EVERY_S))
