"""Look at the ladder as a request would find it now, and tell who is left out and why.

Nothing is reserved. Refuses to know requests, and how they are served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from spillover.core.ladder import build
from spillover.events.kinds import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.core.ladder import Ask, Ladder, Skipped
    from spillover.core.limits import Block
    from spillover.core.values import Profile
    from spillover.ledger.book import Book


def prospect(ask: Ask, profiles: Mapping[str, Profile], book: Book, now: float) -> Ladder:
    """Return the ladder with what the ledger would deny taken out.

    As in serving, what is denied comes back into the ladder, for the spend gate to weigh.
    """
    blocked: dict[str, Block] = {}
    while True:
        ladder = build(replace(ask, blocked=blocked), profiles, book, now)
        fresh = {
            c.profile.name: block
            for c in ladder.candidates
            if (block := book.block(c, now)) is not None
        }
        if not fresh:
            return ladder
        blocked |= fresh


def skipped_document(skipped: Skipped) -> dict[str, Any]:
    """Return why a profile can't serve a request now, as `/api/explain` says it."""
    return {
        "profile": skipped.profile,
        "reason": skipped.reason.value,
        "detail": skipped.detail,
        "available_at": None if skipped.available_at is None else iso(skipped.available_at),
        "never": skipped.never,
    }
