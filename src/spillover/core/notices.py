"""The kinds of what people are told, which of them can't wait, and the place that is always there.

Refuses to know events and words, and how anybody is told.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class NoticeKind(StrEnum):
    """What a notice is about; listed from the lightest to the gravest."""

    TEST = "test"
    """Somebody wanted to see whether notices arrive."""
    COOLDOWN = "cooldown"
    """A profile rests, or its limit frees within minutes."""
    RECOVERED = "recovered"
    """A chain is served by a profile again that it had left, or a profile is back."""
    FALLBACK = "fallback"
    """A chain is served by another profile than before."""
    EXHAUSTED = "exhausted"
    """A profile's quota is spent for longer."""
    BUDGET = "budget"
    """50, 80, 90 or 100 % of a budget are used."""
    FAILED = "failed"
    """A profile needs a person."""
    CONFIG_REJECTED = "config_rejected"
    """An edit of the configuration can't be used."""
    LEDGER = "ledger"
    """Usage can't be stored, or can again."""
    UNSERVED = "unserved"
    """A chain has nobody left."""


DESKTOP: Final = "desktop"
"""Where the configuration has notices go that are shown on this machine; others are addresses."""
FILTERABLE: Final = tuple(kind for kind in NoticeKind if kind is not NoticeKind.TEST)
USUAL: Final = tuple(kind for kind in FILTERABLE if kind is not NoticeKind.COOLDOWN)
"""What is told where nothing else is asked for."""
GRAVE: Final = frozenset(
    {
        NoticeKind.BUDGET,
        NoticeKind.FAILED,
        NoticeKind.CONFIG_REJECTED,
        NoticeKind.LEDGER,
        NoticeKind.UNSERVED,
    }
)
"""What is not held back while a burst lasts."""


def gravest(kinds: list[NoticeKind]) -> NoticeKind:
    """Return the gravest of some kinds."""
    order = list(NoticeKind)
    return max(kinds, key=order.index)
