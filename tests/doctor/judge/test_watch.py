"""Figures of the watch: uptime by traffic, latencies, and fallbacks of the last day."""

from __future__ import annotations

from spillover.core.history import Grain, Key, nothing
from spillover.doctor.judge.watch import (
    Fallback,
    Glance,
    Report,
    counted_uptimes,
    document,
    kept_fallbacks,
    latencies,
    recent_fallbacks,
    share,
    uptimes,
)

ROW = {
    "at": "2026-11-27T12:03:11.204Z",
    "chain": "default",
    "from": "groq",
    "to": "gemini",
    "cause": "rate_limited",
}
FALLBACK = Fallback(at=ROW["at"], chain="default", source="groq", to="gemini", cause="rate_limited")


def test_uptime_is_the_share_of_busy_steps_with_an_answer() -> None:
    history = {
        "series": [
            {"name": "groq", "requests": [0, 3, 1, 0], "unserved": [0, 0, 1, 0],
             "errors": [0, 1, 2, 0]},
            {"name": "idle", "requests": [0], "unserved": [0], "errors": [0]},
            {"name": None, "requests": [1], "unserved": [1], "errors": [0]},
        ]
    }  # fmt: skip

    assert uptimes(history) == {"groq": 0.5}
    assert uptimes(None) == {}


def test_uptime_of_kept_sums_is_the_same_over_all_chains() -> None:
    def key(at: int, profile: str, chain: str = "default") -> Key:
        return Key(Grain.MINUTE, at, chain, profile)

    def counts(requests: int, unserved: int, errors: int) -> list[int]:
        return [requests, unserved, errors, *nothing()[3:]]

    sums = [
        (key(0, "groq"), counts(1, 1, 2)),
        (key(0, "groq", "coding"), counts(1, 0, 0)),
        (key(900, "groq"), counts(0, 0, 3)),
        (key(900, ""), counts(1, 1, 0)),
    ]

    assert counted_uptimes(sums) == {"groq": 0.5}
    assert counted_uptimes([]) == {}


def test_latencies_are_the_average_and_what_nineteen_of_twenty_stay_below() -> None:
    assert latencies([]) == (None, None)
    assert latencies([100.0, 200.0, 300.0]) == (200.0, 300.0)


def test_reliability_is_the_share_of_answered_calls() -> None:
    assert share([True, True, False, True]) == 0.75
    assert share([]) is None


def test_fallbacks_are_read_from_the_history_and_from_the_latest_events() -> None:
    events = {
        "events": [
            {"type": "request.fallback", **ROW, "at": "2026-11-26T11:00:00.000Z"},
            {"type": "request.fallback", **ROW},
            {"type": "request.done", "at": ROW["at"]},
        ]
    }

    assert kept_fallbacks({"fallbacks": [ROW]}) == (FALLBACK,)
    assert recent_fallbacks(events, since="2026-11-26T12:00:00.000Z") == (FALLBACK,)


def test_a_report_is_plain_data() -> None:
    seen = Glance(
        profile="p", provider="groq", is_up=True, saw="answers", reliability=0.98765, uptime=1.0
    )
    report = Report(
        at=ROW["at"], gateway="none", glances=(seen,), fallbacks=(FALLBACK,), fallbacks_of=""
    )

    found = document(report)

    assert found["profiles"]["p"]["reliability"] == 0.988
    assert found["profiles"]["p"]["latency_ms"] == {"average": None, "p95": None}
    assert found["fallbacks"] == [ROW]
    assert found["fallbacks_of"] is None
