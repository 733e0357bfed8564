"""Cookies that let a browser in."""

from __future__ import annotations

import hashlib

import pytest

from spillover.gateway.sessions import LASTS_S, is_valid, issue

KEY = hashlib.sha256(b"admin-key").digest()
OTHER = hashlib.sha256(b"another-key").digest()
NOW = 1_795_781_000.0


def test_a_session_holds_for_its_days_and_no_longer() -> None:
    cookie = issue(KEY, NOW)

    assert is_valid(cookie, KEY, NOW)
    assert is_valid(cookie, KEY, NOW + LASTS_S - 1)
    assert not is_valid(cookie, KEY, NOW + LASTS_S)


def test_another_key_ends_every_session() -> None:
    assert not is_valid(issue(KEY, NOW), OTHER, NOW)


def test_an_end_can_not_be_put_off() -> None:
    until, _, signature = issue(KEY, NOW).partition(".")

    assert not is_valid(f"{int(until) + 1}.{signature}", KEY, NOW)


@pytest.mark.parametrize("cookie", ["", ".", "x", "1", "²." + "0" * 64, "9" * 5_000 + ".x", "-1.x"])
def test_what_was_never_issued_opens_nothing(cookie: str) -> None:
    assert not is_valid(cookie, KEY, NOW)
