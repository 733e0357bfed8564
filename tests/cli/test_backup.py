"""`spillover backup` and `restore` as people run them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.in_process import Done, runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = """\
profiles:
  a:
    {base_url: 'http://127.0.0.1:1/v1', model: m, api_key: key-of-mine-1,
      upstream: {command: [serve, it]}}
"""


@pytest.fixture(name="spillover")
def _spillover(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    return runner(capsys)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "spillover.yaml"
    path.write_text(CONFIG)
    (tmp_path / ".env").write_text("OTHER=value-of-it\n")
    return path


def test_what_is_left_out_and_kept_is_said(
    spillover: Callable[..., Done], path: Path, tmp_path: Path
) -> None:
    file = tmp_path / "b.zip"
    made = spillover("backup", file, "--config", path)
    again = spillover("backup", file, "--config", path)
    back = spillover("restore", file, "--config", path)

    assert made.stdout.splitlines()[:3] == [
        f"wrote {file}: spillover.yaml",
        "left out profiles.a.api_key: it reads ${A_API_KEY} there",
        "left out the values of OTHER in the .env",
    ]
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    assert f"wrote {path}" in back.stdout
    assert "kept what was there: " in back.stdout
    assert "a gateway runs: serve it" in back.stdout
    assert "set A_API_KEY: secrets are in no backup" in back.stdout
    assert "key-of-mine-1" not in made.stdout + back.stdout


def test_both_speak_json(spillover: Callable[..., Done], path: Path, own_folders: Path) -> None:
    made = json.loads(spillover("backup", "--json", "--config", path).stdout)
    back = json.loads(spillover("restore", made["file"], "--json", "--config", path).stdout)

    assert made["file"].startswith(str(own_folders / "backups"))
    assert made["withheld"] == [{"name": "A_API_KEY", "key": "profiles.a.api_key"}]
    assert (made["entries"], made["env"]) == (["spillover.yaml"], ["OTHER"])
    assert back["written"] == [str(path)]
    assert (back["unset"], back["commands"]) == (["A_API_KEY"], [["serve", "it"]])


def test_a_file_that_is_no_backup_is_told_in_a_sentence(
    spillover: Callable[..., Done], path: Path, tmp_path: Path
) -> None:
    wrong = spillover("restore", path, "--config", path)
    gone = spillover("restore", tmp_path / "gone.zip", "--config", path)

    assert (wrong.returncode, gone.returncode) == (1, 1)
    assert "no whole backup" in wrong.stderr
    assert "gone.zip: No such file" in gone.stderr
    assert path.read_text() == CONFIG


def test_a_foreign_program_waits_for_a_word_and_scripts_say_it(
    spillover: Callable[..., Done], path: Path, tmp_path: Path
) -> None:
    file = tmp_path / "b.zip"
    spillover("backup", file, "--config", path)
    path.write_text("profiles: {}\n")

    refused = spillover("restore", file, "--config", path)
    was = path.read_text()
    done = spillover("restore", file, "--yes", "--config", path)

    assert (refused.returncode, was) == (1, "profiles: {}\n")
    assert "a gateway would run: serve it" in refused.stderr
    assert "say --yes to that" in refused.stderr
    assert "nothing was restored" in refused.stderr
    assert (done.returncode, "a gateway runs: serve it" in done.stdout) == (0, True)
