"""Decide whether the end of a window, which its calendar tells, can be believed.

Refuses to know what is done about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.core.values import Source

if TYPE_CHECKING:
    from spillover.core.health import Cooldown


def is_doubted(before: Cooldown, sent_at: float) -> bool:
    """Return whether a window's end is not to be believed of a call sent at `sent_at` that was refused.

    One has passed, and it is refused still: the provider's day turns late, our clock is ahead, or
    another quota is spent than it seems.
    """
    if before.until is None:
        return False
    is_tested = before.probe_at is not None and before.source is Source.CATALOGUE
    return is_tested or before.until <= sent_at
