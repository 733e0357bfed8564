"""Runs the command line as people and scripts do: as a process, in a pipe or on a terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-m", "spillover"]
SECONDS = 60.0
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ADDRESS = re.compile(r"Spillover \S+ on (http://\S+)")


def spillover(
    *arguments: object, given: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a pipe, its standard input being `given`."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=given,
        env={**os.environ, "PYTHONUTF8": "1", **variables},
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
    )


def on_terminal(*arguments: object, columns: int = 80, **variables: str) -> str:
    """Return what a command draws on a terminal, escapes and all."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1", **variables}
    environ.pop("COLUMNS", None)
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, env=environ
    )
    os.close(theirs)
    drawn = bytearray()
    reader = threading.Thread(target=read, args=(ours, drawn), daemon=True)
    reader.start()
    process.wait(SECONDS)
    reader.join(SECONDS)
    os.close(ours)
    return drawn.decode("utf-8", "replace").replace("\r\n", "\n")


def read(terminal: int, drawn: bytearray) -> None:
    try:
        while piece := os.read(terminal, 65_536):
            drawn += piece
    except OSError:  # how Linux says that the other side closed
        return


def plain(drawn: str) -> str:
    """Return a drawing without escapes."""
    return ESCAPES.sub("", drawn)


@dataclass(kw_only=True)
class Serving:
    """A command that stays, and what it has printed so far."""

    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)
    address: str = ""

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return "".join(self.printed)


@contextmanager
def serving(*arguments: object, **variables: str) -> Iterator[Serving]:
    """Run a gateway by a command until the context ends, then interrupt it as a person does."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env={**os.environ, "PYTHONUTF8": "1", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    found = Serving(process=process)
    reader = threading.Thread(target=_collect, args=(found,), daemon=True)
    reader.start()
    try:
        wait_until(lambda: ADDRESS.search(found.text) or process.poll() is not None)
        address = ADDRESS.search(found.text)
        assert address is not None, found.text
        found.address = address[1]
        yield found
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(SECONDS)
        reader.join(SECONDS)


def _collect(found: Serving) -> None:
    assert found.process.stdout is not None
    with found.process.stdout:
        for line in found.process.stdout:
            found.printed.append(line)
