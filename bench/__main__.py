"""Run the bench: `python -m bench`, or `make bench`.

Prints the report and keeps it in bench/RESULTS.md. Nothing it started outlives it.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bench import machine
from bench.about import about
from bench.contestants import contestants, nginx_program
from bench.hotspots import PY_SPY
from bench.report import report
from bench.run import Run, say

RESULTS: Final = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    """Run it all; return 1 when something it needs is missing."""
    options = _options()
    needed = ["wrk", "setpriv", "taskset", nginx_program()]
    if options.profile:
        needed.append(str(PY_SPY))
    missing = [Path(each).name for each in needed if shutil.which(each) is None]
    if sys.platform != "linux" or missing:
        print(f"The bench runs on Linux; missing: {', '.join(missing) or 'Linux'} (make bench)")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    cores, busy = machine.cores(), machine.busy()
    machine.stay_on(cores.load)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="spillover-bench-") as folder:
        run = Run(
            folder=Path(folder),
            cores=cores,
            contestants=contestants(),
            rounds=options.rounds,
            seconds=options.seconds,
        )
        results = run.results(profile=options.profile)
    command = " ".join(["python -m bench", *sys.argv[1:]])
    written = report(
        results, about(command, rounds=run.rounds, seconds=run.seconds, cores=cores, busy=busy)
    )
    RESULTS.write_text(written)
    print(written)
    say(f"took {(time.monotonic() - began) / 60:.1f} minutes; kept in bench/{RESULTS.name}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--profile", action="store_true", help="say where the time goes (py-spy)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
