"""Reading how long a provider says to wait."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.values import Source
from spillover.protocols.waits import Wait, stated_wait

NOON = 1_795_176_000.0  # 2026-11-20T12:00:00Z


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "2m59.56s"}, 179.56),
        ({"retry-after": "370ms"}, 0.37),
        ({"retry-after": "99999999999"}, 99_999_999_999.0),
        ({"retry-after-ms": "532", "retry-after": "1"}, 0.532),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        (
            {
                "retry-after": "Fri, 20 Nov 2026 12:01:00 GMT",
                "date": "Fri, 20 Nov 2026 12:00:00 GMT",
            },
            60.0,
        ),
        (
            {
                "retry-after": "Fri, 20 Nov 2026 12:00:00 GMT",
                "date": "Fri, 20 Nov 2026 12:01:00 GMT",
            },
            0.0,
        ),
    ],
)
def test_a_wait_in_headers_is_read(headers: dict[str, str], seconds: float) -> None:
    wait = stated_wait(headers, {}, "")

    assert wait.seconds == pytest.approx(seconds)
    assert wait.reset_at is None
    assert wait.source is Source.HEADER


@pytest.mark.parametrize(
    "stated",
    [
        "",
        "-5",
        "soon",
        "1e9",
        "nan",
        "Fri, 31 Feb 2026 12:00:00 GMT",
        "Fri, 20 Foo 2026 12:00:00 GMT",
        "9" * 400,
    ],
)
def test_what_is_no_wait_states_none(stated: str) -> None:
    assert stated_wait({"retry-after": stated}, {}, "") == Wait()


def test_a_date_without_the_servers_own_clock_is_an_instant() -> None:
    wait = stated_wait({"retry-after": "Fri, 20 Nov 2026 12:00:00 GMT"}, {}, "")

    assert wait == Wait(reset_at=NOON, source=Source.HEADER)


@pytest.mark.parametrize(
    ("stated", "reset_at"),
    [
        ("1795176000000", NOON),
        ("1795176000", NOON),
        ("2026-11-20T12:00:00Z", NOON),
        ("2026-11-20T12:00:00", None),
        ("57", None),
        ("later", None),
    ],
)
def test_an_instant_is_told_from_a_span(stated: str, reset_at: float | None) -> None:
    wait = stated_wait({"x-ratelimit-reset": stated, "x-ratelimit-remaining": "0"}, {}, "")

    assert wait.reset_at == reset_at


def test_the_reset_of_what_is_not_spent_is_no_wait() -> None:
    headers = {"x-ratelimit-reset": "1795176000", "x-ratelimit-remaining": "17"}

    assert stated_wait(headers, {}, "") == Wait()


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"retry_after": 1}, 1.0),
        ({"retry_after": 2.5}, 2.5),
        ({"retry_after_ms": 1_500}, 1.5),
        ({"retrydelay": "53.016342224s"}, 53.016342224),
        ({"quotaresetdelay": "161h39m41.300432511s", "retrydelay": "1s"}, 581_981.300432511),
    ],
)
def test_a_wait_in_the_body_is_read(fields: dict[str, Any], seconds: float) -> None:
    wait = stated_wait({}, fields, "")

    assert wait.seconds == pytest.approx(seconds)
    assert wait.source is Source.BODY


@pytest.mark.parametrize("value", [True, None, [], {"seconds": 3}])
def test_a_field_that_is_no_number_or_text_states_no_wait(value: object) -> None:
    assert stated_wait({}, {"retry_after": value}, "") == Wait()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("please try again in 7m12.345s.", 432.345),
        ("please try again in 6m 11.52s. need more", 371.52),
        ("please try again in 11m0.528s", 660.528),
        ("please try again in 2s.", 2),
        ("please try again in 370ms", 0.37),
        ("try again in 1h23m45.6s", 5_025.6),
        ("please retry in 53.016342224s.", 53.016342224),
        ("please wait 5631 seconds before retrying.", 5_631),
        ("please retry after 1 second.", 1),
        ("please try again after 1 seconds", 1),
        ("try again in 5 hours", 18_000),
        ("monthly usage limit reached. resets in 13 days.", 1_123_200),
        ("your quota will reset after 8h44m7s.", 31_447),
        ("wait about 2 minutes and 30 seconds", 150),
        ("retry after: 1 week", 604_800),
    ],
)
def test_a_wait_in_prose_is_read(text: str, seconds: float) -> None:
    wait = stated_wait({}, {}, text)

    assert wait.seconds == pytest.approx(seconds)
    assert wait.source is Source.BODY


@pytest.mark.parametrize(
    "text", ["", "try again later", "in 5 minutes we retry", "wait 5 metres", "retry 3 times"]
)
def test_prose_that_states_no_time_states_no_wait(text: str) -> None:
    assert stated_wait({}, {}, text) == Wait()


def test_headers_beat_the_body_and_fields_beat_prose() -> None:
    headers, fields, text = {"retry-after": "1"}, {"retry_after": 2}, "try again in 3s"

    assert stated_wait(headers, fields, text).seconds == 1
    assert stated_wait({}, fields, text).seconds == 2
    assert stated_wait({}, {}, text).seconds == 3


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59_999))
def test_any_go_duration_is_read(hours: int, minutes: int, milliseconds: int) -> None:
    written = f"{hours}h{minutes}m{milliseconds / 1_000}s"

    wait = stated_wait({"retry-after": written}, {}, "")

    assert wait.seconds == pytest.approx(hours * 3_600 + minutes * 60 + milliseconds / 1_000)


@given(st.text(), st.text())
def test_any_text_is_read_without_harm(header: str, text: str) -> None:
    headers = {"retry-after": header, "x-ratelimit-reset": header, "date": text}

    wait = stated_wait(headers, {"retrydelay": text}, text.lower())

    assert wait.seconds is None or wait.seconds >= 0
