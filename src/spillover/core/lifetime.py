"""Count usage of a window that never ends: a credit that is given once.

Refuses to know how large the credit is, and time.
"""

from __future__ import annotations

import msgspec

from spillover.core.values import NOTHING, Parts


class LifetimeSeries(msgspec.Struct, tag="lifetime"):
    """All usage since counting began, however old: only a person takes it back."""

    totals: list[int] = msgspec.field(default_factory=lambda: list(NOTHING))

    def roll(self, now: float) -> None:
        """Forget nothing."""

    def add(self, at: float, parts: Parts) -> None:  # noqa: ARG002 - one shape for all windows
        """Count `parts` as used; negative amounts take back, never below nothing."""
        for metric, amount in parts:
            self.totals[metric] = max(0, self.totals[metric] + amount)

    def used(self, metric: int, now: float) -> int:  # noqa: ARG002 - one shape for all windows
        """Return what counts of `metric`."""
        return self.totals[metric]

    def frees_at(self, metric: int, amount: int, now: float) -> float | None:
        """Return None: nothing ever leaves."""

    def resets_at(self, metric: int, now: float) -> float | None:
        """Return None: nothing ever leaves."""

    def forget(self, share: object = None) -> None:
        """Forget everything, or the part that `share` (another one of these) counts too."""
        taken = share.totals if isinstance(share, LifetimeSeries) else self.totals
        self.totals[:] = [max(0, own - part) for own, part in zip(self.totals, taken, strict=True)]

    def shift(self, seconds: float, now: float) -> None:
        """Stay as it is, whatever the clock does."""
