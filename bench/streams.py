"""Measure paced streams: how late each event arrives, what stalls and what fails.

The client is a process of its own (`python -m bench.streams`, arguments as JSON on standard input).
Refuses to know who streams.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import uvloop

from bench.traffic import PACE, STAMP_DIGITS

if TYPE_CHECKING:
    from bench.contestants import Entrant

RAMP_S: Final = 0.5
"""The streams are opened over this time; what arrives while they are is not judged."""
STALL_S: Final = 0.5
"""An event that is later than this is a stall."""
PATIENCE_S: Final = 15.0
"""How long beyond its schedule a stream is waited for."""

_STAMP: Final = re.compile(rb'"content": ?"(\d{%d})"' % STAMP_DIGITS)
_LONGEST_PART: Final = STAMP_DIGITS + 16
"""Bytes that may hold the beginning of a stamp whose end comes with the next read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """What came of a run."""

    events: int
    p50_ms: float
    """Of the delays: from the upstream's send to the client's receipt."""
    p99_ms: float
    longest_ms: float
    stalls: int
    errors: int
    """Streams that were refused, broke off, or lost events."""
    cpu_us: float
    """Processor time of the contestant for each event, opening and closing included."""

    @property
    def bad(self) -> int:
        """Stalls and errors."""
        return self.stalls + self.errors


def streamed(entrant: Entrant, *, streams: int, events: int) -> Streamed:
    """Read `streams` at once, each of `events` at the upstream's pace."""
    request = entrant.request(stream=True)
    asked = {
        "port": request.port,
        "path": request.path,
        "body": request.body.decode(),
        "headers": dict(request.headers),
        "streams": streams,
        "events": events,
    }
    before = entrant.cpu_s()
    ran = subprocess.run(
        [sys.executable, "-m", "bench.streams"],
        input=json.dumps(asked),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    used_s = entrant.cpu_s() - before
    return Streamed(**json.loads(ran.stdout), cpu_us=used_s * 1e6 / (streams * events))


# ---- the client's process ----


class _Stream(asyncio.Protocol):
    """One request and the events of its answer."""

    def __init__(self, request: bytes) -> None:
        self.delays: list[tuple[int, int]] = []
        """When each event was sent, and how much later it came, in nanoseconds."""
        self.is_whole = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._kept = b""
        self._is_done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note when each event came."""
        now = time.monotonic_ns()
        data = self._kept + data
        end = 0
        for found in _STAMP.finditer(data):
            sent = int(found[1])
            self.delays.append((sent, now - sent))
            end = found.end()
        self._kept = data[max(end, len(data) - _LONGEST_PART) :]
        if b"[DONE]" in data:
            self._is_done = True
        if self._is_done and data.endswith(b"0\r\n\r\n"):
            self.is_whole = True
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """Wake who waits."""
        if not self.ended.done():
            self.ended.set_result(None)


async def _run(asked: dict[str, Any]) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    headers = {
        "Host": f"127.0.0.1:{asked['port']}",
        "Content-Length": str(len(asked["body"])),
        **asked["headers"],
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"POST {asked['path']} HTTP/1.1\r\n{lines}\r\n{asked['body']}".encode()
    count, events = asked["streams"], asked["events"]
    began, streams = loop.time(), []
    for i in range(count):
        await asyncio.sleep(began + RAMP_S * i / count - loop.time())
        _, stream = await loop.create_connection(
            lambda: _Stream(request), "127.0.0.1", asked["port"]
        )
        streams.append(stream)
    open_at = time.monotonic_ns()
    await asyncio.wait([each.ended for each in streams], timeout=events / PACE + PATIENCE_S)
    return _summary(streams, events=events, open_at=open_at)


def _summary(streams: list[_Stream], *, events: int, open_at: int) -> dict[str, float]:
    delays = sorted(delay for each in streams for sent, delay in each.delays if sent > open_at) or [
        0
    ]
    return {
        "events": len(delays),
        "p50_ms": delays[len(delays) // 2] / 1e6,
        "p99_ms": delays[len(delays) * 99 // 100] / 1e6,
        "longest_ms": delays[-1] / 1e6,
        "stalls": sum(delay > STALL_S * 1e9 for delay in delays),
        "errors": sum(not each.is_whole or len(each.delays) != events for each in streams),
    }


def main() -> None:
    """Run the client; print what came of it."""
    asked = json.load(sys.stdin)
    gc.freeze()
    gc.disable()  # a collection here would look like a proxy's delay
    json.dump(uvloop.run(_run(asked)), sys.stdout)


if __name__ == "__main__":
    main()
