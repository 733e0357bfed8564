"""Find where Spillover's time goes under load, with py-spy.

A sample counts for the innermost function of the program or of a package; what the standard
library and C code below it use is its own, garbage collection aside. Refuses to know how fast
anything is.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.contestants import SPILLOVER_ITSELF, entered
from bench.load import unstreamed

if TYPE_CHECKING:
    from bench.contestants import Entrant

SECONDS: Final = 15
PER_S: Final = 150
AT_ONCE: Final = 16
PY_SPY: Final = Path(sys.executable).with_name("py-spy")

_FRAME: Final = re.compile(r"^(?P<function>.+) \((?P<file>[^()]+\.py)(?::\d+)?\)$")
"""A Python function; what has no such file is C below it."""
_RUNNER: Final = re.compile(r"^Runner\.run \(.*/asyncio/runners\.py")
_COLLECTOR: Final = re.compile(r"^(?:gc_collect|_?Py_?GC_)", re.IGNORECASE)
_OURS: Final = re.compile(r"/spillover/(?:(?P<floor>[a-z_]+)/)?(?P<module>\w+)\.py$")
_PACKAGE: Final = re.compile(r"/site-packages/(?P<package>\w+)")
LOOP: Final = "uvloop: the loop itself, reading sockets"
COLLECTION: Final = "garbage collection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotspots:
    """Shares of the processor time under load, largest first."""

    parts: list[tuple[str, float]]
    """By floor of Spillover and by package."""
    functions: list[tuple[str, float]]
    below: list[tuple[str, float]]
    """By Spillover's own function, with all that it calls."""
    samples: int


def hotspots(folder: Path, *, upstream: int, core: int) -> Hotspots:
    """Sample a gateway that is asked over 16 connections."""
    with entered(SPILLOVER_ITSELF, folder / "profiled", upstream=upstream, core=core) as entrant:
        unstreamed(entrant, folder, connections=AT_ONCE, seconds=1)
        stacks = _sampled(entrant, folder)
    parts: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    below: Counter[str] = Counter()
    for stack, count in stacks:
        part, function = _owner(stack)
        parts[part] += count
        functions[function] += count
        below.update(dict.fromkeys(_ours(stack), count))
    total = max(1, sum(parts.values()))
    return Hotspots(
        parts=[(name, count / total) for name, count in parts.most_common(12)],
        functions=[(name, count / total) for name, count in functions.most_common(15)],
        below=[(name, count / total) for name, count in below.most_common(25)],
        samples=total,
    )


def _sampled(entrant: Entrant, folder: Path) -> list[tuple[list[str], int]]:
    """Return stacks, outermost frame first, and how often each was seen."""
    if entrant.process is None:
        raise AssertionError(entrant)
    raw = folder / "stacks"
    spy = subprocess.Popen(
        [
            *(PY_SPY, "record", "--pid", str(entrant.process.pid), "--format", "raw"),
            *("--rate", str(PER_S), "--duration", str(SECONDS), "--full-filenames"),
            *("--native", "--output", raw),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        unstreamed(entrant, folder, connections=AT_ONCE, seconds=SECONDS + 1)
        said, _ = spy.communicate(timeout=30)
    finally:
        spy.kill()
        spy.wait()
    if spy.returncode or not raw.is_file():
        raise SystemExit(f"py-spy could not look into the process:\n{said}")
    found = []
    for line in raw.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        starts = [i for i, frame in enumerate(frames) if _RUNNER.match(frame)]
        if starts:  # other threads wait for files to change
            found.append((frames[starts[-1] + 1 :], int(count)))
    return found


def _owner(stack: list[str]) -> tuple[str, str]:
    """Return the part and the function that the innermost frames work for."""
    if any(map(_COLLECTOR.match, stack)):
        return COLLECTION, COLLECTION
    for frame in reversed(stack):
        found = _FRAME.match(frame)
        if found is None:
            continue
        function, file = found["function"], found["file"]
        ours = _OURS.search(file)
        if ours is not None:
            floor = ours["floor"] or ours["module"]
            return f"spillover.{floor}", f"{floor}/{ours['module']}.py {function}"
        package = _PACKAGE.search(file)
        if package is not None and package["package"] != "uvloop":
            return package["package"], f"{package['package']} {Path(file).stem}.{function}"
    return LOOP, LOOP


def _ours(stack: list[str]) -> set[str]:
    """Return Spillover's own functions in a stack."""
    owners = [_owner([frame]) for frame in stack]
    return {function for part, function in owners if part.startswith("spillover.")}
