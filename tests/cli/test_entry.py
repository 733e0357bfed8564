"""Whatever goes wrong becomes a sentence and an exit code."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from spillover import __version__
from spillover.cli.entry import COMMANDS, run
from spillover.simulator import ProviderSpec
from tests.cli.terminal import COMMAND, SECONDS, spillover
from tests.library.setting import SECOND, two_providers
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

HELPFUL = 65
"""Longest summary that the help of an 80-column terminal shows on one line."""


def test_the_version_is_told() -> None:
    shown = spillover("--version")

    assert (shown.returncode, shown.stdout) == (0, f"spillover {__version__}\n")


def test_the_help_lists_every_command_on_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    code = run(["--help"])

    lines = [line.strip("│ ").split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [line for line in lines if line in COMMANDS] == list(COMMANDS)
    assert "" not in lines[lines.index("serve") : lines.index("catalogue")]


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["status", "--nonsense"], ["use", "default"], ["serve", "--port", "70000"], []],
    ids=["command", "option", "too few", "port", "nothing"],
)
def test_wrong_use_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_a_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run([command, "--help"])

    assert code == 0
    assert f"spillover {command}" in capsys.readouterr().out


def test_a_broken_configuration_is_one_line_a_problem_and_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("profiles: {a: {provider: grok, model: m}}\nchains: {default: [b]}\n", "utf-8")

    shown = spillover("status", "--config", path)

    assert shown.returncode == 1
    assert shown.stdout == ""
    lines = shown.stderr.splitlines()
    assert all(line.startswith(f"spillover: {path}:") for line in lines)
    assert len(lines) >= 2
    assert "did you mean 'groq'?" in shown.stderr


def test_the_unexpected_is_one_line_and_its_place_is_shown_on_demand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    words = ["check", "--config", "~no-such-user/spillover.yaml"]

    code = run(words)
    quiet = capsys.readouterr().err
    monkeypatch.setenv("SPILLOVER_DEBUG", "1")
    run(words)
    loud = capsys.readouterr().err

    assert code == 1
    assert quiet.count("\n") == 1
    assert quiet.startswith("spillover: unexpected RuntimeError")
    assert "SPILLOVER_DEBUG=1" in quiet
    assert "Traceback" in loud


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", "utf-8")

    code = run(["init", "--config", str(tmp_path / "file" / "spillover.yaml")])

    assert code == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


@pytest.mark.parametrize("words", [["catalogue", "--json"], ["--version"]], ids=["much", "little"])
def test_a_reader_that_leaves_is_no_error(words: list[str]) -> None:
    with subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        noise = process.stderr.read()
        code = process.wait(SECONDS)

    assert noise == b""
    assert code == 1


def test_an_interrupt_is_no_error_but_has_its_own_code(tmp_path: Path) -> None:
    waiting = ProviderSpec(name="first", delay_s=600.0)
    with (
        two_providers(tmp_path, waiting, SECOND) as setting,
        subprocess.Popen(
            [*COMMAND, "ask", "hi", "--config", str(setting.path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        wait_until(lambda: setting.first.counters().in_flight == 1)
        process.send_signal(signal.SIGINT)
        _, noise = process.communicate(timeout=SECONDS)

    assert process.returncode == 130
    assert b"Traceback" not in noise
