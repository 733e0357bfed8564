"""A day is judged by what reached the provider, and by the truth."""

from __future__ import annotations

from spillover.simulator.days.day import DAY_S, Day, Outage
from spillover.simulator.days.figures import Figures, judge
from spillover.simulator.days.line import Sent
from spillover.simulator.spec import ProviderSpec

HOUR = 3_600.0
BEGAN = 1_000_000.0


def a_day(*outages: tuple[float, float], resets_s: tuple[float, ...] = ()) -> Day:
    return Day(
        name="d",
        title="d",
        tells="",
        spec=ProviderSpec(),
        settings={},
        outages=tuple(Outage(from_s=start, until_s=end) for start, end in outages),
        resets_s=resets_s,
    )


def judged(day: Day, *sent: tuple[float, bool], took_s: float = 1.0) -> Figures:
    log = [Sent(at=BEGAN + at, ended_at=BEGAN + at + took_s, served=served) for at, served in sent]
    return judge(day, log, began_at=BEGAN, answers=[200, 200, 503])


def test_sends_during_an_outage_are_doomed_and_the_first_good_one_ends_it() -> None:
    found = judged(
        a_day((HOUR, 3 * HOUR)),
        (0, True),
        (HOUR, False),
        (2 * HOUR, False),
        (3 * HOUR + 40, True),
        (3 * HOUR + 50, True),
    )

    assert (found.doomed, found.down_h, found.doomed_per_hour) == (2, 2.0, 1.0)
    assert found.recoveries_s == (40.0,)
    assert (found.worst_recovery_s, found.lasting) == (40.0, 0)
    assert (found.requests, found.unserved) == (3, 1)


def test_a_spent_quota_is_down_from_its_first_refusal_to_its_reset() -> None:
    found = judged(
        a_day(resets_s=(10 * HOUR, 20 * HOUR)),
        (4 * HOUR, True),
        (5 * HOUR, False),
        (10 * HOUR, True),
        (22 * HOUR, False),
    )

    assert (found.down_h, found.doomed) == (7.0, 2), "5 to 10, and 22 to the end of the day"
    assert found.recoveries_s == (0.0,)


def test_an_end_that_nobody_noticed_is_lasting_and_one_beyond_the_day_is_none() -> None:
    found = judged(a_day((HOUR, 2 * HOUR), (23 * HOUR, DAY_S + HOUR)), (HOUR, False))

    assert (found.recoveries_s, found.lasting, found.worst_recovery_s) == ((), 1, None)
    assert found.down_h == 2.0


def test_those_who_met_the_first_refusal_together_are_no_tests() -> None:
    outage = a_day((0, HOUR))

    burst = judged(outage, (10, False), (10, False), (10.5, False), (100, False))
    tests = judged(outage, (10, False), (100, False), (100.5, False), (200, False))

    assert burst.at_once == 1
    assert tests.at_once == 2


def test_a_day_without_trouble_has_no_figures_of_it() -> None:
    found = judged(a_day(), (10, True))

    assert (found.doomed_per_hour, found.at_once, found.worst_recovery_s) == (0.0, 0, None)
