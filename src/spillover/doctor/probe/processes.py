"""Ask the system about processes: who has a port, how much memory one takes and how old it is.

Refuses to know what they are for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from spillover.doctor.judge.ports import lsof_holder, netstat_pid, tasklist_holder
from spillover.doctor.systems import System
from spillover.upstream.holder import holder

_WITHIN_S: Final = 3.0
_GROUP, _STARTED, _PAGES = 2, 19, 21
"""Fields of `/proc/PID/stat`, counted behind the name (proc(5))."""


def holder_of(port: int, system: System) -> str:
    """Return who listens on a port, as `name (pid 12)`; empty where the system does not tell."""
    match system:
        case System.LINUX:
            return holder(port) or ""
        case System.MACOS:
            return lsof_holder(printed("lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"))
        case System.WINDOWS:
            pid = netstat_pid(printed("netstat", "-ano", "-p", "TCP"), port)
            if not pid:
                return ""
            listed = printed("tasklist", "/FI", f"PID eq {pid}", "/FO", "CSV", "/NH")
            return tasklist_holder(listed) or f"a process (pid {pid})"


def printed(program: str, *arguments: str) -> str:
    """Return what a program of the system prints; empty where there is none or it fails."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - the system's own, with arguments of ours alone
            [path, *arguments], capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def memory_and_age(pid: int) -> tuple[int, float] | None:
    """Return the resident bytes of a process's group and its age in seconds; None: not told."""
    try:
        own = _stat(Path(f"/proc/{pid}"))
        up_s = float(Path("/proc/uptime").read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None
    pages = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = _stat(process)
        except (OSError, IndexError):  # it has just ended
            continue
        if fields[_GROUP] == own[_GROUP]:
            pages += int(fields[_PAGES])
    age_s = up_s - int(own[_STARTED]) / os.sysconf("SC_CLK_TCK")
    return pages * os.sysconf("SC_PAGE_SIZE"), max(0.0, age_s)


def _stat(process: Path) -> list[str]:
    return (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
