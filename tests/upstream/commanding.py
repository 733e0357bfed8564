"""The tests' local server as a command, and whether processes live."""

from __future__ import annotations

import socket
import sys
from contextlib import closing
from pathlib import Path

SERVER = Path(__file__).with_name("local_server.py")


def free_port() -> int:
    """Return a port that was free a moment ago: the servers of others are told theirs in advance."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
    return port


def command(port: int, *arguments: object) -> tuple[str, ...]:
    """Return how the server is started on a port."""
    return (sys.executable, str(SERVER), str(port), *map(str, arguments))


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that ended and waits to be noticed does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
