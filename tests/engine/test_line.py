"""Waiting requests: first come, first woken."""

from __future__ import annotations

import asyncio

from spillover.engine.line import Line
from tests.engine.staging import plays


async def _enter(line: Line, *tickets: int, seconds: float = 10.0) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(line.wait(ticket, seconds)) for ticket in tickets]
    await asyncio.sleep(0)
    return tasks


def test_a_newcomer_is_behind_whoever_stands_in_line() -> None:
    line = Line()
    assert not line.is_behind(None)

    first, second = line.join(), line.join()

    assert line.is_behind(None)
    assert not line.is_behind(first)
    assert line.is_behind(second)


@plays
async def test_only_the_first_in_line_is_woken() -> None:
    line = Line()
    first, second = line.join(), line.join()
    tasks = await _enter(line, second, first)

    line.nudge()
    line.nudge()
    await tasks[1]

    assert not tasks[0].done()
    line.nudge()
    await asyncio.sleep(0)
    assert not tasks[0].done(), "the first has not left yet"
    line.leave(first)
    await tasks[0]


@plays
async def test_whoever_leaves_wakes_the_next() -> None:
    line = Line()
    first, second, third = line.join(), line.join(), line.join()
    tasks = await _enter(line, second, third)

    line.leave(first)
    await tasks[0]
    line.leave(second)
    await tasks[1]
    line.leave(third)
    line.leave(third)

    assert not line.is_behind(None)


@plays
async def test_a_wait_ends_by_itself_and_keeps_the_place() -> None:
    line = Line()
    first = line.join()

    await line.wait(first, 0.01)

    assert line.is_behind(None)
    assert not line.is_behind(first)
    line.nudge()  # nobody waits: nothing happens


@plays
async def test_a_cancelled_wait_leaves_no_trace() -> None:
    line = Line()
    first, second = line.join(), line.join()
    tasks = await _enter(line, first, second)

    tasks[0].cancel()
    await asyncio.gather(tasks[0], return_exceptions=True)
    line.leave(first)

    await tasks[1]
