"""The worked timelines of the page on concepts are what the windows do."""

from __future__ import annotations

import pytest

from spillover.core.values import Calendar, Lifetime, Refill, Rolling
from tests.docs.timelines import Timeline, timelines
from tests.structure.project import ROOT

PAGE = (ROOT / "docs" / "concepts.md").read_text("utf-8")


@pytest.mark.parametrize(
    "timeline",
    timelines(PAGE),
    ids=lambda timeline: f"{timeline.limit.window.__struct_config__.tag} {timeline.rows[0][0]}",
)
def test_a_timeline_shows_what_its_limit_does(timeline: Timeline) -> None:
    assert list(timeline.played()) == list(timeline.rows)


def test_every_kind_of_window_has_its_timeline() -> None:
    shown = {type(each.limit.window) for each in timelines(PAGE)}

    assert shown == {Rolling, Calendar, Refill, Lifetime}


def test_a_row_that_lies_is_found() -> None:
    first = timelines(PAGE)[0]
    at, asks, _, answer = first.rows[0]
    lie = Timeline(first.limit, ((at, asks, "1 of 1", answer), *first.rows[1:]))

    assert next(lie.played()) != lie.rows[0]
