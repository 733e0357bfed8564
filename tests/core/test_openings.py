"""Telling which words a text must hold for a phrase to stand in it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spillover.core.failure_signs import NAMES_ACCOUNT, NAMES_MODEL, SIGNS, WINDOWS
from spillover.core.openings import FOREIGN, opening_of, openings

PHRASES = sorted(
    {
        phrase
        for words in (
            *(sign.words for sign in SIGNS if sign.words is not None),
            *(words for _, words in WINDOWS),
            NAMES_ACCOUNT,
            NAMES_MODEL,
        )
        for phrase in words.phrases
    }
)


def test_of_words_the_first_four_letters_count() -> None:
    assert openings("x-ratelimit: it's 20 tokens_per\nday") == {
        b"x", b"rate", b"it", b"s", b"toke", b"per", b"day",
    }  # fmt: skip
    assert openings("") == set()


def test_letters_beyond_ascii_are_told_as_such() -> None:
    assert openings("余额 low") == {b"low", FOREIGN}
    assert openings("\ud800") == set()


@pytest.mark.parametrize(
    ("phrase", "opened"),
    [
        ("too many requests", {b"many"}),
        ("credits? are gone", {b"cred"}),
        ("credits?", {b"cred"}),
        ("keys?", None),
        ("key limit", {b"limi"}),
        (r"\bkey\b", {b"key"}),
        (r"\bmodels?\b.{0,9}\b(?:retired|gone)", {b"reti", b"gone"}),
        (r"\bmodels?\b.{0,9}(?:retired|gone)", {b"mode"}),
        ("(?:quota|limit) reached", {b"reac"}),
        ("(?:quota|limit)s?", {b"quot", b"limi"}),
        ("(?:the |a )(?:quota|limit)s?", {b"quot", b"limi"}),
        ("(?:the|a)(?:quota|limit)s?", None),
        ("(?:the )?quota", {b"quot"}),
        ("(?:user)?quota", None),
        ("(?:9|)quota", None),
        ("(?:(?:full|large) )?quota", {b"quot"}),
        (r"(?:9\.|8 )quota", None),
        ("(?:a|9) xylo", {b"xylo"}),
        ("(?:9|8)!", None),
        ("(?!not)quota", None),
        (r"\w{0,9}quota", None),
        (r"[ab]quota", None),
        ("x+yz quota", {b"quot"}),
        ("x{2}", None),
        (r"a\.quota", {b"quot"}),
        ("余额", {FOREIGN}),
    ],
)
def test_a_phrase_opens_with_its_rarest_words(phrase: str, opened: set[bytes] | None) -> None:
    assert opening_of(phrase) == opened


@settings(suppress_health_check=list(HealthCheck), max_examples=100)
@given(data=st.data(), phrase=st.sampled_from(PHRASES))
def test_what_a_phrase_matches_holds_its_openings(data: st.DataObject, phrase: str) -> None:
    opened = opening_of(phrase)
    found = data.draw(st.from_regex(phrase, fullmatch=True, alphabet=st.characters(codec="utf-8")))

    assert opened is None or not opened.isdisjoint(openings(f"so {found} it is")), found
