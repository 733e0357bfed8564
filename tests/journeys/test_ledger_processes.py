"""Real processes that share one ledger's file: exact together, and nothing lost when one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spillover.clock import SystemClock
from spillover.ledger.book import LEASE_S
from tests.ledger.keeping import HandClock, opened, run, used
from tests.ledger.worker import FIFTY, MANY

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60.0
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its signals and limits are others")


@contextmanager
def worker(mode: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process on a ledger's file, killed at the end if it is still there."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.worker", mode, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    """What a worker says next; nothing when it has ended."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_eight_processes_that_ask_at_once_are_granted_exactly_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with ExitStack() as stack:
        workers = [stack.enter_context(worker("ask", path)) for _ in range(8)]
        assert {line(each) for each in workers} == {"ready"}
        for each in workers:
            go_on(each)

        granted = [int(line(each)) for each in workers]

        assert sum(granted) == 50
        for each in workers:
            go_on(each)
        assert [each.wait(SECONDS) for each in workers] == [0] * 8

    async def story() -> None:
        clock = HandClock(SystemClock().now())
        async with opened(path, clock) as ledger:
            assert used(ledger, FIFTY, clock.now())[0] == 50

    run(story)


def test_killed_process_loses_no_settlement_and_its_open_calls_count_as_used(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"
    with worker("load", path) as process:
        told = [line(process) for _ in range(300)]
        process.send_signal(signal.SIGKILL)
        assert process.stdout is not None
        told += process.stdout.read().split()
        assert process.wait(SECONDS) == -signal.SIGKILL

    async def story() -> None:
        clock = HandClock(SystemClock().now())
        async with opened(path, clock) as ledger:
            in_flight = len(ledger.book.open)
            requests, tokens = used(ledger, MANY, clock.now())
            assert requests - in_flight >= len(told)
            assert tokens == (requests - in_flight) * 100

            clock.goes_on(LEASE_S + 1.0)
            await ledger.renew()

            assert in_flight > 0
            assert not ledger.book.open
            assert ledger.book.learned["a"].presumed == in_flight
            assert used(ledger, MANY, clock.now()) == (requests, requests * 100)
            assert ledger.book.counters.tallies["profile:a"].in_flight == 0

    run(story)


def calls_counted(path: Path) -> int:
    found: list[int] = []

    async def story() -> None:
        clock = HandClock(SystemClock().now())
        async with opened(path, clock) as ledger:
            found.append(used(ledger, MANY, clock.now())[0])

    run(story)
    return found[0]


def test_file_that_can_not_grow_is_written_when_it_can(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with worker("full", path) as process:
        line(process)
        failing = line(process)
        go_on(process)

        assert failing != "durable"
        assert line(process) == "durable"
        assert process.wait(SECONDS) == 0

    assert calls_counted(path) == 20


def test_folder_that_can_not_be_written_is_used_when_it_can() -> None:
    with tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)  # noqa: PTH101, S103 - the worker is somebody else
        folder = Path(parent) / "state"
        folder.mkdir(mode=0o555)
        path = folder / "ledger.db"
        with worker("read-only", path) as process:
            said = line(process)
            folder.chmod(0o777)
            line(process)
            go_on(process)

            assert "unable to open database file" in said
            assert line(process) == "durable"
            assert process.wait(SECONDS) == 0

        assert calls_counted(path) == 20
