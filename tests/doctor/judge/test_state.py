"""The state file: whole, ours, not held up, with room to grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spillover.doctor.findings import Finding, Level, NewLedger
from spillover.doctor.judge.state import LARGE, LOW, MB, NONE_LEFT, Soundness, State, state
from spillover.doctor.systems import System

PATH = Path("state/ledger.db")


def found(soundness: Soundness = Soundness.SOUND, **fields: Any) -> dict[str, Finding]:
    one = State(path=PATH, soundness=soundness, **{"free": 10 * LOW, **fields})
    return {each.check: each for each in state(one, System.LINUX)}


def test_a_sound_file_is_sound_in_all_respects() -> None:
    every = found(size=3 * MB, holders=("spillover (pid 1)",))

    assert {each.level for each in every.values()} == {Level.OK}
    assert every["state.size"].saw == "3.0 MB"
    assert every["state.locks"].saw == "in use by spillover (pid 1)"


def test_a_damaged_file_is_moved_aside() -> None:
    bad = found(Soundness.DAMAGED, error="damaged: page 3")["state.file"]

    assert (bad.level, bad.fix) == (Level.PROBLEM, NewLedger(path=PATH))
    assert bad.saw == "damaged: page 3"


@pytest.mark.parametrize("soundness", [Soundness.NEWER, Soundness.UNREADABLE])
def test_what_can_not_be_used_is_left_where_it_is(soundness: Soundness) -> None:
    bad = found(soundness, error="no")["state.file"]

    assert bad.level is Level.PROBLEM
    assert bad.fix is None


def test_a_held_up_file_names_its_holders() -> None:
    bad = found(Soundness.LOCKED, holders=("sqlite3 (pid 42)",))["state.locks"]

    assert (bad.level, bad.remedy) == (Level.PROBLEM, "kill 42")


def test_no_file_yet_is_no_trouble_and_memory_is_a_note() -> None:
    every = found(Soundness.ABSENT)
    (memory,) = state(State(path=None), System.LINUX)

    assert every.keys() == {"state.file", "state.disk"}
    assert memory.level is Level.NOTE


@pytest.mark.parametrize(
    ("fields", "check", "level"),
    [
        ({"size": LARGE + 1}, "state.size", Level.NOTE),
        ({"free": LOW - 1}, "state.disk", Level.WARNING),
        ({"free": NONE_LEFT}, "state.disk", Level.PROBLEM),
        ({"free": None}, "state.disk", Level.OK),
        ({"is_writable": False}, "state.disk", Level.PROBLEM),
    ],
    ids=["large", "low", "full", "not told", "read-only"],
)
def test_size_and_room_are_judged(fields: dict[str, Any], check: str, level: Level) -> None:
    assert found(**fields)[check].level is level
