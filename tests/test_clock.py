"""Telling the time, whatever is done to the machine's clock."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from spillover.clock import SystemClock


@dataclass
class Machine:
    """A wall clock that can be set and another one that can't."""

    wall: float = 1_000_000.0
    elapsed: float = 50.0

    def clock(self) -> SystemClock:
        return SystemClock(wall=lambda: self.wall, elapsed=lambda: self.elapsed)

    def goes_on(self, seconds: float) -> None:
        self.wall += seconds
        self.elapsed += seconds


def test_clock_tells_the_wall_time() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.goes_on(7.5)

    assert clock.now() == 1_000_007.5


def test_machines_own_clock_is_read_when_no_other_is_given() -> None:
    before = time.time()

    now = SystemClock().now()

    assert before - 2.0 <= now <= time.time() + 2.0


@pytest.mark.parametrize("correction", [-2.0, -0.5, 0.5, 2.0])
def test_small_correction_of_the_wall_moves_nothing(correction: float) -> None:
    machine = Machine()
    clock = machine.clock()
    jumps: list[float] = []
    clock.on_jump(lambda seconds, _: jumps.append(seconds))

    machine.wall += correction

    assert clock.now() == 1_000_000.0
    assert jumps == []


@pytest.mark.parametrize("jump", [-86_400.0, -2.5, 2.5, 3_600.0])
def test_clock_follows_a_wall_that_was_set_and_tells_by_how_much(jump: float) -> None:
    machine = Machine()
    clock = machine.clock()
    told: list[tuple[float, float]] = []
    clock.on_jump(lambda seconds, now: told.append((seconds, now)))
    machine.goes_on(10.0)

    machine.wall += jump

    assert clock.now() == clock.now() == 1_000_010.0 + jump
    assert told == [(jump, 1_000_010.0 + jump)]


def test_drift_adds_up_until_it_counts() -> None:
    machine = Machine()
    clock = machine.clock()

    readings = []
    for _ in range(4):
        machine.goes_on(1.0)
        machine.wall += 0.8
        readings.append(clock.now() - 1_000_000.0)

    assert readings == pytest.approx([1.0, 2.0, 5.4, 6.4])
