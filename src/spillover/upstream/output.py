"""Write a command's output to a file of bounded size, redacted.

Refuses to know whose output it is. A file that can't be written loses lines, never its writer.
"""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import TextIOWrapper

LARGEST: Final = 5_000_000
"""Bytes of a file, before a new one is begun."""
KEPT: Final = 3
"""Old files, named `.1` (the latest) to `.3`."""


class Output:
    """A log that output goes to."""

    def __init__(self, path: str, redact: Callable[[str], str], *, largest: int = LARGEST) -> None:
        """Write to `path`; nothing is opened before the first line."""
        self.path = path
        self.last = ""
        """The latest line that was not blank, redacted."""
        self._redact = redact
        self._file = _Rotated(path, largest)

    def write(self, line: str) -> None:
        """Add a line."""
        shown = self._redact(line)
        if shown.strip():
            self.last = shown.strip()
        try:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            self._file.handle(logging.makeLogRecord({"msg": shown}))
        except OSError:
            return

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        self._file.close()


class _Rotated(RotatingFileHandler):
    """The standard library's, readable by its owner alone and silent about its own troubles."""

    def __init__(self, path: str, largest: int) -> None:
        super().__init__(path, maxBytes=largest, backupCount=KEPT, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        return cast(
            "TextIOWrapper",
            open(
                self.baseFilename,
                self.mode,
                encoding=self.encoding,
                errors="replace",
                opener=lambda path, flags: os.open(path, flags, 0o600),
            ),
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Lose the line."""
