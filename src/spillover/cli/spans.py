"""Put spans into the few characters that a terminal has for them.

Imports nothing but the interpreter's own: a prompt waits for it.
"""

from __future__ import annotations

from math import ceil

MINUTE_S = 60
HOUR_S = 3_600
DAY_S = 86_400


def span(seconds: float) -> str:
    """Return a span, rounded up, in its two largest units: `42 s`, `12 min 30 s`, `2 d 4 h`."""
    whole = max(0, ceil(seconds))
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return _pair(whole, MINUTE_S, "min", 1, "s")
    if whole < DAY_S:
        return _pair(whole, HOUR_S, "h", MINUTE_S, "min")
    return _pair(whole, DAY_S, "d", HOUR_S, "h")


def _pair(whole: int, large: int, large_name: str, small: int, small_name: str) -> str:
    """Return `whole` seconds in two units; the smaller is left out where it is nothing."""
    count, rest = divmod(ceil(whole / small) * small, large)
    least = f" {rest // small} {small_name}" if rest else ""
    return f"{count} {large_name}{least}"


def back_at(at: float, now: float) -> str:
    """Return `back in 42 s`, or `back now` for an instant that is past."""
    return f"back in {span(at - now)}" if at > now else "back now"
