"""Waiting requests: for each profile, first come, first woken."""

from __future__ import annotations

import asyncio

from spillover.engine.line import Line
from tests.engine.staging import plays

A, B = frozenset("a"), frozenset("b")


async def _wait(line: Line, ticket: int, profiles: frozenset[str]) -> asyncio.Task[None]:
    task = asyncio.create_task(line.wait(ticket, profiles, 10.0))
    await asyncio.sleep(0)
    return task


async def _is_awake(task: asyncio.Task[None]) -> bool:
    for _ in range(3):  # a wake-up takes so many turns of the event loop
        await asyncio.sleep(0)
    return task.done()


@plays
async def test_a_newcomer_is_behind_whoever_waits_for_the_same_profile() -> None:
    line = Line()
    assert line.before(None) == frozenset()

    first, second = line.join(), line.join()
    await _wait(line, second, A | B)
    await _wait(line, first, A)

    assert line.before(None) == A | B
    assert line.before(first) == frozenset()
    assert line.before(second) == A


@plays
async def test_only_the_first_in_line_for_a_profile_is_woken() -> None:
    line = Line()
    first, second = line.join(), line.join()
    behind = await _wait(line, second, A)
    before = await _wait(line, first, A)

    line.nudge()
    line.nudge()
    await before

    assert not await _is_awake(behind)
    line.nudge()
    assert not await _is_awake(behind), "the first has not left yet"
    line.leave(first)
    await behind


@plays
async def test_who_waits_for_another_profile_is_woken_too() -> None:
    line = Line()
    first, second, third = line.join(), line.join(), line.join()
    tasks = [
        await _wait(line, first, A),
        await _wait(line, second, A | B),
        await _wait(line, third, A | B),
    ]

    line.nudge()

    assert [await _is_awake(task) for task in tasks] == [True, True, False]


@plays
async def test_whoever_leaves_wakes_the_next() -> None:
    line = Line()
    first, second, third = line.join(), line.join(), line.join()
    before = await _wait(line, first, A)
    tasks = [await _wait(line, second, A), await _wait(line, third, A)]
    before.cancel()

    line.leave(first)
    await tasks[0]
    line.leave(second)
    await tasks[1]
    line.leave(third)
    line.leave(third)

    assert line.before(None) == frozenset()


@plays
async def test_who_waits_for_less_than_before_wakes_the_next_and_keeps_its_place() -> None:
    line = Line()
    first, second = line.join(), line.join()
    await line.wait(first, A | B, 0.0)
    behind = await _wait(line, second, A)

    again = await _wait(line, first, B)

    assert await _is_awake(behind)
    assert not await _is_awake(again)
    assert line.before(second) == B
    await _wait(line, first, A | B)
    assert line.before(second) == A | B


@plays
async def test_a_wait_ends_by_itself_and_keeps_the_place() -> None:
    line = Line()
    first = line.join()

    await line.wait(first, A, 0.01)

    assert line.before(None) == A
    assert line.before(first) == frozenset()
    line.nudge()  # nobody waits: nothing happens


@plays
async def test_a_cancelled_wait_leaves_no_trace() -> None:
    line = Line()
    first, second = line.join(), line.join()
    before, behind = await _wait(line, first, A), await _wait(line, second, A)

    before.cancel()
    await asyncio.gather(before, return_exceptions=True)
    line.leave(first)

    await behind
