"""Cookies that let a browser in."""

from __future__ import annotations

import hashlib

import pytest

from spillover.gateway.sessions import LASTS_S, MOST_ENDED, Sessions

KEY = hashlib.sha256(b"admin-key").digest()
OTHER = hashlib.sha256(b"another-key").digest()
NOW = 1_795_781_000.0


@pytest.fixture(name="sessions")
def _sessions() -> Sessions:
    return Sessions()


def test_a_session_holds_for_its_days_and_no_longer(sessions: Sessions) -> None:
    cookie = sessions.issue(KEY, NOW)

    assert sessions.is_valid(cookie, KEY, NOW)
    assert sessions.is_valid(cookie, KEY, NOW + LASTS_S - 1)
    assert not sessions.is_valid(cookie, KEY, NOW + LASTS_S)


def test_a_session_outlives_a_restart(sessions: Sessions) -> None:
    assert Sessions().is_valid(sessions.issue(KEY, NOW), KEY, NOW)


def test_another_key_ends_every_session(sessions: Sessions) -> None:
    assert not sessions.is_valid(sessions.issue(KEY, NOW), OTHER, NOW)


def test_an_end_can_not_be_put_off(sessions: Sessions) -> None:
    until, _, rest = sessions.issue(KEY, NOW).partition(".")

    assert not sessions.is_valid(f"{int(until) + 1}.{rest}", KEY, NOW)


@pytest.mark.parametrize(
    "cookie", ["", ".", "x", "1", "²." + "0" * 64, "9" * 5_000 + ".x", "-1.x", "1.x.é"]
)
def test_what_was_never_issued_opens_nothing(sessions: Sessions, cookie: str) -> None:
    sessions.end(cookie, KEY, NOW)

    assert not sessions.is_valid(cookie, KEY, NOW)


def test_logging_out_ends_that_session_alone_and_for_good(sessions: Sessions) -> None:
    cookie, of_same_second = sessions.issue(KEY, NOW), sessions.issue(KEY, NOW)

    sessions.end(cookie, KEY, NOW + 1)

    assert not sessions.is_valid(cookie, KEY, NOW + 2)
    assert not sessions.is_valid(cookie, KEY, NOW + LASTS_S - 1)
    assert sessions.is_valid(of_same_second, KEY, NOW + LASTS_S - 1)


def test_more_logouts_than_are_remembered_open_no_session_again(sessions: Sessions) -> None:
    ended = [sessions.issue(KEY, NOW + each) for each in range(MOST_ENDED + 10)]
    later = sessions.issue(KEY, NOW + 2 * MOST_ENDED)
    for cookie in ended:
        sessions.end(cookie, KEY, NOW + 2 * MOST_ENDED)

    assert not any(sessions.is_valid(each, KEY, NOW + 2 * MOST_ENDED) for each in ended)
    assert sessions.is_valid(later, KEY, NOW + 2 * MOST_ENDED)


def test_a_session_that_would_be_over_is_remembered_no_more(sessions: Sessions) -> None:
    for each in range(MOST_ENDED):
        sessions.end(sessions.issue(KEY, NOW + each), KEY, NOW + each)
    much_later = NOW + 2 * LASTS_S
    early = sessions.issue(KEY, much_later)

    sessions.end(sessions.issue(KEY, much_later), KEY, much_later)

    assert sessions.is_valid(early, KEY, much_later)
