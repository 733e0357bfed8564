"""The files of the pages."""

from __future__ import annotations

import hashlib
import re

from spillover.dashboard.assets import FOLDER, assets
from tests.structure.project import ROOT


def test_a_files_address_changes_with_its_content() -> None:
    address = assets().addresses["app.js"]
    digest = hashlib.sha256((FOLDER / "app.js").read_bytes()).hexdigest()

    assert address == f"/static/app.{digest[:12]}.js"
    assert assets().files[address.removeprefix("/static/")].kind == "text/javascript; charset=utf-8"


def test_notes_beside_the_files_are_not_served() -> None:
    assert not any(name.endswith(".md") for name in assets().files)


def test_vendored_files_are_what_their_note_says() -> None:
    for folder in (FOLDER / "vendor", ROOT / "tests" / "dashboard" / "vendor"):
        noted = dict(
            re.findall(
                r"^\| `(\S+)` \|.*`([0-9a-f]{64})`",
                (folder / "VENDORED.md").read_text(),
                re.MULTILINE,
            )
        )
        found = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.iterdir()
            if path.suffix != ".md"
        }

        assert found == noted


def test_scripts_and_styles_ask_no_other_machine() -> None:
    own = [path for path in FOLDER.iterdir() if path.suffix in {".js", ".css"}]

    assert own
    for path in own:
        assert "http" not in path.read_text("utf-8").replace("/api/", ""), path.name


def test_the_front_page_weighs_at_most_what_is_allowed_besides_its_cards() -> None:
    front = ("htmx.min.js", "app.js", "style.css", "mark.svg")

    assert (
        sum(
            (len(assets().files[assets().addresses[name].rpartition("/")[2]].body))
            for name in front
        )
        < 110_000
    )
