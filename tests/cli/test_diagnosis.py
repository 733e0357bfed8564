"""Findings and the watch's report as lines."""

from __future__ import annotations

from pathlib import Path

from spillover.cli.diagnosis import answers_of, lines_of, report_of, summary
from spillover.doctor.findings import Finding, Level, OtherPort
from spillover.doctor.judge.live import Answered, completion
from spillover.doctor.judge.watch import Fallback, Glance, Report

GOOD = Finding(check="env.key", about="groq", saw="gsk_…x9Qf")
BAD = Finding(
    check="port.gateway",
    level=Level.PROBLEM,
    about="127.0.0.1:4400",
    saw="taken",
    why="it can't start",
    remedy="kill 1\nor another",
    fix=OtherPort(path=Path("f"), port=4401),
)


def test_findings_stand_below_their_parts_with_remedies_as_steps() -> None:
    shown = [line.plain for line in lines_of([GOOD, BAD])]

    assert shown == [
        "Keys and environment",
        "  ✓ key          groq: gsk_…x9Qf",
        "",
        "Port and state",
        "  ✗ gateway      127.0.0.1:4400: taken",
        "      it can't start",
        "      → kill 1",
        "      → or another",
        "      --fix would write port 4401 to f",
        "",
        "1 problem; spillover doctor --fix mends 1 of them",
    ]


def test_what_was_mended_is_said() -> None:
    mended = Finding(check="port.gateway", saw="taken", mended="f has port 4401 now")

    assert any("f has port 4401 now" in line.plain for line in lines_of([mended]))
    assert summary([mended]).plain == "nothing wrong in 1 checks"


def test_real_answers_are_a_table() -> None:
    ok = Answered(profile="p", sent=True, answered=True, outcome="ok", took_ms=12.0,
                  input_tokens=8, output_tokens=1, left="4 of 5 requests/minute left")  # fmt: skip
    no = Answered(profile="q", sent=False, answered=False, outcome="limit")

    head, first, second = answers_of([completion(ok), completion(no)])

    assert head.plain.split() == ["PROFILE", "OUTCOME", "LATENCY", "IN", "OUT", "LIMITS"]
    assert first.plain.split()[:6] == ["✓", "p", "ok", "12", "ms", "8"]
    assert first.plain.endswith("4 of 5 requests/minute left")
    assert second.plain.split()[:3] == ["·", "q", "limit"]


def test_the_watch_is_a_table_with_the_days_fallbacks() -> None:
    seen = Glance(profile="p", provider="x", is_up=True, saw="answers", check_ms=12.0,
                  status="cooldown", reason="rate_limited", reliability=0.975, outcomes=40,
                  uptime=0.5, uptime_of="2 checks", average_ms=210.4, p95_ms=900.0)  # fmt: skip
    fallback = Fallback(
        at="2026-11-27T12:03:11.204Z", chain="c", source="p", to=None, cause="rate_limited"
    )
    report = Report(at="2026-11-27T12:05:00.000Z", gateway="healthy", glances=(seen,),
                    fallbacks=(fallback,), fallbacks_of="its history")  # fmt: skip

    shown = "\n".join(line.plain for line in report_of(report))

    assert shown.startswith("12:05:00 UTC  gateway healthy")
    assert "97.5 % of 40" in shown
    assert "50 % of 2 checks" in shown
    assert "210 ms" in shown
    assert "cooldown (rate limited)" in shown
    assert "1 fallback in the last 24 h, by its history" in shown
    assert "c: p ▸ nobody  rate limited" in shown


def test_a_watch_without_a_gateway_says_what_is_missing() -> None:
    report = Report(at="2026-11-27T12:05:00.000Z", gateway="none", glances=(), fallbacks=(),
                    fallbacks_of="")  # fmt: skip

    assert "only a running gateway" in "\n".join(line.plain for line in report_of(report))
