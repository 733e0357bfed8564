"""Say which process listens on a port or has a file open, as far as the system tells.

Linux does, of the user's own processes; elsewhere nobody is named.
Refuses to know what the port and the file are wanted for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTENING: Final = "0A"
"""The state's code in the kernel's tables."""
_INODE_FIELD: Final = 9
_LONGEST_COMMAND: Final = 120


def holder(port: int) -> str | None:
    """Return who listens on a port, as `name (pid 12)`; None where the system does not tell us."""
    inodes = set(_listeners(port))
    if not inodes:
        return None
    return next(_with_open({f"socket:[{inode}]" for inode in inodes}), None)


def users_of(path: Path) -> tuple[str, ...]:
    """Return who has a file open, each as `name (pid 12)`; empty where the system does not tell."""
    return tuple(_with_open({str(path.resolve())}))


def _with_open(targets: set[str]) -> Iterator[str]:
    """Yield the processes that have any of these open, by Linux's tables."""
    for process in Path("/proc").glob("[0-9]*"):
        if any(target in targets for target in _open_files(process)):
            yield f"{_command(process)} (pid {process.name})"


def _listeners(port: int) -> Iterator[str]:
    """Yield the inodes of the sockets that listen on a port, by Linux's tables."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[_INODE_FIELD]


def _open_files(process: Path) -> Iterator[str]:
    try:
        for name in os.listdir(process / "fd"):  # noqa: PTH208 - names alone are wanted
            yield os.readlink(process / "fd" / name)  # noqa: PTH115 - no path: socket:[12]
    except OSError:  # another user's process, or one that has just ended
        return


def _command(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "a process"
    text = " ".join(b" ".join(words).decode("utf-8", "replace").split())
    cut = text if len(text) <= _LONGEST_COMMAND else f"{text[: _LONGEST_COMMAND - 1]}…"
    return cut or "a process"
