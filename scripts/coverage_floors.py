"""Checks that pure code is covered whole, lines and branches.

Reads the JSON report that pytest wrote; exits 1 and names what was missed, refuses to know why.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FLOORS = ("core", "protocols")


def missed(entry: dict[str, list[int] | list[list[int]]]) -> str:
    """Say what of a file never ran, or nothing when all did."""
    lines = ", ".join(str(line) for line in entry["missing_lines"])
    branches = ", ".join(
        f"{arc[0]}->{arc[1] if arc[1] > 0 else 'exit'}"
        for arc in entry["missing_branches"]
        if isinstance(arc, list)
    )
    return "; ".join(
        f"{kind} {found}" for kind, found in (("lines", lines), ("branches", branches)) if found
    )


def faults(report: dict[str, dict[str, dict[str, list[int] | list[list[int]]]]]) -> list[str]:
    """Name every pure file that was not covered whole, and every floor that was not measured."""
    found = []
    for floor in FLOORS:
        folder = f"spillover/{floor}/"
        files = {
            name.replace("\\", "/"): entry
            for name, entry in report["files"].items()
            if folder in name.replace("\\", "/")
        }
        if not files:
            found.append(f"{floor}: nothing was measured")
        found += [f"{name}: {what}" for name, entry in files.items() if (what := missed(entry))]
    return found


def main() -> int:
    """Print the verdict; 0 when pure code is covered whole, else 1."""
    path = Path(sys.argv[1])
    if not path.is_file():
        print(f"{path} is missing: run pytest with --cov --cov-report=json first")
        return 1
    found = faults(json.loads(path.read_text("utf-8")))
    for fault in found:
        print(fault)
    print(f"Pure code is {'not ' if found else ''}covered whole ({', '.join(FLOORS)}).")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
