"""Judge the state file: whole, ours, of a known version, not held up, with room to grow.

Refuses to know SQLite.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spillover.core.values import Value
from spillover.doctor.findings import Finding, Level, NewLedger
from spillover.doctor.judge.ports import pid_of
from spillover.doctor.systems import Act, System, command

if TYPE_CHECKING:
    from collections.abc import Iterator

MB: Final = 1 << 20
LARGE: Final = 256 * MB
"""The file is bounded by what is counted: more than this is odd."""
LOW: Final = 100 * MB
"""So little room may be gone within a day of logs."""
NONE_LEFT: Final = 5 * MB


class Soundness(StrEnum):
    """How the file itself is."""

    ABSENT = "absent"
    SOUND = "sound"
    DAMAGED = "damaged"
    NEWER = "newer"
    LOCKED = "locked"
    """Another process holds it up for longer than any step takes."""
    UNREADABLE = "unreadable"


class State(Value, frozen=True, kw_only=True):
    """The state file and where it lies."""

    path: Path | None
    """None: the record is kept in memory."""
    soundness: Soundness = Soundness.ABSENT
    error: str = ""
    size: int = 0
    """With its write-ahead log."""
    holders: tuple[str, ...] = ()
    """Processes that have it open: `name (pid 12)`."""
    free: int | None = None
    """Bytes that are free where it lies."""
    is_writable: bool = True
    """Files can be made in its folder."""


def state(found: State, system: System) -> Iterator[Finding]:
    """Yield how the state file is."""
    if found.path is None:
        yield Finding(
            check="state.file",
            level=Level.NOTE,
            saw="storage: memory keeps no file",
            why="usage, cooldowns and switches are forgotten when the gateway ends",
            remedy="storage: sqlite",
        )
        return
    about = str(found.path)
    yield _file(found, about)
    if found.soundness is not Soundness.ABSENT:
        yield _size(found, about)
        yield _locks(found, about, system)
    yield _disk(found, found.path, system)


def _file(found: State, about: str) -> Finding:
    """Return whether the file can be used."""
    path = found.path or Path()
    match found.soundness:
        case Soundness.ABSENT:
            return Finding(check="state.file", about=about, saw="there is none yet")
        case Soundness.SOUND | Soundness.LOCKED:
            return Finding(check="state.file", about=about, saw="it is whole")
        case Soundness.DAMAGED:
            return Finding(
                check="state.file",
                level=Level.PROBLEM,
                about=about,
                saw=found.error,
                why="what was counted in it can't be relied on; the next start moves it aside too",
                remedy="spillover doctor --fix",
                fix=NewLedger(path=path),
            )
        case Soundness.NEWER:
            return Finding(
                check="state.file",
                level=Level.PROBLEM,
                about=about,
                saw=found.error,
                why="a newer Spillover wrote it; this one would begin a new one beside it",
                remedy="pip install --upgrade spillover",
            )
        case Soundness.UNREADABLE:
            return Finding(
                check="state.file",
                level=Level.PROBLEM,
                about=about,
                saw=found.error,
                why="usage is counted in memory alone until it can be read and written",
                remedy=f"ls -l {about}",
            )


def _size(found: State, about: str) -> Finding:
    large = found.size > LARGE
    return Finding(
        check="state.size",
        level=Level.NOTE if large else Level.OK,
        about=about,
        saw=f"{found.size / MB:.1f} MB",
        why="it holds what is counted, not each request: this is more than expected"
        if large
        else "",
        remedy="stop the gateway and start it again" if large else "",
    )


def _locks(found: State, about: str, system: System) -> Finding:
    who = ", ".join(found.holders) or "no process that can be seen"
    if found.soundness is not Soundness.LOCKED:
        return Finding(check="state.locks", about=about, saw=f"in use by {who}")
    pid = (pid_of(found.holders[0]) if found.holders else None) or "PID"
    return Finding(
        check="state.locks",
        level=Level.PROBLEM,
        about=about,
        saw=f"it is locked; in use by {who}",
        why="nobody else can count, so usage is kept in memory, or requests are refused",
        remedy=command(system, Act.END_PROCESS, pid=pid),
    )


def _disk(found: State, path: Path, system: System) -> Finding:
    about = str(path.parent)
    look = command(system, Act.DISK, path=path.parent)
    if not found.is_writable:
        return Finding(
            check="state.disk",
            level=Level.PROBLEM,
            about=about,
            saw="nothing can be written there",
            why="usage is counted in memory alone",
            remedy=f"{look}\nor another folder: SPILLOVER_STATE_DIR",
        )
    if found.free is None:
        return Finding(check="state.disk", about=about, saw="it can be written")
    level = Level.OK if found.free > LOW else Level.WARNING
    if found.free <= NONE_LEFT:
        level = Level.PROBLEM
    return Finding(
        check="state.disk",
        level=level,
        about=about,
        saw=f"{found.free / MB:,.0f} MB are free",
        why="" if level is Level.OK else "a full disk keeps usage in memory alone",
        remedy="" if level is Level.OK else look,
    )
