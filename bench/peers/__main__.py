"""Install the peers from their locks: `python -m bench.peers`, or `make bench-peers`.

Each has an environment of its own, so that none shares a library with Spillover. Refuses to know
how they are run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

from bench.peers import FOLDER, LITELLM, PORTKEY

HERE: Final = Path(__file__).resolve().parent
LITELLM_LOCK: Final = HERE.parents[1] / "requirements" / "bench-peers.txt"


def main() -> int:
    """Install both; return 1 when npm is missing."""
    _install_litellm()
    if shutil.which("npm") is None:
        print("npm is not installed: Portkey is left out. On Debian: apt-get install npm")
        return 1
    _install_portkey()
    return 0


def _install_litellm() -> None:
    folder = LITELLM.parents[1]
    print(f"LiteLLM proxy, into {folder.name}: some 120 packages", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    # The lock is whole, and pip would miss that a pin of it is one of an extra.
    locked = ["--no-deps", "--require-hashes", "-r", str(LITELLM_LOCK)]
    subprocess.run([*pip, *locked], check=True)


def _install_portkey() -> None:
    folder = FOLDER / "portkey"
    print(f"Portkey's gateway, into {folder.name}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, folder / name)
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(npm, cwd=folder, check=True)
    if not PORTKEY.is_file():
        raise SystemExit(f"npm installed no {PORTKEY.name}")


if __name__ == "__main__":
    sys.exit(main())
