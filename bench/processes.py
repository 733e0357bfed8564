"""Start the processes of the bench, and end exactly those: also when the bench itself is ended.

Each is the head of a process group of its own. Refuses to know what they are.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench import machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

READY_S: Final = 60.0
END_S: Final = 15.0
OK: Final = 200


class Unready(Exception):
    """A process ended, or never answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start."""

    arguments: Sequence[str]
    log: Path
    core: int
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Process:
    """A running process and those that it started."""

    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Its id, which is its group's too."""
        return self.popen.pid

    def cpu_s(self) -> float:
        """Return the processor time it has used."""
        return machine.cpu_s(self.pid)

    def rss_mb(self) -> float:
        """Return the memory it holds."""
        return machine.rss_mb(self.pid)

    def tail(self) -> str:
        """Return the end of what it printed."""
        return self.log.read_text(errors="replace")[-2_000:]


@contextlib.contextmanager
def running(command: Command) -> Iterator[Process]:
    """Run a process for as long as the context lasts.

    The kernel ends it, too, should the bench be killed.
    """
    guard = ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", str(command.core)]
    with command.log.open("wb") as log:
        popen = subprocess.Popen(
            [*guard, *command.arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**plain_environ(), **command.environ},
            start_new_session=True,
        )
    try:
        yield Process(popen, command.log)
    finally:
        _end(popen)


def plain_environ() -> dict[str, str]:
    """Return the environment without anything that would change what is measured."""
    kept = {"PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH"}
    return {name: value for name, value in os.environ.items() if name in kept}


def _end(popen: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGTERM, END_S), (signal.SIGKILL, END_S)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(popen.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            popen.wait(patience)
            break
    with contextlib.suppress(ProcessLookupError):  # what it started and did not end
        os.killpg(popen.pid, signal.SIGKILL)


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A POST to a local server."""

    port: int
    path: str
    body: bytes
    headers: Mapping[str, str]

    def ask(self, timeout_s: float = 30.0) -> tuple[int, bytes]:
        """Send it; return status and body. Raises `OSError` or `HTTPException`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request("POST", self.path, self.body, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def await_answer(process: Process, request: Request, *, every_s: float = 0.002) -> bytes:
    """Ask until the answer is 200; return its body.

    Raises `Unready` when the process ends, or has not answered so within `READY_S`.
    """
    give_up_at = time.monotonic() + READY_S
    said: object = "nothing"
    while time.monotonic() < give_up_at:
        if process.popen.poll() is not None:
            raise Unready(f"it ended with {process.popen.returncode}:\n{process.tail()}")
        try:
            status, body = request.ask()
        except (OSError, http.client.HTTPException) as error:
            said = error
        else:
            if status == OK:
                return body
            said = f"{status} {body[:500]!r}"
        time.sleep(every_s)
    raise Unready(f"no answer after {READY_S:.0f} s; last: {said}\n{process.tail()}")
