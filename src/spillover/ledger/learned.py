"""Keep what a profile's calls have taught: its tokens, its times, how often nobody reported usage.

Refuses to know what is done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from spillover.core.tokens import Calibration, observe
from spillover.core.values import Usage

if TYPE_CHECKING:
    from spillover.ledger.entries import Settled

LATENCIES: Final = 100
"""How many of a profile's latest times are kept."""


class Learned(msgspec.Struct, array_like=True):
    """What calls taught of a profile."""

    calibration: Calibration = msgspec.field(default_factory=Calibration)
    took_ms: list[float] = msgspec.field(default_factory=list)
    """Oldest first."""
    ttft_ms: list[float] = msgspec.field(default_factory=list)
    """Oldest first."""
    calls: int = 0
    estimated: int = 0
    """Settlements whose usage no provider reported."""
    presumed: int = 0
    """Calls whose process died, counted at their estimate."""

    def learn(self, entry: Settled) -> None:
        """Take in one more call."""
        self.calls += 1
        if not entry.reported:
            self.estimated += 1
        elif entry.input_tokens:
            self.calibration = observe(
                self.calibration,
                chars=entry.chars,
                wide_chars=entry.wide_chars,
                images=entry.images,
                usage=Usage(
                    input_tokens=entry.input_tokens, output_tokens=entry.usage.output_tokens
                ),
            )
        for times, value in ((self.took_ms, entry.took_ms), (self.ttft_ms, entry.ttft_ms)):
            if value is not None:
                times.append(value)
                del times[:-LATENCIES]

    @property
    def usual_ttft_ms(self) -> float | None:
        """The middle of the latest times to first content, None while there is none."""
        if not self.ttft_ms:
            return None
        return sorted(self.ttft_ms)[len(self.ttft_ms) // 2]
