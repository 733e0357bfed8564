"""The small file through which a gateway tells `spillover status --line` what there is to say.

A line a field. Imports nothing but the interpreter's own: a shell's prompt waits for its reader.
Refuses to know what the fields mean.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False  # `typing` is not loaded for it
if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = "status-line"
BEGINS = "spillover 1"
"""The first line of a file that is understood here."""
RENEWED_S = 5.0
"""A gateway that runs renews the file at least this often."""
FRESH_S = 2 * RENEWED_S
"""An older file is of a gateway that is gone."""


def write(folder: str | os.PathLike[str], fields: Mapping[str, str]) -> None:
    """Replace the file at once: its readers never meet half of one. Raises `OSError`."""
    path = os.path.join(folder, FILE_NAME)
    beside = f"{path}.{os.getpid()}"
    lines = [BEGINS, *(f"{name}={value}" for name, value in fields.items())]
    with open(beside, "w", encoding="utf-8") as opened:
        opened.write("\n".join(lines) + "\n")
    os.replace(beside, path)


def read(folder: str | os.PathLike[str]) -> dict[str, str] | None:
    """Return the fields of a fresh file; None where there is none that is understood."""
    try:
        with open(os.path.join(folder, FILE_NAME), encoding="utf-8") as opened:
            age_s = time.time() - os.stat(opened.fileno()).st_mtime
            first, *lines = opened.read().splitlines() or [""]
    except (OSError, ValueError):
        return None
    if first != BEGINS or abs(age_s) > FRESH_S:
        return None
    return dict(line.split("=", 1) for line in lines if "=" in line)
