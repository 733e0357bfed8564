"""Credentials that can't be printed, and a filter that masks them anywhere."""

from __future__ import annotations

import copy
import json
import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.config.secrets import MASK, MissingSecret, Redactor, Secret, masked

KEY = "gsk_abcdefghijklmnopx9Qf"


def test_a_secret_shows_its_ends_alone() -> None:
    assert str(Secret(KEY)) == "gsk_…x9Qf"


def test_a_short_secret_shows_nothing() -> None:
    assert str(Secret("hunter2")) == MASK


def test_a_secret_is_in_no_rendering_of_it() -> None:
    secret = Secret(KEY)

    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{[secret]}"]

    assert all(KEY not in text for text in shown)


def test_a_secret_can_not_be_pickled_copied_or_encoded() -> None:
    secret = Secret(KEY)

    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError, match="can't be pickled"):
        copy.copy(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)


def test_a_secret_has_no_attributes_to_print() -> None:
    with pytest.raises(TypeError):
        vars(Secret(KEY))


def test_a_secret_is_revealed_when_asked() -> None:
    assert Secret(KEY).reveal() == KEY


def test_secrets_are_equal_by_value() -> None:
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret("other")
    assert Secret(KEY) != KEY
    assert len({Secret(KEY), Secret(KEY)}) == 1
    assert Secret(KEY)
    assert not Secret("")


def test_a_missing_secret_says_what_is_wanted() -> None:
    missing = MissingSecret("GROQ_API_KEY is not set")

    assert not missing
    assert "GROQ_API_KEY is not set" in repr(missing)
    assert missing == MissingSecret("GROQ_API_KEY is not set")
    assert len({missing, MissingSecret("GROQ_API_KEY is not set")}) == 1


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=6))
def test_no_known_secret_survives_redaction(value: str) -> None:
    redacted = Redactor([Secret(value)]).redact(f"before {value} after {value}")

    assert value not in redacted.replace("before", "").replace("after", "")


def test_a_secret_that_begins_with_another_leaves_no_tail() -> None:
    redactor = Redactor([Secret("abcdef123456"), Secret("abcdef123456-and-a-tail")])

    assert redactor.redact("abcdef123456-and-a-tail") == "abcd…tail"


def test_very_short_values_do_not_blot_out_words() -> None:
    assert Redactor([Secret("key")]).redact("the key is missing") == "the key is missing"


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abcdefghijklmnop1234",
        "gsk_abcdefghijklmnop1234",
        "AIzaSyAbcdefghijklmnopqrstuvwxyz1234",
        "Authorization: Bearer abcdefghijklmnop1234",
        "authorization: bearer abcdefghijklmnop1234",
        "https://x.example/v1?key=abcdefghijklmnop1234",
        "hf_abcdefghijklmnop1234",
        "nvapi-abcdefghijklmnop1234",
        "csk-abcdefghijklmnop1234",
        "xai-abcdefghijklmnop1234",
        "github_pat_abcdefghijklmnop1234",
        "AKIAABCDEFGHIJKL1234",
        "eyJabcdefghijk.eyJabcdefghijk.abcdefgh1234",
    ],
    ids=lambda text: text[:24],
)
def test_what_looks_like_a_key_is_masked_unknown_as_it_is(text: str) -> None:
    redacted = Redactor().redact(text)

    assert "efghij" not in redacted
    assert redacted.endswith("1234")


@pytest.mark.parametrize(
    "text",
    [
        "Rate limit reached for model `openai/gpt-oss-120b` in organization `org_x`",
        "Please try again in 7m12.345s.",
        "the bearer of this is welcome",
        "",
    ],
    ids=repr,
)
def test_ordinary_texts_come_back_as_they_are(text: str) -> None:
    assert Redactor([Secret(KEY)]).redact(text) == text


def test_a_password_in_an_address_is_masked_whole() -> None:
    told = Redactor().redact("found 'http://me:sw0rdfish@host:80/v1', not http://host:80/@x")

    assert told == "found 'http://me:…@host:80/v1', not http://host:80/@x"
    assert Redactor().redact(told) == told


def test_redacting_twice_changes_nothing_more() -> None:
    once = Redactor().redact("Bearer sk-abcdefghijklmnop1234")

    assert Redactor().redact(once) == once


def test_masking_shows_at_most_eight_characters() -> None:
    assert masked("x" * 11) == MASK
    assert masked("abcd" + "x" * 4 + "wxyz") == "abcd…wxyz"
