"""The page on providers is made from the catalogue and as new as it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from spillover.catalogue import load
from spillover.catalogue.providers_page import page
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_page_is_as_new_as_the_catalogue() -> None:
    written = (ROOT / "docs" / "providers.md").read_text("utf-8")

    assert written == page(), "stale: run `make docs`"


def test_every_provider_has_its_row_once() -> None:
    rows = re.findall(r"^\| `([^`]+)` .*\|$", page(), re.MULTILINE)

    named = [name for name in rows if name in load().providers]
    assert sorted(named) == sorted(load().providers)


def test_a_free_tier_is_told_in_figures_with_their_day() -> None:
    text = page()

    assert "30 requests per minute, 1,000 requests per day" in text
    assert "Given once" in text
    assert "turns by the calendar of America/Los_Angeles" in text


def test_no_cell_breaks_its_row() -> None:
    widths = {line.count("|") for line in page().splitlines() if line.startswith("| ")}

    assert widths == {3, 6}


def test_the_page_is_written_by_a_command(tmp_path: Path) -> None:
    target = tmp_path / "providers.md"

    subprocess.run(
        [sys.executable, "-m", "spillover.catalogue.providers_page", str(target)], check=True
    )

    assert target.read_text("utf-8") == page()
