"""Waiting requests: for each profile, first come, first woken."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from spillover.engine.line import Line
from spillover.events import LimitReached
from spillover.simulator import ProviderSpec
from tests.engine.staging import HELLO, plays, staged
from tests.waiting import eventually

PICTURE = {
    "model": "default",
    "messages": [
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}],
        }
    ],
}
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


# Requests in line.


def numbered(body: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a request that can be told from others where it arrives."""
    return {**body, "seed": number}


@plays
async def test_a_request_that_waits_for_the_one_profile_it_can_use_holds_up_nobody_else() -> None:
    profiles = {"p0": {"limits": {"concurrency": 1}}, "p1": {"lacks": ["vision"]}}
    chain = {"when_exhausted": {"wait": "5s"}}

    async with staged(ProviderSpec(delay_s=1), "generic", profiles=profiles, chain=chain) as stage:
        serving = asyncio.create_task(stage.ask())
        await eventually(lambda: stage.sent_to(0) == 1)
        waiting = asyncio.create_task(stage.ask(PICTURE))
        await eventually(lambda: bool(stage.events(LimitReached)))

        answers = await stage.ask_all(5)

        assert not serving.done(), "nobody waited until there was room where only one waits for it"
        assert not waiting.done()
        assert {got.profile for got in answers} == {"p1"}
        assert [(await task).profile for task in (serving, waiting)] == ["p0", "p0"]


@plays
async def test_nobody_is_overtaken_on_a_profile_it_waits_for() -> None:
    one = {"limits": {"concurrency": 1}}
    chain = {"when_exhausted": {"wait": "5s"}}
    spec = ProviderSpec(delay_s=0.05)
    asked = [numbered(HELLO if n % 3 else PICTURE, n) for n in range(12)]

    async with staged(
        spec, spec, profiles={"p0": one, "p1": {**one, "lacks": ["vision"]}}, chain=chain
    ) as stage:
        answers = await asyncio.gather(*(stage.ask(body) for body in asked))

        assert {got.profile for got in answers[::3]} == {"p0"}
        assert {got.profile for got in answers} == {"p0", "p1"}
        for provider in stage.providers:
            came = [int(msgspec.json.decode(each.body)["seed"]) for each in provider.records]
            assert came == sorted(came)
