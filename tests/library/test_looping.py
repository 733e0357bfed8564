"""Code without an event loop waits for what runs on one."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from spillover.library.looping import LoopThread

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def looping() -> Iterator[LoopThread]:
    loop = LoopThread("test loop")
    try:
        yield loop
    finally:
        loop.stop()


async def thread_name() -> str:
    return threading.current_thread().name


def test_work_runs_in_the_loops_own_thread_and_its_result_comes_back() -> None:
    with looping() as loop:
        assert loop.run(thread_name()) == "test loop"


def test_an_error_comes_back_as_it_was_raised() -> None:
    async def fail() -> None:
        raise ValueError("no")

    with looping() as loop, pytest.raises(ValueError, match="no"):
        loop.run(fail())


def test_many_threads_may_wait_at_once() -> None:
    with looping() as loop:
        gate = loop.run(_event())
        found: list[bool] = []
        threads = [
            threading.Thread(target=lambda: found.append(loop.run(gate.wait()))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        loop.run(_open(gate))
        for thread in threads:
            thread.join(5)

    assert found == [True] * 8


def test_stopping_cancels_what_still_runs() -> None:
    ended = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def begin() -> asyncio.Task[None]:
        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        return task

    with looping() as loop:
        task = loop.run(begin())

    assert ended.is_set()
    assert task.cancelled()


def test_a_stopped_loop_says_so_and_stops_twice_without_harm() -> None:
    loop = LoopThread("stopped")
    loop.stop()
    loop.stop()

    with closing(thread_name()) as work, pytest.raises(RuntimeError, match="with"):
        loop.run(work)


async def _event() -> asyncio.Event:
    return asyncio.Event()


async def _open(gate: asyncio.Event) -> None:
    gate.set()
