"""Find the configuration file, the state folder and the `.env` beside the configuration.

Refuses to look into the working folder: a cloned repository must not steer anyone's keys.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Mapping

APP: Final = "spillover"
FILE_NAME: Final = "spillover.yaml"
CONFIG_VARIABLE: Final = "SPILLOVER_CONFIG"
STATE_VARIABLE: Final = "SPILLOVER_STATE_DIR"
LARGEST_ENV: Final = 262_144

_ASSIGNMENT: Final = re.compile(
    r"""
    \s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*
    (?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<bare>[^\r\n]*?))
    \s*(?:(?<=\s)\#.*)?$
    """,
    re.VERBOSE,
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


def config_path(given: str | Path | None, environ: Mapping[str, str]) -> Path:
    """Return where the configuration is, or would be: `--config`, `$SPILLOVER_CONFIG`, the user's."""
    named = given or environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named).expanduser()
    return platformdirs.user_config_path(APP, appauthor=False) / FILE_NAME


def is_named(given: str | Path | None, environ: Mapping[str, str]) -> bool:
    """Whether somebody asked for a certain file: then it must exist."""
    return bool(given or environ.get(CONFIG_VARIABLE))


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the ledger: `$SPILLOVER_STATE_DIR`, else the user's."""
    named = environ.get(STATE_VARIABLE)
    if named:
        return Path(named).expanduser()
    return platformdirs.user_state_path(APP, appauthor=False)


def log_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the log: `logs` in `$SPILLOVER_STATE_DIR`, else the platform's place."""
    if environ.get(STATE_VARIABLE):
        return state_folder(environ) / "logs"
    return platformdirs.user_log_path(APP, appauthor=False)


def env_path(config: Path) -> Path:
    """Return where the `.env` of a configuration is, or would be."""
    return config.parent / ".env"


def read_env(path: Path) -> dict[str, str]:
    """Return the variables of a `.env` file; empty where there is none, or it can't be read.

    `export`, single and double quotes and `#` comments are understood; other lines are passed over.
    """
    try:
        with path.open("rb") as opened:
            text = opened.read(LARGEST_ENV).decode("utf-8-sig", errors="replace")
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = None if line.lstrip().startswith("#") else _ASSIGNMENT.match(line)
        if match is not None:
            found[match["name"]] = _assigned(match)
    return found


def _assigned(match: re.Match[str]) -> str:
    if match["single"] is not None:
        return match["single"]
    if match["double"] is not None:
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), match["double"])
    return match["bare"].strip()
