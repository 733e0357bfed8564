"""What is left behind is deleted once it is certainly nobody's."""

from __future__ import annotations

from pathlib import Path

from spillover.doctor.findings import Level, RemoveLeftover
from spillover.doctor.judge.leftovers import Leftover, leftovers

PATH = Path("keys/a-0123abcd")


def test_an_old_one_is_to_be_deleted_and_a_young_one_to_be_waited_for() -> None:
    old, young = leftovers(
        [
            Leftover(path=PATH, what="a key", age_s=7_200.0),
            Leftover(path=PATH, what="a key", age_s=3_600.0),
        ]
    )

    assert (old.level, old.fix) == (Level.WARNING, RemoveLeftover(path=PATH))
    assert "120 minutes old" in old.saw
    assert (young.level, young.fix) == (Level.NOTE, None)


def test_nothing_left_is_good() -> None:
    (finding,) = leftovers([])

    assert finding.level is Level.OK
