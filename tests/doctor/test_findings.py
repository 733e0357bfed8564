"""A finding as data, and what its fix promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from spillover.doctor.findings import (
    Finding,
    Fix,
    Level,
    NewLedger,
    OnlyOwner,
    OtherPort,
    SetVariable,
    TidyVariable,
    document,
    is_sound,
    promised,
)

PATH = Path("x")


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        (OnlyOwner(path=PATH), "let you alone read x"),
        (TidyVariable(path=PATH, name="KEY"), "take the quotes and blanks around KEY out of x"),
        (SetVariable(path=PATH, name="NO_PROXY", value="*"), "write NO_PROXY=* to x"),
        (NewLedger(path=PATH), "move x aside, for a new one to be begun"),
        (OtherPort(path=PATH, port=1), "write port 1 to x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_fix_says_what_it_does(fix: Fix, words: str) -> None:
    assert promised(fix) == words


def test_a_finding_is_plain_data() -> None:
    found = Finding(
        check="env.key", level=Level.PROBLEM, saw="s", fix=NewLedger(path=PATH), figures=(("n", 1),)
    )

    plain = document(found)

    assert (plain["level"], plain["fix"]) == ("problem", promised(NewLedger(path=PATH)))
    assert plain["figures"] == {"n": 1}
    assert plain["mended"] is None


def test_only_problems_break_anything() -> None:
    assert is_sound([Finding(check="env.key", level=Level.WARNING, saw="s")])
    assert not is_sound([Finding(check="env.key", level=Level.PROBLEM, saw="s")])
