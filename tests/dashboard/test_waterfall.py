"""A request's sends in time."""

from __future__ import annotations

from typing import Any

from spillover.dashboard import waterfall


def a_send(**times: float | None) -> dict[str, Any]:
    return {"start_ms": 0.0, "connected_ms": None, "first_token_ms": None, "end_ms": None, **times}


def test_a_send_is_drawn_in_its_phases() -> None:
    sent = a_send(start_ms=10.0, connected_ms=20.0, first_token_ms=60.0, end_ms=100.0)

    (row,) = waterfall.rows({"took_ms": 100.0, "attempts": [sent]})

    assert row["bars"] == [
        {"kind": "wait", "x": 10.0, "width": 10.0},
        {"kind": "first", "x": 20.0, "width": 40.0},
        {"kind": "rest", "x": 60.0, "width": 40.0},
    ]


def test_a_send_that_failed_before_content_has_no_phase_after_it() -> None:
    sent = a_send(connected_ms=5.0, end_ms=50.0)

    (row,) = waterfall.rows({"took_ms": 100.0, "attempts": [sent]})

    assert [bar["kind"] for bar in row["bars"]] == ["wait", "first"]


def test_one_that_never_connected_is_all_waiting_and_is_seen_however_short() -> None:
    (row,) = waterfall.rows({"took_ms": 1_000.0, "attempts": [a_send(end_ms=0.1)]})

    assert row["bars"] == [{"kind": "wait", "x": 0.0, "width": 0.4}]


def test_one_that_has_not_ended_lasts_until_now() -> None:
    trace = {"took_ms": None, "attempts": [a_send(end_ms=40.0), a_send(start_ms=40.0)]}

    assert waterfall.whole_ms(trace) == 40.0
    assert waterfall.rows(trace)[1]["bars"] == []
