"""What is found names its place, and the valid name that is meant."""

from __future__ import annotations

import pytest

from spillover.config.findings import dotted, is_at, nearest


def test_the_nearest_name_is_the_one_most_like_it() -> None:
    assert nearest("gorq", ["gemini", "groq"]) == "groq"


def test_what_is_too_long_to_be_a_name_is_compared_with_none() -> None:
    assert nearest("groq" * 100, ["groq" * 99]) is None


def test_the_nearest_name_is_none_when_none_is_near() -> None:
    assert nearest("xyz", ["groq"]) is None


def test_a_star_in_a_place_stands_for_any_key() -> None:
    place = ("profiles", "*", "api_key")

    assert is_at(("profiles", "fast", "api_key"), place)
    assert not is_at(("profiles", "fast", "model"), place)


def test_above_and_below_a_place_is_elsewhere() -> None:
    place = ("profiles", "*", "api_key")

    assert not is_at(("profiles", "fast"), place)
    assert not is_at(("profiles", "fast", "api_key", 0), place)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("chains", "default", 2), "chains.default[2]"),
        (("profiles", "groq"), "profiles.groq"),
        ((), ""),
    ],
    ids=["index", "names", "whole"],
)
def test_paths_are_shown_as_written(path: tuple[str | int, ...], shown: str) -> None:
    assert dotted(path) == shown
