"""What the bench runs on: its cores, its facts, and what a process has used of it (Linux).

Refuses to know what is measured.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_GROUP, _USER, _SYSTEM = 2, 11, 12
"""Fields of /proc/PID/stat, counted behind the name in parentheses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """One core for the contestant, another for everything else."""

    proxy: int
    load: int

    @property
    def apart(self) -> bool:
        """Whether there are two."""
        return self.proxy != self.load


def cores() -> Cores:
    """Return the first two cores that may be used; the same one twice where there is but one."""
    available = sorted(os.sched_getaffinity(0))
    return Cores(proxy=available[0], load=available[min(1, len(available) - 1)])


def stay_on(core: int) -> None:
    """Keep this process, and every one it starts, on a core."""
    os.sched_setaffinity(0, {core})


def facts() -> str:
    """Return the machine in one line."""
    found = re.search(r"^model name\s*: (.+)$", _text(PROC / "cpuinfo"), re.MULTILINE)
    model = found[1] if found else platform.machine()
    memory = re.search(r"^MemTotal:\s+(\d+)", _text(PROC / "meminfo"), re.MULTILINE)
    gigabytes = f", {int(memory[1]) / 1_048_576:.0f} GB" if memory else ""
    return f"{os.cpu_count()} cores of {model}{gigabytes}, {platform.system()}"


def busy() -> float:
    """Return how many processes wanted to run in the last minute, on average."""
    return os.getloadavg()[0]


def cpu_s(group: int) -> float:
    """Return the processor time that a group of processes has used, ended threads included."""
    ticks = sum(int(stat[_USER]) + int(stat[_SYSTEM]) for _, stat in _members(group))
    return ticks / TICKS_PER_S


def rss_mb(group: int) -> float:
    """Return the memory that a group of processes holds."""
    kilobytes = 0
    for pid, _ in _members(group):
        found = re.search(r"^VmRSS:\s+(\d+)", _text(PROC / pid / "status"), re.MULTILINE)
        kilobytes += int(found[1]) if found else 0
    return kilobytes / 1_000 * 1.024


def _members(group: int) -> list[tuple[str, list[str]]]:
    members = []
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        stat = _text(folder / "stat").rpartition(")")[2].split()
        if stat and int(stat[_GROUP]) == group:
            members.append((folder.name, stat))
    return members


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it ended meanwhile
        return ""
