"""`spillover init` writes a file over what is there, and never over a file that is there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from spillover.cli.entry import run
from tests.cli.terminal import spillover

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "spillover.yaml"


def test_keys_in_the_environment_become_profiles_of_a_file_that_is_sound(path: Path) -> None:
    written = spillover("init", "--config", path, GROQ_API_KEY="gsk_1", OPENAI_API_KEY="sk-1")
    checked = spillover("check", "--config", path, GROQ_API_KEY="gsk_1", OPENAI_API_KEY="sk-1")

    assert written.returncode == 0
    assert written.stdout.splitlines() == [
        f"wrote {path}",
        "found groq, openai",
        "next: spillover serve",
    ]
    assert checked.returncode == 0
    text = path.read_text("utf-8")
    assert "gsk_1" not in text
    assert "${GROQ_API_KEY}" in text


def test_the_file_names_its_schema_which_stands_beside_it(path: Path) -> None:
    run(["init", "--config", str(path)])

    first = path.read_text("utf-8").splitlines()[0]
    schema = json.loads((path.parent / first.rpartition("=")[2]).read_text("utf-8"))
    assert first.startswith("# yaml-language-server: $schema=")
    assert "chains" in schema["properties"]


def test_without_anything_an_example_is_written(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["init", "--config", str(path)])

    assert code == 0
    assert "put your own in" in capsys.readouterr().out
    assert "profiles:" in path.read_text("utf-8")


def test_without_a_name_the_file_goes_to_the_users_config_folder(own_folders: Path) -> None:
    run(["init"])

    assert (own_folders.parent / "xdg_config_home" / "spillover" / "spillover.yaml").is_file()


def test_a_file_that_is_there_is_never_overwritten_unasked(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.parent.mkdir()
    path.write_text("mine", "utf-8")

    code = run(["init", "--config", str(path)])

    assert code == 1
    assert "--force" in capsys.readouterr().err
    assert path.read_text("utf-8") == "mine"


def test_a_file_that_is_replaced_on_demand_is_kept_beside(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("mine", "utf-8")

    code = run(["init", "--force", "--config", str(path)])

    assert code == 0
    assert path.with_name("spillover.yaml.bak").read_text("utf-8") == "mine"
    assert "profiles:" in path.read_text("utf-8")


def test_the_least_takes_the_place_of_what_is_there_after_a_backup(
    path: Path, own_folders: Path
) -> None:
    path.parent.mkdir()
    path.write_text("profiles: [broken\napi_key: of-mine-0001", "utf-8")

    done = spillover("init", "--minimal", "--config", path, GROQ_API_KEY="gsk_1")
    checked = spillover("check", "--config", path, GROQ_API_KEY="gsk_1")

    assert (done.returncode, checked.returncode) == (0, 0), done.stderr
    assert "found groq" in done.stdout
    assert path.with_name("spillover.yaml.bak").read_text("utf-8").endswith("of-mine-0001")
    (backup,) = (own_folders / "backups").iterdir()
    assert f"wrote {backup}" in done.stdout
    assert b"of-mine-0001" not in backup.read_bytes()


def test_the_least_is_written_where_nothing_is(path: Path) -> None:
    assert run(["init", "--minimal", "--config", str(path)]) == 0
    assert "profiles:" in path.read_text("utf-8")
