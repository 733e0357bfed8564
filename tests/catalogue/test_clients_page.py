"""The page on clients is made from their entries and as new as them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from spillover.catalogue.clients import Link, load, written
from spillover.catalogue.clients_page import page
from tests.docs.blocks import blocks_in
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_page_is_as_new_as_the_entries() -> None:
    written_page = (ROOT / "docs" / "clients.md").read_text("utf-8")

    assert written_page == page(), "stale: run `make docs`"


def test_every_text_stands_on_the_page() -> None:
    text = page()

    for entry in load().entries:
        assert f"`spillover connect {entry.id}`" in text
        for part in entry.parts:
            assert f"```{part.language}\n{written(part, Link())}\n```" in text


def test_the_docs_run_what_says_so_and_nothing_else_of_it() -> None:
    run = {block.text for block in blocks_in(page(), page="p") if not block.excused}
    own = {
        written(part, Link()) + "\n"
        for entry in load().entries
        for part in entry.parts
        if entry.tried == "tests/docs"
    }

    assert own <= run
    assert len(run - own) == 1  # the example of `spillover connect`


def test_what_is_not_run_is_named_so() -> None:
    text = page()

    assert text.count(" · not run here: ") == sum(bool(each.untried) for each in load().entries)


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    path = tmp_path / "page.md"

    subprocess.run(
        [sys.executable, "-m", "spillover.catalogue.clients_page", str(path)],
        check=True,
        timeout=60,
    )

    assert path.read_text("utf-8") == page()
