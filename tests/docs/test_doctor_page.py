"""The page on the doctor has every check, as the table has it."""

from __future__ import annotations

from spillover.doctor.table import written_into
from tests.structure.project import ROOT

PAGE = (ROOT / "docs" / "doctor.md").read_text("utf-8")


def test_the_checks_on_the_page_are_those_of_the_table() -> None:
    assert written_into(PAGE) == PAGE, "make docs writes it anew"
