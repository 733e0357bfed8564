"""Write to the terminal, or to whatever stands in its place, and know how wide and coloured it is.

Colours go to a terminal only, and never where `NO_COLOR` is set. Refuses to know what is written.
"""

from __future__ import annotations

import json
import os
import sys
from typing import IO, TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

from spillover.cli import bars

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNBOUNDED: Final = 10_000


def console(file: IO[str] | None = None) -> Console:
    """Return a console that cuts no line of a pipe and takes no word for markup."""
    out = file or sys.stdout
    piped = not out.isatty()
    return Console(
        file=out,
        width=_UNBOUNDED if piped else None,
        no_color=bool(os.environ.get("NO_COLOR")),
        color_system=None if piped else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def width() -> int | None:
    """Return how many columns there are to draw in; None: a pipe, where lines have no end."""
    return console().width if sys.stdout.isatty() else None


def show(lines: Iterable[Text | str]) -> None:
    """Print lines to standard output."""
    out = console()
    for line in lines:
        out.print(drawn(line), soft_wrap=True)


def drawn(line: Text | str) -> Text | str:
    """Return a line as this output can show it: in ASCII where its encoding has no more."""
    encoding = sys.stdout.encoding or "ascii"
    plain = line.plain if isinstance(line, Text) else line
    try:
        plain.encode(encoding)
    except UnicodeEncodeError:
        signs = plain.translate(_SIGNS)
        return bars.plain(signs).encode(encoding, "replace").decode(encoding)
    return line


_SIGNS: Final = str.maketrans(
    {"▸": ">", "●": "*", "·": "-", "…": ".", "↻": "~", "→": ">", "✓": "+", "✗": "x"}
)


def show_json(value: Any) -> None:
    """Print a value as JSON that people can read too."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def note(line: Text) -> None:
    """Print a line to standard error, beside what a command was asked for."""
    console(sys.stderr).print(drawn(line))


def complain(sentence: str) -> None:
    """Print what went wrong to standard error, one thing a line."""
    console(sys.stderr).print(Text("spillover: ", "red").append(Text(sentence)))
