"""Write to the terminal, or to whatever stands in its place, and know how wide and coloured it is.

Colours go to a terminal only, and never where `NO_COLOR` is set. What others wrote (a provider's
message, a model's name) moves no cursor and hides nothing. Refuses to know what is written.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import IO, TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

from spillover.cli import bars

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNBOUNDED: Final = 10_000
_COMMANDS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Signs that a terminal obeys in place of showing them, or that turn the order of others round."""


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
    """Return a line as this output can show it: without commands, in ASCII where there is no more."""
    encoding = sys.stdout.encoding or "ascii"
    plain = harmless(line.plain if isinstance(line, Text) else line)
    if isinstance(line, str):
        line = plain
    elif line.plain != plain:
        line = line.copy()
        line.plain = plain  # of the same length: its colours stay where they are
    try:
        plain.encode(encoding)
    except UnicodeEncodeError:
        signs = plain.translate(_SIGNS)
        return bars.plain(signs).encode(encoding, "replace").decode(encoding)
    return line


def harmless(text: str) -> str:
    """Return a text with a dot in the place of each sign that a terminal would obey."""
    return _COMMANDS.sub("·", text)


_SIGNS: Final = str.maketrans(
    {"▸": ">", "●": "*", "·": "-", "…": ".", "↻": "~", "→": ">", "✓": "+", "✗": "x"}
)


def show_json(value: Any) -> None:
    """Print a value as JSON that people can read too."""
    sys.stdout.write(escaped(json.dumps(value, indent=2, ensure_ascii=False)) + "\n")


def escaped(document: str) -> str:
    """Return a text of JSON in which no sign is one that a terminal would obey."""
    return _COMMANDS.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def note(line: Text) -> None:
    """Print a line to standard error, beside what a command was asked for."""
    console(sys.stderr).print(drawn(line))


def complain(sentence: str) -> None:
    """Print what went wrong to standard error, one thing a line."""
    console(sys.stderr).print(Text("spillover: ", "red").append(harmless(sentence)))
