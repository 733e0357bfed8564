"""Run a command with everything it starts: begin it, hear its output, measure it, end it all.

Behind each command stands a keeper (`keeper.py`), so that none of its processes outlives us, even
when we are killed. Refuses to know what the command is for, and when it should run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GRACE_S: Final = 5.0
"""How long processes have to end when they are asked to."""
LONGEST_LINE: Final = 1 << 16

_End = TypeVar("_End", asyncio.StreamReader, asyncio.StreamWriter)

_KEEPER: Final = str(Path(__file__).with_name("keeper.py"))
_GROUP_FIELD: Final = 2
_PAGES_FIELD: Final = 21
"""Of `/proc/PID/stat`, counted behind the name."""


class CommandFailed(Exception):
    """The command can't be started; the text says why."""


class Family:
    """A running command and its processes."""

    def __init__(
        self, keeper: asyncio.subprocess.Process, pid: int, hear: Callable[[str], None]
    ) -> None:
        """Hold what `start` began."""
        self.pid = pid
        """Of the command itself."""
        self._keeper = keeper
        self._hearing = asyncio.create_task(self._hear(hear))
        self._ended = asyncio.create_task(self._until_ended())

    @classmethod
    async def start(
        cls,
        command: tuple[str, ...],
        *,
        folder: str,
        environ: Mapping[str, str],
        hear: Callable[[str], None],
    ) -> Family:
        """Start a command; `hear` is called with each line of its output.

        `environ` is added to our own environment. Raises `CommandFailed`.
        """
        try:
            keeper = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", _KEEPER, str(GRACE_S), *command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env={**os.environ, **environ},
                start_new_session=sys.platform != "win32",
            )
        except OSError as error:
            raise CommandFailed(f"{error.strerror}: {error.filename}") from None
        kind, _, told = (await _pipe(keeper.stdout).readline()).decode().strip().partition(" ")
        if kind != "pid":
            await keeper.communicate()
            raise CommandFailed(told or "its keeper could not start")
        return cls(keeper, int(told), hear)

    @property
    def ended(self) -> asyncio.Task[int | None]:
        """Done when all is over, with the command's status: minus the signal that ended it.

        None: it is not known.
        """
        return self._ended

    async def stop(self) -> None:
        """Ask every process to end, and end it after `GRACE_S`; returns when none is left."""
        _pipe(self._keeper.stdin).close()
        await asyncio.wait({self._ended}, timeout=2 * GRACE_S)
        self.kill()
        await self._ended

    def kill(self) -> None:
        """End every process at once."""
        if sys.platform == "win32":
            with contextlib.suppress(ProcessLookupError):
                self._keeper.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._keeper.pid, signal.SIGKILL)

    async def _until_ended(self) -> int | None:
        told = await _pipe(self._keeper.stdout).read()
        # Whoever killed the keeper left the others, and they hold the pipe that `wait` waits for.
        self.kill()
        await self._keeper.wait()
        await self._hearing
        _pipe(self._keeper.stdin).close()
        kind, _, status = told.decode().strip().partition(" ")
        return int(status) if kind == "exit" else None

    async def _hear(self, hear: Callable[[str], None]) -> None:
        rest, output = b"", _pipe(self._keeper.stderr)
        while piece := await output.read(LONGEST_LINE):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                hear(line.decode("utf-8", "replace").rstrip("\r"))
            if len(rest) > LONGEST_LINE:
                hear(rest.decode("utf-8", "replace"))
                rest = b""
        if rest:
            hear(rest.decode("utf-8", "replace"))

    def memory(self) -> int | None:
        """Return the bytes that its processes hold resident; None where the system does not tell.

        Reads the table of all processes: some milliseconds.
        """
        if sys.platform == "win32":
            return None
        if Path("/proc/self/stat").exists():
            return self._memory_by_proc()
        return self._memory_by_ps()

    def _memory_by_proc(self) -> int:
        pages = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                stat = (process / "stat").read_text("utf-8", "replace")
            except OSError:  # it has just ended
                continue
            fields = stat.rpartition(")")[2].split()
            if int(fields[_GROUP_FIELD]) == self._keeper.pid != int(process.name):
                pages += int(fields[_PAGES_FIELD])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _memory_by_ps(self) -> int | None:
        try:
            listed = subprocess.run(
                ["/bin/ps", "-axo", "pid=,pgid=,rss="], capture_output=True, text=True, check=True
            ).stdout
        except (OSError, subprocess.CalledProcessError):
            return None
        rows = [[int(field) for field in line.split()] for line in listed.splitlines()]
        own = self._keeper.pid
        return sum(kib << 10 for pid, group, kib in rows if group == own != pid)


def _pipe(end: _End | None) -> _End:
    """Return an end of a pipe that was asked for."""
    if end is None:
        raise AssertionError("the keeper was started with pipes")
    return end
