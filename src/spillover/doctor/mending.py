"""Do what `--fix` promises, and say what was done.

Each fix changes as little as it can: a line, a number, a mode. Refuses to decide what is wrong.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, assert_never

from spillover.clock import SystemClock
from spillover.config.files import content_of, write_whole
from spillover.config.locate import env_path, read_env, state_folder
from spillover.config.writer import Edit, Writer
from spillover.doctor.findings import (
    Fix,
    NewLedger,
    OnlyOwner,
    OtherPort,
    RemoveLeftover,
    SetVariable,
    TidyVariable,
)
from spillover.doctor.judge.keys import tidied
from spillover.ledger.sqlite import move_aside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_PLAIN: Final = re.compile(r"[^\s#'\"]*")


def mend(fix: Fix, stamp: str) -> str:
    """Perform a fix and return what was done; `stamp` names what is moved aside.

    Raises `OSError`, `StorageError`, `Changed` or a `SpilloverError` where it can't be done; nothing is
    half done then.
    """
    match fix:
        case OnlyOwner():
            mode = _PRIVATE_FOLDER if fix.path.is_dir() else _PRIVATE_FILE
            fix.path.chmod(mode)
            return f"{fix.path} is readable by you alone now (mode {mode:o})"
        case TidyVariable():
            value = tidied(read_env(fix.path).get(fix.name, ""))
            _rewrite(fix.path, lambda text: _tidied_line(text, fix.name, value))
            return f"{fix.name} in {fix.path} has neither quotes nor blanks any more"
        case SetVariable():
            _rewrite(fix.path, lambda text: _with_variable(text, fix.name, fix.value))
            return f"{fix.name}={fix.value} stands in {fix.path}"
        case NewLedger():
            moved_to = move_aside(fix.path, stamp, None)
            return f"{fix.path} was moved to {moved_to}; the next command begins a new one"
        case OtherPort():
            _set_port(fix.path, fix.port)
            return f"{fix.path} has port {fix.port} now"
        case RemoveLeftover():
            _remove(fix.path)
            return f"{fix.path} is deleted"
        case _:
            assert_never(fix)


def _remove(path: Path) -> None:
    """Delete a file, or a folder with the files in it; a folder within it keeps it there."""
    if path.is_dir() and not path.is_symlink():
        for each in path.iterdir():
            each.unlink()
        path.rmdir()
    else:
        path.unlink()


def _rewrite(path: Path, change: Callable[[str], str]) -> None:
    """Change a file whole or not at all; one that is new is readable by its owner alone."""
    before = content_of(path)
    write_whole(path, change((before or b"").decode()).encode(), expected=before)


def _line_of(name: str) -> re.Pattern[str]:
    return re.compile(
        rf"^(?P<before>[ \t]*(?:export[ \t]+)?{re.escape(name)}[ \t]*=)(?P<value>[^\r\n]*)",
        re.MULTILINE,
    )


def _tidied_line(text: str, name: str, value: str) -> str:
    """Return a `.env` in which a variable has its bare value."""
    shown = value if _PLAIN.fullmatch(value) else f'"{value}"'

    def bare(found: re.Match[str]) -> str:
        _, mark, remark = found["value"].partition(" #")
        comment = f"{mark}{remark}" if "#" not in value else ""
        return f"{found['before'].removesuffix('=').rstrip()}={shown}{comment}"

    return _line_of(name).sub(bare, text)


def _with_variable(text: str, name: str, value: str) -> str:
    """Return a `.env` that sets a variable."""
    changed, count = _line_of(name).subn(lambda found: f"{found['before']}{value}", text)
    if count:
        return changed
    gap = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{gap}{name}={value}\n"


def _set_port(path: Path, port: int) -> None:
    """Have a configuration name another port; what was there is kept as a version."""

    def change(document: dict[str, Any]) -> None:
        document["server"] = {**(document.get("server") or {}), "port": port}

    known = {**read_env(env_path(path)), **os.environ}
    writer = Writer(path, environ=os.environ, state=state_folder(known), now=SystemClock().now)
    writer.edit(Edit(change=change, what=f"port {port}, by doctor --fix", by="cli", guarded=False))
