"""Spans in the few characters that a terminal has for them."""

from __future__ import annotations

import pytest

from spillover.cli.spans import back_at, span


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0 s"),
        (0.2, "1 s"),
        (59, "59 s"),
        (59.2, "1 min"),
        (750, "12 min 30 s"),
        (3_600, "1 h"),
        (3_661, "1 h 2 min"),
        (7_199, "2 h"),
        (86_400, "1 d"),
        (187_200, "2 d 4 h"),
    ],
)
def test_a_span_is_rounded_up_to_its_two_largest_units(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


def test_who_is_back_is_told_from_who_will_be() -> None:
    assert back_at(142.0, 100.0) == "back in 42 s"
    assert back_at(100.0, 100.0) == "back now"
