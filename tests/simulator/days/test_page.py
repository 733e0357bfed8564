"""The page on cooldowns is what the days come to, and they come to what is promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from spillover.core.benching import PROBE_AFTER_S
from spillover.core.values import FailureClass
from spillover.simulator.days.day import BY_EVIDENCE, POLICIES, Day
from spillover.simulator.days.page import came_to, page
from spillover.simulator.days.scenes import (
    AHEAD,
    ASKED_FOR,
    AWAY,
    BLAND,
    CLOCK,
    DAYS,
    FLAPPING,
    MISLEADING,
    SHARED,
    STATED,
    UNEXPLAINED,
    WEEK,
)
from tests.simulator.days.playing import Played, played
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from spillover.simulator.days.figures import Figures

SOON_S = 60.0
IDS = [day.name for day in DAYS]


@pytest.fixture(scope="module", name="days")
def _days() -> Played:
    return played()


@pytest.fixture(name="made")
def _made(days: Played) -> str:
    return days.page


def test_the_page_is_what_the_days_come_to(days: Played) -> None:
    kept = (ROOT / "docs" / "cooldown.md").read_text("utf-8")

    assert kept == days.page, "stale: run `make docs`"
    assert page(lambda day, rule: days.figures[day.name][rule.name]) == days.page


def test_a_day_is_played_once() -> None:
    day = replace(UNEXPLAINED, name="short", outages=(), every_s=60.0)

    assert came_to(day) is came_to(day)


def test_an_end_that_is_never_found_is_said_so(days: Played) -> None:
    lost = replace(days.figures["away"]["evidence"], recoveries_s=(), lasting=1)

    assert "| **never** |" in page(lambda _day, _rule: lost)


def test_every_day_is_told(made: str) -> None:
    assert [day.name for day in DAYS if f"**{day.title}**" not in made] == []


def test_every_class_that_benches_has_its_rest(made: str) -> None:
    spares = {FailureClass.CONTEXT_LENGTH, FailureClass.BAD_REQUEST, FailureClass.CONTENT_FILTER}

    for failure in FailureClass:
        assert (f"| `{failure}` |" in made) is (failure not in spares)


def test_rests_are_said_in_the_units_that_people_use(made: str) -> None:
    assert "| `rate_limited` | 1 min, doubling up to 10 min |" in made
    assert "| `network` | 30 s |" in made
    assert "| `payment_required` | until it is mended; tested every 1 h |" in made


def by_evidence(days: Played, day: Day) -> Figures:
    return days.figures[day.name][BY_EVIDENCE.name]


@pytest.mark.parametrize("day", DAYS, ids=IDS)
def test_no_request_is_lost(days: Played, day: Day) -> None:
    found = by_evidence(days, day)

    assert found.requests > 4_000
    assert found.unserved == 0


@pytest.mark.parametrize("day", DAYS, ids=IDS)
def test_every_end_is_noticed_in_time(days: Played, day: Day) -> None:
    found = by_evidence(days, day)

    assert found.lasting == 0
    assert found.recoveries_s
    assert max(found.recoveries_s) <= (SOON_S if day.is_known else PROBE_AFTER_S)


@pytest.mark.parametrize("day", DAYS, ids=IDS)
def test_one_request_tests_at_a_time(days: Played, day: Day) -> None:
    most = 2 if day in (AHEAD, BLAND) else 1  # all traffic is back at an end that proves wrong

    assert by_evidence(days, day).at_once <= most


@pytest.mark.parametrize(
    "day", [MISLEADING, WEEK, STATED, CLOCK, AHEAD, SHARED], ids=lambda d: d.name
)
def test_a_refused_quota_costs_at_most_four_doomed_sends_an_hour(days: Played, day: Day) -> None:
    assert by_evidence(days, day).doomed_per_hour <= 4.0


@pytest.mark.parametrize("day", [MISLEADING, STATED, CLOCK, SHARED], ids=lambda d: d.name)
def test_a_known_end_is_not_tested_before(days: Played, day: Day) -> None:
    found = by_evidence(days, day)

    assert found.at_once == 0
    assert found.doomed <= 2 * 2, "those that met the first refusal of a span together"


@pytest.mark.parametrize("day", [UNEXPLAINED, BLAND], ids=lambda d: d.name)
def test_a_refusal_without_hints_is_tested_every_ten_minutes_in_the_end(
    days: Played, day: Day
) -> None:
    assert by_evidence(days, day).doomed_per_hour <= 6 + 5 / 9, (
        "one, two, four and eight come first"
    )


@pytest.mark.parametrize("day", [FLAPPING, AWAY], ids=lambda d: d.name)
def test_an_outage_is_tested_twice_a_minute_at_most(days: Played, day: Day) -> None:
    found = by_evidence(days, day)

    burst = 2 * len(day.outages)  # two requests meet each one together
    assert found.doomed - burst <= 120 * found.down_h


@pytest.mark.parametrize("day", ASKED_FOR, ids=lambda d: d.name)
def test_evidence_beats_both_flat_rules(days: Played, day: Day) -> None:
    found = days.figures[day.name]
    ours, short, long = (found[rule.name] for rule in POLICIES)

    assert ours.doomed < short.doomed
    assert (ours.worst_recovery_s or 0.0) < (long.worst_recovery_s or 0.0)
