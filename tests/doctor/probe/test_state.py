"""The state file as it really breaks: damaged pages, a newer schema, a lock, a full folder."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from spillover.doctor.judge.state import Soundness, State
from spillover.doctor.probe.state import state
from spillover.doctor.probe.subject import Subject
from spillover.ledger.sqlite import SCHEMA_VERSION, SqliteJournal
from tests.doctor.setup import set_up

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = "profiles: {p: {base_url: 'https://a.example/v1', model: m}}\n"


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "ledger.db"
    SqliteJournal(path).close()
    return path


def looked_at(path: Path) -> State:
    return state(set_up(path.parent.parent, PROFILES))


def test_a_sound_file_is_sound_and_stays_as_it_is(path: Path) -> None:
    before = path.read_bytes()

    found = looked_at(path)

    assert (found.soundness, found.path) == (Soundness.SOUND, path)
    assert found.size >= len(before)
    assert found.free is not None
    assert path.read_bytes() == before


def test_a_damaged_copy_is_found_out(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:300] = b"\xff" * 200
    path.write_bytes(content)

    found = looked_at(path)

    assert found.soundness is Soundness.DAMAGED
    assert found.error


def test_what_is_no_database_is_damaged(path: Path) -> None:
    path.write_bytes(b"these are no pages" * 100)

    assert looked_at(path).soundness is Soundness.DAMAGED


def test_entries_that_can_not_be_read_are_damage_too(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE meta SET floor = 1")
        db.execute("INSERT INTO journal VALUES (2, x'ff')")
        db.commit()

    assert looked_at(path).soundness is Soundness.DAMAGED


def test_a_file_of_a_newer_version_is_known(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")

    found = looked_at(path)

    assert found.soundness is Soundness.NEWER
    assert "newer" in found.error


def test_a_held_lock_is_told_with_its_holder(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")

        found = looked_at(path)

    assert found.soundness is Soundness.LOCKED
    if sys.platform == "linux":
        assert any(f"(pid {os.getpid()})" in each for each in found.holders)


def test_a_folder_in_the_place_of_the_file_can_not_be_read(path: Path) -> None:
    path.unlink()
    path.mkdir()

    assert looked_at(path).soundness is Soundness.UNREADABLE


def test_none_yet_memory_and_no_configuration_are_told(tmp_path: Path) -> None:
    absent = state(set_up(tmp_path, PROFILES))
    memory = state(set_up(tmp_path, f"storage: memory\n{PROFILES}"))
    environ = {"SPILLOVER_STATE_DIR": str(tmp_path / "other")}
    bare = state(Subject.of(tmp_path / "none.yaml", environ, None))

    assert (absent.soundness, absent.is_writable) == (Soundness.ABSENT, True)
    assert memory.path is None
    assert bare.path == tmp_path / "other" / "ledger.db"
