"""The shared record in memory: counters, open calls, health and what users set by hand.

`reserve` decides on it by `core.limits.admit`; `apply` folds one entry into it. A book is what its
entries made of it and nothing else, so every process that folds the same journal agrees.

Refuses to know files, other processes' clocks, and the event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, assert_never

import msgspec
from msgspec.structs import replace

from spillover.core import budgets
from spillover.core.health import (
    Health,
    cleared,
    shifted,
    subject_of_account,
    subject_of_model,
    subject_of_profile,
)
from spillover.core.limits import (
    Block,
    Blocked,
    Candidate,
    Denied,
    Gauge,
    Granted,
    Reservation,
    admit,
    gauge,
    reading,
)
from spillover.core.pace import UNKNOWN
from spillover.core.tokens import Calibration
from spillover.core.values import Amounts, Limit, Profile, owner_of_profile
from spillover.core.windows import CLOCK_TOLERANCE_S, new_series, window_key
from spillover.ledger.counters import (
    Counters,
    all_but_requests,
    owners_of,
    sends,
    taken_back,
)
from spillover.ledger.crowds import crowd, crowds, disperse
from spillover.ledger.entries import (
    Alerted,
    Alive,
    Cleared,
    Crowded,
    Entry,
    HealthChanged,
    Heard,
    Jumped,
    Keyed,
    Open,
    Pinned,
    Presumed,
    Released,
    Reserved,
    Settled,
    Stuck,
    Switched,
    Tracked,
    check,
)
from spillover.ledger.learned import Learned
from spillover.ledger.statements import Weighed, forget, hear, opinions, weigh

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from spillover.core.budgets import Told
    from spillover.core.ladder import Pin, Sticky
    from spillover.core.limits import Tally
    from spillover.core.pace import Pace
    from spillover.core.stated import Stated

_T = TypeVar("_T")

REDATED_S: Final = 0.02
"""A request sent this much later than it was reserved (a slow connect) is dated anew."""
LEASE_S: Final = 20.0
"""A process that has not said for this long that it lives counts as dead."""
PRESUMED_KEPT_S: Final = 3_600.0
"""How long a call presumed used can still be corrected by its late settlement."""
SAME_OFFSET_S: Final = 1.0
"""Processes that tell of one jump may differ by this about where it led."""


class _Bound(msgspec.Struct):
    limits: tuple[Limit, ...]
    gauges: list[Gauge]


class Book:
    """The record, and the decision whether a call fits on it."""

    def __init__(self) -> None:
        """Begin an empty record."""
        self.counters = Counters()
        self.open: dict[str, Open] = {}
        self.presumed: dict[str, Open] = {}
        self.learned: dict[str, Learned] = {}
        self.healths: dict[str, Health] = {}
        self.disabled: dict[str, float] = {}
        self.pins: dict[str, Pin] = {}
        self.stickies: dict[str, Sticky] = {}
        self.prints: dict[str, str] = {}
        self.alive: dict[str, float] = {}
        """When each process last said that it lives."""
        self.serving: dict[str, dict[str, str | None]] = {}
        """The accounts of the profiles that each living process serves, as in `Alive`."""
        self.offset: float | None = None
        """The offset of the clock by which all is dated; None while nobody has told."""
        self.alerts: dict[str, Told] = {}
        """What users were last told of each budget."""
        self._bound: dict[tuple[str, str], _Bound] = {}

    # What the ladder reads.

    @property
    def health(self) -> Callable[[str], Health | None]:
        """What returns the evidence against a subject; asked several times for each request."""
        return self.healths.get

    def is_disabled(self, profile: str) -> bool:
        """Return whether a user switched the profile off."""
        return profile in self.disabled

    def pin(self, chain: str) -> Pin | None:
        """Return the chain's pinned profile."""
        return self.pins.get(chain)

    def sticky(self, chain: str) -> Sticky | None:
        """Return the chain's last working profile."""
        return self.stickies.get(chain)

    def calibration(self, profile: str) -> Calibration:
        """Return what was learned of the profile's token counts."""
        learned = self.learned.get(profile)
        return _FRESH if learned is None else learned.calibration

    def pace(self, profile: str) -> Pace:
        """Return how fast the profile answered lately."""
        learned = self.learned.get(profile)
        return UNKNOWN if learned is None else learned.pace

    def load(self, profile: Profile, now: float) -> float:
        """Return the fullest limit's share of use; where nothing is limited, requests today."""
        shares = [
            sum(reading(each, now)) / each.capacity if each.capacity else 1.0
            for each in self.gauges(profile)
        ]
        if shares:
            return max(shares)
        return self.used(profile.name, "day", now)[0] / 1_000_000

    def used(self, profile: str, shown: str, now: float) -> Amounts:
        """Return a profile's usage of the last `minute`, `hour` or `day`."""
        return self.counters.used(profile, shown, now)

    def dead(self, now: float) -> list[str]:
        """Return the processes that no longer say that they live, and those that never did."""
        dead = {process for process, at in self.alive.items() if abs(now - at) > LEASE_S}
        for held in self.open.values():
            if held.process not in self.alive and abs(now - held.at) > LEASE_S:
                dead.add(held.process)
        return sorted(dead)

    def served_accounts(self) -> dict[str, str | None]:
        """Return the account of each profile that some living process serves.

        None: none of them has its key.
        """
        found: dict[str, str | None] = {}
        for accounts in self.serving.values():
            for profile, account in accounts.items():
                found[profile] = account or found.get(profile)
        return found

    def is_dated_by(self, offset: float) -> bool:
        """Return whether a clock of this offset may read and write what the record dates."""
        return self.offset is not None and abs(offset - self.offset) <= CLOCK_TOLERANCE_S

    def is_witnessed(self, elapsed: float) -> bool:
        """Return whether, by the record's own offset, a process was alive just now.

        `elapsed` is the reading of the clock that no one can set. It begins anew when the machine
        does: then an offset of before says nothing, and nobody is alive by it.
        """
        now = (self.offset or 0.0) + elapsed
        return any(abs(now - at) <= LEASE_S for at in self.alive.values())

    # Deciding.

    def missing(self, profile: Profile, now: float) -> list[Entry]:
        """Return the entries that make every window of a profile's limits counted."""
        bound = self._bound.get((profile.name, profile.model))
        if bound is not None and bound.limits is profile.limits:
            return []
        wanted: dict[tuple[str, str], Entry] = {}
        for limit in profile.limits:
            window = limit.window
            if window is None:
                continue
            key = window_key(window, limit.metric, limit.amount)
            # A profile counts its account's windows too: clearing it takes back just its share.
            for owner in dict.fromkeys((limit.owner, owner_of_profile(profile.name))):
                if self.counters.series(owner, key) is None:
                    wanted[owner, key] = Tracked(owner, window, limit.metric, limit.amount, now)
        return list(wanted.values())

    def gauges(self, profile: Profile) -> list[Gauge]:
        """Return the profile's limits bound to their counters (fold `missing` first to have all)."""
        key = (profile.name, profile.model)
        bound = self._bound.get(key)
        if bound is not None and bound.limits is profile.limits:
            return bound.gauges
        gauges, whole = [], True
        for limit in profile.limits:
            tally = self.counters.tally(limit.owner)
            if limit.window is None:
                gauges.append(gauge(limit, tally, None))
                continue
            series = tally.series.get(window_key(limit.window, limit.metric, limit.amount))
            if series is None:
                whole = False
                series = new_series(limit.window, limit.metric, limit.amount)
            gauges.append(gauge(limit, tally, series))
        gauges += opinions(self.counters, profile)
        gauges += crowds(self.counters, profile)
        if whole:
            self._bound[key] = _Bound(profile.limits, gauges)
        return gauges

    def weigh(self, profile: Profile, stated: Stated, now: float) -> Weighed:
        """Compare what a provider says with what is counted, and with what it said before."""
        return weigh(self.counters, self.gauges(profile), profile, stated, now)

    def block(self, candidate: Candidate, now: float) -> Block | None:
        """Return what keeps a candidate from being sent to now, None if nothing does."""
        probe = candidate.probe
        if probe is not None and any(held.probe == probe for held in self.open.values()):
            return Block(limit=None)
        return admit(self.gauges(candidate.profile), candidate.need.amounts, now)

    def reserve(
        self, reservation: str, candidates: Sequence[Candidate], *, process: str, now: float
    ) -> tuple[Reservation, list[Entry]]:
        """Hold room on the first candidate that has it; return the answer and the folded entries.

        Raises `Unwritable` for a need that can't be recorded.
        """
        entries: list[Entry] = []
        passed: list[Blocked] = []
        for candidate in candidates:
            profile = candidate.profile
            missing = self.missing(profile, now)
            for entry in missing:
                self.fold(entry)
            entries += missing
            block = self.block(candidate, now)
            if block is not None:
                passed.append(Blocked(profile=profile.name, block=block))
                continue
            reserved = Reserved(
                id=reservation,
                at=now,
                process=process,
                profile=profile.name,
                model=profile.model,
                account=profile.account,
                need=candidate.need,
                probe=candidate.probe,
            )
            self.fold(reserved)
            entries.append(reserved)
            granted = Granted(
                reservation=reservation, profile=profile.name, at=now, passed=tuple(passed)
            )
            return granted, entries
        return Denied(passed=tuple(passed)), entries

    # Folding.

    def fold(self, entry: Entry) -> None:
        """Fold an entry that is to be recorded; raises `Unwritable`, and changes nothing, if it can't."""
        check(entry)
        self.apply(entry)

    def apply(self, entry: Entry) -> None:  # noqa: C901, PLR0912 - one arm for each kind of entry
        """Fold one entry into the record."""
        match entry:
            case Reserved():
                self._reserved(entry)
            case Settled():
                self._settled(entry)
            case Released():
                self._released(entry)
            case Alive():
                self.alive[entry.process] = entry.at
                _put(self.serving, entry.process, entry.accounts or None)
            case Presumed():
                self._presume(entry)
            case Cleared():
                self._clear(entry)
            case Tracked():
                self.counters.track(entry.owner, entry.window, entry.metric, entry.amount, entry.at)
            case HealthChanged():
                _put(self.healths, entry.subject, entry.health)
            case Switched():
                _put(self.disabled, entry.profile, entry.at if entry.disabled else None)
            case Pinned():
                _put(self.pins, entry.chain, entry.pin)
            case Stuck():
                _put(self.stickies, entry.chain, entry.sticky)
            case Keyed():
                self.prints[entry.profile] = entry.print
            case Jumped():
                self._jump(entry)
            case Heard():
                hear(self.counters, entry)
                self._bound.clear()
            case Alerted():
                self.alerts[entry.budget] = entry.told
            case Crowded():
                crowd(self.counters, entry)
                self._bound.clear()
            case _:
                assert_never(entry)

    def _learned_of(self, profile: str) -> Learned:
        learned = self.learned.get(profile)
        if learned is None:
            learned = self.learned[profile] = Learned()
        return learned

    def _tallies(self, call: Open) -> list[Tally]:
        return self.counters.owned_by(call.profile, call.model, call.account)

    def _reserved(self, entry: Reserved) -> None:
        call = self.open[entry.id] = Open(
            at=entry.at,
            process=entry.process,
            profile=entry.profile,
            model=entry.model,
            account=entry.account,
            need=entry.need,
            probe=entry.probe,
        )
        self.counters.join(entry.profile, entry.model, entry.account)
        tallies = self._tallies(call)
        self.counters.hold(tallies, entry.need.amounts)
        self.counters.count(tallies, entry.at, sends(entry.need.requests))

    def _close(self, reservation: str, at: float) -> tuple[Open, list[Tally]] | None:
        """Take a reservation out of what is held, or what was presumed of it out of what counts.

        Return it and what it counts on; None where it is not known.
        """
        call = self.open.pop(reservation, None)
        if call is not None:
            tallies = self._tallies(call)
            self.counters.let_go(tallies, call.need.amounts)
            return call, tallies
        call = self.presumed.pop(reservation, None)
        if call is None:
            return None
        # Its process was given up, but it lived: the truth replaces the estimate.
        tallies = self._tallies(call)
        presumed_at = at if call.presumed_at is None else call.presumed_at
        self.counters.count(tallies, presumed_at, taken_back(call.need.amounts))
        return call, tallies

    def _settled(self, entry: Settled) -> None:
        closed = self._close(entry.id, entry.at)
        # One that was sent before the clock was set back may say that it was sent after it ended.
        sent_at = min(entry.sent_at, entry.at)
        if closed is None:  # forgotten long since: all of it counts now
            requests, sent_at = entry.usage.requests, sent_at or entry.at
            tallies = self.counters.owned_by(entry.profile, entry.model, entry.account)
            self.counters.count(tallies, sent_at, sends(requests))
        else:
            call, tallies = closed
            if sent_at > call.at + REDATED_S:
                # A slow connect: the provider dates the request later than we did.
                self.counters.count(tallies, call.at, sends(-call.need.requests))
                self.counters.count(tallies, sent_at, sends(call.need.requests))
        self.counters.count(tallies, entry.at, all_but_requests(entry.usage.amounts))
        self._learned_of(entry.profile).learn(entry)

    def _released(self, entry: Released) -> None:
        closed = self._close(entry.id, entry.at)
        if closed is None:
            return
        call, tallies = closed
        if not entry.keep_request:
            self.counters.count(tallies, call.at, sends(-call.need.requests))
        if entry.failure is not None:
            self._learned_of(call.profile).miss(entry.failure, entry.at)

    def _presume(self, entry: Presumed) -> None:
        self.alive.pop(entry.process, None)
        self.serving.pop(entry.process, None)
        for name in [name for name, call in self.open.items() if call.process == entry.process]:
            call = self.open.pop(name)
            tallies, amounts = self._tallies(call), call.need.amounts
            self.counters.let_go(tallies, amounts)
            self.counters.count(tallies, entry.at, all_but_requests(amounts))
            call.presumed_at = entry.at
            self.presumed[name] = call
            self._learned_of(call.profile).presumed += 1
        self.presumed = {
            name: call
            for name, call in self.presumed.items()
            if entry.at - (call.presumed_at or entry.at) <= PRESUMED_KEPT_S
        }

    def _clear(self, entry: Cleared) -> None:
        name, members = entry.profile, self.counters.members
        if name is None:
            names, subjects = set(members), set(self.healths)
        else:
            names, subjects = {name}, {subject_of_profile(name), *entry.subjects}
            if name in members:
                account, model = members[name]
                subjects |= {subject_of_account(account), subject_of_model(name, model)}
        self.counters.forget(name)
        if name is None:
            self._unhear({*self.counters.heard, *self.counters.crowds})
            self.alerts.clear()
        elif name in members:
            account, model = members[name]
            owners = owners_of(name, model, account)
            self._unhear(owners)
            self.alerts = budgets.without(self.alerts, owners)
        for subject in subjects & self.healths.keys():
            self.healths[subject] = cleared(self.healths[subject])
        for call in self.open.values():
            if call.profile in names:  # it is in flight still
                self.counters.count(self._tallies(call), call.at, sends(call.need.requests))
        self.presumed = {r: call for r, call in self.presumed.items() if call.profile not in names}
        self.stickies = {c: kept for c, kept in self.stickies.items() if kept.profile not in names}

    def _jump(self, entry: Jumped) -> None:
        before, offset, seconds = self.offset, entry.offset, entry.seconds
        if before is not None and not entry.begins:
            if offset is None:  # an older version tells just how far
                offset = before + seconds
            seconds = offset - before
            if abs(seconds) <= SAME_OFFSET_S:
                return  # another process has told of it
        self.offset = offset
        if entry.begins:
            return
        self._unhear({*self.counters.heard, *self.counters.crowds})
        self.counters.shift(seconds, entry.at)
        for call in (*self.open.values(), *self.presumed.values()):
            call.at += seconds
            if call.presumed_at is not None:
                call.presumed_at += seconds
        self.alive = {process: at + seconds for process, at in self.alive.items()}
        self.healths = {s: shifted(health, seconds) for s, health in self.healths.items()}
        self.stickies = {c: replace(s, at=s.at + seconds) for c, s in self.stickies.items()}
        self.alerts = {k: budgets.shifted(told, seconds) for k, told in self.alerts.items()}

    def _unhear(self, owners: Collection[str]) -> None:
        forget(self.counters, owners)
        disperse(self.counters, owners)
        self._bound.clear()

    def rebind(self) -> None:
        """Forget which counters profiles were bound to, as after the record was read anew."""
        self._bound.clear()


_FRESH: Final = Calibration()


def _put(table: dict[str, _T], key: str, value: _T | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
