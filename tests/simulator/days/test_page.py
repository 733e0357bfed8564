"""The page on cooldowns is what the days come to, and they come to what is promised.

All that plays whole days stands in this one file, so that each is played once.
"""

from __future__ import annotations

import pytest

from spillover.core.benching import PROBE_AFTER_S
from spillover.core.values import FailureClass
from spillover.simulator.days.day import FLAT_10_MIN, FLAT_10_S, Day
from spillover.simulator.days.page import came_to, page
from spillover.simulator.days.scenes import (
    ASKED_FOR,
    AWAY,
    CLOCK,
    DAYS,
    FLAPPING,
    MISLEADING,
    SHARED,
    STATED,
    UNEXPLAINED,
    WEEK,
)
from tests.structure.project import ROOT

SOON_S = 60.0
IDS = [day.name for day in DAYS]


@pytest.fixture(scope="module", name="made")
def _made() -> str:
    return page()


def test_the_page_is_what_the_days_come_to(made: str) -> None:
    kept = (ROOT / "docs" / "cooldown.md").read_text("utf-8")

    assert kept == made, "stale: run `make docs`"


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


@pytest.mark.parametrize("day", DAYS, ids=IDS)
def test_no_request_is_lost(day: Day) -> None:
    found = came_to(day)

    assert found.requests > 4_000
    assert found.unserved == 0


@pytest.mark.parametrize("day", DAYS, ids=IDS)
def test_every_end_is_noticed_in_time(day: Day) -> None:
    found = came_to(day)

    assert found.lasting == 0
    assert found.recoveries_s
    assert max(found.recoveries_s) <= (SOON_S if day.is_known else PROBE_AFTER_S)


@pytest.mark.parametrize("day", DAYS, ids=IDS)
def test_one_request_tests_at_a_time(day: Day) -> None:
    assert came_to(day).at_once <= 1


@pytest.mark.parametrize("day", [MISLEADING, WEEK, STATED, CLOCK, SHARED], ids=lambda d: d.name)
def test_a_refused_quota_costs_at_most_four_doomed_sends_an_hour(day: Day) -> None:
    assert came_to(day).doomed_per_hour <= 4.0


@pytest.mark.parametrize("day", [MISLEADING, STATED, CLOCK, SHARED], ids=lambda d: d.name)
def test_a_known_end_is_not_tested_before(day: Day) -> None:
    found = came_to(day)

    assert found.at_once == 0
    assert found.doomed <= 2 * 2, "those that met the first refusal of a span together"


def test_a_refusal_without_hints_is_tested_every_ten_minutes_in_the_end() -> None:
    assert came_to(UNEXPLAINED).doomed_per_hour <= 6 + 5 / 9, "one, two, four and eight come first"


@pytest.mark.parametrize("day", [FLAPPING, AWAY], ids=lambda d: d.name)
def test_an_outage_is_tested_twice_a_minute_at_most(day: Day) -> None:
    found = came_to(day)

    burst = 2 * len(day.outages)  # two requests meet each one together
    assert found.doomed - burst <= 120 * found.down_h


@pytest.mark.parametrize("day", ASKED_FOR, ids=lambda d: d.name)
def test_evidence_beats_both_flat_rules(day: Day) -> None:
    by_evidence, short, long = came_to(day), came_to(day, FLAT_10_S), came_to(day, FLAT_10_MIN)

    assert by_evidence.doomed < short.doomed
    assert (by_evidence.worst_recovery_s or 0.0) < (long.worst_recovery_s or 0.0)
