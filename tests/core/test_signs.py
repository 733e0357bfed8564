"""Describing what a failure looks like."""

from __future__ import annotations

import pytest

from spillover.core.signs import Phrases, anchor, names, statuses


@pytest.mark.parametrize(
    ("phrase", "held"),
    [
        ("too many requests", "too many requests"),
        (r"\blimit: 0\b", "limit: 0"),
        (r"credits? (?:are |is )?(?:depleted|exhausted)", "credit"),
        (r"(?:a|b) polic", " polic"),
        (r"per[ _-]?month", "month"),
        (r"resource exhausted\. please", "resource exhausted. please"),
        (r"balance is \$?0", "balance is "),
        (r"limited to \d{1,5} calls", "limited to "),
        (r"x+yz", "yz"),
        (r"(?!a)b", "b"),
        (r"[ab]", ""),
    ],
)
def test_the_anchor_of_a_phrase_is_what_every_match_holds(phrase: str, held: str) -> None:
    assert anchor(phrase) == held


def test_one_phrase_of_many_is_enough() -> None:
    phrases = Phrases("no capacity", r"rate limit (?:hit|reached)", r"rate limit \d+")

    assert phrases.found_in("there is no capacity here")
    assert phrases.found_in("the rate limit reached you")
    assert phrases.found_in("rate limit 20")
    assert not phrases.found_in("rate limit of a kind")
    assert not phrases.found_in("all is well")


def test_a_phrase_sees_lines_apart() -> None:
    assert Phrases("^overloaded$").found_in("first\noverloaded\nlast")
    assert not Phrases("^overloaded$").found_in("it is overloaded")


def test_lists_are_written_as_one_text() -> None:
    assert names("a b") == {"a", "b"}
    assert statuses(1, 2) == {1, 2}
