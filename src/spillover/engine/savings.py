"""Say what free and local profiles saved since midnight: the document of `/api/history/savings`.

Refuses to know what a call saved: that was counted when it ended.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from spillover.core.history import COST, INPUT_TOKENS, OUTPUT_TOKENS, SAVED, Grain, shown
from spillover.core.values import Tier
from spillover.engine.history import saved
from spillover.events.kinds import iso

if TYPE_CHECKING:
    from spillover.config.routing import Routing
    from spillover.engine.history import History


async def savings(history: History, routing: Routing, since: float) -> dict[str, Any]:
    """Return what was saved and spent from `since` on, two days ago at most."""
    spent = 0
    tokens: dict[str, int] = {}
    money: dict[str, int] = {}
    unpriced: set[str] = set()
    for key, counts in await history.sums(Grain.MINUTE, since, step_s=Grain.DAY):
        spent += counts[COST]
        profile = routing.profiles.get(key.profile)
        used = counts[INPUT_TOKENS] + counts[OUTPUT_TOKENS]
        if profile is None or profile.tier is Tier.PAID or not used:
            continue
        tokens[key.profile] = tokens.get(key.profile, 0) + used
        money[key.profile] = money.get(key.profile, 0) + counts[SAVED]
        if saved(routing, key.chain, key.profile, counts) is None:
            unpriced.add(key.profile)
    return {
        "since": iso(since),
        "saved_usd": shown(SAVED, sum(money.values())),
        "spent_usd": shown(COST, spent),
        "profiles": {
            name: {
                "tier": routing.profiles[name].tier.value,
                "tokens": tokens[name],
                "saved_usd": shown(SAVED, money[name]),
            }
            for name in sorted(tokens)
        },
        "unpriced": sorted(unpriced),
    }


def midnight(now: float) -> float:
    """Return when the day began where this machine is."""
    day = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)  # noqa: DTZ006 - the machine's own zone
    return day.timestamp()
