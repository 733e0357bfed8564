"""Counting usage for profiles, models and accounts."""

from __future__ import annotations

import pytest

from spillover.core.values import (
    METRIC_INDEX,
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
)
from spillover.core.windows import window_key
from spillover.ledger.counters import Counters
from tests.core.making import NOON

ONE = (1, 100, 60, 40, 7, 3)
OWNERS = (owner_of_profile("a"), owner_of_model("key", "m"), owner_of_account("key"))


def counted(at: float = NOON, count: int = 1, *, profile: str = "a") -> Counters:
    """Counters on which a profile was used."""
    counters = Counters()
    counters.members[profile] = ("key", "m")
    for _ in range(count):
        counters.count(counters.owned_by(profile, "m", "key"), at, ONE)
    return counters


def requests(counters: Counters, owner: str, window: Window, now: float = NOON) -> int:
    series = counters.series(owner, window_key(window, Metric.REQUESTS, 60))
    assert series is not None
    return series.used(METRIC_INDEX[Metric.REQUESTS], now)


def test_profile_is_counted_by_minute_hour_and_day() -> None:
    counters = counted(NOON - 1_800.0)

    shown = {shown: counters.used("a", shown, NOON) for shown in ("minute", "hour", "day")}

    assert shown == {"minute": (0,) * 6, "hour": ONE, "day": ONE}


def test_profile_that_was_never_used_has_used_nothing() -> None:
    assert Counters().used("a", "day", NOON) == (0,) * 6


def test_call_counts_for_its_profile_its_model_and_its_account() -> None:
    counters = counted()

    assert set(counters.tallies) == set(OWNERS)
    assert counters.dirty == set(OWNERS)


def test_room_is_held_until_it_is_let_go() -> None:
    counters = Counters()
    tallies = counters.owned_by("a", "m", "key")

    counters.hold(tallies, ONE)
    held = [(tally.in_flight, list(tally.held)) for tally in tallies]
    counters.let_go(tallies, ONE)

    assert held == [(1, [0, 100, 60, 40, 7, 3])] * 3
    assert [(tally.in_flight, tally.held) for tally in tallies] == [(0, [0] * 6)] * 3


def test_window_is_counted_only_from_when_it_is_asked_for() -> None:
    counters = Counters()
    key = window_key(Rolling(seconds=7.0), Metric.REQUESTS, 60)
    before = counters.series(OWNERS[0], key)

    counters.track(OWNERS[0], Rolling(seconds=7.0), Metric.REQUESTS, 60, NOON)
    first = counters.series(OWNERS[0], key)
    counters.track(OWNERS[0], Rolling(seconds=7.0), Metric.REQUESTS, 60, NOON)

    assert before is None
    assert first is not None
    assert counters.series(OWNERS[0], key) is first


@pytest.mark.parametrize(
    ("window", "used_at", "now", "used"),
    [
        (Rolling(seconds=60.0), -70.0, 0.0, 0),
        (Rolling(seconds=60.0), -30.0, 0.0, 2),
        (Rolling(seconds=18_000.0), -7_200.0, 0.0, 2),
        (Rolling(seconds=604_800.0), -7_200.0, 0.0, 2),
        (Calendar(unit=CalendarUnit.MINUTE), -30.0, 30.0, 0),
        (Calendar(unit=CalendarUnit.HOUR), -90.0, 30.0, 0),
        (Calendar(unit=CalendarUnit.HOUR), -30.0, 30.0, 2),  # its bucket ended in this hour
        (Calendar(unit=CalendarUnit.DAY), -7_200.0, 0.0, 2),
        (Calendar(unit=CalendarUnit.MONTH), -7_200.0, 0.0, 2),
        (Refill(seconds=60.0), -30.0, 0.0, 0),
        (Refill(seconds=60.0, burst=600), 0.0, 0.0, 2),
        (Lifetime(), -7_200.0, 0.0, 2),
    ],
)
@pytest.mark.parametrize("owner", OWNERS)
def test_new_window_is_seeded_by_the_finest_counter_that_spans_it(
    window: Window, used_at: float, now: float, used: int, owner: str
) -> None:
    counters = counted(NOON + used_at, 2)

    counters.track(owner, window, Metric.REQUESTS, 60, NOON + now)

    assert requests(counters, owner, window, NOON + now) == used


def test_owner_is_seeded_by_its_own_profiles_alone() -> None:
    counters = counted(count=3)
    counters.members["b"] = ("other", "m")
    counters.count(counters.owned_by("b", "m", "other"), NOON, ONE)

    for owner in (owner_of_account("key"), owner_of_account("other"), owner_of_account("none")):
        counters.track(owner, Rolling(seconds=60.0), Metric.REQUESTS, 60, NOON)

    found = [
        requests(counters, owner_of_account(account), Rolling(seconds=60.0))
        for account in ("key", "other", "none")
    ]
    assert found == [3, 1, 0]


def test_forgetting_a_profile_leaves_the_rest_of_its_account() -> None:
    counters, window = counted(count=3), Rolling(seconds=18_000.0)
    counters.members["b"] = ("key", "m")
    for owner in (*OWNERS, owner_of_profile("b")):
        counters.track(owner, window, Metric.REQUESTS, 60, NOON)
    counters.count(counters.owned_by("b", "m", "key"), NOON, ONE)
    counters.dirty.clear()

    counters.forget("a")

    left = {owner: requests(counters, owner, window) for owner in OWNERS}
    assert left == {OWNERS[0]: 0, OWNERS[1]: 1, OWNERS[2]: 1}
    assert counters.used("a", "day", NOON) == (0,) * 6
    assert counters.dirty == set(OWNERS)


def test_forgetting_a_profile_that_moved_takes_nothing_off_its_new_account() -> None:
    counters, window = Counters(), Rolling(seconds=60.0)
    elsewhere = owner_of_account("new-key")
    for owner in (owner_of_profile("a"), elsewhere):
        counters.track(owner, window, Metric.REQUESTS, 60, NOON)
    counters.join("a", "m", "key")
    counters.count(counters.owned_by("a", "m", "key"), NOON, ONE)
    counters.join("b", "m", "new-key")
    counters.count(counters.owned_by("b", "m", "new-key"), NOON, ONE)
    counters.join("a", "m", "new-key")

    counters.forget("a")

    assert requests(counters, elsewhere, window) == 1
    assert requests(counters, owner_of_profile("a"), window) == 0
    assert counters.moved == set()


def test_forgetting_everything_leaves_nothing_but_what_is_held() -> None:
    counters = counted()
    counters.hold(counters.owned_by("a", "m", "key"), ONE)

    counters.forget()

    assert counters.used("a", "day", NOON) == (0,) * 6
    assert counters.tallies[OWNERS[0]].in_flight == 1


def test_forgetting_who_was_never_counted_changes_nothing() -> None:
    counters = counted()

    counters.forget("stranger")

    assert counters.used("a", "day", NOON) == ONE


def test_usage_moves_with_the_clock() -> None:
    counters = counted()
    counters.dirty.clear()

    counters.shift(86_400.0, NOON + 86_400.0)

    assert counters.used("a", "hour", NOON + 86_400.0) == ONE
    assert counters.dirty == set(OWNERS)
