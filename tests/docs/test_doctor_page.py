"""The page on the doctor has every check, as the table has it."""

from __future__ import annotations

from spillover.doctor.table import page
from tests.structure.project import ROOT

PAGE = (ROOT / "docs" / "doctor.md").read_text("utf-8")


def test_every_check_is_on_the_page() -> None:
    assert page().strip() in PAGE, "make docs writes it anew"
