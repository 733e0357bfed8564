"""Waits for a condition within a bound, so that no test sleeps for luck."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

POLL_S = 0.005
WITHIN_S = 60.0
"""A bound for what would else never end. It says nothing of how long a thing may take."""


def wait_until(condition: Callable[[], T], *, within_s: float = WITHIN_S) -> T:
    """Return the condition's first true value; fail when none comes within `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while True:
        is_late = time.monotonic() > deadline  # asked first: the last look comes after the bound
        if value := condition():
            return value
        if is_late:
            raise AssertionError(f"{condition!r} was still {value!r} after {within_s} s")
        time.sleep(POLL_S)


async def eventually(condition: Callable[[], T]) -> T:
    """Do what `wait_until` does, and let the event loop run meanwhile."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        is_late = time.monotonic() > deadline
        if value := condition():
            return value
        if is_late:
            raise AssertionError(f"{condition!r} was still {value!r} after {WITHIN_S} s")
        await asyncio.sleep(POLL_S)
