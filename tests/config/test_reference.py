"""The reference page is made from the schema and as new as it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from spillover.config.faults import PLACES
from spillover.config.reference import reference
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_page_is_as_new_as_the_schema() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")

    assert page == reference(), "stale: run `make docs`"


def test_every_setting_stands_on_the_page() -> None:
    text = reference()

    missing = [
        field
        for settings in PLACES.values()
        for field in settings.model_fields
        if f"| `{field}` |" not in text
    ]

    assert missing == []


def test_defaults_are_shown_as_they_are_written() -> None:
    rows = {line.split("|")[1].strip(): line for line in reference().splitlines() if "|" in line}

    assert "| `5s` |" in rows["`connect`"]
    assert "| `30m` |" in rows["`total`"]
    assert "| `64MB` |" in rows["`max_body`"]
    assert "| `immediate` |" in rows["`failback`"]
    assert "| `fail` |" in rows["`when_exhausted`"]
    assert "`local`, `fail_closed`" in rows["`on_ledger_error`"]


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"

    subprocess.run(
        [sys.executable, "-m", "spillover.config.reference", str(page)], check=True, timeout=60
    )

    assert page.read_text("utf-8") == reference()
