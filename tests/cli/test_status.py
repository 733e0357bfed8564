"""`spillover status` shows what was counted, once or as it changes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from spillover.cli.entry import run
from tests.cli.terminal import COMMAND, SECONDS, plain, read, spillover
from tests.library.setting import Setting, ask, two_providers
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path) as setting:
        yield setting


def test_a_ladder_shows_what_was_counted(setting: Setting) -> None:
    ask(setting.path, times=3)

    shown = spillover("status", "--config", setting.path)

    assert shown.returncode == 0
    assert "next: second" in shown.stdout
    assert "1  first   ● exhausted  free   limit, back in " in shown.stdout
    assert "2/2 · 0 left" in shown.stdout
    assert "▸  2  second  ● active     paid" in shown.stdout
    assert "last minute 2 req " in shown.stdout


def test_json_is_the_document_that_the_gateway_answers(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(setting.path, times=1)

    run(["status", "--json", "--config", str(setting.path)])

    document = json.loads(capsys.readouterr().out)
    assert document["chains"]["default"]["serving"] == "first"
    assert document["profiles"]["first"]["limits"][0]["used"] == 1


def test_a_ledger_that_is_not_kept_is_shown(
    setting: Setting,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    blocked = tmp_path / "a file where the folder should be"
    blocked.write_text("", "utf-8")
    monkeypatch.setenv("SPILLOVER_STATE_DIR", str(blocked))

    code = run(["status", "--config", str(setting.path)])

    assert code == 0
    assert "in memory until it can" in capsys.readouterr().err


def test_line_is_reached_from_anywhere_in_the_command(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["--", "status", "--line", "--config", str(setting.path)])

    assert code == 0
    assert capsys.readouterr().out == "first 0/2 RPM ▸ next second\n"


def test_watching_shows_changes_live_until_the_person_leaves(setting: Setting) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "status", "--watch", "--config", str(setting.path)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={
            **os.environ,
            "TERM": "xterm-256color",
            "PYTHONUTF8": "1",
            "COLUMNS": "80",
            "LINES": "40",
        },
    )
    os.close(theirs)
    drawn = bytearray()
    threading.Thread(target=read, args=(ours, drawn), daemon=True).start()
    try:
        wait_until(lambda: "0/2" in plain(drawn.decode()))
        ask(setting.path, times=2)
        wait_until(lambda: "2/2 · 0 left" in plain(drawn.decode()))
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(SECONDS)
        os.close(ours)

    assert code == 0


def test_watching_needs_a_terminal(setting: Setting) -> None:
    shown = spillover("status", "--watch", "--config", setting.path)

    assert shown.returncode == 2
    assert "terminal" in shown.stderr
