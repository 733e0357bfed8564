"""Lock the newest versions of the clients from npm that run on the Node that is here.

`python scripts/lock_npm.py FOLDER ...`, each with a `package.json`. A lock names versions and hashes,
never where they come from, nor who would like to be paid, and no package for another system that
could not be found: `npm ci` would ask for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

NPM = (
    "npm",
    "install",
    "--package-lock-only",
    "--omit-lockfile-registry-resolved",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
)


def main(folders: list[Path]) -> None:
    """Write each folder's lock anew."""
    for folder in folders:
        lock = folder / "package-lock.json"
        lock.unlink(missing_ok=True)
        subprocess.run(NPM, cwd=folder, check=True)
        found = json.loads(lock.read_text("utf-8"))
        packages = found["packages"]
        for package in packages.values():
            package.pop("funding", None)
            for name in list(package.get("optionalDependencies", ())):
                if f"node_modules/{name}" not in packages:
                    del package["optionalDependencies"][name]
        lock.write_text(f"{json.dumps(found, indent=2)}\n", "utf-8")


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:]])
