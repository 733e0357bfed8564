"""All that a run of the bench found, and what of it has to be reached.

Medians are over the rounds; a ratio is taken inside each round, where both sides met the same
machine, before its median is. Refuses to know how anything was measured or is shown.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from bench.contestants import BARE, DIRECT, LITELLM_PROXY, NGINX, PORTKEY_GATEWAY, SPILLOVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.hotspots import Hotspots
    from bench.load import Unstreamed
    from bench.streams import Streamed
    from bench.vitals import Memory

Run = TypeVar("Run")

CONNECTIONS: Final = (1, 16, 64)
STREAMS: Final = (50, 300)
MOST_LATE: Final = 1.5
"""How many times the bare proxy's delays and time Spillover's may be."""


@dataclass(frozen=True, slots=True)
class Rounds(Generic[Run]):
    """The runs of each contestant, by how many requests or streams were under way at once."""

    runs: dict[tuple[str, int], list[Run]] = field(default_factory=dict)

    def add(self, name: str, at_once: int, run: Run) -> None:
        """Keep one more run."""
        self.runs.setdefault((name, at_once), []).append(run)

    def of(self, name: str, at_once: int) -> list[Run]:
        """Return a contestant's runs, in order; none where it was not asked."""
        return self.runs.get((name, at_once), [])

    def names(self) -> list[str]:
        """Return who took part, in order."""
        return list(dict.fromkeys(name for name, _ in self.runs))

    def median(self, name: str, at_once: int, read: Callable[[Run], float]) -> float | None:
        """Return the median of a reading; None where it was not taken."""
        return _median([read(run) for run in self.of(name, at_once)])

    def ratio(self, name: str, to: str, at_once: int, read: Callable[[Run], float]) -> float | None:
        """Return the median of one contestant's reading over another's; None where one lacks."""
        pairs = self._paired(name, to, at_once)
        return _median([read(one) / read(other) for one, other in pairs if read(other)])

    def difference(
        self, name: str, to: str, at_once: int, read: Callable[[Run], float]
    ) -> float | None:
        """Return the median of what one contestant's reading is above another's."""
        pairs = self._paired(name, to, at_once)
        return _median([read(one) - read(other) for one, other in pairs])

    def _paired(self, name: str, to: str, at_once: int) -> list[tuple[Run, Run]]:
        return list(zip(self.of(name, at_once), self.of(to, at_once), strict=False))


def _median(readings: list[float]) -> float | None:
    return statistics.median(readings) if readings else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All of it."""

    whole: Rounds[Unstreamed]
    streams: Rounds[Streamed]
    timings: dict[str, Any]
    memory: Memory
    start_s: float
    import_ms: float
    line_ratio: float
    loading: dict[str, float]
    """Starts of a bare Python, by what is loaded."""
    hotspots: Hotspots | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure to reach, and what was found."""

    what: str
    found: float | None
    """None: not measured here."""
    bound: float
    at_least: bool = False
    unit: str = ""

    @property
    def is_reached(self) -> bool | None:
        """Whether it is; None where it was not measured."""
        if self.found is None:
            return None
        return self.found >= self.bound if self.at_least else self.found <= self.bound


def goals(results: Results) -> list[Goal]:
    """Return every figure that has to be reached."""
    return [*_speed(results.whole), *_streams(results.streams), *_weights(results)]


def _speed(rounds: Rounds[Unstreamed]) -> list[Goal]:
    added_us = rounds.difference(SPILLOVER, DIRECT, 1, lambda run: run.p50_us)
    return [
        Goal(
            what="requests/s at c = 16, of nginx `proxy_pass`",
            found=rounds.ratio(SPILLOVER, NGINX, 16, lambda run: run.rate),
            bound=0.08,
            at_least=True,
        ),
        Goal(
            what="requests/s at c = 16, times LiteLLM proxy",
            found=rounds.ratio(SPILLOVER, LITELLM_PROXY, 16, lambda run: run.rate),
            bound=40,
            at_least=True,
            unit="×",
        ),
        Goal(
            what="requests/s at c = 16, times Portkey",
            found=rounds.ratio(SPILLOVER, PORTKEY_GATEWAY, 16, lambda run: run.rate),
            bound=5,
            at_least=True,
            unit="×",
        ),
        Goal(
            what="latency added at c = 1 over direct, median",
            found=None if added_us is None else added_us / 1_000,
            bound=0.5,
            unit="ms",
        ),
    ]


def _streams(rounds: Rounds[Streamed]) -> list[Goal]:
    readings: dict[str, Callable[[Streamed], float]] = {
        "delay p50": lambda run: run.p50_ms,
        "delay p99": lambda run: run.p99_ms,
        "CPU per event": lambda run: run.cpu_us,
    }
    found = []
    for count in STREAMS:
        found += [
            Goal(
                what=f"{count} streams: {what}, of the bare proxy's",
                found=rounds.ratio(SPILLOVER, BARE, count, read),
                bound=MOST_LATE,
                unit="×",
            )
            for what, read in readings.items()
        ]
        runs = rounds.of(SPILLOVER, count)
        bad = sum(run.bad for run in runs) if runs else None
        found.append(Goal(what=f"{count} streams: stalls and errors", found=bad, bound=0))
    return found


def _weights(results: Results) -> list[Goal]:
    timings, memory = results.timings, results.memory
    return [
        Goal(
            what="reserve + settle over 5 limits, durable SQLite, median alone",
            found=timings["alone_us"],
            bound=100,
            unit="µs",
        ),
        Goal(
            what="the same, amortised at 16 at once",
            found=timings["together_us"],
            bound=60,
            unit="µs",
        ),
        Goal(
            what="50 profiles, 49 of them spent: ladder + reserve",
            found=timings["ladder_ms"],
            bound=1,
            unit="ms",
        ),
        Goal(
            what="a chat of 20 KB with tools, translated one way, median",
            found=timings["translations"]["request_us"],
            bound=150,
            unit="µs",
        ),
        Goal(
            what="a streamed event translated, median",
            found=timings["translations"]["event_us"],
            bound=15,
            unit="µs",
        ),
        Goal(what="RSS idle", found=memory.idle, bound=80, unit="MB"),
        Goal(
            what=f"RSS growth by {memory.requests:,} requests",
            found=memory.loaded - memory.idle,
            bound=10,
            unit="MB",
        ),
        Goal(what="`serve` from start to first answer", found=results.start_s, bound=0.8, unit="s"),
        Goal(
            what="`import spillover` beyond bare Python",
            found=results.import_ms,
            bound=150,
            unit="ms",
        ),
        Goal(
            what="`status --line` beside a gateway, of `python -c pass`",
            found=results.line_ratio,
            bound=2,
            unit="×",
        ),
    ]
