"""Sum what happened by minute, hour and day, and lay it out for a plot.

Rules of this file:
- Every sum is kept in each grain from the beginning, so that old minutes can go without adding up.
- A time axis ends with the step that is under way; what lies outside it is left out.

Refuses to know requests, the clock and where sums are kept.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from spillover.core.values import NANOUSD_PER_USD, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

METRICS: Final = (
    "requests",
    "unserved",
    "errors",
    "fallbacks",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "saved_usd",
)
"""What is counted, in the order of a sum's counts; money in nano-dollars there."""
REQUESTS, UNSERVED, ERRORS, FALLBACKS, INPUT_TOKENS, OUTPUT_TOKENS, COST, SAVED = range(8)
MOST: Final = 1 << 53
"""No count of one sum is larger: JSON and SQLite can hold it."""

Counts: TypeAlias = list[int]


class Grain(IntEnum):
    """The length of what is summed, in seconds."""

    MINUTE = 60
    HOUR = 3_600
    DAY = 86_400
    """In UTC."""


KEPT_S: Final = {
    Grain.MINUTE: 2 * 86_400,
    Grain.HOUR: 90 * 86_400,
    Grain.DAY: 3 * 366 * 86_400,
}
"""For how long sums are kept."""


class Key(NamedTuple):
    """Whose sum it is."""

    grain: Grain
    at: int
    """Epoch seconds of its begin."""
    chain: str
    profile: str
    """Empty: no profile answered."""


class Span(Value, frozen=True, kw_only=True):
    """How far back one looks, and in what steps."""

    grain: Grain
    step_s: int
    steps: int

    def axis(self, now: float) -> range:
        """Return the begin of every step, the last being under way at `now`."""
        end = int(now // self.step_s) * self.step_s
        return range(end - (self.steps - 1) * self.step_s, end + 1, self.step_s)


SPANS: Final = {
    "hour": Span(grain=Grain.MINUTE, step_s=60, steps=60),
    "day": Span(grain=Grain.MINUTE, step_s=900, steps=96),
    "week": Span(grain=Grain.HOUR, step_s=3_600, steps=168),
    "month": Span(grain=Grain.HOUR, step_s=21_600, steps=120),
    "year": Span(grain=Grain.DAY, step_s=86_400, steps=365),
}


class By(StrEnum):
    """What a series stands for."""

    PROFILE = "profile"
    CHAIN = "chain"


def nothing() -> Counts:
    """Return the sum of nothing."""
    return [0] * len(METRICS)


def add(sums: dict[Key, Counts], key: Key, counts: Counts) -> None:
    """Add `counts` to the sum of `key`; none becomes larger than can be kept."""
    found = sums.get(key)
    sums[key] = [min(a + b, MOST) for a, b in zip(found or nothing(), counts, strict=True)]


def spread(minutes: Mapping[Key, Counts], into: dict[Key, Counts]) -> None:
    """Add the sums of minutes to those of every grain."""
    for key, counts in minutes.items():
        for grain in Grain:
            add(into, key._replace(grain=grain, at=key.at // grain * grain), counts)


def shed(sums: dict[Key, Counts], most: int) -> None:
    """Forget minutes, the oldest first, where there are more than `most` sums; hours and days stay."""
    surplus = len(sums) - most
    if surplus > 0:
        minutes = sorted((key.at, key) for key in sums if key.grain is Grain.MINUTE)
        for _, key in minutes[:surplus]:
            del sums[key]


def series(
    axis: range, sums: Iterable[tuple[Key, Counts]], by: By
) -> dict[str, tuple[Counts, ...]]:
    """Return of each profile or chain an array for every metric, each as long as the axis.

    Whoever has nothing on the axis is left out; they are in the order of their names.
    """
    found: dict[str, tuple[Counts, ...]] = {}
    for key, counts in sums:
        place = (key.at - axis.start) // axis.step
        if not 0 <= place < len(axis):
            continue
        name = key.profile if by is By.PROFILE else key.chain
        if name not in found:
            found[name] = tuple([0] * len(axis) for _ in METRICS)
        for array, count in zip(found[name], counts, strict=True):
            array[place] += count
    return dict(sorted(found.items()))


def shown(metric: int, count: int) -> float:
    """Return a count as it is written: money in US dollars."""
    return count / NANOUSD_PER_USD if metric in {COST, SAVED} else count
