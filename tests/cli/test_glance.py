"""A prompt's line comes from the gateway's file, and nothing is loaded for it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from spillover.cli.glance import glanced, shown, state_folder
from spillover.config import locate
from spillover.ledger.linefile import write

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_000.0
FOUND = {"config": "", "chain": "default", "serving": "a", "used": "12", "amount": "1000"}
FOUND |= {"limit": "RPD", "next": "b", "waited": "c", "back_at": "1042.0"}


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{line}", "a 12/1000 RPD ▸ next b"),
        ("{serving}: {used} of {amount}, {back}", "a: 12 of 1000, c back in 42 s"),
        ("{chain} {limit} {next}", "default RPD b"),
    ],
)
def test_a_template_says_what_the_line_holds(template: str, line: str) -> None:
    assert shown(FOUND, template, NOW) == line + "\n"


def test_nothing_is_said_where_there_is_no_chain() -> None:
    assert shown({"config": ""}, "busy: {line}", NOW) == ""


def test_the_file_is_looked_for_where_the_state_is() -> None:
    assert state_folder(os.environ) == str(locate.state_folder(os.environ))


def test_the_users_own_folder_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPILLOVER_STATE_DIR")
    assert state_folder(os.environ) == str(locate.state_folder(os.environ))
    monkeypatch.delenv("XDG_STATE_HOME")
    assert state_folder(os.environ) == str(locate.state_folder(os.environ))


@pytest.mark.parametrize(
    ("platform", "folder"),
    [("win32", "spillover"), ("darwin", "Library/Application Support/spillover")],
)
def test_other_systems_have_other_folders(
    monkeypatch: pytest.MonkeyPatch, platform: str, folder: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    assert state_folder({}).endswith(folder)


def test_a_file_of_another_configuration_is_not_taken(own_folders: Path) -> None:
    own_folders.mkdir()
    write(own_folders, {**FOUND, "config": "/one.yaml"})

    assert glanced(["--line"]) is not None
    assert glanced(["--line", "--config=/one.yaml"]) is not None
    assert glanced(["--line", "--config=/two.yaml"]) is None


def test_what_is_wrong_is_left_to_be_told(own_folders: Path) -> None:
    own_folders.mkdir()
    write(own_folders, FOUND)

    assert glanced(["--line", "--lines"]) is None


def test_nothing_is_loaded_for_it(own_folders: Path) -> None:
    own_folders.mkdir()
    write(own_folders, FOUND)
    program = "import sys, spillover.cli as cli; sys.argv[1:] = ['status', '--line']"
    told = "import atexit; atexit.register(lambda: print(*sorted(sys.modules)))"

    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"{program}; {told}; cli.main()"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=60,
    )

    line, loaded = ran.stdout.splitlines()
    assert line.startswith("a 12/1000 RPD ▸ next b")
    assert not {"typing", "re", "enum", "asyncio", "json", "typer", "msgspec"} & set(loaded.split())
