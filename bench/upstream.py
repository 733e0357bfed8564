"""An upstream that streams on an absolute schedule, each event stamped with the time it is sent.

So the delay a proxy adds is measured where the event arrives, and how late this process itself is
doesn't count. Run as `python -m bench.upstream --port N --events N`. Refuses to know proxies.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import re
import time
from typing import Final, cast

import uvloop

from bench.traffic import ANSWER, FIRST_EVENT, LAST_EVENTS, PACE, STAMPED_EVENT

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM: Final = re.compile(rb'"stream": *true')
_GOLDEN: Final = 0.618_033_988_75
"""Multiples of it, without their whole part, spread evenly: no two streams beat together."""
_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
_WHOLE: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
    % (len(ANSWER), ANSWER)
)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_STAMPED: Final = b"%x\r\n%b\r\n" % (len(STAMPED_EVENT % 0), STAMPED_EVENT)
_TAIL: Final = b"".join(map(_chunk, LAST_EVENTS)) + b"0\r\n\r\n"


class Upstream(asyncio.Protocol):
    """One connection; requests come one after the other."""

    _phases = itertools.count()

    def __init__(self, events: int) -> None:
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        """Send no more."""
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer once the request is whole."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]):
            return
        self._received = b""
        if not _STREAM.search(body):
            self._transport.write(_WHOLE)
            return
        self._transport.write(_HEAD + _chunk(FIRST_EVENT))
        phase = next(self._phases) * _GOLDEN % 1
        self._send_at(self._loop.time() + (1 + phase) / PACE, self._events)

    def _send_at(self, due: float, left: int) -> None:
        self._timer = self._loop.call_at(due, self._send, due, left)

    def _send(self, due: float, left: int) -> None:
        if left == 0:
            self._transport.write(_TAIL)
            return
        self._transport.write(_STAMPED % time.monotonic_ns())
        self._send_at(due + 1 / PACE, left - 1)


async def _serve(port: int, events: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(events), "127.0.0.1", port, backlog=2_048)
    gc.freeze()
    gc.disable()  # a collection here would look like a proxy's delay
    await server.serve_forever()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--events", type=int, required=True, help="of each stream")
    options = parser.parse_args()
    uvloop.run(_serve(options.port, options.events))


if __name__ == "__main__":
    main()
