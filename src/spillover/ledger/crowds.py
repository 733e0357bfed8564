"""Keep how many calls providers take at once among the counters, and show it as a limit.

Refuses to know refusals' words, and what a call needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.core.crowding import FORGOTTEN_AFTER_S, lowered
from spillover.core.limits import Gauge
from spillover.core.values import Limit, LimitScope, Metric, owner_of_account, owner_of_profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spillover.core.values import Profile
    from spillover.ledger.counters import Counters
    from spillover.ledger.entries import Crowded


def crowd(counters: Counters, entry: Crowded) -> None:
    """Lower what an owner may have in flight to what was accepted."""
    owner, at = entry.owner, entry.at
    for name, each in list(counters.crowds.items()):
        if each.at + FORGOTTEN_AFTER_S <= at:
            del counters.crowds[name]
    before = counters.crowds.get(owner)
    counters.crowds[owner] = lowered(before, entry.in_flight, sent_at=entry.sent_at, at=at)


def disperse(counters: Counters, owners: Iterable[str]) -> None:
    """Forget what was learned of owners: the next refusal teaches it anew."""
    for owner in owners:
        counters.crowds.pop(owner, None)


def crowds(counters: Counters, profile: Profile) -> Iterator[Gauge]:
    """Yield what was learned of a profile's and its account's calls at once, as limits to be kept."""
    for owner, scope in (
        (owner_of_profile(profile.name), LimitScope.PROFILE),
        (owner_of_account(profile.account), LimitScope.ACCOUNT),
    ):
        learned = counters.crowds.get(owner)
        if learned is not None:
            yield Gauge(
                limit=Limit(
                    metric=Metric.CONCURRENCY,
                    amount=learned.accepted,
                    window=None,
                    owner=owner,
                    scope=scope,
                ),
                metric=-1,
                capacity=learned.accepted,
                tally=counters.tally(owner),
                series=None,
                until=learned.at + FORGOTTEN_AFTER_S,
                learned_at=learned.at,
            )
