"""Give what is known of providers: addresses, free tiers, windows, models, each with its source.

Refuses to know configurations and requests, and to reach the network: the figures are dated data
packaged beside this module, and a user's own limits always win over them.
"""

from __future__ import annotations

from spillover.catalogue.entries import (
    Auth,
    DefaultModel,
    Figure,
    FreeRow,
    GuessedWait,
    Kind,
    ModelFacts,
    ModelRow,
    Pool,
    Provider,
    Rank,
    ResetKind,
    ResetWindow,
    Retired,
    TierKind,
    Was,
)
from spillover.catalogue.lookup import Catalogue, FreeLimit, load

__all__ = [
    "Auth",
    "Catalogue",
    "DefaultModel",
    "Figure",
    "FreeLimit",
    "FreeRow",
    "GuessedWait",
    "Kind",
    "ModelFacts",
    "ModelRow",
    "Pool",
    "Provider",
    "Rank",
    "ResetKind",
    "ResetWindow",
    "Retired",
    "TierKind",
    "Was",
    "load",
]
