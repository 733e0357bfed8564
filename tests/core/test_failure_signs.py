"""The tables by which failures are recognised."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spillover.core.failure_signs import NAMES_ACCOUNT, NAMES_MODEL, SIGNS, WINDOWS
from spillover.core.signs import Phrases, Sign, anchor
from spillover.core.values import CalendarUnit, FailureClass

IDS = [f"{index}-{sign.failure}" for index, sign in enumerate(SIGNS)]


@pytest.mark.parametrize("sign", SIGNS, ids=IDS)
def test_every_sign_says_where_it_was_learned(sign: Sign) -> None:
    assert sign.source


@pytest.mark.parametrize("sign", SIGNS[:-1], ids=IDS[:-1])
def test_every_sign_but_the_last_looks_at_something(sign: Sign) -> None:
    looks = (sign.statuses, sign.shapes, sign.codes, sign.words)

    assert any(looks)


@pytest.mark.parametrize("sign", SIGNS, ids=IDS)
def test_codes_are_spelt_in_lower_case_as_evidence_has_them(sign: Sign) -> None:
    assert all(code == code.lower() for code in sign.codes)


@pytest.mark.parametrize("sign", SIGNS, ids=IDS)
def test_patterns_match_no_empty_text(sign: Sign) -> None:
    assert sign.words is None or not sign.words.found_in("")


def test_signs_of_one_provider_stand_before_all_others() -> None:
    own = [bool(sign.providers) for sign in SIGNS]

    assert own == sorted(own, reverse=True)


def test_billing_stands_before_quota_by_words_and_quota_before_rate() -> None:
    classes = [sign.failure for sign in SIGNS if sign.words and not sign.providers]

    billing = max(i for i, c in enumerate(classes) if c is FailureClass.PAYMENT_REQUIRED)
    usage = [i for i, c in enumerate(classes) if c is FailureClass.QUOTA_EXHAUSTED][-1]
    rate = [i for i, c in enumerate(classes) if c is FailureClass.RATE_LIMITED][-1]
    assert billing < usage < rate


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("on tokens per day (tpd): limit 200000", CalendarUnit.DAY),
        ("organization tpd rate limit", CalendarUnit.DAY),
        ("rate limit of 50 per 86400s exceeded for userbymodelbyday", CalendarUnit.DAY),
        ("generaterequestsperdayperprojectpermodel-freetier", CalendarUnit.DAY),
        ("free-models-per-day", CalendarUnit.DAY),
        ("limit is 1000 calls / month", CalendarUnit.MONTH),
        ("your weekly usage limit", CalendarUnit.WEEK),
        ("your hourly usage limit", CalendarUnit.HOUR),
        ("limited to 20 api calls / minute", CalendarUnit.MINUTE),
        ("on tokens per min (tpm): limit 10000", CalendarUnit.MINUTE),
        ("requests per minute and tokens per day", CalendarUnit.DAY),
        ("upgrade to dev tier today", None),
        ("please retry after 86400 seconds", None),
        ("what a nice day", None),
    ],
)
def test_the_longest_window_that_a_text_names_is_found(
    text: str, unit: CalendarUnit | None
) -> None:
    found = [window for window, words in WINDOWS if words.found_in(text)]

    assert (found[0] if found else None) is unit


def test_a_text_that_names_its_model_is_told_from_one_that_does_not() -> None:
    assert NAMES_MODEL.found_in("rate limit reached for model `x` in organization `y`")
    assert NAMES_MODEL.found_in("rate limit exceeded") is False


PHRASES = {
    phrase: None
    for phrases in (
        *(sign.words for sign in SIGNS if sign.words),
        *(words for _, words in WINDOWS),
        NAMES_MODEL,
        NAMES_ACCOUNT,
    )
    for phrase in phrases.phrases
}


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_phrase_has_alternatives_outside_of_groups_or_is_a_bare_word(phrase: str) -> None:
    outside = re.sub(r"\[[^\]]*\]|\((?:[^()]|\([^()]*\))*\)", "", phrase)

    assert "|" not in outside
    assert phrase not in {"429", "quota", "limit", "error", "model", "key"}


@pytest.mark.parametrize("phrase", PHRASES)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_whatever_matches_a_phrase_is_found_by_its_anchor(phrase: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(phrase, re.MULTILINE)))

    assert anchor(phrase) in text
    assert Phrases(phrase).found_in(text)


def test_an_account_is_named_even_where_quotas_are_per_model() -> None:
    assert NAMES_ACCOUNT.found_in("request reached organization tpd rate limit")
