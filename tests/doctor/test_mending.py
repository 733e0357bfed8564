"""Each fix changes as little as it can."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from spillover.config.loader import load
from spillover.config.locate import read_env
from spillover.doctor.findings import (
    NewLedger,
    OnlyOwner,
    OtherPort,
    RemoveLeftover,
    SetVariable,
    TidyVariable,
)
from spillover.doctor.mending import mend
from spillover.errors import EditRefused

if TYPE_CHECKING:
    from pathlib import Path

STAMP = "20261127T120000Z"
PROFILES = "profiles: {p: {base_url: 'https://a.example/v1', model: m}}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="it has other permissions")
def test_a_file_and_a_folder_become_yours_alone(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\n")
    file.chmod(0o644)

    mend(OnlyOwner(path=file), STAMP)
    mend(OnlyOwner(path=tmp_path), STAMP)

    assert file.stat().st_mode & 0o777 == 0o600
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("KEY='\"gsk_abc\"'", "KEY=gsk_abc"),
        ("export KEY = \u201cgsk_abc\u201d", "export KEY=gsk_abc"),
        ('KEY=" gsk_abc "  # mine', "KEY=gsk_abc # mine"),
        ('KEY="gsk_abc', "KEY=gsk_abc"),
        ("KEY=' a b '", 'KEY="a b"'),
    ],
    ids=["twice", "word processor", "remark", "one", "blanks within"],
)
def test_quotes_and_blanks_come_off_and_nothing_else_changes(
    tmp_path: Path, line: str, after: str
) -> None:
    path = tmp_path / ".env"
    path.write_text(f"# keys\nOTHER='x'\n{line}\nLAST=1", "utf-8")

    told = mend(TidyVariable(path=path, name="KEY"), STAMP)

    assert path.read_text("utf-8") == f"# keys\nOTHER='x'\n{after}\nLAST=1"
    assert "gsk_abc" not in told


def test_a_variable_is_changed_or_added(tmp_path: Path) -> None:
    path = tmp_path / "conf" / ".env"
    fix = SetVariable(path=path, name="NO_PROXY", value="localhost,127.0.0.1")

    mend(fix, STAMP)
    assert path.read_text() == "NO_PROXY=localhost,127.0.0.1\n"
    path.write_text("A=1\nNO_PROXY=x\nB=2")
    mend(fix, STAMP)

    assert read_env(path) == {"A": "1", "NO_PROXY": "localhost,127.0.0.1", "B": "2"}


def test_a_damaged_ledger_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no pages")

    told = mend(NewLedger(path=path), STAMP)

    assert not path.exists()
    assert (tmp_path / f"ledger.db.unusable-{STAMP}").read_bytes() == b"no pages"
    assert STAMP in told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"server:\n  port: 4400   # mine\n  host: 127.0.0.1\n{PROFILES}",
            f"server:\n  port: 4444   # mine\n  host: 127.0.0.1\n{PROFILES}",
        ),
        (
            f"server: {{port: 4400, host: 127.0.0.1}}  # odd   spacing\n{PROFILES}",
            f"server: {{port: 4444, host: 127.0.0.1}}  # odd   spacing\n{PROFILES}",
        ),
        (f"# all\n{PROFILES}", f"# all\n{PROFILES}server:\n  port: 4444\n"),
    ],
    ids=["block", "flow", "none"],
)
def test_a_port_is_written_and_every_other_sign_is_kept(
    tmp_path: Path, before: str, after: str
) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(before)

    mend(OtherPort(path=path, port=4444), STAMP)

    assert path.read_text() == after


def test_a_server_without_a_port_gets_one_and_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(f"server:\n  host: 127.0.0.1  # here\n{PROFILES}")

    mend(OtherPort(path=path, port=4444), STAMP)

    assert load(path, environ={}).config.server.port == 4444
    assert "# here" in path.read_text()


def test_what_can_not_be_done_leaves_all_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(EditRefused):
        mend(OtherPort(path=path, port=1), STAMP)

    assert path.read_bytes() == b"\xff\xfe"
    assert not list(tmp_path.glob(".spillover.yaml.*"))


def test_what_was_left_behind_is_deleted_alone(tmp_path: Path) -> None:
    folder = tmp_path / ".restore-abcdefgh"
    folder.mkdir()
    (folder / "ledger.db").write_text("x")
    (tmp_path / "mine").write_text("x")
    half = tmp_path / "..env.abcdefgh"
    half.write_text("x")

    told = [mend(RemoveLeftover(path=each), STAMP) for each in (folder, half)]

    assert told == [f"{folder} is deleted", f"{half} is deleted"]
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
