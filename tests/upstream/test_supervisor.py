"""A local server is kept up: started, watched, brought back, renewed, and ended with all it began."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from spillover.core.managed import Managed, ManagedState, Restart
from spillover.core.values import FailureClass
from spillover.upstream.output import Output
from spillover.upstream.supervisor import Supervisor
from tests import own_time
from tests.upstream.commanding import command, free_port, is_alive
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from spillover.upstream.supervisor import Report


@dataclass
class Requests:
    """What a supervisor is told of requests, and does to them."""

    calls: int = 0
    let: bool = True
    told: list[Report] = field(default_factory=list)

    async def keep_away(self, for_s: float, message: str) -> None:
        assert for_s > 0
        assert message
        self.let = False

    async def let_in(self) -> None:
        self.let = True

    def in_flight(self) -> int:
        return self.calls

    def changed(self, report: Report) -> None:
        self.told.append(report)

    def reasons(self) -> str:
        return "\n".join(report.reason or "" for report in self.told)


class Watched:
    """A supervisor that runs."""

    def __init__(self, supervisor: Supervisor, requests: Requests) -> None:
        self.supervisor = supervisor
        self.requests = requests

    @property
    def report(self) -> Report:
        return self.supervisor.report

    async def running(self, *, starts: int = 1) -> int:
        """Wait until that many starts are behind and the server is healthy; return its pid."""
        await eventually(
            lambda: (
                self.report.state is ManagedState.RUNNING
                and self.report.starts >= starts
                and self.requests.let
            ),
        )
        assert self.report.pid is not None
        return self.report.pid


@asynccontextmanager
async def supervised(
    folder: Path, *arguments: object, port: int | None = None, **settings: Any
) -> AsyncIterator[Watched]:
    """Keep the tests' server up while the context lasts."""
    port = port or free_port()
    spec = Managed(
        name="local",
        folder=str(folder),
        host="127.0.0.1",
        port=port,
        log=str(folder / "logs" / "local.log"),
        **{
            "command": command(port, *arguments),
            "health": "/health",
            "health_every_s": 0.2,
            **settings,
        },
    )
    requests = Requests()
    output = Output(spec.log, lambda text: text.replace("s3cr3t-value", "…"))
    environ = {"LOCAL_SECRET": "s3cr3t-value"}
    supervisor = Supervisor(spec, environ, ties=requests, output=output)
    task = asyncio.create_task(supervisor.run())
    try:
        yield Watched(supervisor, requests)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert supervisor.report.pid is None


def test_a_server_is_started_and_its_output_kept_without_secrets(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path, "--say", "hello from") as watched:
            await watched.running()
            assert watched.report.failures == 0

    own_time.run(main())

    assert "hello from …" in (tmp_path / "logs" / "local.log").read_text("utf-8")


def test_no_request_is_let_in_before_the_server_is_healthy(tmp_path: Path) -> None:
    hang = tmp_path / "hang"
    hang.touch()

    async def main() -> None:
        async with supervised(tmp_path, "--hang", hang) as watched:
            await eventually(lambda: watched.report.pid)
            assert not watched.requests.let
            hang.unlink()
            await watched.running()

    own_time.run(main())


def test_a_killed_server_is_back_after_its_pause(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path) as watched:
            first = await watched.running()
            os.kill(first, signal.SIGKILL)
            second = await watched.running(starts=2)
            assert second != first
            assert "ended by signal 9" in watched.requests.reasons()
            assert "next start in 0.5 s" in watched.requests.reasons()
            assert "next start" not in (watched.report.reason or "")

    own_time.run(main())


def test_a_server_whose_keeper_is_killed_is_ended_and_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path) as watched:
            first = await watched.running()
            os.kill(os.getpgid(first), signal.SIGKILL)
            await watched.running(starts=2)
            assert not is_alive(first)
            assert "it was killed" in watched.requests.reasons()

    own_time.run(main())


def test_a_hung_server_is_replaced(tmp_path: Path) -> None:
    hang = tmp_path / "hang"

    async def main() -> None:
        async with supervised(tmp_path, "--hang", hang) as watched:
            first = await watched.running()
            hang.touch()
            await eventually(lambda: not is_alive(first))
            hang.unlink()
            await watched.running(starts=2)
            assert "does not answer its health check" in watched.requests.reasons()

    own_time.run(main())


def test_a_server_that_never_gets_healthy_is_started_anew(tmp_path: Path) -> None:
    hang = tmp_path / "hang"
    hang.touch()

    async def main() -> None:
        async with supervised(tmp_path, "--hang", hang, start_within_s=0.5) as watched:
            await eventually(lambda: watched.report.starts >= 2)
            assert "was not healthy within 0.5 s" in watched.requests.reasons()

    own_time.run(main())


