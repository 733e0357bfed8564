"""Reading how long a provider says to wait."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.values import Source
from spillover.protocols.waits import Wait, spent_metrics, stated_wait

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


@pytest.mark.parametrize("value", [True, None, [], {"nanos": 3}])
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


def test_negative_waits_are_over() -> None:
    assert stated_wait({"retry-after": "-5"}, {}, "").seconds == 0
    assert stated_wait({}, {"retry_after": -5}, "").seconds == 0


def test_a_protobuf_duration_in_json_is_read() -> None:
    assert stated_wait({}, {"retrydelay": {"seconds": "26", "nanos": 5}}, "").seconds == 26


@pytest.mark.parametrize(
    ("headers", "seconds", "reset_at"),
    [
        # Groq and OpenAI: when the bucket is full again, but only what is spent counts.
        (
            {"x-ratelimit-remaining-requests": "14369", "x-ratelimit-reset-requests": "3m6s"},
            None,
            None,
        ),
        (
            {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m59.56s"},
            179.56,
            None,
        ),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "370ms"}, 0.37, None),
        ({"x-ratelimit-reset-tokens": "7.66s"}, None, None),
        # The last of several binds.
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            360.0,
            None,
        ),
        # Cerebras: float seconds.
        (
            {
                "x-ratelimit-remaining-requests-day": "0",
                "x-ratelimit-reset-requests-day": "33011.382867097855",
                "x-ratelimit-remaining-tokens-minute": "7",
                "x-ratelimit-reset-tokens-minute": "99999",
            },
            33_011.382867097855,
            None,
        ),
        # OpenRouter: epoch milliseconds; DigitalOcean: epoch seconds.
        ({"X-RateLimit-Remaining": "0", "x-ratelimit-reset": "1795176000000"}, None, NOON),
        (
            {
                "x-ratelimit-remaining-tokens-per-day": "0",
                "x-ratelimit-reset-tokens-per-day": "1795176000",
            },
            None,
            NOON,
        ),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "1795176000"}, None, None),
        ({"x-ratelimit-reset": "1795176000"}, None, NOON),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "38"}, 38.0, None),
        # Mistral's older names.
        ({"ratelimitbysize-remaining": "0", "ratelimitbysize-reset": "38"}, 38.0, None),
        ({"x-ratelimitbysize-remaining-month": "0"}, None, None),
        # Anthropic: RFC 3339 of the metric that is spent, epoch seconds of a plan.
        (
            {
                "anthropic-ratelimit-requests-remaining": "49",
                "anthropic-ratelimit-requests-reset": "2026-11-20T11:00:00Z",
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": "2026-11-20T12:00:00Z",
            },
            None,
            NOON,
        ),
        (
            {
                "anthropic-ratelimit-unified-status": "rejected",
                "anthropic-ratelimit-unified-reset": "1795176000",
            },
            None,
            NOON,
        ),
        (
            {
                "anthropic-ratelimit-unified-status": "allowed_warning",
                "anthropic-ratelimit-unified-reset": "1795176000",
            },
            None,
            None,
        ),
        # GitHub Models.
        ({"x-ratelimit-timeremaining": "5631"}, 5_631.0, None),
        # RFC 9651, and the dictionary of older drafts.
        ({"ratelimit": '"api";r=0;t=295'}, 295.0, None),
        ({"ratelimit": '"api";r=999;t=295'}, None, None),
        ({"ratelimit": '"burst";r=0;t=5, "day";r=0;t=300, "week";r=7;t=9000'}, 300.0, None),
        ({"ratelimit": "limit=100, remaining=0, reset=50"}, 50.0, None),
        ({"ratelimit": "limit=100, remaining=1, reset=50"}, None, None),
        ({"ratelimit": '"api";r=0'}, None, None),
        ({"ratelimit": "nonsense"}, None, None),
    ],
)
def test_a_reset_counts_only_for_what_is_spent(
    headers: dict[str, str], seconds: float | None, reset_at: float | None
) -> None:
    wait = stated_wait(headers, {}, "")

    assert wait.seconds == (None if seconds is None else pytest.approx(seconds))
    assert wait.reset_at == reset_at


def test_an_absolute_reset_comes_before_retry_after_and_that_before_a_span() -> None:
    absolute = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795176000000"}
    span = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1h"}
    retry = {"retry-after": "7"}

    assert stated_wait({**absolute, **retry}, {}, "") == Wait(
        seconds=7, reset_at=NOON, source=Source.HEADER
    )
    assert stated_wait({**span, **retry}, {}, "").seconds == 7
    assert stated_wait({**span, "x-ratelimit-timeremaining": "5"}, {}, "").seconds == 3_600


def test_the_servers_clock_is_told_with_the_wait() -> None:
    headers = {"date": "Fri, 20 Nov 2026 12:00:00 GMT", "retry-after": "7"}

    assert stated_wait(headers, {}, "").server_at == NOON


@pytest.mark.parametrize("stated", ["1795176000", "1795176000000", "2026-11-20T12:00:00Z"])
def test_an_instant_in_the_place_of_a_span_is_one(stated: str) -> None:
    assert stated_wait({"retry-after": stated}, {}, "").reset_at == NOON


def test_an_instant_in_the_body_is_the_bodys() -> None:
    fields = {"resets_at": 1_795_176_000, "resets_in_seconds": 9}

    wait = stated_wait({}, fields, "")

    assert (wait.reset_at, wait.seconds, wait.source) == (NOON, 9, Source.BODY)


def test_headers_that_a_body_repeats_count_like_headers() -> None:
    fields = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795176000000"}

    assert stated_wait({}, fields, "").reset_at == NOON
    assert stated_wait({"retry-after": "5"}, fields, "").reset_at == NOON
    assert stated_wait({}, {**fields, "x-ratelimit-remaining": "4"}, "") == Wait()


def test_times_of_day_are_read_by_the_servers_clock_or_ours() -> None:
    text = "resets 8pm (america/new_york)"
    date = {"date": "Fri, 20 Nov 2026 12:00:00 GMT"}

    assert stated_wait({}, {}, text) == Wait()
    assert stated_wait(date, {}, text).reset_at == NOON + 46_800
    assert stated_wait({}, {}, text, now=NOON).reset_at == NOON + 46_800


def test_the_metrics_that_are_spent_are_named() -> None:
    headers = {
        "X-RateLimit-Remaining-Tokens-Day": "0",
        "x-ratelimit-remaining-requests": "5",
        "x-ratelimit-remaining-neurons": "-3",
        "x-cache-remaining": "0",
    }

    assert spent_metrics(headers) == [
        "x-ratelimit-remaining-tokens-day",
        "x-ratelimit-remaining-neurons",
    ]


@given(st.text(), st.text())
def test_any_text_is_read_without_harm(header: str, text: str) -> None:
    headers = {"retry-after": header, "x-ratelimit-reset": header, "date": text}

    wait = stated_wait(headers, {"retrydelay": text}, text.lower())

    assert wait.seconds is None or wait.seconds >= 0


NAMES = st.sampled_from(
    [
        "retry-after",
        "retry-after-ms",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
        "ratelimit",
        "date",
        "x-ratelimit-timeremaining",
        "retrydelay",
        "resets_at",
        "anthropic-ratelimit-unified-reset",
    ]
)
STATED = (
    st.text(max_size=30)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.sampled_from(["0", "5s", "-1", '"api";r=0;t=7', "Fri, 20 Nov 2026 12:00:00 GMT"])
)


@given(
    st.dictionaries(NAMES, STATED),
    st.dictionaries(NAMES, STATED | st.integers() | st.floats() | st.none()),
    st.text(),
)
def test_any_headers_and_fields_are_read_without_harm(
    headers: dict[str, str], fields: dict[str, Any], text: str
) -> None:
    wait = stated_wait(headers, fields, text.lower(), provider="zai", now=NOON)

    assert wait.seconds is None or wait.seconds >= 0
