"""Count usage for every owner: what is held, what is in flight, and what each window has seen.

A call counts for three owners: its profile, its model under the account, and the account. Every
profile is counted by minute, hour and day, limited or not; other windows from when a limit asks.

Refuses to know limits, reservations, health and the clock.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, assert_never

from spillover.core.limits import Tally
from spillover.core.values import (
    NOTHING,
    Amounts,
    Calendar,
    CalendarUnit,
    Lifetime,
    Metric,
    Refill,
    Rolling,
    Window,
    owner_of_account,
    owner_of_model,
    owner_of_profile,
    parts_of,
)
from spillover.core.windows import RollingSeries, Series, new_series, seed, window_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.core.crowding import Crowd
    from spillover.ledger.entries import Heard

SHOWN: Final = {
    "minute": Rolling(seconds=60.0),
    "hour": Rolling(seconds=3_600.0),
    "day": Rolling(seconds=86_400.0),
}
"""The windows that are counted for every profile, limited or not; shortest first."""

_SHOWN_KEYS: Final = {
    name: window_key(window, Metric.REQUESTS, 0) for name, window in SHOWN.items()
}


class Counters:
    """The tallies of all owners."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self.tallies: dict[str, Tally] = {}
        self.members: dict[str, tuple[str, str]] = {}
        """The (account, model) that each profile was last counted on."""
        self.moved: set[str] = set()
        """Profiles whose own counters hold usage of an account or model that they have left."""
        self.heard: dict[str, dict[str, Heard]] = {}
        """What providers last said of their limits, by owner and limit."""
        self.crowds: dict[str, Crowd] = {}
        """How many calls were accepted at once, by owners who once had too many in flight."""
        self.dirty: set[str] = set()
        """Owners that changed since the record was last written whole."""
        self._owned: dict[tuple[str, str, str], tuple[tuple[str, ...], list[Tally]]] = {}
        """Keys and tallies that calls of a (profile, model, account) count on."""

    def tally(self, owner: str) -> Tally:
        """Return an owner's tally, begun when it is not there."""
        tally = self.tallies.get(owner)
        if tally is None:
            tally = self.tallies[owner] = Tally()
            if owner.startswith("profile:"):
                for name, window in SHOWN.items():
                    tally.series[_SHOWN_KEYS[name]] = new_series(window, Metric.REQUESTS, 0)
        return tally

    def series(self, owner: str, key: str) -> Series | None:
        """Return an owner's counter of one window, None while it is not counted."""
        tally = self.tallies.get(owner)
        return None if tally is None else tally.series.get(key)

    def used(self, profile: str, shown: str, now: float) -> Amounts:
        """Return a profile's usage of the last `minute`, `hour` or `day`."""
        series = self.series(owner_of_profile(profile), _SHOWN_KEYS[shown])
        if not isinstance(series, RollingSeries):
            return NOTHING
        series.roll(now)
        requests, tokens, input_tokens, output_tokens, cost, neurons = series.totals
        return requests, tokens, input_tokens, output_tokens, cost, neurons

    def owned_by(self, profile: str, model: str, account: str) -> list[Tally]:
        """Return the tallies that a call counts on, its profile's first, to be changed."""
        key = (profile, model, account)
        owned = self._owned.get(key)
        if owned is None:
            owners = owners_of(profile, model, account)
            owned = self._owned[key] = (owners, [self.tally(owner) for owner in owners])
        self.dirty.update(owned[0])
        return owned[1]

    def join(self, profile: str, model: str, account: str) -> None:
        """Count a profile on an account and a model from here on."""
        before = self.members.get(profile)
        if before is not None and before != (account, model):
            self.moved.add(profile)
        self.members[profile] = (account, model)

    def hold(self, tallies: list[Tally], amounts: Amounts) -> None:
        """Hold room for a call. Requests aside: one counts when it is sent, so none is held."""
        _, tokens, input_tokens, output_tokens, cost, neurons = amounts
        for tally in tallies:
            tally.in_flight += 1
            held = tally.held
            held[1] += tokens
            held[2] += input_tokens
            held[3] += output_tokens
            if cost or neurons:
                held[4] += cost
                held[5] += neurons

    def let_go(self, tallies: list[Tally], amounts: Amounts) -> None:
        """Hold a call's room no longer."""
        _, tokens, input_tokens, output_tokens, cost, neurons = amounts
        for tally in tallies:
            tally.in_flight -= 1
            held = tally.held
            held[1] -= tokens
            held[2] -= input_tokens
            held[3] -= output_tokens
            if cost or neurons:
                held[4] -= cost
                held[5] -= neurons

    def count(self, tallies: list[Tally], at: float, amounts: Amounts) -> None:
        """Count `amounts` as used at `at` in every window; negative ones take back."""
        parts = parts_of(amounts)
        for tally in tallies:
            for series in tally.series.values():
                series.add(at, parts)

    def track(self, owner: str, window: Window, metric: Metric, amount: int, now: float) -> None:
        """Count a window for an owner from `now` on, and what is known of its past."""
        tally = self.tally(owner)
        self.dirty.add(owner)
        key = window_key(window, metric, amount)
        if key not in tally.series:
            series = new_series(window, metric, amount)
            for older in self._knowing(owner, _seconds(window, amount)):
                seed(series, older, now)
            tally.series[key] = series

    def _knowing(self, owner: str, seconds: float) -> Iterator[RollingSeries]:
        """Yield the counters that already know an owner's recent usage: those shown of its profiles."""
        shown = next((n for n, window in SHOWN.items() if window.seconds >= seconds), "day")
        for profile, (account, model) in self.members.items():
            owners = owners_of(profile, model, account)
            if owner in owners:
                series = self.tally(owners[0]).series[_SHOWN_KEYS[shown]]
                if isinstance(series, RollingSeries):
                    yield series

    def forget(self, profile: str | None = None) -> None:
        """Forget all usage, or a profile's and its share of what its model and account count."""
        if profile is None:
            self.moved.clear()
            self.dirty.update(self.tallies)
            for tally in self.tallies.values():
                for series in tally.series.values():
                    series.forget()
        elif profile in self.members:
            account, model = self.members[profile]
            own, *shared = self.owned_by(profile, model, account)
            if profile in self.moved:
                # Its own counters don't tell how much of them is of this account: better too much
                # is left counted there than others' usage taken off.
                shared = []
                self.moved.remove(profile)
            for tally in shared:
                for key, series in tally.series.items():
                    share = own.series.get(key)
                    if share is not None:
                        series.forget(share)
            for series in own.series.values():
                series.forget()

    def shift(self, seconds: float, now: float) -> None:
        """Move all usage by `seconds`, as the clock jumped by them; `now` is after the jump."""
        self.dirty.update(self.tallies)
        for tally in self.tallies.values():
            for series in tally.series.values():
                series.shift(seconds, now)