def test_a_command_that_exits_at_once_is_started_ever_more_seldom(tmp_path: Path) -> None:
    exits = (sys.executable, "-c", "import sys; sys.exit('no such model')")

    async def main() -> None:
        async with supervised(tmp_path, command=exits) as watched:
            await eventually(lambda: "next start in 2 s" in watched.requests.reasons())
            reasons = watched.requests.reasons()
            assert "it exited with status 1: no such model" in reasons
            assert [f"in {pause} s" in reasons for pause in ("0.5", "1", "2")] == [True] * 3
            assert watched.report.failures >= 3

    own_time.run(main())


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path, command=("no-such-program",)) as watched:
            await eventually(lambda: watched.report.state is ManagedState.WAITING)
            assert "No such file or directory: no-such-program" in (watched.report.reason or "")

    own_time.run(main())


def test_a_port_that_another_process_has_is_named_with_that_process(tmp_path: Path) -> None:
    async def main() -> None:
        taken = socket.create_server(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with supervised(tmp_path, port=port) as watched:
            with closing(taken):
                await eventually(lambda: watched.report.state is ManagedState.WAITING)
                assert f"port {port} is in use by" in (watched.report.reason or "")
                assert watched.report.starts == 0
            await watched.running()

    own_time.run(main())


@pytest.mark.parametrize(
    ("arguments", "settings", "reason"),
    [
        ((), {"max_age_s": 1.0}, "older than max_age (1 s)"),
        (("--grow", 120), {"max_memory": 100 << 20}, "over max_memory (100 MiB)"),
    ],
    ids=["age", "memory"],
)
def test_a_server_is_recycled_between_requests(
    tmp_path: Path, arguments: tuple[object, ...], settings: dict[str, Any], reason: str
) -> None:
    async def main() -> None:
        async with supervised(tmp_path, *arguments, **settings) as watched:
            first = await watched.running()
            watched.requests.calls = 1
            await eventually(lambda: watched.report.state is ManagedState.RECYCLING)
            assert reason in (watched.report.reason or "")
            assert watched.requests.let
            assert is_alive(first)
            watched.requests.calls = 0
            second = await watched.running(starts=2)
            assert second != first
            assert watched.report.failures == 0

    own_time.run(main())


def test_a_server_that_left_in_peace_is_back_when_a_request_misses_it(tmp_path: Path) -> None:
    leaves = (sys.executable, "-c", "")

    async def main() -> None:
        async with supervised(tmp_path, command=leaves) as watched:
            await eventually(lambda: watched.report.state is ManagedState.STOPPED)
            await eventually(lambda: watched.requests.let)
            watched.supervisor.failed(FailureClass.NETWORK)
            await eventually(lambda: watched.report.starts == 2)

    own_time.run(main())


def test_a_server_that_is_never_to_be_restarted_stays_away(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path, restart=Restart.NEVER) as watched:
            os.kill(await watched.running(), signal.SIGKILL)
            await eventually(lambda: watched.report.state is ManagedState.STOPPED)
            watched.supervisor.failed(FailureClass.NETWORK)
            assert watched.report.starts == 1

    own_time.run(main())


def test_a_server_that_answers_502_is_renewed_once_it_has_served(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path) as watched:

            def renewed() -> bool:
                watched.supervisor.failed(FailureClass.BAD_GATEWAY)
                return watched.report.starts > 1

            first = await watched.running()
            watched.requests.let = False
            watched.supervisor.failed(FailureClass.BAD_GATEWAY)
            # So soon after the start it is put down to before it: requests are let in again.
            await eventually(lambda: watched.requests.let)
            assert is_alive(first)
            await eventually(renewed)
            assert await watched.running(starts=2) != first
            assert "a request was answered 502" in watched.requests.reasons()

    own_time.run(main())


def test_a_retired_server_ends_when_its_last_request_did(tmp_path: Path) -> None:
    async def main() -> None:
        async with supervised(tmp_path) as watched:
            pid = await watched.running()
            watched.requests.calls = 1
            watched.supervisor.retire("its settings changed")
            await eventually(lambda: watched.report.state is ManagedState.RECYCLING)
            assert is_alive(pid)
            watched.requests.calls = 0
            await eventually(lambda: not is_alive(pid))

    own_time.run(main())


def test_the_end_takes_every_process_of_the_group_along(tmp_path: Path) -> None:
    child = tmp_path / "child"

    async def main() -> int:
        async with supervised(tmp_path, "--child", child) as watched:
            return await watched.running()

    pid = own_time.run(main())

    assert not is_alive(pid)
    assert not is_alive(int(child.read_text()))
