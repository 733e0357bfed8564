"""Ask all contestants in turn, round after round, so that each meets the same machine.

Refuses to know what the figures mean.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench import vitals
from bench.contestants import (
    SPILLOVER,
    UPSTREAM,
    Contestant,
    Entrant,
    entered,
    streaming_upstream,
)
from bench.hotspots import hotspots
from bench.load import unstreamed
from bench.processes import Unready
from bench.results import CONNECTIONS, STREAMS, Results, Rounds
from bench.streams import streamed
from bench.traffic import PACE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.load import Unstreamed
    from bench.machine import Cores
    from bench.streams import Streamed

WARM_UP_S: Final = 1
WARM_UP_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the bench."""

    folder: Path
    cores: Cores
    contestants: list[Contestant]
    rounds: int
    seconds: float
    """Of each measurement."""

    def results(self, *, profile: bool) -> Results:
        """Measure everything."""
        timings, core = self._timings(), self.cores.proxy
        with self._upstream(UPSTREAM) as port:
            say("start, import and memory")
            start_s = vitals.start_s(self.folder, upstream=port, core=core)
            import_ms = vitals.import_ms("import spillover")
            line_ratio = vitals.line_ratio(self.folder)
            loading = vitals.loading(self.folder)
            memory = vitals.memory(self.folder, upstream=port, core=core)
            whole = self._whole(port)
            found = None
            if profile:
                say("where the time goes")
                found = hotspots(self.folder, upstream=port, core=core)
        return Results(
            whole=whole,
            streams=self._streams(),
            timings=timings,
            memory=memory,
            start_s=start_s,
            import_ms=import_ms,
            line_ratio=line_ratio,
            loading=loading,
            hotspots=found,
        )

    def _timings(self) -> dict[str, Any]:
        """Time the parts by themselves, on the contestants' core."""
        say("the ledger and the parsing by themselves")
        command = ["taskset", "-c", str(self.cores.proxy), sys.executable, "-m", "bench.timings"]
        ran = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        found: dict[str, Any] = json.loads(ran.stdout)
        return found

    def _whole(self, upstream: int) -> Rounds[Unstreamed]:
        """Ask each for whole answers."""
        found: Rounds[Unstreamed] = Rounds()
        with self._entrants("whole", upstream) as entrants:
            for each in entrants:
                unstreamed(each, self.folder, connections=WARM_UP_AT_ONCE, seconds=WARM_UP_S)
            for number in range(1, self.rounds + 1):
                for at_once in CONNECTIONS:
                    say(f"whole answers, round {number} of {self.rounds}, c = {at_once}")
                    for each in entrants:
                        ran = unstreamed(
                            each, self.folder, connections=at_once, seconds=self.seconds
                        )
                        found.add(each.name, at_once, ran)
        return found

    def _streams(self) -> Rounds[Streamed]:
        """Ask each for streams; round 0 is the warm-up."""
        found: Rounds[Streamed] = Rounds()
        events = round(self.seconds * PACE)
        upstream = Contestant(name="the streams", command=streaming_upstream(events))
        with self._upstream(upstream) as port, self._entrants("streams", port) as entrants:
            for number in range(self.rounds + 1):
                for at_once in STREAMS if number else STREAMS[:1]:
                    say(f"streams, round {number} of {self.rounds}, {at_once} at once")
                    for each in entrants:
                        if at_once not in each.streams:
                            continue
                        ran = streamed(each, streams=at_once, events=events)
                        if number:
                            found.add(each.name, at_once, ran)
        return found

    @contextlib.contextmanager
    def _upstream(self, upstream: Contestant) -> Iterator[int]:
        """Run an upstream on the load's core; give its port."""
        folder = self.folder / "upstream"
        shutil.rmtree(folder, ignore_errors=True)
        with entered(upstream, folder, upstream=0, core=self.cores.load) as entrant:
            yield entrant.port

    @contextlib.contextmanager
    def _entrants(self, phase: str, upstream: int) -> Iterator[list[Entrant]]:
        """Run all contestants on the proxy's core."""
        core = self.cores.proxy
        with contextlib.ExitStack() as stack:
            entrants = []
            for i, each in enumerate(self.contestants):
                place = self.folder / f"{phase}-{i}"
                try:
                    entrant = stack.enter_context(
                        entered(each, place, upstream=upstream, core=core)
                    )
                except Unready as why:
                    if each.name == SPILLOVER:
                        raise
                    say(f"{each.name} is left out: {why}")
                else:
                    entrants.append(entrant)
            yield entrants


def say(what: str) -> None:
    """Tell who waits what is being done."""
    print(f"… {what}", file=sys.stderr, flush=True)
