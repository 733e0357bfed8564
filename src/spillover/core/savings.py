"""Say what calls cost, and what those to free and local profiles would have cost elsewhere.

Rules of this file:
- Only a paid profile costs: at its price, or what the provider states.
- What a free or local one saved is the price of the same tokens at the paid profile of the chain that
  is cheapest for them; without one whose price is known, at the list price of its own model.
- Who has neither saved nobody knows how much.

Refuses to know when calls were made, and who made them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.core.tokens import cost
from spillover.core.values import Profile, Tier, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable


def spent_nanousd(profile: Profile, usage: Usage) -> int:
    """Return what `usage`, as it was counted, cost on `profile`."""
    return usage.cost_nanousd if profile.tier is Tier.PAID else 0


def saved_nanousd(profile: Profile, chain: Iterable[Profile], usage: Usage) -> int | None:
    """Return what the tokens of `usage` would have cost; None: nobody knows, or they did cost.

    `chain` are the profiles that could have been asked instead.
    """
    if profile.tier is Tier.PAID:
        return None
    prices = [cost(each, usage) for each in chain if each.tier is Tier.PAID and _priced(each)]
    if prices:
        return min(prices)
    return cost(profile, usage) if _priced(profile) else None


def _priced(profile: Profile) -> bool:
    """Whether it is known what its tokens cost, and they do."""
    price = profile.price
    return price is not None and bool(price.input or price.output)
