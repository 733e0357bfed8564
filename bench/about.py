"""Say what was run, on what, and in which versions.

Refuses to know what came of it.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from typing import Final

from bench import machine
from bench.contestants import nginx_program
from bench.peers import LITELLM, PORTKEY

_LIBRARIES: Final = ("spillover", "uvicorn", "uvloop", "httptools", "aiohttp", "msgspec")

_HOW: Final = """\
`{command}`: everything on loopback. {cores}
All contestants run all the time, and those that are not asked are idle; they are asked in turn,
{rounds} times {seconds:g} s for each row, after a warm-up. Before the run {busy:.1f} processes of others
wanted to run on average: from 0.5 on, figures are too low and ratios unsteady.
Figures are medians over the rounds; a ratio is taken inside each round first.
The request is a chat of 1.5 KB, sent by wrk over kept connections. The upstream of whole answers is
an nginx that returns 600 bytes (the fastest at hand), that of streams a small server on uvloop that
stamps each event with its time. Spillover runs as `spillover serve --config`: three profiles with
five limits each (rolling, calendar and refill), a durable SQLite ledger, all else as it comes."""
_APART: Final = "Each contestant has one core, the load and the upstream have another."
_TOGETHER: Final = "There is but one core for contestants, load and upstream."


def about(command: str, *, rounds: int, seconds: float, cores: machine.Cores, busy: float) -> str:
    """Return the circumstances of a run, as paragraphs; `busy` is what others did before it."""
    today = datetime.now(UTC)  # noqa: TID251 - the day of the run
    how = _HOW.format(
        command=command,
        cores=_APART if cores.apart else _TOGETHER,
        rounds=rounds,
        seconds=seconds,
        busy=busy,
    )
    return (
        f"{today:%d %B %Y}, on {machine.facts()}.\n{', '.join(_versions())}{_revision()}.\n\n{how}"
    )


def _versions() -> list[str]:
    found = [f"Python {platform.python_version()}"]
    found += [f"{name} {metadata.version(name)}" for name in _LIBRARIES]
    found += [_said("nginx", nginx_program(), "-v"), _said("wrk", "wrk", "-v")]
    if LITELLM.is_file():
        packages = [str(each) for each in LITELLM.parents[1].glob("lib/python*/site-packages")]
        there = metadata.distributions(name="litellm", path=packages)
        found += [f"LiteLLM {each.version}" for each in there]
    if PORTKEY.is_file():
        package = json.loads(PORTKEY.parents[1].joinpath("package.json").read_text())
        found += [f"Portkey {package['version']}", _said("Node", "node", "--version")]
    return found


def _said(name: str, *command: str) -> str:
    """Return a name with the first version that a program tells."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    version = re.search(r"\d+\.\d+(?:\.\d+)?", ran.stdout + ran.stderr)
    return f"{name} {version[0]}" if version else name


def _revision() -> str:
    """Return the commit, where there is one, and whether the files differ from it."""
    commit = _git("rev-parse", "--short", "HEAD")
    if not commit:
        return ""
    return f" (commit {commit}{', with changes' if _git('status', '--porcelain', 'src') else ''})"


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return ran.stdout.strip()
