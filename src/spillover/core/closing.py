"""Say how the reservation of a send that was not answered is closed: what it used, or given back.

Refuses to know what the failure costs the profile and the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.core.actions import Cancelled, Failed, Release, Settle
from spillover.core.tokens import Calibration, presumed

if TYPE_CHECKING:
    from spillover.core.limits import Candidate


def closing(candidate: Candidate, reservation: str, outcome: Failed) -> Settle | Release:
    """Return how a failed send's reservation is closed."""
    # The deadline is the request's own: a profile that it cut short has not failed.
    failure = None if outcome.by_deadline else outcome.failure.failure
    if outcome.usage is None:
        keep = not outcome.failure.never_sent
        return Release(reservation=reservation, keep_request=keep, failure=failure)
    return Settle(
        reservation=reservation,
        candidate=candidate,
        usage=outcome.usage,
        reported=True,
        ok=False,
        sent_at=outcome.sent_at,
        failure=failure,
    )


def leaving(candidate: Candidate, reservation: str, outcome: Cancelled) -> Settle | Release:
    """Return how the reservation of a call is closed whose client left."""
    if outcome.sent_at is None:
        return Release(reservation=reservation, keep_request=False)
    usage = outcome.usage
    if usage is None:  # nothing was seen of the answer: the question alone counts
        profile, unlearned = candidate.profile, Calibration()
        usage = presumed(candidate.need, profile, unlearned, chars=0, wide_chars=0)
    return Settle(
        reservation=reservation,
        candidate=candidate,
        usage=usage,
        reported=outcome.reported and outcome.usage is not None,
        ok=False,
        sent_at=outcome.sent_at,
    )
