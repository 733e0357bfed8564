"""Reading one stated span or instant."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.protocols.spans import http_date_of, instant_of, month_of, span_of

NOON = 1_795_176_000.0  # 2026-11-20T12:00:00Z


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("2", 2.0),
        (" 1.5 ", 1.5),
        (7, 7.0),
        (0.25, 0.25),
        ("+3", 3.0),
        ("-5", 0.0),
        (-6, 0.0),
        ("7m12.345s", 432.345),
        ("6m 11.52s", 371.52),
        ("370ms", 0.37),
        ("12µs", 0.000012),
        ("1h23m45.6s", 5_025.6),
        ("161h39m41.300432511s", 581_981.300432511),
        ("2 minutes and 30 seconds", 150.0),
        ("5 Hours", 18_000.0),
        ("3 second(s)", 3.0),
        ("1 week", 604_800.0),
        ("PT1M30S", 90.0),
        ("P1DT2H", 93_600.0),
        ("PT0.5S", 0.5),
        ("99999999999", 99_999_999_999.0),
    ],
)
def test_a_span_is_read_however_it_is_written(stated: Any, seconds: float) -> None:
    assert span_of(stated) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "stated", ["", "soon", "1e9", "P", "PT", "5 metres", "9" * 400, True, None, [], {}, nan, inf]
)
def test_what_is_no_span_is_none(stated: Any) -> None:
    assert span_of(stated) is None


def test_a_number_beyond_all_bounds_is_no_span() -> None:
    assert span_of(10**400) is None


@pytest.mark.parametrize(
    ("stated", "at"),
    [
        ("1795176000000", NOON),
        (1_795_176_000, NOON),
        ("2026-11-20T12:00:00Z", NOON),
        ("2026-11-20t13:00:00+01:00", NOON),
        ("2026-11-20T12:00:00", None),
        ("57", None),
        ("later", None),
        (None, None),
    ],
)
def test_an_instant_is_told_from_a_span(stated: Any, at: float | None) -> None:
    assert instant_of(stated) == at


@pytest.mark.parametrize(
    "stated",
    [
        "Fri, 20 Nov 2026 12:00:00 GMT",
        "Friday, 20-Nov-26 12:00:00 GMT",
        "Fri Nov 20 12:00:00 2026",
    ],
)
def test_all_three_of_https_dates_are_read(stated: str) -> None:
    assert http_date_of(stated) == NOON


@pytest.mark.parametrize(
    "stated", ["Fri, 31 Feb 2026 12:00:00 GMT", "Fri, 20 Foo 2026 12:00:00 GMT", "soon", 7, None]
)
def test_what_is_no_date_is_none(stated: Any) -> None:
    assert http_date_of(stated) is None


def test_a_month_is_known_by_its_first_letters() -> None:
    assert (month_of("october"), month_of("oct"), month_of("smarch")) == (10, 10, None)


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()


@given(ANYTHING)
def test_anything_is_read_without_harm(stated: object) -> None:
    span = span_of(stated)

    assert span is None or span >= 0
    instant_of(stated)
    http_date_of(stated)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59_999))
def test_any_go_duration_is_read(hours: int, minutes: int, milliseconds: int) -> None:
    span = span_of(f"{hours}h{minutes}m{milliseconds / 1_000}s")

    assert span == pytest.approx(hours * 3_600 + minutes * 60 + milliseconds / 1_000)
