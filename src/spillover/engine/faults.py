"""Log a fault of our own that an answer brought to light, once for each place in the code.

Refuses to log what an exception says: that may be a part of the answer.
"""

from __future__ import annotations

import logging
import traceback
from functools import lru_cache
from typing import Final

log = logging.getLogger(__name__)

_PLACES: Final = 256
"""How many places are remembered: a provider that brings up one of them again floods no log."""


def log_fault(provider: str, error: Exception) -> None:
    """Log where an answer of `provider` could not be read, unless that place was logged before."""
    where = "".join(traceback.format_tb(error.__traceback__))
    _log(provider, f"{where}{type(error).__name__}")


@lru_cache(_PLACES)
def _log(provider: str, trace: str) -> None:
    log.error("an answer of %s could not be read\n%s", provider, trace)
