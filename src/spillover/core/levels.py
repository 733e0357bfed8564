"""Say how much a line of the log matters.

Refuses to know what is logged and where.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class LogLevel(StrEnum):
    """How much a line matters, the least first."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """The same as Python's `logging` counts it."""
        return _NUMBERS[self]


_NUMBERS: Final = {
    LogLevel.DEBUG: 10,
    LogLevel.INFO: 20,
    LogLevel.WARNING: 30,
    LogLevel.ERROR: 40,
}
