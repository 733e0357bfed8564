"""What runs here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from spillover import __version__
from spillover.doctor.probe.machine import machine
from spillover.doctor.probe.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path


def test_versions_and_this_machines_own_address_are_looked_at(tmp_path: Path) -> None:
    found = machine(Subject.of(tmp_path / "spillover.yaml", {}, None))

    assert (found.spillover, found.python) == (__version__, sys.version_info[:3])
    assert found.openssl.startswith(("OpenSSL", "LibreSSL"))
    assert found.loopback_error == ""
    assert found.folder == str(tmp_path)
