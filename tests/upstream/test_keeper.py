"""The keeper: as a script, between whoever started it and a command."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from spillover.upstream import keeper
from tests.upstream.commanding import is_alive
from tests.waiting import wait_until

SLEEP: Final = (sys.executable, "-c", "import time; time.sleep(600)")


def kept(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(keeper.__file__), "5", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_it_tells_the_commands_pid_and_how_it_ended() -> None:
    with kept(sys.executable, "-c", "import sys; sys.exit(3)") as process:
        assert process.stdout is not None
        said = process.stdout.read().split()

    assert said[::2] == ["pid", "exit"]
    assert said[3] == "3"


def test_it_tells_why_a_command_can_not_be_started() -> None:
    with kept("no-such-program") as process:
        assert process.stdout is not None
        said = process.stdout.read()

    assert said == "error No such file or directory: no-such-program\n"
    assert process.returncode == 1


def test_all_ends_when_its_standard_input_does() -> None:
    with kept(*SLEEP) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline().split()[1])
        assert is_alive(pid)
        process.communicate("")

    wait_until(lambda: not is_alive(pid))
