"""Many waits share one timer: none rings early, none is forgotten, and an idle loop has no timer."""

from __future__ import annotations

import asyncio

from spillover.engine.rounds import TICK_S, Rounds
from tests import own_time
from tests.waiting import eventually


class Sleeper:
    """One that notes when it was woken."""

    def __init__(self, rounds: Rounds, seconds: float) -> None:
        self.due_at = rounds.time() + seconds
        self.woken: list[float] = []
        self._rounds = rounds

    def ring(self) -> None:
        self.woken.append(self._rounds.time())


async def until_woken(*sleepers: Sleeper, times: int = 1) -> None:
    await eventually(lambda: all(len(sleeper.woken) == times for sleeper in sleepers))


def test_each_is_woken_once_and_never_early() -> None:
    async def story() -> list[Sleeper]:
        rounds = Rounds()
        sleepers = [Sleeper(rounds, seconds) for seconds in (0.0, -1.0, 0.05, 0.1)]
        for sleeper in sleepers:
            rounds.add(sleeper)
        await until_woken(*sleepers)
        await asyncio.sleep(2 * TICK_S)
        return sleepers

    for sleeper in own_time.run(story()):
        assert len(sleeper.woken) == 1
        assert sleeper.woken[0] >= sleeper.due_at


def test_one_that_is_dropped_is_not_woken_and_may_be_dropped_again() -> None:
    async def story() -> Sleeper:
        rounds = Rounds()
        dropped, other = Sleeper(rounds, 0.0), Sleeper(rounds, TICK_S)
        rounds.add(dropped)
        rounds.add(other)
        rounds.drop(dropped)
        rounds.drop(dropped)
        await until_woken(other)
        return dropped

    assert not own_time.run(story()).woken


def test_one_may_come_back_while_it_is_woken_and_after_a_rest() -> None:
    class Returning(Sleeper):
        def ring(self) -> None:
            super().ring()
            if len(self.woken) == 1:
                self._rounds.add(self)

    async def story() -> tuple[int, int]:
        rounds = Rounds()
        returning = Returning(rounds, 0.0)
        rounds.add(returning)
        await until_woken(returning, times=2)
        await asyncio.sleep(2 * TICK_S)  # nobody is looked after: the timer has ended
        late = Sleeper(rounds, 0.0)
        rounds.add(late)
        await until_woken(late)
        return len(returning.woken), len(late.woken)

    assert own_time.run(story()) == (2, 1)


def test_requests_are_served_in_tasks_alone() -> None:
    async def story() -> BaseException | None:
        found: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

        def outside() -> None:
            try:
                Rounds().task()
            except RuntimeError as error:
                found.set_result(error)

        asyncio.get_running_loop().call_soon(outside)
        return await found

    assert own_time.run(story()) is not None
