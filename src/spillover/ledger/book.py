"""The shared record in memory: counters, open calls, health and what users set by hand.

`reserve` decides on it by `core.limits.admit`; `apply` folds one entry into it. A book is what its
entries made of it and nothing else, so every process that folds the same journal agrees.

Refuses to know files, other processes, the clock and the event loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar, assert_never

import msgspec

from spillover.core.health import (
    Health,
    cleared,
    shifted,
    subject_of_account,
    subject_of_profile,
)
from spillover.core.ladder import Pin, Sticky
from spillover.core.limits import (
    Block,
    Blocked,
    Candidate,
    Denied,
    Gauge,
    Granted,
    Reservation,
    Tally,
    admit,
    gauge,
    reading,
)
from spillover.core.tokens import Calibration, observe
from spillover.core.values import (
    NOTHING,
    Amounts,
    Limit,
    Metric,
    Profile,
    Rolling,
    Usage,
    owner_of_account,
    owner_of_model,
    owner_of_profile,
)
from spillover.core.windows import RollingSeries, new_series, seed, window_key
from spillover.ledger.entries import (
    Cleared,
    Entry,
    HealthChanged,
    Jumped,
    Keyed,
    Pinned,
    Presumed,
    Released,
    Reserved,
    Settled,
    Stuck,
    Switched,
    Tracked,
)

_T = TypeVar("_T")

SHOWN: Final = {"minute": Rolling(seconds=60.0), "hour": Rolling(seconds=3_600.0), "day": Rolling(seconds=86_400.0)}
"""The windows that are counted for every profile, limited or not."""

LATENCIES: Final = 100
"""How many of a profile's latest times are kept."""
REDATED_S: Final = 0.1
"""A request sent this much later than it was reserved (a slow connect) is dated anew."""
PRESUMED_KEPT_S: Final = 3_600.0
"""How long a call presumed used can still be corrected by its late settlement."""


class Open(msgspec.Struct, array_like=True):
    """A reservation that is not closed yet."""

    at: float
    process: str
    profile: str
    model: str
    account: str
    need: Usage
    probe: str | None = None
    presumed_at: float | None = None


class Learned(msgspec.Struct, array_like=True):
    """What calls taught of a profile."""

    calibration: Calibration = msgspec.field(default_factory=Calibration)
    took_ms: list[float] = msgspec.field(default_factory=list)
    ttft_ms: list[float] = msgspec.field(default_factory=list)
    calls: int = 0
    estimated: int = 0
    """Settlements whose usage no provider reported."""
    presumed: int = 0


class _Bound(msgspec.Struct):
    limits: tuple[Limit, ...]
    gauges: list[Gauge]


