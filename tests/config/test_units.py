"""Quantities as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.config import units
from spillover.core.chains import Hours
from spillover.core.stated import span_label
from spillover.core.values import CalendarUnit


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("100ms", 0.1),
        ("30s", 30.0),
        ("5m", 300.0),
        ("5h", 18_000.0),
        ("1d", 86_400.0),
        ("1w", 604_800.0),
        ("1h30m", 5_400.0),
        ("1.5h", 5_400.0),
        ("minute", 60.0),
        ("Hours", 3_600.0),
        (" 30s ", 30.0),
        ("month", 31 * 86_400.0),
        (0, 0.0),
    ],
    ids=repr,
)
def test_durations_are_read(written: object, expected: float) -> None:
    assert units.seconds(written) == expected


@pytest.mark.parametrize(
    "written", ["30", 30, "", "5 minutes", "-5s", "s", None, True, False, []], ids=repr
)
def test_what_is_no_duration_is_refused_with_examples(written: object) -> None:
    with pytest.raises(ValueError, match="a duration such as 100ms, 30s"):
        units.seconds(written)


def test_a_duration_of_more_than_a_year_is_refused() -> None:
    with pytest.raises(ValueError, match="a year at most"):
        units.seconds("400d")


@given(st.integers(min_value=1, max_value=300 * 86_400))
def test_what_is_shown_of_a_length_is_read_as_that_length(length_s: int) -> None:
    assert units.seconds(span_label(float(length_s))) == length_s


def test_the_calendars_units_are_known_by_their_length() -> None:
    assert [units.calendar_unit(units.UNIT_S[unit.value]) for unit in CalendarUnit] == list(
        CalendarUnit
    )
    with pytest.raises(ValueError, match="for a calendar window"):
        units.calendar_unit(18_000.0)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (5_000, 5_000),
        ("5000", 5_000),
        ("5K", 5_000),
        ("1.5k", 1_500),
        ("1M", 1_000_000),
        ("2G", 2_000_000_000),
        ("5_000", 5_000),
        (0, 0),
        ("0", 0),
        ("1e6", 1_000_000),
        (5_000.0, 5_000),
        (None, None),
        ("", None),
        ("unlimited", None),
        ("Unlimited", None),
    ],
    ids=repr,
)
def test_amounts_are_read(written: object, expected: int | None) -> None:
    assert units.amount(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (-1, "0 or more"),
        ("1.5", "a whole amount"),
        ("many", "an amount such as"),
        (True, "an amount such as"),
        ([], "an amount such as"),
        ("nan", "an amount such as"),
        ("inf", "an amount such as"),
        ("99999999999G", "a smaller amount"),
        ("5KB", "an amount such as"),
    ],
    ids=repr,
)
def test_what_is_no_amount_is_refused_with_what_it_should_be(
    written: object, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        units.amount(written)


def test_money_may_have_fractions_and_a_dollar_sign() -> None:
    assert units.amount(0.1, scale=1_000_000_000) == 100_000_000
    assert units.amount("$2.50", scale=1_000_000_000) == 2_500_000_000


@pytest.mark.parametrize(
    ("written", "expected"),
    [("64MB", 64_000_000), ("8MiB", 8_388_608), (1_000, 1_000), ("1.5 kb", 1_500), ("1GB", 10**9)],
    ids=repr,
)
def test_sizes_are_read(written: object, expected: int) -> None:
    assert units.size(written) == expected


@pytest.mark.parametrize("written", ["big", "-1MB", True, None, "64 M"], ids=repr)
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="a size such as 64MB"):
        units.size(written)


def test_hours_may_pass_midnight_and_have_a_zone() -> None:
    assert units.hours("18:00-09:30 America/New_York") == Hours(
        start_minute=1080, end_minute=570, zone="America/New_York"
    )
    assert units.hours("9:00 - 24:00") == Hours(start_minute=540, end_minute=1440, zone="UTC")


@pytest.mark.parametrize("written", ["18-9", "25:00-09:00", "18:60-19:00", 18, None, ""], ids=repr)
def test_what_is_no_span_of_hours_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="hours such as"):
        units.hours(written)


def test_hours_of_no_length_are_refused() -> None:
    with pytest.raises(ValueError, match="different times"):
        units.hours("09:00-09:00")


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "../etc/passwd", "America/new york", None], ids=repr
)
def test_a_zone_that_nobody_knows_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match="a time zone such as UTC"):
        units.zone(name)
