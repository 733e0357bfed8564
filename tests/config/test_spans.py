"""Each value of a text is found where it stands."""

from __future__ import annotations

import pytest

from spillover.config.spans import Node, anchors_in, read_spans

TEXT = """\
# the file
a: &one {x: 1, y: }   # one
b:
  # above
  c: "text"   # behind
  d:
  - *one
  - e: |
      long

f:
"""


def read(text: str) -> Node:
    root = read_spans(text)
    assert root is not None
    return root


def find(node: Node, *path: str | int) -> Node:
    for step in path:
        parts = node.parts or []
        node = (
            parts[step].node
            if isinstance(step, int)
            else next(p.node for p in parts if p.key == step)
        )
    return node


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a",), "&one {x: 1, y: }"),
        (("a", "x"), "1"),
        (("a", "y"), ""),
        (("b",), '  # above\n  c: "text"   # behind\n  d:\n  - *one\n  - e: |\n      long'),
        (("b", "c"), '"text"'),
        (("b", "d", 0), "*one"),
        (("b", "d", 1, "e"), "|\n      long"),
        (("f",), ""),
    ],
)
def test_a_value_is_its_own_text_and_a_block_whole_lines(path: tuple[str, ...], text: str) -> None:
    node = find(read(TEXT), *path)

    assert TEXT[node.start : node.end] == text


def test_what_is_behind_an_anchor_is_known() -> None:
    node = find(read(TEXT), "a")

    assert TEXT[node.content : node.end] == "{x: 1, y: }"
    assert list(anchors_in(read(TEXT))) == ["one"]


def test_nothing_stands_right_behind_its_colon_or_dash() -> None:
    text = "a:   # none\nb:\n  -\n  - x\n"
    root = read(text)

    assert [find(root, "a").start, find(root, "b", 0).start] == [2, text.index("-") + 1]


def test_comments_above_the_first_setting_are_about_the_file() -> None:
    root = read(TEXT)

    assert TEXT[root.start :].startswith("a:")


def test_lists_within_lists_have_dashes_of_their_own() -> None:
    text = "a:\n- - x\n  - y\n- z\n"
    node = find(read(text), "a")

    assert [part.start for part in node.parts or []] == [3, 15]
    assert [part.start for part in find(node, 0).parts or []] == [5, 11]


@pytest.mark.parametrize("text", ["", "# none\n", "- a\n", "word\n"])
def test_what_is_no_mapping_has_no_places(text: str) -> None:
    assert read_spans(text) is None
