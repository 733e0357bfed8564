"""The days are what their words say, and their answers mean what they are meant to."""

from __future__ import annotations

import pytest

from spillover.config.loader import load_document
from spillover.core.failures import classify
from spillover.core.values import FailureClass
from spillover.protocols.hints import read_error
from spillover.simulator.days.day import DAY_S, Day
from spillover.simulator.days.scenes import ASKED_FOR, DAYS, FLAPPING, UNEXPLAINED, WEEK


def test_every_day_has_a_name_of_its_own() -> None:
    assert len({day.name for day in DAYS}) == len({day.title for day in DAYS}) == len(DAYS)
    assert DAYS[: len(ASKED_FOR)] == ASKED_FOR


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
def test_all_trouble_lies_within_its_day(day: Day) -> None:
    times = [at for outage in day.outages for at in (outage.from_s, outage.until_s)]

    assert times == sorted(times)
    assert all(0 < at <= DAY_S for at in [*times, *day.resets_s])
    assert day.outages or day.resets_s
    assert 60 % day.every_s == 0


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
def test_every_profile_is_one_that_a_user_can_write(day: Day) -> None:
    own = {"base_url": f"http://judged/{day.path}", "api_key": "sk-0123456789", **day.settings}

    loaded = load_document({"profiles": {"judged": own}, "chains": {"day": ["judged"]}}, environ={})

    assert "judged" in loaded.config.profiles


@pytest.mark.parametrize(
    ("day", "failure", "wait_s"),
    [
        (UNEXPLAINED, FailureClass.RATE_LIMITED, None),
        (WEEK, FailureClass.RATE_LIMITED, DAY_S),
        (FLAPPING, FailureClass.OVERLOADED, None),
    ],
    ids=lambda each: getattr(each, "name", None),
)
def test_answers_are_classified_as_the_real_ones(
    day: Day, failure: FailureClass, wait_s: float | None
) -> None:
    fault = day.outages[0].fault
    assert fault is not None
    assert fault.status is not None

    evidence = read_error(
        provider="", status=fault.status, headers=fault.headers, body=(fault.body or "").encode()
    )
    found = classify(evidence, now=0.0)

    assert (found.failure, found.stated_wait_s) == (failure, wait_s)
