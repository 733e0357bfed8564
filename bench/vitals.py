"""Measure what Spillover weighs: its start, its import, its loading, its memory.

Refuses to know what a request costs.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.contestants import SPILLOVER_ITSELF, entered
from bench.load import unstreamed
from spillover.ledger.linefile import write

if TYPE_CHECKING:
    from pathlib import Path

STARTS: Final = 5
IMPORTS: Final = 9
PROFILES: Final = 64
REQUESTS: Final = 100_000
AT_ONCE: Final = 16
RUN_S: Final = 4.0
REST_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the process holds, in MB."""

    idle: float
    """After its first answer and a rest."""
    warm: float
    """After the first run of requests."""
    warm_requests: int
    loaded: float
    """After all of them and a rest."""
    requests: int


def start_s(folder: Path, *, upstream: int, core: int) -> float:
    """Return the time from starting `serve` to its first answer, each time with a new ledger."""
    took = []
    for i in range(STARTS + 1):
        began = time.monotonic()
        with entered(SPILLOVER_ITSELF, folder / f"start-{i}", upstream=upstream, core=core):
            took.append(time.monotonic() - began)
    return statistics.median(took[1:])  # the first one read the files from the disk


def import_ms(statement: str) -> float:
    """Return what a statement costs a new interpreter beyond its own start."""
    bare, full = _beside_bare(statement)
    return (full - bare) * 1_000


def line_ratio(folder: Path) -> float:
    """Return how many times a bare interpreter's start `status --line` takes beside a gateway."""
    write(folder, {"config": "", "chain": "default", "serving": "groq", "next": "gemini"})
    bare, full = _beside_bare(_LINE.format(folder=str(folder)))
    return full / bare


_LINE: Final = """
import re, sys  # as the installed command does
import os; os.environ["SPILLOVER_STATE_DIR"] = {folder!r}
from spillover.cli import main
sys.argv[1:] = ["status", "--line"]
main()
"""


def loading(folder: Path) -> dict[str, float]:
    """Return how many times a bare interpreter's start it takes to start and load, by what is loaded."""
    config = folder / "many.yaml"
    config.write_text(_MANY)
    return {
        what: full / bare
        for what, statement in {
            "load the catalogue": "from spillover.catalogue import load; load()",
            f"load and assemble {PROFILES} profiles": _ASSEMBLE.format(path=str(config)),
        }.items()
        for bare, full in [_beside_bare(statement)]
    }


_ASSEMBLE: Final = """
from pathlib import Path
from spillover.config.assemble import assemble
from spillover.config.loader import load
loaded = load(Path({path!r}), environ={{}})
assemble(loaded, loaded.catalogue)
"""
_MANY: Final = "profiles:\n" + "".join(
    f"  p{n}: {{provider: groq, api_key: k, model: openai/gpt-oss-120b, "
    f"limits: {{tokens_per_hour: 5K, requests_per_day: 50}}}}\n"
    for n in range(PROFILES)
)


def _beside_bare(statement: str) -> tuple[float, float]:
    """Return the seconds of a new interpreter that does nothing, and of one that runs a statement."""
    bare, full = [], []
    for _ in range(IMPORTS):
        bare.append(_interpreter_s("pass"))
        full.append(_interpreter_s(statement))
    return statistics.median(bare[1:]), statistics.median(full[1:])


def _interpreter_s(statement: str) -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", statement], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def memory(folder: Path, *, upstream: int, core: int) -> Memory:
    """Return what a gateway holds before, during and after many requests."""
    with entered(SPILLOVER_ITSELF, folder / "memory", upstream=upstream, core=core) as entrant:
        if entrant.process is None:
            raise AssertionError(entrant)
        time.sleep(REST_S)
        idle = entrant.process.rss_mb()
        first = unstreamed(entrant, folder, connections=AT_ONCE, seconds=RUN_S)
        warm, requests = entrant.process.rss_mb(), first.requests
        while 0 < requests < REQUESTS:
            ran = unstreamed(entrant, folder, connections=AT_ONCE, seconds=RUN_S)
            requests += ran.requests
        time.sleep(REST_S)
        loaded = entrant.process.rss_mb()
    return Memory(
        idle=idle, warm=warm, warm_requests=first.requests, loaded=loaded, requests=requests
    )
