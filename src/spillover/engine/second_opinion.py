"""Hear what providers say of their limits, keep what is news, and tell where our count is off.

Refuses to know headers and requests, and never decides who may serve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec.structs import replace

from spillover.core.crowding import crowded_owner
from spillover.core.doubting import is_doubted
from spillover.core.health import subjects
from spillover.core.stated import in_written_units, owner_of, window_of
from spillover.events import LedgerDrift
from spillover.ledger.entries import Crowded, Heard
from spillover.protocols.quota_headers import glance, read_quota, read_refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spillover.core.actions import Failed
    from spillover.core.stated import Stated
    from spillover.core.values import Profile
    from spillover.events import Bus
    from spillover.ledger.ledger import Ledger
    from spillover.ledger.statements import Weighed


_Floors: TypeAlias = tuple[int | None, ...]

QUIET_S: Final = 1.0
"""How long headers that follow the trend are only glanced at."""


class SecondOpinion:
    """What providers say, beside what we count."""

    def __init__(self, ledger: Ledger, events: Bus) -> None:
        """Keep what is heard in `ledger`; tell of drifts by `events`."""
        self._ledger = ledger
        self._events = events
        self._looks: dict[tuple[str, str], tuple[float, _Floors]] = {}
        """By profile and its provider: when the headers are read whole again at the latest, and from what on."""
        self._adrift: set[tuple[str, str]] = set()
        """(owner, limit) whose difference was told of."""

    def hear(self, profile: Profile, headers: Mapping[str, str], now: float) -> None:
        """Take in what an answer's headers say of its provider's limits.

        Most say nothing new: they are glanced at, until a second has passed or a quarter of what
        was left has gone since they were last read whole.
        """
        left = glance(profile.provider, headers)
        if left is None:
            return
        who = profile.name, profile.provider
        look = self._looks.get(who)
        # A clock that was set back must not make it quiet for longer.
        is_quiet = look is not None and 0.0 < look[0] - now <= QUIET_S and _covers(look[1], left)
        if not is_quiet:
            floors = tuple([None if each is None else each - each // 4 for each in left])
            self._looks[who] = now + QUIET_S, floors
            self._weigh(profile, read_quota(profile.provider, headers, now), now)

    def hear_refusal(self, profile: Profile, headers: Mapping[str, str], refused: Failed) -> None:
        """Take in what a failed answer says: in headers, in words, and by being one too many."""
        failure, now = refused.failure, refused.now
        said = read_quota(profile.provider, headers, now) + read_refusal(failure.message)
        # That nothing is left is worth something only where it is known until when.
        is_doubted = self._is_doubted(profile, refused.sent_at)
        limits = (
            replace(each, remaining=None)
            if is_doubted or not window_of(profile, each.per)
            else each
            for each in refused.limits
        )
        self._weigh(profile, (*said, *limits), now)
        if failure.concurrency:
            owner = crowded_owner(profile, failure)
            in_flight = self._ledger.book.counters.tally(owner).in_flight
            self._ledger.record_soon(Crowded(owner, now, refused.sent_at, in_flight))

    def _is_doubted(self, profile: Profile, sent_at: float) -> bool:
        """Return whether a window has turned that was spent, and the profile is refused still."""
        found = filter(None, map(self._ledger.book.health, subjects(profile)))
        held = (each for health in found for each in (health.exhausted, health.cooldown))
        return any(is_doubted(each, sent_at) for each in held if each is not None)

    def hear_account(self, profiles: Iterable[Profile], said: Iterable[Stated], now: float) -> None:
        """Take in what a provider says of an account that these profiles are on."""
        limits = tuple(said)
        for profile in {owner_of(each): each for each in profiles}.values():
            self._weigh(profile, limits, now)

    def _weigh(self, profile: Profile, said: Iterable[Stated], now: float) -> None:
        """Have what is news in line for the ledger's next step, and tell of differences."""
        for stated in said:
            weighed = self._ledger.book.weigh(profile, stated, now)
            if weighed.is_news:
                window = window_of(profile, stated.per)
                self._ledger.record_soon(Heard(owner_of(profile), stated, window, now))
            if stated.remaining is not None and (weighed.is_news or not weighed.followed):
                self._compare(profile, stated, weighed, now)

    def _compare(self, profile: Profile, stated: Stated, weighed: Weighed, now: float) -> None:
        """Tell of a difference once; it has to halve before it is told again."""
        key = (owner_of(profile), stated.name)
        counted, left = weighed.counted, stated.remaining
        if counted is None or left is None or counted - left <= weighed.tolerance // 2:
            self._adrift.discard(key)
        elif counted - left > weighed.tolerance and key not in self._adrift:
            self._adrift.add(key)
            self._events.publish(
                LedgerDrift(
                    at=now,
                    profile=profile.name,
                    limit=stated.name,
                    counted=in_written_units(stated.metric, counted),
                    stated=in_written_units(stated.metric, left),
                )
            )


def _covers(floors: _Floors, left: _Floors) -> bool:
    """Return whether everything that was left before still is, down to its floor."""
    for floor, each in zip(floors, left, strict=True):
        if each is not floor and (floor is None or each is None or each < floor):
            return False
    return True
