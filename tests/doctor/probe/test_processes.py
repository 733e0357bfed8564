"""What the system tells of processes."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import closing

import pytest

from spillover.doctor.judge.ports import pid_of
from spillover.doctor.probe.processes import holder_of, memory_and_age, printed
from spillover.doctor.systems import System

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere the system tells otherwise"
)


@on_linux
def test_who_has_a_port_is_named() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        found = holder_of(server.getsockname()[1], System.LINUX)

    assert pid_of(found) == os.getpid()


def test_a_program_that_is_not_there_tells_nothing() -> None:
    assert printed("no-such-program-of-any-system") == ""
    assert printed(sys.executable, "-c", "print('hi')").strip() == "hi"
    assert printed(sys.executable, "-c", "import time; print(1, flush=True); raise SystemExit(1)")


@pytest.mark.parametrize("system", [System.MACOS, System.WINDOWS])
def test_a_system_that_tells_nothing_names_nobody(system: System) -> None:
    assert holder_of(1, system) == ""
    assert pid_of("") is None


@on_linux
def test_memory_and_age_are_those_of_the_process_and_its_group() -> None:
    found = memory_and_age(os.getpid())

    assert found is not None
    memory, age_s = found
    assert memory > 1 << 20
    assert age_s >= 0
    assert memory_and_age(1 << 30) is None
