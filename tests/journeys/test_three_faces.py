"""Gateway, library and command line, each a process of its own on one state folder, act as one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.terminal import spillover
from tests.journeys.processes import (
    PROMPTMARK,
    SECONDS,
    assert_discreet,
    document,
    gateway,
    write,
)
from tests.structure.project import ROOT
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.journeys.processes import Gateway, Provider

LIMIT = 20


class Program:
    """A process that uses the library."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert self.says() == "ready"

    def says(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def ask(self, times: int = 1) -> list[str]:
        """Return who served each of several chats at once."""
        served: list[str] = self._told(times)
        return served

    def status(self, profile: str) -> str:
        """Return how a profile stands as far as it knows."""
        status: str = self._told(profile)
        return status

    def _told(self, asked: object) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{asked}\n")
        self._process.stdin.flush()
        return json.loads(self.says())


@dataclass(frozen=True, kw_only=True)
class Faces:
    """A gateway, a process that uses the library, and the folder they share with commands."""

    gateway: Gateway
    program: Program
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        return {"SPILLOVER_STATE_DIR": str(self.folder / "state")}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return spillover(*words, "--config", self.folder / "spillover.yaml", **self.variables)


@contextmanager
def program(config: Path, **variables: str) -> Iterator[Program]:
    """Run a process that uses the library; its errors are searched when it ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.library_process", str(config)],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Program(process)
    finally:
        _, errors = process.communicate(timeout=SECONDS)
    assert_discreet(errors)
    assert process.returncode == 0


@pytest.fixture(name="running", scope="module")
def _running(
    tmp_path_factory: pytest.TempPathFactory, free_provider: Provider, paid_provider: Provider
) -> Iterator[Faces]:
    folder = tmp_path_factory.mktemp("faces")
    written = document(free_provider, paid_provider, limits={"requests_per_minute": LIMIT})
    config = write(folder / "spillover.yaml", written)
    state = {"SPILLOVER_STATE_DIR": str(folder / "state")}
    with gateway(config, **state) as served, program(config, **state) as used:
        yield Faces(gateway=served, program=used, folder=folder)


@pytest.fixture(name="faces")
def _faces(running: Faces, first: Provider, second: Provider) -> Faces:
    """Let every test begin with unused limits."""
    assert running.gateway.post("/api/usage/clear", {}).status == 200
    return running


def test_all_three_together_send_exactly_as_many_as_the_limit(
    faces: Faces, first: Provider, second: Provider
) -> None:
    with ThreadPoolExecutor(32) as pool:
        by_command = [pool.submit(faces.command, "ask", PROMPTMARK) for _ in range(2)]
        by_library = pool.submit(faces.program.ask, LIMIT)
        by_gateway = [pool.submit(faces.gateway.served_by) for _ in range(LIMIT)]
        answered = [each.result() for each in by_gateway] + by_library.result()
        commands = [each.result() for each in by_command]

    assert {each.returncode for each in commands} == {0}
    assert len(answered) == 2 * LIMIT
    assert first.counters()["received"] == LIMIT
    assert second.accepted == LIMIT + 2
    assert faces.gateway.used(span="minute")["requests"] == LIMIT


def test_a_cooldown_that_the_gateway_met_keeps_the_library_away(
    faces: Faces, first: Provider
) -> None:
    first.script("overloaded")

    by_gateway = faces.gateway.served_by()
    wait_until(lambda: faces.program.status("first") == "cooldown")
    by_library = faces.program.ask(5)

    assert by_gateway == "second"
    assert by_library == ["second"] * 5
    assert first.counters()["received"] == 1


def serves(gateway: Gateway, profile: str) -> bool:
    return gateway.served_by() == profile


def test_what_a_command_changes_a_running_gateway_does(
    faces: Faces,
) -> None:
    faces.program.ask(LIMIT)
    changes = [
        (("usage", "clear", "first"), "first"),
        (("use", "default", "second"), "second"),
        (("use", "default", "auto"), "first"),
        (("disable", "first"), "second"),
        (("enable", "first"), "first"),
    ]

    for words, profile in changes:
        shown = faces.command(*words)
        wait_until(partial(serves, faces.gateway, profile))

        assert shown.returncode == 0, shown.stderr
