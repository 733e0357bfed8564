"""Draw what the doctor found, and what its watch sees.

Refuses to know how anything is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from spillover.cli.tables import table
from spillover.doctor.findings import BAD, Finding, Level, promised
from spillover.doctor.table import BY_NAME, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spillover.doctor.judge.watch import Glance, Report

SIGNS: Final = {
    Level.OK: ("✓", "green"),
    Level.NOTE: ("·", "cyan"),
    Level.WARNING: ("!", "yellow"),
    Level.PROBLEM: ("✗", "red"),
}
_MOST_FALLBACKS: Final = 10
_PERCENT: Final = 100


def lines_of(findings: Sequence[Finding]) -> Iterator[Text]:
    """Yield the findings below the headings of their parts, and what they amount to."""
    for part in Part:
        group = [each for each in findings if BY_NAME[each.check].part is part]
        if group:
            yield Text(part.value, "bold")
            for each in group:
                yield from _finding(each)
            yield Text()
    yield summary(findings)


def _finding(found: Finding) -> Iterator[Text]:
    sign, colour = SIGNS[found.level]
    line = Text(f"  {sign} ", colour).append(f"{found.check.partition('.')[2]:<12} ", "dim")
    line.append(f"{found.about}: " if found.about else "", "bold")
    yield line.append(found.mended or found.saw)
    if found.level is Level.OK:
        return
    if found.why:
        yield Text(f"      {found.why}", "dim")
    for step in found.remedy.splitlines():
        yield Text("      → ", colour).append(step)
    if found.fix is not None:
        yield Text(f"      --fix would {promised(found.fix)}", "dim")


def summary(findings: Sequence[Finding]) -> Text:
    """Return how many findings there are of each kind, and what can be done about them."""
    counted = {level: sum(each.level is level for each in findings) for level in Level}
    if not counted[Level.PROBLEM] and not counted[Level.WARNING]:
        return Text(f"nothing wrong in {len(findings)} checks", "green")
    parts = [
        f"{counted[level]} {level.value}{'s' * (counted[level] != 1)}"
        for level in (Level.PROBLEM, Level.WARNING)
        if counted[level]
    ]
    text = Text(", ".join(parts), SIGNS[_worst(findings)][1])
    mends = sum(each.fix is not None for each in findings if each.level in BAD)
    return text.append(f"; spillover doctor --fix mends {mends} of them" if mends else "", "dim")


def _worst(findings: Sequence[Finding]) -> Level:
    return max((each.level for each in findings), key=list(Level).index)


def answers_of(findings: Sequence[Finding]) -> list[Text]:
    """Return a table of the real answers."""
    rows = []
    for each in findings:
        figures: dict[str, Any] = dict(each.figures)
        sign, colour = SIGNS[each.level]
        latency = figures["latency_ms"]
        rows.append(
            [
                Text(sign, colour),
                each.about,
                str(figures["outcome"]).replace("_", " "),
                "" if latency is None else f"{latency:,.0f} ms",
                str(figures["input_tokens"]),
                str(figures["output_tokens"]),
                figures["left"] or "",
            ]
        )
    heads = ("", "PROFILE", "OUTCOME", "LATENCY", "IN", "OUT", "LIMITS")
    return table(heads, rows, align="<<<>>><")


def report_of(report: Report) -> Iterator[Text]:
    """Yield how all providers are and were."""
    gateway = "no gateway runs" if report.gateway == "none" else f"gateway {report.gateway}"
    yield Text(f"{report.at[11:19]} UTC", "bold").append(f"  {gateway}", "dim")
    yield Text()
    heads = ("", "PROFILE", "CHECK", "STATUS", "RELIABLE", "UPTIME", "AVERAGE", "P95")
    yield from table(heads, [_row(each) for each in report.glances], align="<<<<>>>>")
    yield Text()
    if not report.fallbacks_of:
        yield Text("fallbacks: only a running gateway knows them", "dim")
        return
    count = len(report.fallbacks)
    yield Text(f"{count} fallback{'s' * (count != 1)} in the last 24 h, by {report.fallbacks_of}")
    for each in report.fallbacks[:_MOST_FALLBACKS]:
        cause = each.cause.replace("_", " ")
        yield Text(f"  {each.at[11:19]}  ", "dim").append(
            f"{each.chain}: {each.source} ▸ {each.to or 'nobody'}  {cause}"
        )


def _row(seen: Glance) -> list[Text | str]:
    sign, colour = SIGNS[Level.OK if seen.is_up else Level.PROBLEM]
    took = "" if seen.check_ms is None else f" {seen.check_ms:,.0f} ms"
    stands = seen.status + (f" ({seen.reason.replace('_', ' ')})" if seen.reason else "")
    return [
        Text(sign, colour),
        seen.profile,
        f"{seen.saw}{took}",
        stands,
        f"{_percent(seen.reliability)} of {seen.outcomes}" if seen.outcomes else "–",
        f"{_percent(seen.uptime)} of {seen.uptime_of}",
        _milliseconds(seen.average_ms),
        _milliseconds(seen.p95_ms),
    ]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * _PERCENT:.1f}".removesuffix(".0") + " %"


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"
