"""Do what `--fix` promises, and say what was done.

Each fix changes as little as it can: a line, a number, a mode. Refuses to decide what is wrong.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

from ruamel.yaml import YAML

from spillover.config.locate import read_env
from spillover.doctor.findings import (
    Fix,
    NewLedger,
    OnlyOwner,
    OtherPort,
    SetVariable,
    TidyVariable,
)
from spillover.doctor.judge.keys import tidied
from spillover.ledger.sqlite import move_aside

if TYPE_CHECKING:
    from collections.abc import Callable

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_PLAIN: Final = re.compile(r"[^\s#'\"]*")
_WIDE: Final = 4_096


def mend(fix: Fix, stamp: str) -> str:
    """Perform a fix and return what was done; `stamp` names what is moved aside.

    Raises `OSError` or `StorageError` where it can't be done; nothing is half done then.
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
            _rewrite(fix.path, lambda text: _with_port(text, fix.port))
            return f"{fix.path} has port {fix.port} now"
        case _:
            assert_never(fix)


def _rewrite(path: Path, change: Callable[[str], str]) -> None:
    """Change a file whole or not at all; one that is new is readable by its owner alone."""
    exists = path.exists()
    text = path.read_bytes().decode() if exists else ""
    mode = path.stat().st_mode & 0o777 if exists else _PRIVATE_FILE
    path.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
    # Beside it, for only within a file system does one file take another's place at once.
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as written:
            written.write(change(text).encode())
            written.flush()
            os.fsync(written.fileno())
        Path(beside).chmod(mode)
        Path(beside).replace(path.resolve())
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


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


def _with_port(text: str, port: int) -> str:
    """Return a configuration with another port, its comments kept."""
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, _WIDE
    document = yaml.load(text)
    server = document.get("server")
    if server is None:
        gap = "" if text.endswith("\n") else "\n"
        return f"{text}{gap}server: {{port: {port}}}\n"
    if "port" in server:
        # One number at a known place: nothing else of the file is touched.
        line, column = server.lc.value("port")
        lines = text.splitlines(keepends=True)
        rest = lines[line][column:]
        lines[line] = lines[line][:column] + re.sub(r"^[^\s,}#]+", str(port), rest)
        return "".join(lines)
    server["port"] = port
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()
