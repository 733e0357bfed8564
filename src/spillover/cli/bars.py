"""Draw what a limit has used, holds and has left as one line of cells.

Refuses to know what is counted.
"""

from __future__ import annotations

from typing import Final

from rich.text import Text

USED: Final = "█"
RESERVED: Final = "▒"
LEFT: Final = "░"

_PLAIN: Final = str.maketrans({USED: "#", RESERVED: "+", LEFT: "-"})
_TIGHT: Final = 0.9
_FILLING: Final = 0.7


def bar(used: float, reserved: float, capacity: float, *, width: int) -> Text:
    """Return `width` cells: used, reserved, left.

    What is there at all shows as at least one cell, and what isn't full never looks full.
    """
    shares = _cells(used, reserved, capacity, width)
    text = Text()
    for cells, sign, style in zip(
        shares,
        (USED, RESERVED, LEFT),
        (shade(used + reserved, capacity), "cyan", "dim"),
        strict=True,
    ):
        text.append(sign * cells, style)
    return text


def _cells(used: float, reserved: float, capacity: float, width: int) -> tuple[int, int, int]:
    if used + reserved >= capacity:
        held = min(width, _share(reserved, capacity, width))
        return width - held, held, 0
    filled = min(width - 1, _share(used + reserved, capacity, width))
    held = min(filled, _share(reserved, capacity, width))
    if used > 0 and held == filled > 1:
        held -= 1  # a trace of use shows beside what is held
    return filled - held, held, width - filled


def _share(part: float, whole: float, width: int) -> int:
    if part <= 0 or whole <= 0:
        return 0
    return max(1, round(width * part / whole))


def shade(taken: float, capacity: float) -> str:
    """Return the colour that says how full a limit is."""
    ratio = taken / capacity if capacity > 0 else 1.0
    if ratio >= _TIGHT:
        return "red"
    return "yellow" if ratio >= _FILLING else "green"


def plain(text: str) -> str:
    """Return a drawing in ASCII, for outputs that can show nothing else."""
    return text.translate(_PLAIN)
