"""Files are read within bounds, and what is wrong with one is said without repeating it."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.config.importers import reading
from spillover.config.importers.reading import (
    LARGEST_BYTES,
    Repeated,
    number_of,
    read_either,
    read_json,
    read_yaml,
    whole,
)
from spillover.errors import RequestError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b'{"key": "sk-secret-0123', "it is cut off, or no JSON (line 1, column 9)"),
        (b'{"a": NaN}', "a number that there is not"),
        (b'{"a": 1' + b"0" * 5_000 + b"}", "a number that there is not"),
        (b"[" * 100_000, "nested deeper than 64"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64"),
        (b"\xff", "it is no UTF-8 text"),
        (b" " * LARGEST_BYTES + b"{}", "it is larger than 16 MiB"),
    ],
)
def test_json_that_can_not_be_used_is_refused(source: bytes, said: str) -> None:
    with pytest.raises(RequestError) as raised:
        read_json(source)

    assert said in str(raised.value)
    assert "sk-secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (BOMB, "anchors and aliases don't multiply"),
        ("a: !!python/object:os.system [x]", "no tags"),
        ("a: [sk-secret-0123", "it can't be read"),
        ("a: 1\na: 2", "each key once"),
        ("sk-secret-0123: {", "it can't be read"),
    ],
)
def test_yaml_that_can_not_be_used_is_refused(source: str, said: str) -> None:
    with pytest.raises(RequestError) as raised:
        read_yaml(source.encode())

    assert said in str(raised.value)
    assert "sk-secret" not in str(raised.value)


def test_a_key_that_stands_twice_counts_as_it_stands_last() -> None:
    found = read_json(b'\xef\xbb\xbf{"a": 1, "b": 2, "a": 3}')

    assert isinstance(found, Repeated)
    assert (found, found.keys_repeated) == ({"a": 3, "b": 2}, ("a",))


def test_a_text_is_json_if_it_begins_so_and_yaml_else() -> None:
    assert read_either(b' {"a": [1]}') == read_either(b"a: [1]") == {"a": [1]}


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (5, 5.0),
        ("2.5", 2.5),
        (0, None),
        (-1, None),
        (True, None),
        ("", None),
        ("many", None),
        (float("nan"), None),
        (1e300, None),
        (10**400, None),
        (None, None),
        ([1], None),
    ],
)
def test_a_number_is_one_above_nothing_however_it_is_written(
    written: Any, number: float | None
) -> None:
    assert number_of(written) == number


def test_a_whole_number_is_one_or_more() -> None:
    assert (whole("200"), whole(1.9), whole(0.5)) == (200, 1, None)


def test_what_is_of_another_kind_reads_as_nothing() -> None:
    assert (reading.mapping([1]), reading.entries({}), reading.text_of(5)) == ({}, [], "")
    assert reading.text_of(" a ") == "a"
