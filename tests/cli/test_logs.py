"""`spillover logs` as people run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from spillover.cli.logs import USUAL_LINES
from spillover.config.locate import log_folder
from spillover.events.log import FILE_NAME
from spillover.events.logfile import LogFile
from tests.cli.in_process import Done, runner
from tests.cli.terminal import COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = '{"at":"2020-01-15T08:00:00Z","level":"warning","type":"log","logger":"a","message":"old"}'
NEW = '{"at":"2100-01-15T08:00:00Z","level":"info","type":"config.reloaded","path":"new"}'


@pytest.fixture(name="spillover")
def _spillover(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    return runner(capsys)


@pytest.fixture(name="file")
def _file() -> LogFile:
    return LogFile(log_folder(os.environ) / FILE_NAME, largest=150)


def add(file: LogFile, *lines: str) -> None:
    for line in lines:
        file.append(line.encode() + b"\n")


def test_lines_of_old_files_come_first(spillover: Callable[..., Done], file: LogFile) -> None:
    add(file, OLD, NEW)
    assert file.files[1].exists()

    shown = spillover("logs").stdout.splitlines()

    assert [line[21:] for line in shown] == ["warning  a: old", "info     new was taken over"]


def test_lines_are_chosen_and_given_as_they_are(
    spillover: Callable[..., Done], file: LogFile
) -> None:
    add(file, OLD, "torn", NEW)

    assert spillover("logs", "--json", "--level", "warning").stdout == OLD + "\n"
    assert spillover("logs", "--json", "--since", "1h").stdout == NEW + "\n"
    nobody = spillover("logs", "--profile", "nobody")
    assert (nobody.stdout, nobody.returncode) == ("", 0)
    assert f"nothing that fits was logged in {file.path}" in nobody.stderr


def test_the_latest_lines_are_shown_and_more_where_they_are_asked_for(
    spillover: Callable[..., Done],
) -> None:
    file = LogFile(log_folder(os.environ) / FILE_NAME)
    add(file, *(NEW.replace("new", f"{number}") for number in range(USUAL_LINES + 50)))

    shown = spillover("logs").stdout.splitlines()

    assert (len(shown), shown[0][30:].split()[0]) == (USUAL_LINES, "50")
    assert len(spillover("logs", "-n", "3").stdout.splitlines()) == 3
    assert len(spillover("logs", "-n", "0").stdout.splitlines()) == USUAL_LINES + 50
    assert len(spillover("logs", "--since", "1h").stdout.splitlines()) == USUAL_LINES + 50


def test_wrong_words_and_an_empty_place_are_told(spillover: Callable[..., Done]) -> None:
    wrong = spillover("logs", "--since", "yesterday")
    nothing = spillover("logs")

    assert wrong.returncode == 2
    assert "'yesterday'" in wrong.stderr
    assert "nothing was logged yet" in nothing.stderr


def test_following_shows_what_comes_across_new_files(file: LogFile) -> None:
    add(file, OLD)
    with subprocess.Popen(
        [*COMMAND, "logs", "-f", "--json"], stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        add(file, NEW, NEW.replace("new", "newer"))
        then = [json.loads(process.stdout.readline())["path"] for _ in range(2)]
        process.send_signal(signal.SIGINT)

    assert (first["message"], then) == ("old", ["new", "newer"])
    assert process.returncode == 130
