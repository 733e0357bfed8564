"""Names are made legal and given once each."""

from __future__ import annotations

import pytest

from spillover.config.fields import NAME
from spillover.config.importers.plan import Names, legal, shown


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("groq", "groq"),
        ("Chutes AI Free", "Chutes-AI-Free"),
        ("z-ai/glm-5:free", "z-ai-glm-5-free"),
        ("  -.hidden", "hidden"),
        ("免费", "profile"),
        ("", "profile"),
        ("a" * 100, "a" * 64),
        ("trailing!!", "trailing"),
    ],
)
def test_what_can_not_stand_in_a_name_becomes_a_dash(wanted: str, name: str) -> None:
    assert legal(wanted) == name
    assert NAME.fullmatch(name)


def test_a_name_is_given_once_whatever_its_case() -> None:
    names = Names({"groq"})

    assert [names.give(each) for each in ("groq", "Groq", "GROQ", "other")] == [
        "groq-2",
        "Groq-3",
        "GROQ-4",
        "other",
    ]


def test_a_long_name_keeps_its_length_when_it_is_numbered() -> None:
    names = Names()

    given = [names.give("a" * 70) for _ in range(12)]

    assert len(set(given)) == 12
    assert {len(each) for each in given} == {64}


def test_a_reserved_name_is_not_given() -> None:
    assert Names().give("auto") == "auto-2"


def test_what_a_file_says_is_shown_on_one_line_and_not_at_length() -> None:
    assert shown("a\nb\x1b[31m\ud800") == "a·b·[31m·"
    assert shown("x" * 100) == "x" * 80 + "…"
