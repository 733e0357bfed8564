"""The floor under the coverage of pure code is enforced, not only stated."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.structure.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WHOLE = {"executed_lines": [1, 2], "missing_lines": [], "missing_branches": []}
HALF = {"executed_lines": [1], "missing_lines": [2], "missing_branches": [[1, 2], [1, -1]]}


def floors(folder: Path, files: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
    report = folder / "coverage.json"
    report.write_text(json.dumps({"meta": {"branch_coverage": True}, "files": files}), "utf-8")
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "coverage_floors.py"), str(report)],
        check=False,
        capture_output=True,
        text=True,
    )


def test_whole_coverage_of_pure_code_passes(tmp_path: Path) -> None:
    files = {"src/spillover/core/a.py": WHOLE, "src/spillover/protocols/b.py": WHOLE}

    done = floors(tmp_path, files)

    assert done.returncode == 0


def test_a_missed_line_or_branch_of_pure_code_is_named(tmp_path: Path) -> None:
    files = {"src/spillover/core/a.py": HALF, "src/spillover/protocols/b.py": WHOLE}

    done = floors(tmp_path, files)

    assert done.returncode == 1
    assert "core/a.py: lines 2; branches 1->2, 1->exit" in done.stdout


def test_code_that_is_not_pure_has_no_floor_of_its_own(tmp_path: Path) -> None:
    files = {
        "src/spillover/core/a.py": WHOLE,
        "src/spillover/protocols/b.py": WHOLE,
        "src/spillover/engine.py": HALF,
    }

    done = floors(tmp_path, files)

    assert done.returncode == 0


def test_a_floor_without_files_is_an_error(tmp_path: Path) -> None:
    done = floors(tmp_path, {"src/spillover/core/a.py": WHOLE})

    assert done.returncode == 1
    assert "protocols: nothing was measured" in done.stdout
