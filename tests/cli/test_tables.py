"""Rows stand in aligned columns, as wide as they need."""

from __future__ import annotations

from rich.text import Text

from spillover.cli.tables import table


def test_columns_are_as_wide_as_their_widest_cell_and_aligned() -> None:
    lines = table(("NAME", "USED"), [("groq", "1"), (Text("openrouter"), "1,234")], align="<>")

    assert [line.plain for line in lines] == [
        "NAME         USED",
        "groq            1",
        "openrouter  1,234",
    ]


def test_the_last_column_is_cut_where_the_terminal_ends() -> None:
    lines = table(("A", "B"), [("x", "a long explanation")], align="<<", width=10)

    assert [line.plain for line in lines] == ["A  B", "x  a long…"]


def test_a_pipe_gets_every_line_whole_and_none_ends_in_blanks() -> None:
    lines = table(("A", "B"), [("x" * 100, "")], align="<<")

    assert [line.plain for line in lines] == ["A" + " " * 101 + "B", "x" * 100]


def test_wide_characters_take_two_cells() -> None:
    lines = table(("NAME", "N"), [("模型", "1"), ("ab", "2")], align="<>")

    assert [line.cell_len for line in lines] == [7, 7, 7]
