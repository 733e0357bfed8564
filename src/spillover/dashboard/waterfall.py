"""Lay a request's sends out in time, as bars of a waterfall.

Pure: the document of `/api/requests/{id}` in, shares of its whole time out. Refuses to know markup.
"""

from __future__ import annotations

from typing import Any, Final

_LEAST: Final = 0.4
"""Percent of the whole that the shortest phase is drawn as, so that it can be seen."""


def whole_ms(trace: dict[str, Any]) -> float:
    """Return how long a request took, and at least as long as its last send."""
    ends: list[float] = [each["end_ms"] for each in trace["attempts"] if each["end_ms"] is not None]
    return max([trace["took_ms"] or 0.0, *ends, 1.0])


def rows(trace: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each send with its `bars`: connecting, to the first content, answering."""
    whole = whole_ms(trace)
    return [{**each, "bars": _bars(each, whole)} for each in trace["attempts"]]


def _bars(attempt: dict[str, Any], whole: float) -> list[dict[str, Any]]:
    start = attempt["start_ms"]
    end = whole if attempt["end_ms"] is None else attempt["end_ms"]
    phases = (
        ("wait", attempt["connected_ms"]),
        ("first", attempt["first_token_ms"]),
        ("rest", None),
    )
    found = []
    for kind, until in phases:
        stop = end if until is None else min(until, end)
        if stop > start:
            width = max(_LEAST, 100 * (stop - start) / whole)
            found.append(
                {"kind": kind, "x": round(100 * start / whole, 2), "width": round(width, 2)}
            )
            start = stop
        if until is None:
            break
    return found
