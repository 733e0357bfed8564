"""Where the project's files are, as git and the file system tell it."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "spillover"
TESTS = ROOT / "tests"


def modules(folder: Path) -> list[Path]:
    """List every Python file below a folder, in order, but none in a hidden folder."""
    return sorted(
        path
        for path in folder.rglob("*.py")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def tracked() -> list[Path]:
    """List every file that git keeps, or would keep, and that is there now."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (ROOT / name for name in listing.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def shown(path: Path) -> str:
    """Return a path as one would type it in the project's folder."""
    return path.relative_to(ROOT).as_posix()
