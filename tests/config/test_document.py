"""YAML as it is read here, and what is refused of it."""

from __future__ import annotations

import pytest

from spillover.config import document
from spillover.config.document import Parsed


def parse(text: str | bytes) -> Parsed:
    source = text.encode() if isinstance(text, str) else text
    return document.parse(source, file="a.yaml")


def the_complaint(text: str | bytes) -> str:
    (problem,) = parse(text).problems
    return str(problem)


def test_values_are_read_as_yaml_1_2_has_them() -> None:
    parsed = parse(
        """
        text: hello
        quoted: "5"
        whole: 5
        real: 2.5
        small: 1e-3
        nothing: ~
        blank:
        yes: yes
        switch: on
        true: true
        hours: 18:00-09:00
        octal: 0o17
        long: 123456789012345678901234567890
        block: |
          two
          lines
        tagged: !!str 5
        """
    )

    assert parsed.document == {
        "text": "hello",
        "quoted": "5",
        "whole": 5,
        "real": 2.5,
        "small": 0.001,
        "nothing": None,
        "blank": None,
        "yes": "yes",
        "switch": "on",
        "true": True,
        "hours": "18:00-09:00",
        "octal": "0o17",
        "long": 123456789012345678901234567890.0,
        "block": "two\nlines\n",
        "tagged": "5",
    }


def test_every_part_knows_its_line() -> None:
    parsed = parse("a: 1\nb:\n  c: [x,\n    y]\n  d: {e: 2}\n")

    assert parsed.lines == {
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "c", 0): 3,
        ("b", "c", 1): 4,
        ("b", "d"): 5,
        ("b", "d", "e"): 5,
    }


def test_keys_are_text_whatever_they_look_like() -> None:
    assert parse("1: a\ntrue: b\n~: c\n").document == {"1": "a", "true": "b", "~": "c"}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"], ids=repr)
def test_an_empty_document_is_nothing(text: str) -> None:
    assert parse(text) == Parsed(document=None, lines=parse(text).lines, problems=())


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b"\xef\xbb\xbfa: 1").document == {"a": 1}


def test_a_key_that_stands_twice_is_told_with_both_lines_and_the_first_wins() -> None:
    parsed = parse("a:\n  b: 1\n  b: 2\n")

    assert parsed.document == {"a": {"b": 1}}
    assert [str(problem) for problem in parsed.problems] == [
        "a.yaml:3:a.b: found 'b' a second time (first on line 2), expected each key once"
    ]


def test_anchors_and_merge_keys_work_and_written_keys_win() -> None:
    parsed = parse("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\nagain: *b\n")

    assert parsed.document["use"] == {"x": 1, "y": 3}
    assert parsed.document["again"] == {"x": 1, "y": 2}
    assert parsed.lines["use", "x"] == 3


def test_several_mappings_may_be_merged() -> None:
    parsed = parse("a: &a {x: 1}\nb: &b {y: 2}\nc:\n  <<: [*a, *b]\n")

    assert parsed.document["c"] == {"x": 1, "y": 2}


def test_a_quoted_merge_key_is_a_key() -> None:
    assert parse('"<<": 1').document == {"<<": 1}


def test_a_document_that_multiplies_itself_is_refused_at_once() -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]")

    assert "more than 50,000 values" in the_complaint("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "a.yaml:1: found broken YAML"),
        ("a: b: c", "broken YAML (mapping values are not allowed here)"),
        ("x: 1\na: *nobody", "a.yaml:2: found *nobody, expected an anchor defined above"),
        ("a: &a [*a]", "expected an anchor defined above"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: found a second document, expected one document"),
        ("a: !!python/object:os.system x", "found the tag"),
        ("a: !!python/tuple [1]", "found the tag"),
        ("a: !local {b: 1}", "found the tag !local"),
        ("? [a, b]\n: 1\n", "a key that is no word"),
        ("a:\n  <<: 5\n", "expected a mapping to merge"),
        ("a: " + "[" * 40 + "]" * 40, "32 levels at most"),
        (b"a: caf\xe9\n", "a.yaml:1: found byte 0xe9, expected UTF-8 text"),
        (b"a: \x00", "broken YAML"),
        (b"x" * 1_048_577, "found 1,048,577 bytes, expected a file of 1 MiB at most"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_can_not_be_read_is_told_in_one_line(text: str | bytes, complaint: str) -> None:
    found = the_complaint(text)

    assert complaint in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("a:\n\tb: 1", "a.yaml:2: … spaces in the place of tabs"),
        ("a:\n  b: {c: x, d: ${E}}", "a.yaml:2: … quotes around ${…} within braces"),
        ('a: ["x", ${E}]', "a.yaml:1: … quotes around ${…} within braces"),
        ("a:\n   b: 1\n    c: 2", "a.yaml:3: … keys of one mapping beneath each other"),
        ("a: b: c", "a.yaml:1: … keys of one mapping beneath each other"),
        ("a: {b: 1", "a.yaml:1: … valid YAML"),
    ],
)
def test_a_usual_slip_is_told_with_what_mends_it(text: str, remedy: str) -> None:
    place, _, mends = remedy.partition(" … ")

    found = the_complaint(text)

    assert found.startswith(f"{place} found broken YAML")
    assert f"expected {mends}" in found


def test_a_deep_document_ends_no_stack() -> None:
    assert "32 levels" in the_complaint("a: " + "{a: " * 5_000)
