"""Set rows of cells in aligned columns, as wide as they need and no wider.

Refuses to know what the cells mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP: Final = "  "


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[Text | str]],
    *,
    align: str,
    width: int | None = None,
) -> list[Text]:
    """Return a heading and a line for each row.

    `align` has one sign a column: `<` left, `>` right. When the lines are longer than `width`, the
    last column is cut, with `…`; None: never.
    """
    cells = [[_text(cell) for cell in row] for row in rows]
    heading = [Text(head, "dim") for head in heads]
    widths = [max(row[i].cell_len for row in [heading, *cells]) for i in range(len(heads))]
    if width is not None:
        before = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
        widths[-1] = min(widths[-1], max(1, width - before))
    return [_line(row, widths, align) for row in [heading, *cells]]


def _text(cell: Text | str) -> Text:
    return Text(cell) if isinstance(cell, str) else cell


def _line(cells: Sequence[Text], widths: Sequence[int], align: str) -> Text:
    line = Text()
    for i, (cell, width, side) in enumerate(zip(cells, widths, align, strict=True)):
        last = i == len(widths) - 1
        fitted = cell.copy()
        if last:
            fitted.truncate(width, overflow="ellipsis")
        padding = " " * (width - fitted.cell_len)
        if side == ">":
            line.append(padding)
            line.append_text(fitted)
        else:
            line.append_text(fitted)
            line.append("" if last else padding)
        line.append("" if last else GAP)
    line.rstrip()
    return line
