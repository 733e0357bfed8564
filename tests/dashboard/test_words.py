"""The languages of the pages."""

from __future__ import annotations

import re

import pytest

from spillover.dashboard.words import LANGUAGES, choose, read_catalogue, words
from tests.dashboard import messages

PARTS = re.compile(r"%\((\w+)\)s")


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_a_catalogue_has_every_message_and_no_other(language: str) -> None:
    said = words(language)._said

    assert said.keys() == messages.every()
    assert all(said.values())


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_a_translation_keeps_the_parts_of_its_message(language: str) -> None:
    said = words(language)._said

    torn = [each for each in said if set(PARTS.findall(each)) != set(PARTS.findall(said[each]))]

    assert not torn


def test_parts_of_a_message_can_not_become_markup() -> None:
    assert words("en")("Usage of %(profile)s", profile="<b>") == "Usage of &lt;b&gt;"


def test_what_is_not_translated_is_said_in_english() -> None:
    assert words("zh").plain("Not a message") == "Not a message"


def test_messages_of_several_lines_are_read_whole() -> None:
    text = '# note\nmsgid ""\nmsgstr ""\n"Language: xx\\n"\n\nmsgid "one "\n"two"\nmsgstr "eins "\n"\\"zwei\\""\n'

    assert read_catalogue(text) == {"one two": 'eins "zwei"'}


@pytest.mark.parametrize(
    ("cookie", "accepted", "expected"),
    [
        ("zh", "en", "zh"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "de, en;q=0.5, zh;q=0.7", "zh"),
        (None, "en;q=1.0, zh;q=1.0", "en"),
        (None, "fr", "en"),
        (None, "", "en"),
        (None, "en;q=1.1.1, zh;q=0.1", "zh"),
        ("xx", "zh", "zh"),
    ],
)
def test_a_cookie_and_else_the_browser_decides(
    cookie: str | None, accepted: str, expected: str
) -> None:
    assert choose(cookie, accepted) == expected
