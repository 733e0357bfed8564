"""A client that leaves or dawdles is noticed; one that doesn't costs nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from spillover.engine import Rounds
from spillover.gateway.vigil import QUICK_S, Vigil
from tests import own_time

if TYPE_CHECKING:
    from spillover.gateway.asgi import Message


class Line:
    """What a client does, when the test lets it."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Message] = asyncio.Queue()
        self.listened = 0

    async def receive(self) -> Message:
        self.listened += 1
        return await self._queue.get()

    def say(self, kind: str, body: bytes = b"", *, more: bool = False) -> None:
        self._queue.put_nowait({"type": kind, "body": body, "more_body": more})


async def cancelled(work: asyncio.Event) -> bool:
    """Wait for what never comes; return whether the wait was cancelled."""
    try:
        async with asyncio.timeout(5):
            await work.wait()
    except asyncio.CancelledError:
        return True
    return False


def test_a_client_that_leaves_cancels_the_work() -> None:
    async def visit() -> tuple[bool, bool]:
        line = Line()
        vigil = Vigil(line.receive, Rounds(), dawdle_s=30)
        vigil.heard_all()
        asyncio.get_running_loop().call_later(2 * QUICK_S, line.say, "http.disconnect")
        return await cancelled(asyncio.Event()), vigil.left

    assert own_time.run(visit()) == (True, True)


def test_nobody_listens_while_a_request_is_quick() -> None:
    async def visit() -> int:
        line = Line()
        vigil = Vigil(line.receive, Rounds(), dawdle_s=30)
        vigil.heard_all()
        vigil.end()
        await asyncio.sleep(2 * QUICK_S)
        return line.listened

    assert own_time.run(visit()) == 0


def test_after_the_end_a_client_may_leave() -> None:
    async def visit() -> bool:
        line = Line()
        vigil = Vigil(line.receive, Rounds(), dawdle_s=30)
        vigil.heard_all()
        await asyncio.sleep(2 * QUICK_S)
        vigil.end()
        line.say("http.disconnect")
        await asyncio.sleep(QUICK_S)
        return vigil.left

    assert own_time.run(visit()) is False


def test_a_body_that_took_its_time_is_watched_over_at_once_when_it_is_whole() -> None:
    async def visit() -> tuple[bool, bool, bool]:
        line = Line()
        vigil = Vigil(line.receive, Rounds(), dawdle_s=10)
        await asyncio.sleep(2 * QUICK_S)
        vigil.heard_all()
        line.say("http.disconnect")
        return await cancelled(asyncio.Event()), vigil.left, vigil.dawdled

    assert own_time.run(visit()) == (True, True, False)


def test_a_client_that_stops_sending_is_given_up() -> None:
    async def visit() -> tuple[bool, bool]:
        line = Line()
        vigil = Vigil(line.receive, Rounds(), dawdle_s=0.05)
        try:
            async with asyncio.timeout(5):
                await vigil.receive()
        except asyncio.CancelledError:
            return vigil.dawdled, vigil.left
        return False, False

    assert own_time.run(visit()) == (True, False)


def test_a_client_that_sends_slowly_but_steadily_is_not_given_up() -> None:
    async def visit() -> tuple[bool, int]:
        line = Line()
        vigil = Vigil(line.receive, Rounds(), dawdle_s=0.1)
        parts = 8
        for number in range(parts):
            line.say("http.request", b"x", more=number < parts - 1)
            await vigil.receive()
            await asyncio.sleep(0.04)
        vigil.heard_all()
        vigil.end()
        return vigil.dawdled, line.listened

    assert own_time.run(visit())[0] is False


async def given_up(size: int) -> bool:
    """Send a body in many parts of `size` bytes; return whether the client was given up for it."""
    line = Line()
    vigil = Vigil(line.receive, Rounds(), dawdle_s=0.1, grace_s=0.2)
    try:
        for _ in range(20):
            line.say("http.request", b"x" * size, more=True)
            await vigil.receive()
            await asyncio.sleep(0.04)
    except asyncio.CancelledError:
        return vigil.dawdled
    vigil.end()
    return False


def test_a_client_that_drips_its_body_is_given_up() -> None:
    assert own_time.run(given_up(1))


def test_a_large_body_may_come_over_a_slow_line() -> None:
    assert not own_time.run(given_up(200))


def test_a_vigil_is_kept_for_a_task() -> None:
    async def make() -> BaseException | None:
        found: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

        def outside() -> None:
            try:
                Vigil(Line().receive, Rounds(), dawdle_s=30)
            except RuntimeError as error:
                found.set_result(error)

        asyncio.get_running_loop().call_soon(outside)
        return await found

    with pytest.raises(RuntimeError, match="tasks"):
        raise own_time.run(make()) or AssertionError
