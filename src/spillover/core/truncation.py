"""Decide how short a conversation must become when nobody takes it whole.

Refuses to know messages: which of them go is decided where requests are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spillover.core.actions import Shorten
from spillover.core.tokens import estimate
from spillover.core.values import FailureClass, SkipReason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spillover.core.ladder import Skipped, View
    from spillover.core.values import Demand, Profile

MOST_TIMES: Final = 3
"""So often a request is shortened: each time a provider may still find it too long."""
ANSWER_SHARE: Final = 4
"""One part in so many of a context is left to the answer at most."""
REFUSED_KEEPS: Final = 0.75
"""What is kept of a request that a provider found too long: our count of it was too low."""


def shortening(
    demand: Demand,
    skipped: Sequence[Skipped],
    profiles: Mapping[str, Profile],
    view: View,
    *,
    refused: bool,
) -> Shorten | None:
    """Return what to shorten a request to: what the largest takes of those that it is too long for.

    `refused`: a provider said that it is too long. None: its length is not what stands in the way.
    """
    found = [
        _to_fit(demand, profiles[each.profile], view, refused=refused)
        for each in skipped
        if each.reason is SkipReason.CONTEXT_TOO_SMALL or each.cause is FailureClass.CONTEXT_LENGTH
    ]
    return max(found, key=lambda each: each.most_tokens, default=None)


def _to_fit(demand: Demand, profile: Profile, view: View, *, refused: bool) -> Shorten:
    calibration, context = view.calibration(profile.name), profile.context_tokens
    need = estimate(demand, profile, calibration)
    most = int(need.input_tokens * REFUSED_KEEPS) if refused else need.input_tokens
    if context is not None:
        most = min(most, context - min(need.output_tokens, context // ANSWER_SHARE))
    return Shorten(profile=profile, calibration=calibration, most_tokens=most)
