"""An alarm cancels what is awaited when its time is up, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from spillover.engine import Rounds
from spillover.engine.alarm import Alarm


def alarm_in(seconds: float, rounds: Rounds | None = None) -> Alarm:
    rounds = rounds or Rounds()
    return Alarm(rounds, rounds.task(), seconds)


async def waits(seconds: float, rounds: Rounds | None = None) -> str:
    alarm = alarm_in(seconds, rounds)
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
        alarm = alarm_in(0.0)
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


class Leaving:
    """A client that leaves in the very turn in which an alarm is due."""

    def __init__(self, rounds: Rounds, task: asyncio.Task[str]) -> None:
        self.due_at = rounds.time()
        self.ring = task.cancel
        rounds.add(self)


def test_client_that_leaves_as_the_time_is_up_is_not_kept() -> None:
    async def story() -> None:
        rounds = Rounds()
        task = asyncio.create_task(waits(0.0, rounds))
        await asyncio.sleep(0)
        Leaving(rounds, task)
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(story())
