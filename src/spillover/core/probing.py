"""Decide when a profile that a user wants probed is due.

Rules of this file:
- Whoever was heard of within the interval, by real traffic or by another process's probe, is not probed.
- Probes are spread by chance, so that neither profiles nor gateways probe in step.
- Whether a profile may be sent to at all is the ladder's word, as for any request: not while it waits
  for a time that is known, not against a spent limit, not while it is switched off.

Refuses to know what is sent, and the clock.
"""

from __future__ import annotations

from typing import Final

JITTER: Final = 0.2
"""By so much of the interval a probe comes sooner or later."""


def due_at(*, heard_at: float, looked_at: float, every_s: float, draw: float) -> float:
    """Return when a profile is to be probed.

    `heard_at` is when its latest call ended, `looked_at` when it was last probed or begun with;
    `draw` is chance in [0, 1).
    """
    return max(heard_at, looked_at) + every_s * (1.0 - JITTER + 2.0 * JITTER * draw)
