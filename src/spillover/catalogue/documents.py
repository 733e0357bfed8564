"""Show the catalogue as plain values, for `spillover catalogue --json` and `/api/catalogue` alike.

Refuses to know which day it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from spillover.catalogue.ageing import is_stale, oldest

if TYPE_CHECKING:
    from datetime import date

    from spillover.catalogue.entries import Provider
    from spillover.catalogue.lookup import Catalogue


def whole(known: Catalogue, today: date) -> dict[str, Any]:
    """Return every provider, and when they were collected."""
    entries = [document(entry, known, today) for entry in known.providers.values()]
    return {"collected": known.collected, "providers": entries}


def document(entry: Provider, known: Catalogue, today: date) -> dict[str, Any]:
    """Return an entry as plain values, with its models, its age and who changed it."""
    as_of = oldest(entry)
    return {
        **msgspec.to_builtins(entry),
        "models": msgspec.to_builtins(known.facts_of(entry.id)),
        "oldest_as_of": as_of,
        "stale": is_stale(as_of, today),
        "changed_by": known.own.get(entry.id),
    }
