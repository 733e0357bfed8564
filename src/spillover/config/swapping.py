"""Swap the names of two files in one step, so that whoever takes a file's place sees what was there.

Refuses to know what is in them.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_HERE: Final = -100
"""`AT_FDCWD`: a path that is not absolute begins in the current folder."""
_SWAP: Final = 2
"""`RENAME_EXCHANGE` of Linux's renameat2(2), and `RENAME_SWAP` of macOS's renamex_np(2)."""


def swap(one: Path, other: Path) -> bool:
    """Swap two files; return whether that was done: not every system and file system can."""
    if sys.platform == "win32":
        return False
    import ctypes  # noqa: PLC0415 (loaded when a file is edited)

    names = os.fsencode(one), os.fsencode(other)
    library = ctypes.CDLL(None)
    try:
        if sys.platform == "darwin":
            return bool(library.renamex_np(*names, _SWAP) == 0)
        return bool(library.renameat2(_HERE, names[0], _HERE, names[1], _SWAP) == 0)
    except AttributeError:  # a C library without it
        return False
