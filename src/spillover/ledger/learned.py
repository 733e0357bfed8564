"""Keep what a profile's calls have taught: its tokens, its times, its outcomes, how often nobody reported usage.

Refuses to know what is done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from spillover.core.pace import UNKNOWN, Pace, answered, failed
from spillover.core.reliability import NO_FAULT, OUTCOMES_KEPT
from spillover.core.tokens import Calibration, observe
from spillover.core.values import FailureClass, Usage

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
    pace: Pace = UNKNOWN
    outcomes: list[bool] = msgspec.field(default_factory=list)
    """Whether the latest calls were answered to their end, oldest first."""
    heard_at: float = 0.0
    """When the latest of them ended."""

    def learn(self, entry: Settled) -> None:
        """Take in one more call."""
        self.calls += 1
        if not entry.reported:
            self.estimated += 1
        elif entry.input_tokens:
            observe(
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
                if len(times) > LATENCIES:
                    del times[:-LATENCIES]
        if entry.failure is not None:
            self.miss(entry.failure, entry.at)
        elif entry.took_ms is not None:
            self.pace = answered(
                self.pace,
                took_ms=entry.took_ms,
                ttft_ms=entry.ttft_ms,
                output_tokens=entry.usage.output_tokens,
            )
            self._note(answer=True, at=entry.at)

    def miss(self, failure: FailureClass, at: float) -> None:
        """Take in a call that was not answered, unless that says nothing of the profile."""
        if failure not in NO_FAULT:
            self.pace = failed(self.pace)
            self._note(answer=False, at=at)

    def _note(self, *, answer: bool, at: float) -> None:
        outcomes = self.outcomes
        outcomes.append(answer)
        if len(outcomes) > OUTCOMES_KEPT:
            del outcomes[0]
        self.heard_at = at
