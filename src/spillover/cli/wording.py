"""Put spans, amounts and limits into the few characters that a terminal has for them.

Refuses to know terminals, colours and where the figures come from.
"""

from __future__ import annotations

from typing import Any, Final

from spillover.cli.spans import back_at, span
from spillover.events.kinds import instant

_SHORT: Final = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K"))
_WRITTEN_OUT: Final = 10_000
"""Amounts below this are shown to the last unit: `4,096`, but `20.1K`."""

_CENT: Final = 0.01
_LEAST_SHOWN: Final = 0.0001


def back_in(until: str | None, now: float) -> str:
    """Return `back in 42 s` for an ISO instant, `back now` for one that is past; "" for None."""
    return "" if until is None else back_at(instant(until), now)


def trust(evidence: dict[str, Any], now: float) -> list[str]:
    """Return how far the end of a cooldown can be believed: who said so, and when it is tested.

    `evidence` is a profile of the status document, or the `evidence` of an explanation.
    """
    parts = []
    if evidence["confidence"] == "guessed":
        parts.append("a guess")
    elif evidence["source"] in _SAID_BY:
        parts.append(_SAID_BY[evidence["source"]])
    until, probe_at = evidence["until"], evidence["probe_at"]
    if probe_at is not None and (until is None or instant(probe_at) < instant(until)):
        seconds = instant(probe_at) - now
        parts.append(f"tested in {span(seconds)}" if seconds > 0 else "tested by the next request")
    return parts


_SAID_BY: Final = {
    "header": "says its header",
    "body": "says its answer",
    "catalogue": "by the catalogue",
    "config": "by the configuration",
}


def amount(value: float, metric: str = "requests") -> str:
    """Return an amount of a metric: `812`, `4,096`, `20.1K`, `$0.25`."""
    if metric == "cost":
        return _money(value)
    for scale, letter in _SHORT:
        if value >= max(scale, _WRITTEN_OUT):
            return f"{value / scale:.1f}".removesuffix(".0") + letter
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _money(dollars: float) -> str:
    if dollars >= _CENT or not dollars:
        return f"${dollars:,.2f}"
    return f"${dollars:.4f}" if dollars >= _LEAST_SHOWN else f"<${_LEAST_SHOWN}"


def words(name: str | None) -> str:
    """Return a name of the record as words: `rate_limited` as `rate limited`."""
    return (name or "").replace("_", " ")
