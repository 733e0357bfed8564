"""Tell whoever listens of every state change, as one typed event each."""

from spillover.events.bus import Bus, Subscription
from spillover.events.kinds import (
    BudgetReached,
    ConfigRejected,
    ConfigReloaded,
    Event,
    LedgerDrift,
    LedgerTrouble,
    LimitReached,
    Notice,
    ProfileStatus,
    RequestDone,
    RequestFallback,
    UpstreamStatus,
    to_json,
)

__all__ = [
    "BudgetReached",
    "Bus",
    "ConfigRejected",
    "ConfigReloaded",
    "Event",
    "LedgerDrift",
    "LedgerTrouble",
    "LimitReached",
    "Notice",
    "ProfileStatus",
    "RequestDone",
    "RequestFallback",
    "Subscription",
    "UpstreamStatus",
    "to_json",
]
