"""When a profile is due to be probed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.probing import JITTER, due_at
from tests.core.making import NOON


@pytest.mark.parametrize(("draw", "after"), [(0.0, 48.0), (0.5, 60.0), (0.75, 66.0)])
def test_probe_is_due_about_an_interval_after_the_last_look(draw: float, after: float) -> None:
    due = due_at(heard_at=0.0, looked_at=NOON, every_s=60.0, draw=draw)

    assert due == pytest.approx(NOON + after)


def test_real_traffic_puts_it_off() -> None:
    due = due_at(heard_at=NOON + 50.0, looked_at=NOON, every_s=60.0, draw=0.5)

    assert due == pytest.approx(NOON + 110.0)


@given(st.floats(0.1, 1e6), st.floats(0.0, 1.0, exclude_max=True))
def test_chance_spreads_it_by_a_fifth_at_most(every_s: float, draw: float) -> None:
    wait = due_at(heard_at=0.0, looked_at=0.0, every_s=every_s, draw=draw)

    assert every_s * (1 - JITTER) * 0.999 <= wait <= every_s * (1 + JITTER) * 1.001
