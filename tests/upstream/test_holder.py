"""Who listens on a port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from spillover.upstream.holder import holder, users_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell")
def test_who_listens_on_a_port_is_named_with_its_pid() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        found = holder(server.getsockname()[1])

    assert found is not None
    assert f"(pid {os.getpid()})" in found


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell")
def test_a_long_command_is_named_by_its_beginning() -> None:
    serve = (
        "import socket, sys\nserver = socket.create_server(('127.0.0.1', 0));"
        " print(server.getsockname()[1], flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", serve, "x" * 500]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None

        found = holder(int(process.stdout.readline()))
        process.communicate()

    assert found is not None
    assert found.startswith(sys.executable)
    assert "sys server" in found  # in one line
    assert found.endswith(f"… (pid {process.pid})")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell")
def test_who_has_a_file_open_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("w"):
        found = users_of(path)

    assert any(f"(pid {os.getpid()})" in each for each in found)
    assert users_of(path) == ()


def test_nobody_has_a_port_that_is_free() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

    assert holder(port) is None