@lru_cache(maxsize=4_096)
def owners_of(profile: str, model: str, account: str) -> tuple[str, str, str]:
    """Return the keys of those whom a call counts for."""
    return owner_of_profile(profile), owner_of_model(account, model), owner_of_account(account)


def _seconds(window: Window, amount: int) -> float:
    """Return how far back usage may still count in a window; a day stands for all that is longer."""
    match window:
        case Rolling():
            return window.seconds
        case Calendar():
            units = {CalendarUnit.MINUTE: "minute", CalendarUnit.HOUR: "hour"}
            return SHOWN[units.get(window.unit, "day")].seconds
        case Refill():
            return window.seconds * max(1.0, (window.burst or amount) / max(1, amount))
        case Lifetime():
            return SHOWN["day"].seconds
        case _:
            assert_never(window)


def sends(number: int) -> Amounts:
    """Return what so many sends count, whatever they use."""
    return (number, 0, 0, 0, 0, 0)


def all_but_requests(amounts: Amounts) -> Amounts:
    """Return what a call uses beside the request itself."""
    return (0, *amounts[1:])


def taken_back(amounts: Amounts) -> Amounts:
    """Return what takes back all that a call used but the request itself."""
    return (0, -amounts[1], -amounts[2], -amounts[3], -amounts[4], -amounts[5])
