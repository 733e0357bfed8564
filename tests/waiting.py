"""Waits for a condition within a bound, so that no test sleeps for luck."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

POLL_S = 0.005


def wait_until(condition: Callable[[], T], *, within_s: float = 10.0) -> T:
    """Return the condition's first true value; fail when none comes within `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{condition!r} was still {value!r} after {within_s} s")
        time.sleep(POLL_S)
    return value


async def eventually(condition: Callable[[], T], *, within_s: float = 10.0) -> T:
    """Do what `wait_until` does, and let the event loop run meanwhile."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{condition!r} was still {value!r} after {within_s} s")
        await asyncio.sleep(POLL_S)
    return value
