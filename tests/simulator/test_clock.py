"""The time that providers go by."""

from __future__ import annotations

import time

from spillover.simulator.clock import wall_clock


def test_the_wall_clock_tells_epoch_seconds() -> None:
    before = time.time()

    assert before <= wall_clock() <= time.time()
