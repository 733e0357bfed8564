"""Plays all days of the page in a process of its own, and prints page and figures as JSON.

Apart from the tests because measuring their coverage makes a day ten times as long.
"""

from __future__ import annotations

import subprocess
import sys

import msgspec

from spillover.simulator.days.day import POLICIES
from spillover.simulator.days.figures import Figures
from spillover.simulator.days.page import came_to, page
from spillover.simulator.days.scenes import ASKED_FOR, DAYS
from tests.structure.project import ROOT


class Played(msgspec.Struct, frozen=True):
    """What the days came to: the page, and the figures by day and rule."""

    page: str
    figures: dict[str, dict[str, Figures]]


def played() -> Played:
    """Play them all, elsewhere."""
    command = [sys.executable, "-m", "tests.simulator.days.playing"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=Played)


def _main() -> None:
    figures = {
        day.name: {
            rule.name: came_to(day, rule)
            for rule in (POLICIES if day in ASKED_FOR else POLICIES[:1])
        }
        for day in DAYS
    }
    sys.stdout.buffer.write(msgspec.json.encode(Played(page(), figures)))


if __name__ == "__main__":
    _main()
