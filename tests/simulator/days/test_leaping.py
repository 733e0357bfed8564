"""Waiting takes no time on a leaping loop, and clocks go by it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

import pytest

from spillover.clock import LOOK_S
from spillover.simulator.days.leaping import Era, LeapingLoop

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")
BEGAN = 1_795_132_800.0


def leap(play: Coroutine[None, None, T]) -> T:
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(play)


def test_a_day_of_waiting_is_over_at_once_and_in_its_order() -> None:
    async def play() -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        async def wake(name: str, after_s: float) -> None:
            await asyncio.sleep(after_s)
            seen.append((name, asyncio.get_running_loop().time()))

        await asyncio.gather(wake("late", 86_400.0), wake("soon", 0.5), wake("later", 3_600.0))
        return seen

    began = time.monotonic()
    seen = leap(play())

    assert [name for name, _ in seen] == ["soon", "later", "late"]
    assert [at for _, at in seen] == pytest.approx([0.5, 3_600.0, 86_400.0])
    assert time.monotonic() - began < 10.0


def test_waiting_for_what_can_not_come_is_an_error_and_no_hang() -> None:
    async def play() -> None:
        await asyncio.Event().wait()

    loop = LeapingLoop()
    task = loop.create_task(play())

    with pytest.raises(RuntimeError, match="nothing is due"):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()


def test_a_machines_clock_follows_the_loop_and_is_told_when_it_is_set() -> None:
    async def play() -> tuple[float, float, float, list[float]]:
        era = Era(asyncio.get_running_loop(), BEGAN)
        clock = era.clock()
        jumps: list[float] = []
        clock.on_jump(lambda seconds, _: jumps.append(round(seconds)))
        await asyncio.sleep(60.0)
        right = clock.now()
        era.off_s = 7_200.0
        await asyncio.sleep(LOOK_S)
        return right, clock.now(), era.now(), jumps

    right, wrong, truth, jumps = leap(play())

    assert right == pytest.approx(BEGAN + 60)
    assert wrong == pytest.approx(BEGAN + 7_260 + LOOK_S)
    assert truth == pytest.approx(BEGAN + 60 + LOOK_S)
    assert jumps == [7_200]


def test_what_is_meant_for_a_thread_is_done_at_once() -> None:
    async def play() -> None:
        assert await asyncio.to_thread(int, "7") == 7
        with pytest.raises(ValueError, match="seven"):
            await asyncio.to_thread(int, "seven")

    leap(play())
