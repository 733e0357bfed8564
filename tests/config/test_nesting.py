"""Values are gone through level by level."""

from __future__ import annotations

from itertools import islice
from typing import Any

from spillover.config.nesting import levels


def test_each_level_holds_what_lies_in_the_one_above() -> None:
    value = {"a": [1, {"b": 2}], "c": "text"}

    assert list(levels(value)) == [[value], [[1, {"b": 2}], "text"], [1, {"b": 2}], [2]]


def test_a_plain_value_is_a_level_of_its_own() -> None:
    assert list(levels(7)) == [[7]]


def test_nothing_lies_in_what_is_empty() -> None:
    assert list(levels({"a": []})) == [[{"a": []}], [[]]]


def test_what_nests_beyond_the_interpreters_own_depth_is_gone_through() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]

    assert sum(1 for _ in islice(levels(value), 50_000)) == 50_000
    while value:  # taken apart, for it is too deep to be let go of at once
        value = value.pop()
