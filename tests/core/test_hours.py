"""When a chain's member may serve, by the wall clock of its zone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.chains import Hours
from spillover.core.hours import next_opening
from tests.core.making import at

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"


def hours(start: str, end: str, zone: str) -> Hours:
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in (start, end)]
    return Hours(start_minute=minutes[0], end_minute=minutes[1], zone=zone)


@pytest.mark.parametrize(
    ("span", "now", "opens"),
    [
        (("09:00", "18:00"), "2026-05-13 08:59:59", "2026-05-13 09:00"),
        (("09:00", "18:00"), "2026-05-13 09:00", None),
        (("09:00", "18:00"), "2026-05-13 17:59:59", None),
        (("09:00", "18:00"), "2026-05-13 18:00", "2026-05-14 09:00"),
        (("18:00", "09:00"), "2026-05-13 08:59", None),
        (("18:00", "09:00"), "2026-05-13 09:00:30", "2026-05-13 18:00"),
        (("18:00", "09:00"), "2026-05-13 23:00", None),
        (("00:00", "00:00"), "2026-05-13 12:00", None),
    ],
)
def test_member_serves_in_its_hours_and_says_when_they_begin(
    span: tuple[str, str], now: str, opens: str | None
) -> None:
    instant = at(now, NEW_YORK)

    found = next_opening(hours(*span, NEW_YORK), instant)

    assert found == (instant if opens is None else at(opens, NEW_YORK))


@pytest.mark.parametrize(
    ("span", "now", "fold", "opens", "opens_fold"),
    [
        (("09:00", "18:00"), "2026-03-28 20:00", 0, "2026-03-29 09:00", 0),
        (("09:00", "18:00"), "2026-10-24 20:00", 0, "2026-10-25 09:00", 0),
        (("02:30", "04:00"), "2026-03-29 01:00", 0, "2026-03-29 03:30", 0),
        (("02:10", "02:50"), "2026-03-29 01:00", 0, "2026-03-30 02:10", 0),
        (("02:10", "02:50"), "2026-03-28 12:00", 0, "2026-03-30 02:10", 0),
        (("02:30", "02:50"), "2026-10-25 02:55", 0, "2026-10-25 02:30", 1),
        (("02:30", "02:50"), "2026-10-25 02:55", 1, "2026-10-26 02:30", 0),
    ],
    ids=[
        "spring",
        "autumn",
        "skipped opening",
        "skipped hours",
        "skipped tomorrow",
        "again",
        "the day after",
    ],
)
def test_opening_is_true_over_a_change_of_clocks(
    span: tuple[str, str], now: str, fold: int, opens: str, opens_fold: int
) -> None:
    found = next_opening(hours(*span, BERLIN), at(now, BERLIN, fold=fold))

    assert found == at(opens, BERLIN, fold=opens_fold)


@given(
    start=st.integers(0, 1_439),
    end=st.integers(0, 1_439),
    now=st.floats(at("2026-01-01"), at("2027-01-01")),
    zone=st.sampled_from([BERLIN, NEW_YORK, "Australia/Lord_Howe", "Africa/Cairo"]),
)
def test_member_is_open_at_the_opening_that_was_stated(
    start: int, end: int, now: float, zone: str
) -> None:
    span = Hours(start_minute=start, end_minute=end, zone=zone)

    opens_at = next_opening(span, now)

    assert now <= opens_at <= now + 2 * 86_400
    assert next_opening(span, opens_at) == opens_at
