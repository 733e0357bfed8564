"""A bar shows what is used, held and left, and never lies at its ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.cli.bars import LEFT, RESERVED, USED, bar, plain, shade


@pytest.mark.parametrize(
    ("used", "reserved", "capacity", "drawn"),
    [
        (0, 0, 100, "░░░░░░░░░░"),
        (50, 0, 100, "█████░░░░░"),
        (50, 20, 100, "█████▒▒░░░"),
        (1, 50, 100, "█▒▒▒▒░░░░░"),
        (1, 0, 1_000, "█░░░░░░░░░"),
        (999, 0, 1_000, "█████████░"),
        (100, 0, 100, "██████████"),
        (80, 20, 100, "████████▒▒"),
        (500, 0, 100, "██████████"),
        (0, 0, 0, "██████████"),
    ],
    ids=[
        "empty",
        "half",
        "held",
        "a trace held",
        "a trace",
        "nearly",
        "full",
        "full by holds",
        "over",
        "nothing",
    ],
)
def test_a_bar_shows_the_shares(used: int, reserved: int, capacity: int, drawn: str) -> None:
    assert bar(used, reserved, capacity, width=10).plain == drawn


@given(
    used=st.integers(0, 10_000),
    reserved=st.integers(0, 10_000),
    capacity=st.integers(1, 10_000),
    width=st.integers(3, 60),
)
def test_a_bar_is_as_wide_as_asked_and_honest_at_its_ends(
    used: int, reserved: int, capacity: int, width: int
) -> None:
    cells = bar(used, reserved, capacity, width=width).plain

    assert len(cells) == width
    assert (LEFT in cells) == (used + reserved < capacity)
    assert bool(used + reserved) == bool(USED in cells or RESERVED in cells)


def test_a_fuller_limit_is_shown_in_a_louder_colour() -> None:
    assert [shade(part, 100) for part in (10, 70, 95)] == ["green", "yellow", "red"]
    assert shade(0, 0) == "red"


def test_a_bar_can_be_drawn_in_ascii() -> None:
    assert plain(bar(50, 20, 100, width=10).plain) == "#####++---"
