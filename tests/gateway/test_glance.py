"""A running gateway keeps the line of `spillover status --line` up to date, and takes it away."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from spillover.cli.glance import glanced
from spillover.ledger.linefile import FILE_NAME
from tests.journeys.processes import document, gateway, provider, write
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


def test_the_line_follows_what_is_served(tmp_path: Path, own_folders: Path) -> None:
    config = tmp_path / "spillover.yaml"

    with provider("first") as first, provider("second") as second:
        write(config, document(first, second, limits={"requests_per_minute": 1}))
        with gateway(config) as served:
            wait_until(lambda: glanced(["--line"]) == "first 0/1 RPM ▸ next second\n")
            served.served_by()
            wait_until(lambda: glanced(["-t", "{serving}"]) == "second\n")
            of_this = glanced([f"--config={os.path.relpath(config)}"])

    assert of_this is not None
    assert not (own_folders / FILE_NAME).exists()