class Book:
    """The record, and the decision whether a call fits on it."""

    def __init__(self) -> None:
        """Begin an empty record."""
        self.tallies: dict[str, Tally] = {}
        self.open: dict[str, Open] = {}
        self.presumed: dict[str, Open] = {}
        self.learned: dict[str, Learned] = {}
        self.healths: dict[str, Health] = {}
        self.disabled: dict[str, float] = {}
        self.pins: dict[str, Pin] = {}
        self.stickies: dict[str, Sticky] = {}
        self.prints: dict[str, str] = {}
        self.members: dict[str, tuple[str, str]] = {}
        """The (account, model) that each profile was last counted on."""
        self.jumped: Jumped | None = None
        self.dirty: set[str] = set()
        """Owners and profiles that changed since the record was last written whole."""
        self._bound: dict[tuple[str, str], _Bound] = {}

    # What the ladder reads.

    def health(self, subject: str) -> Health | None:
        """Return the evidence against a subject."""
        return self.healths.get(subject)

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

    def ttft_ms(self, profile: str) -> float | None:
        """Return the middle of the profile's latest times to first content."""
        learned = self.learned.get(profile)
        if learned is None or not learned.ttft_ms:
            return None
        return sorted(learned.ttft_ms)[len(learned.ttft_ms) // 2]

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
        tally = self.tallies.get(owner_of_profile(profile))
        if tally is None:
            return NOTHING
        window = SHOWN[shown]
        series = tally.series[window_key(window, Metric.REQUESTS, 0)]
        series.roll(now)
        return tuple(series.totals)  # type: ignore[union-attr, return-value]

    # Deciding.

    def missing(self, profile: Profile, now: float) -> list[Entry]:
        """Return the entries that make every window of a profile's limits counted."""
        bound = self._bound.get((profile.name, profile.model))
        if bound is not None and bound.limits is profile.limits:
            return []
        wanted: dict[tuple[str, str], Entry] = {}
        for limit in profile.limits:
            if limit.window is None:
                continue
            key = window_key(limit.window, limit.metric, limit.amount)
            # A profile counts its account's windows too: clearing it takes back just its share.
            for owner in {limit.owner, owner_of_profile(profile.name)}:
                tally = self.tallies.get(owner)
                if tally is None or key not in tally.series:
                    wanted[owner, key] = Tracked(owner, limit.window, limit.metric, limit.amount, now)
        return list(wanted.values())

    def gauges(self, profile: Profile) -> list[Gauge]:
        """Return the profile's limits bound to their counters (call `missing` first to have all)."""
        key = (profile.name, profile.model)
        bound = self._bound.get(key)
        if bound is not None and bound.limits is profile.limits:
            return bound.gauges
        gauges, whole = [], True
        for limit in profile.limits:
            tally = self._tally(limit.owner)
            if limit.window is None:
                gauges.append(gauge(limit, tally, None))
                continue
            series = tally.series.get(window_key(limit.window, limit.metric, limit.amount))
            if series is None:
                whole = False
                series = new_series(limit.window, limit.metric, limit.amount)
            gauges.append(gauge(limit, tally, series))
        if whole:
            self._bound[key] = _Bound(profile.limits, gauges)
        return gauges

    def block(self, candidate: Candidate, now: float) -> Block | None:
        """Return what keeps a candidate from being sent to now, None if nothing does."""
        probe = candidate.probe
        if probe is not None and any(held.probe == probe for held in self.open.values()):
            return Block(limit=None)
        return admit(self.gauges(candidate.profile), candidate.need.amounts, now)

    def reserve(
        self, id: str, candidates: Sequence[Candidate], *, process: str, now: float
    ) -> tuple[Reservation, list[Entry]]:
        """Hold room on the first candidate that has it; return the answer and the folded entries."""
        entries: list[Entry] = []
        passed: list[Blocked] = []
        for candidate in candidates:
            profile = candidate.profile
            missing = self.missing(profile, now)
            for entry in missing:
                self.apply(entry)
            entries += missing
            block = self.block(candidate, now)
            if block is not None:
                passed.append(Blocked(profile=profile.name, block=block))
                continue
            entry = Reserved(
                id, now, process, profile.name, profile.model, profile.account,
                candidate.need, candidate.probe,
            )
            self.apply(entry)
            entries.append(entry)
            granted = Granted(reservation=id, profile=profile.name, at=now, passed=tuple(passed))
            return granted, entries
        return Denied(passed=tuple(passed)), entries

    # Folding.

    def apply(self, entry: Entry) -> None:  # noqa: C901, PLR0912 - one arm for each kind of entry
        """Fold one entry into the record."""
        match entry:
            case Reserved():
                self._reserved(entry)
            case Settled():
                self._settled(entry)
            case Released():
                self._released(entry)
            case Presumed():
                self._presume(entry)
            case Cleared():
                self._clear(entry)
            case Tracked():
                self._track(entry)
            case HealthChanged():
                if entry.health is None:
                    self.healths.pop(entry.subject, None)
                else:
                    self.healths[entry.subject] = entry.health
            case Switched():
                if entry.disabled:
                    self.disabled[entry.profile] = entry.at
                else:
                    self.disabled.pop(entry.profile, None)
            case Pinned():
                _put(self.pins, entry.chain, entry.pin)
            case Stuck():
                _put(self.stickies, entry.chain, entry.sticky)
            case Keyed():
                self.prints[entry.profile] = entry.print
            case Jumped():
                self._jump(entry)
            case _:
                assert_never(entry)

    def _tally(self, owner: str) -> Tally:
        tally = self.tallies.get(owner)
        if tally is None:
            tally = self.tallies[owner] = Tally()
            if owner.startswith("profile:"):
                for window in SHOWN.values():
                    key = window_key(window, Metric.REQUESTS, 0)
                    tally.series[key] = new_series(window, Metric.REQUESTS, 0)
        return tally

    def _owners(self, profile: str, model: str, account: str) -> Iterable[Tally]:
        names = (owner_of_profile(profile), owner_of_model(account, model), owner_of_account(account))
        self.dirty.update(names)
        return [self._tally(name) for name in names]

    def _reserved(self, entry: Reserved) -> None:
        need = entry.need
        self.open[entry.id] = Open(
            entry.at, entry.process, entry.profile, entry.model, entry.account, need, entry.probe
        )
        self.members[entry.profile] = (entry.account, entry.model)
        amounts = need.amounts
        sent: Amounts = (amounts[0], 0, 0, 0, 0, 0)
        for tally in self._owners(entry.profile, entry.model, entry.account):
            tally.in_flight += 1
            held = tally.held
            for metric in range(1, 6):
                held[metric] += amounts[metric]
            for series in tally.series.values():
                series.add(entry.at, sent)

    def _close(self, id: str) -> Open | None:
        """Take a reservation out of what is held."""
        open_ = self.open.pop(id, None)
        if open_ is None:
            return None
        amounts = open_.need.amounts
        for tally in self._owners(open_.profile, open_.model, open_.account):
            tally.in_flight -= 1
            held = tally.held
            for metric in range(1, 6):
                held[metric] -= amounts[metric]
        return open_

    def _count(self, open_: Open, at: float, amounts: Amounts) -> None:
        for tally in self._owners(open_.profile, open_.model, open_.account):
            for series in tally.series.values():
                series.add(at, amounts)

    def _settled(self, entry: Settled) -> None:
        open_ = self._close(entry.id)
        used = entry.usage.amounts
        if open_ is None:
            open_ = self.presumed.pop(entry.id, None)
            if open_ is not None and open_.presumed_at is not None:
                # Its process was given up, but it lived: the truth replaces the estimate.
                self._count(open_, open_.presumed_at, _negative(open_.need.amounts))
        if open_ is None:
            open_ = Open(entry.at, "", entry.profile, entry.model, entry.account, Usage())
            self._count(open_, entry.sent_at or entry.at, (used[0], 0, 0, 0, 0, 0))
        elif entry.sent_at > open_.at + REDATED_S:
            # A slow connect: the provider dates the request later than we did.
            self._count(open_, open_.at, (-open_.need.requests, 0, 0, 0, 0, 0))
            self._count(open_, entry.sent_at, (open_.need.requests, 0, 0, 0, 0, 0))
        self._count(open_, entry.at, (0, *used[1:]))
        self._learn(entry)

    def _learn(self, entry: Settled) -> None:
        learned = self.learned.get(entry.profile)
        if learned is None:
            learned = self.learned[entry.profile] = Learned()
        learned.calls += 1
        if not entry.reported:
            learned.estimated += 1
        elif entry.input_tokens:
            seen = Usage(
                input_tokens=entry.input_tokens, output_tokens=entry.usage.output_tokens
            )
            learned.calibration = observe(
                learned.calibration,
                chars=entry.chars,
                wide_chars=entry.wide_chars,
                images=entry.images,
                usage=seen,
            )
        for times, value in ((learned.took_ms, entry.took_ms), (learned.ttft_ms, entry.ttft_ms)):
            if value is not None:
                times.append(value)
                if len(times) > LATENCIES:
                    del times[0]

    def _released(self, entry: Released) -> None:
        open_ = self._close(entry.id)
        if open_ is None:
            open_ = self.presumed.pop(entry.id, None)
            if open_ is None or open_.presumed_at is None:
                return
            self._count(open_, open_.presumed_at, _negative(open_.need.amounts))
        if not entry.keep_request:
            self._count(open_, open_.at, (-open_.need.requests, 0, 0, 0, 0, 0))

    def _presume(self, entry: Presumed) -> None:
        for id, open_ in [item for item in self.open.items() if item[1].process == entry.process]:
            self._close(id)
            self._count(open_, entry.at, (0, *open_.need.amounts[1:]))
            open_.presumed_at = entry.at
            self.presumed[id] = open_
            self.learned.setdefault(open_.profile, Learned()).presumed += 1
        for id, open_ in list(self.presumed.items()):
            if open_.presumed_at is None or entry.at - open_.presumed_at > PRESUMED_KEPT_S:
                del self.presumed[id]

    def _track(self, entry: Tracked) -> None:
        tally = self._tally(entry.owner)
        self.dirty.add(entry.owner)
        key = window_key(entry.window, entry.metric, entry.amount)
        if key in tally.series:
            return
        series = new_series(entry.window, entry.metric, entry.amount)
        for older in self._knowing(entry):
            seed(series, older, entry.at)
        tally.series[key] = series

    def _knowing(self, entry: Tracked) -> list[RollingSeries]:
        """Return the counters that already know an owner's recent usage: its profiles' days."""
        kind, _, rest = entry.owner.partition(":")
        day = window_key(SHOWN["day"], Metric.REQUESTS, 0)
        found: list[RollingSeries] = []
        for profile, (account, model) in self.members.items():
            name = {"profile": profile, "account": account, "model": f"{account}|{model}"}[kind]
            tally = self.tallies.get(owner_of_profile(profile))
            if name == rest and tally is not None:
                series = tally.series[day]
                if isinstance(series, RollingSeries):
                    found.append(series)
        return found

    def _clear(self, entry: Cleared) -> None:
        names = list(self.members) if entry.profile is None else [entry.profile]
        for name in names:
            own = self.tallies.get(owner_of_profile(name))
            account, model = self.members.get(name, ("", ""))
            if own is not None:
                self._take_share(own, owner_of_model(account, model))
                self._take_share(own, owner_of_account(account))
                self.dirty.add(owner_of_profile(name))
                for series in own.series.values():
                    series.forget()
            for subject in (subject_of_profile(name), subject_of_account(account)):
                health = self.healths.get(subject)
                if health is not None:
                    self.healths[subject] = cleared(health)
        for open_ in self.open.values():
            if open_.profile in names:
                self._count(open_, open_.at, (open_.need.requests, 0, 0, 0, 0, 0))
        for chain, sticky in list(self.stickies.items()):
            if sticky.profile in names:
                del self.stickies[chain]

    def _take_share(self, own: Tally, owner: str) -> None:
        tally = self.tallies.get(owner)
        if tally is None:
            return
        self.dirty.add(owner)
        for key, series in tally.series.items():
            share = own.series.get(key)
            if share is not None:
                series.forget(share)

    def _jump(self, entry: Jumped) -> None:
        self.jumped = entry
        for owner, tally in self.tallies.items():
            self.dirty.add(owner)
            for series in tally.series.values():
                series.shift(entry.seconds, entry.at)
        for open_ in self.open.values():
            open_.at += entry.seconds
        for subject, health in self.healths.items():
            self.healths[subject] = shifted(health, entry.seconds)

    def rebind(self) -> None:
        """Forget which counters profiles were bound to, as after the record was read anew."""
        self._bound.clear()


_FRESH: Final = Calibration()


def _put(table: dict[str, _T], key: str, value: _T | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def _negative(amounts: Amounts) -> Amounts:
    return (0, -amounts[1], -amounts[2], -amounts[3], -amounts[4], -amounts[5])
