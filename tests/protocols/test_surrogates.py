"""Halves of characters are replaced where JSON is read, and nothing else is touched."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.protocols.surrogates import whole_characters


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb'"cut \ud83d"', "cut \ufffd"),
        (rb'"\udE00 cut"', "\ufffd cut"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\\ud83d"', "\\\ufffd"),
    ],
)
def test_a_half_is_replaced(written: bytes, read: str) -> None:
    mended = whole_characters(written)

    assert mended is not None
    assert json.loads(mended) == read


@pytest.mark.parametrize("written", [rb'"\ud83d\ude00"', rb'"\\ud83d"', rb'"\u00e9\n"', b"{"])
def test_what_holds_no_half_is_left_alone(written: bytes) -> None:
    assert whole_characters(written) is None


@given(st.text(st.characters()))
def test_whatever_another_json_writes_can_be_read(text: str) -> None:
    written = json.dumps(text).encode()

    mended = whole_characters(written) or written

    json.loads(mended).encode()  # which no half survives
    assert len(json.loads(mended)) == len(json.loads(written))
