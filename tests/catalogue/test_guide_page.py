"""The page on errors is made from the guide and as new as it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from spillover.catalogue import load as load_catalogue
from spillover.catalogue.guide import does, load
from spillover.catalogue.guide_page import page
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_page_is_as_new_as_the_guide() -> None:
    written = (ROOT / "docs" / "errors.md").read_text("utf-8")

    assert written == page(), "stale: run `make docs`"


def test_every_entry_and_every_guessed_wait_has_its_row() -> None:
    lines = page().splitlines()
    rows = {line.split("|")[1].strip().strip("`"): line for line in lines if line.startswith("| `")}
    waits = [line for line in lines if line.startswith("| groq |")]
    known = load_catalogue().providers["groq"].guessed_waits

    assert all(" ".join(does(entry)) in rows[entry.code] for entry in load().entries)
    assert len(waits) == len(known)
    assert sum("until the day ends" in line for line in waits) == sum(
        row.wait_s is None for row in known
    )


def test_no_cell_breaks_its_row() -> None:
    widths = {line.count("|") for line in page().splitlines() if line.startswith("| ")}

    assert widths == {7, 8}


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    written = tmp_path / "page.md"

    subprocess.run(
        [sys.executable, "-m", "spillover.catalogue.guide_page", str(written)],
        check=True,
        timeout=60,
    )

    assert written.read_text("utf-8") == page()
