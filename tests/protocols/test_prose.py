"""Reading a wait from words that were written for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.protocols.prose import NOTHING, said_of_waiting

NOON = 1_795_176_000.0  # 2026-11-20T12:00:00Z, a Friday; 07:00 in New York


def seconds_in(text: str) -> float | None:
    return said_of_waiting(text.lower(), provider="", now=NOON).seconds


def reset_in(text: str, provider: str = "") -> float | None:
    """Return how long after noon a text says that a reset is."""
    at = said_of_waiting(text.lower(), provider=provider, now=NOON).reset_at
    return None if at is None else at - NOON


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 7m12.345s.", 432.345),
        ("Please try again in 6m 11.52s. Need more tokens?", 371.52),
        ("Please try again in 11m0.528s", 660.528),
        ("please try again in 2s.", 2),
        ("try again in 1h23m45.6s", 5_025.6),
        ("Please retry in 53.016342224s.", 53.016342224),
        ("Please wait 5631 seconds before retrying.", 5_631),
        ("Please retry after 1 second.", 1),
        ("please try again after 1 seconds", 1),
        ("Please try your request again in 30 seconds", 30),
        ("try again in about 5 minutes", 300),
        ("try again in 5 hours", 18_000),
        ("Monthly usage limit reached. Resets in 13 days.", 1_123_200),
        ("Rate limit resets in: 45s", 45),
        ("limit resets in ~3h", 10_800),
        ("Your quota will reset after 8h44m7s.", 31_447),
        ("wait at least 30 seconds", 30),
        ("available again in 2 minutes and 30 seconds", 150),
        ("next request allowed in 12s", 12),
        ("retry after: 1 week", 604_800),
        ("retry-after: 17", 17),
        ("retry_delay {\n  seconds: 43\n}".replace("\n ", ""), 43),
        ("请在 5 秒后重试", 5),
        ("请2分钟后再试", 120),
        ("请 1.5 小时之后重试", 5_400),
    ],
)
def test_a_span_is_read(text: str, seconds: float) -> None:
    assert seconds_in(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "try again later",
        "in 5 minutes we retry",
        "wait 5 metres",
        "retry 3 times",
        "try to send 5 seconds of audio",
        "resets in 5 o'clock",
        "我等了5秒",
    ],
)
def test_what_states_no_time_says_nothing(text: str) -> None:
    assert said_of_waiting(text, provider="", now=NOON) == NOTHING


@pytest.mark.parametrize(
    ("text", "provider", "after_s"),
    [
        ("您的限额将在 2026-11-20 20:00:30 重置。", "zai", 30),
        ("您的限额将在 2026-11-20 20:00:30 重置。", "somebody", 30),
        ("Your limit will reset at 2026-11-20 20:00:30", "zhipuai", 30),
        ("Your limit will reset at 2026-11-20 12:00:30", "somebody", 30),
        ("You will regain access on 2026-12-01 at 00:00 UTC.", "anthropic", 907_200),
        ("retry after 2026-11-20T13:00:00+01:00", "", 0),
        ("retry after 2026-11-20T12:00:00.5-0100", "", 3_600),
        (
            (
                "made 2025-01-01 10:00; resets at 2026-11-20T12:01:00Z; "
                "and the rest of this long text says nothing of it"
            ),
            "",
            60,
        ),
        ("You've hit your limit · resets 8pm (America/New_York)", "", 46_800),
        ("5-hour limit reached ∙ resets at 7:30am (America/New_York)", "", 1_800),
        ("resets 6am (America/New_York)", "", 82_800),
        ("weekly limit reached, resets Nov 22 at 12pm (UTC)", "", 172_800),
        ("resets Nov 1, 12pm (UTC)", "", 29_894_400),
        ("limits reset daily at midnight UTC", "", 43_200),
        ("resets at 00:00 Pacific", "", 72_000),
        ("Claude usage limit reached|1795176060", "", 60),
    ],
)
def test_a_reset_by_the_calendar_is_read(text: str, provider: str, after_s: float) -> None:
    assert reset_in(text, provider) == pytest.approx(after_s)


@pytest.mark.parametrize(
    "text",
    [
        "resets 8pm",
        "resets 8pm (Atlantis/Centre)",
        "resets 25:00 (UTC)",
        "resets Foo 22 at 12pm (UTC)",
        "resets Feb 31 at 12pm (UTC)",
        "reset at 2026-02-31 10:00:00",
        "a report of 2026-11-20 13:00:00, which says no more",
        "see the (pacific) ocean, and try again",
        "resets 8pm (America)",
    ],
)
def test_a_time_without_a_zone_or_a_meaning_says_nothing(text: str) -> None:
    assert reset_in(text) is None


def test_a_time_of_day_needs_a_clock() -> None:
    text = "resets 8pm (america/new_york)"

    assert said_of_waiting(text, provider="", now=None) == NOTHING


def test_a_time_of_day_beyond_the_calendar_says_nothing() -> None:
    text = "resets 8pm (america/new_york)"

    assert said_of_waiting(text, provider="", now=1e30) == NOTHING


@given(st.text(), st.none() | st.floats(-1e12, 1e12))
def test_any_text_is_read_without_harm(text: str, now: float | None) -> None:
    said = said_of_waiting(text.lower(), provider="zai", now=now)

    assert said.seconds is None or said.seconds >= 0


WORDS = st.sampled_from(
    [
        "reset",
        "resets",
        "again",
        "retry",
        "try",
        "wait",
        "in",
        "after",
        "at",
        "on",
        "8pm",
        "12:30",
        "2026-11-20",
        "00:00",
        "(utc)",
        "5s",
        "3h",
        "midnight",
        "nov",
        "22",
        "重置",
        "秒后",
        "5",
    ]
)


@given(st.lists(WORDS, max_size=12), st.floats(0, 4e9))
def test_any_words_about_time_are_read_without_harm(words: list[str], now: float) -> None:
    said = said_of_waiting(" ".join(words), provider="", now=now)

    assert said.seconds is None or said.seconds >= 0
