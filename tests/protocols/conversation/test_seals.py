"""A seal finds home through any protocol, unchanged."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.protocols.conversation.seals import (
    MARK,
    Dialect,
    Seal,
    carries_marks,
    marked,
    unmarked,
)

seals = st.builds(
    Seal,
    origin=st.sampled_from(Dialect),
    value=st.text(st.characters(codec="utf-8")),
    redacted=st.booleans(),
    id=st.none() | st.from_regex(r"[a-z_0-9]+", fullmatch=True),
)


@given(seals, st.sampled_from(Dialect))
def test_a_seal_comes_back_through_any_foreign_protocol(seal: Seal, dialect: Dialect) -> None:
    if seal.origin is dialect:
        assert marked(seal, dialect) == seal.value
    else:
        assert unmarked(marked(seal, dialect), dialect) == seal


def test_a_request_with_a_marked_seal_is_known_by_its_bytes() -> None:
    seal = Seal(origin=Dialect.GEMINI, value="g")

    assert carries_marks(b'{"signature":"' + marked(seal, Dialect.ANTHROPIC).encode() + b'"}')
    assert not carries_marks(b'{"signature":"g"}')


@pytest.mark.parametrize("text", [MARK.decode() + "!", b64encode(b"spillover/1:x\n\n\n").decode()])
def test_a_broken_mark_is_taken_as_it_is(text: str) -> None:
    assert unmarked(text, Dialect.GEMINI) == Seal(origin=Dialect.GEMINI, value=text)
