"""Plain values are written as YAML that reads back as the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.config.document import parse
from spillover.config.rendering import block, inline, scalar, setting, single_quoted

texts = st.text(st.characters(codec="utf-8"), max_size=20)
scalars = st.one_of(texts, st.integers(-(10**17), 10**17), st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(texts, below, max_size=3)),
    max_leaves=8,
)


@given(values)
def test_whatever_stands_on_a_line_reads_back_as_the_same(value: object) -> None:
    parsed = parse(f"{{key: {inline(value)}}}\n".encode(), file="")

    assert parsed.document == {"key": value}


@given(texts)
def test_text_in_single_quotes_reads_back_as_the_same(text: str) -> None:
    assert parse(f"key: {single_quoted(text)}\n".encode(), file="").document == {"key": text}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("openai/gpt-oss-120b", "openai/gpt-oss-120b"),
        ("qwen3:8b", '"qwen3:8b"'),
        ("true", '"true"'),
        ("1e5", '"1e5"'),
        ("", '""'),
        ("é\x07\u2028\U000e0001", '"é\\x07\\u2028\\U000e0001"'),
        (0.25, "0.25"),
        (None, "null"),
    ],
)
def test_a_scalar_is_as_plain_as_it_can_be(value: object, written: str) -> None:
    assert scalar(value) == written


def test_a_variable_needs_no_quotes_on_a_line_of_its_own() -> None:
    assert setting("${GROQ_API_KEY}") == "${GROQ_API_KEY}"
    assert inline(["${GROQ_API_KEY}"]) == '["${GROQ_API_KEY}"]'


def test_a_mapping_is_written_in_lines_as_deep_as_is_asked() -> None:
    value = {"a": {"b": {"c": 1}, "d": {}}}

    assert block(value, indent=2, step=4, deep=1) == ["  a:", "      b: {c: 1}", "      d: {}"]
    assert block(value, indent=0, step=2, deep=0) == ["a: {b: {c: 1}, d: {}}"]
