"""Work out how providers did: reliability, uptime, latencies, and who fell back on whom.

Pure: documents of a gateway, times and outcomes in, plain data out. Refuses to know where they come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spillover.core.history import ERRORS, REQUESTS, UNSERVED
from spillover.core.reliability import reliability
from spillover.core.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spillover.core.history import Counts, Key

DAY_S: Final = 86_400.0
STEP_S: Final = 900
"""What uptime is counted in."""


class Glance(Value, frozen=True, kw_only=True):
    """How one profile is and was."""

    profile: str
    provider: str
    is_up: bool
    """It answered the check of this round."""
    saw: str
    """What the check came to."""
    check_ms: float | None = None
    status: str = ""
    """As the ladder has it: `active`, `cooldown` …"""
    reason: str | None = None
    reliability: float | None = None
    """Share of its latest calls that were answered; None: there were none."""
    outcomes: int = 0
    """How many calls that is of."""
    uptime: float | None = None
    uptime_of: str = ""
    """What the uptime is a share of."""
    average_ms: float | None = None
    p95_ms: float | None = None


class Fallback(Value, frozen=True, kw_only=True):
    """A request that went on to another profile."""

    at: str
    chain: str
    source: str
    to: str | None
    cause: str


class Report(Value, frozen=True, kw_only=True):
    """How everything is at an instant."""

    at: str
    gateway: str
    """`healthy`, `degraded`, `unhealthy`, or `none`: none runs."""
    glances: tuple[Glance, ...]
    fallbacks: tuple[Fallback, ...]
    """Of the last 24 hours, the latest first."""
    fallbacks_of: str
    """Where they come from; empty: nobody keeps them."""


def latencies(times: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the average and the 95th percentile of times; None where there are none."""
    if not times:
        return None, None
    ordered = sorted(times)
    last = len(ordered) - 1
    return sum(ordered) / len(ordered), ordered[-(-last * 95 // 100)]


def share(outcomes: Sequence[bool]) -> float | None:
    """Return the share of outcomes that were good."""
    return reliability(outcomes)


def uptimes(history: Mapping[str, Any] | None) -> dict[str, float]:
    """Return for each profile the share of the day's steps with traffic in which it answered.

    `history` is the document of `/api/history?span=day&by=profile`.
    """
    found = {}
    for series in (history or {}).get("series", ()):
        served = [
            (asked - unserved > 0, asked + failed > 0)
            for asked, unserved, failed in zip(
                series["requests"], series["unserved"], series["errors"], strict=True
            )
        ]
        busy = [up for up, had_traffic in served if had_traffic]
        if busy and series.get("name"):
            found[series["name"]] = sum(busy) / len(busy)
    return found


def counted_uptimes(sums: Iterable[tuple[Key, Counts]]) -> dict[str, float]:
    """Return the same of sums, as the history keeps them, each of a step."""
    steps: dict[tuple[str, int], list[int]] = {}
    for key, counts in sums:
        seen = steps.setdefault((key.profile, key.at), [0, 0, 0])
        for place, metric in enumerate((REQUESTS, UNSERVED, ERRORS)):
            seen[place] += counts[metric]
    series: dict[str, list[list[int]]] = {}
    for (profile, _), seen in steps.items():
        series.setdefault(profile, []).append(seen)
    rows = [
        {"name": name, "requests": asked, "unserved": unserved, "errors": errors}
        for name, found in series.items()
        for asked, unserved, errors in [zip(*found, strict=True)]
    ]
    return uptimes({"series": rows})


def kept_fallbacks(document: Mapping[str, Any]) -> tuple[Fallback, ...]:
    """Read the document of `/api/history/fallbacks`."""
    return tuple(_fallback(row) for row in document.get("fallbacks", ()))


def recent_fallbacks(document: Mapping[str, Any], *, since: str) -> tuple[Fallback, ...]:
    """Read those of the document of `/api/events/recent` that came at or after an instant."""
    rows = [
        row
        for row in document.get("events", ())
        if row.get("type") == "request.fallback" and row["at"] >= since
    ]
    return tuple(_fallback(row) for row in sorted(rows, key=lambda row: row["at"], reverse=True))


def _fallback(row: Mapping[str, Any]) -> Fallback:
    return Fallback(
        at=row["at"],
        chain=row["chain"],
        source=row["from"],
        to=row.get("to"),
        cause=row["cause"],
    )


def document(report: Report) -> dict[str, Any]:
    """Return a report as JSON has it."""
    return {
        "at": report.at,
        "gateway": report.gateway,
        "profiles": {
            each.profile: {
                "provider": each.provider,
                "up": each.is_up,
                "saw": each.saw,
                "check_ms": _rounded(each.check_ms),
                "status": each.status,
                "reason": each.reason,
                "reliability": _rounded(each.reliability, 3),
                "outcomes": each.outcomes,
                "uptime": _rounded(each.uptime, 4),
                "uptime_of": each.uptime_of,
                "latency_ms": {
                    "average": _rounded(each.average_ms),
                    "p95": _rounded(each.p95_ms),
                },
            }
            for each in report.glances
        },
        "fallbacks": [
            {"at": each.at, "chain": each.chain, "from": each.source, "to": each.to,
             "cause": each.cause}
            for each in report.fallbacks
        ],
        "fallbacks_of": report.fallbacks_of or None,
    }  # fmt: skip


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
