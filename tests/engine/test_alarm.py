"""An alarm cancels what is awaited when its time is up, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from spillover.engine import Rounds
from spillover.engine.alarm import Alarm, running_task


async def waits(seconds: float) -> str:
    alarm = Alarm(Rounds(), running_task(), seconds)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        if alarm.was_it():
            return "rang"
        raise
    finally:
        alarm.put_off()
    return "went on"


def test_what_is_awaited_is_cancelled_when_the_time_is_up() -> None:
    assert asyncio.run(waits(0.01)) == "rang"


def test_time_that_is_up_already_rings_at_once() -> None:
    assert asyncio.run(waits(-1.0)) == "rang"


def test_alarm_that_was_put_off_does_not_ring() -> None:
    async def story() -> bool:
        alarm = Alarm(Rounds(), running_task(), 0.0)
        alarm.put_off()
        await asyncio.sleep(0.01)
        return alarm.rang

    assert asyncio.run(story()) is False


def test_cancellation_by_somebody_else_goes_on_its_way() -> None:
    async def story() -> None:
        task = asyncio.create_task(waits(60.0))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(story())


def test_client_that_leaves_as_the_time_is_up_is_not_kept() -> None:
    async def story() -> None:
        task = asyncio.create_task(waits(0.0))
        await asyncio.sleep(0)
        # Both in one turn of the loop: the alarm is due, and the client cancels.
        asyncio.get_running_loop().call_later(0, task.cancel)
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(story())


def test_requests_are_served_in_tasks_alone() -> None:
    async def story() -> None:
        found: list[BaseException] = []

        def outside() -> None:
            try:
                running_task()
            except RuntimeError as error:
                found.append(error)

        asyncio.get_running_loop().call_soon(outside)
        await asyncio.sleep(0.01)
        assert found

    asyncio.run(story())
