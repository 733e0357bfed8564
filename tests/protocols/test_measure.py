"""Counting characters."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.protocols.measure import measure, measure_raw


@pytest.mark.parametrize(
    ("text", "ordinary", "wide"),
    [
        ("", 0, 0),
        ("hello", 5, 0),
        ("naïve café “quoted” — …", 23, 0),
        ("привет", 6, 0),
        ("สวัสดี", 6, 0),
        ("你好 world", 6, 2),
        ("こんにちは", 0, 5),
        ("안녕하세요", 0, 5),
        ("𠮷野家", 0, 3),
        ("\ud800", 0, 1),
    ],
)
def test_wide_characters_are_counted_apart(text: str, ordinary: int, wide: int) -> None:
    assert measure(text) == (ordinary, wide)


@given(st.text())
def test_every_character_is_counted_once(text: str) -> None:
    ordinary, wide = measure(text)

    assert ordinary + wide == len(text)
    assert wide == sum(0x3000 <= ord(c) <= 0xDFFF or 0x10000 <= ord(c) <= 0x3FFFF for c in text)


def test_json_is_counted_as_it_is_written() -> None:
    assert measure_raw(msgspec.Raw('{"a":"你"}'.encode())) == (8, 1)
