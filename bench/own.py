"""Time what Spillover itself does for a request, from ASGI to ASGI, over a provider at no distance.

What a request costs beyond this is the HTTP server's and the HTTP client's.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from bench.contestants import spillover_document
from bench.processes import OK
from bench.traffic import ANSWER, PATH, request
from spillover.clock import SystemClock
from spillover.config.loader import load_document
from spillover.engine import Engine
from spillover.engine.attempt import Means
from spillover.engine.rounds import Rounds
from spillover.engine.world import World
from spillover.events import Bus
from spillover.gateway.app import Gateway
from spillover.gateway.settings import Settings
from spillover.ledger.ledger import Ledger
from spillover.ledger.opening import open_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from spillover.gateway.asgi import Message
    from spillover.upstream import Order

TOGETHER: Final = 16
EACH: Final = 100
TIMES: Final = 5
"""The best of so many counts, after a warm-up."""


class _Exchange:
    """A whole answer that is there at once."""

    status = 200
    headers: Mapping[str, str] = {"content-type": "application/json"}

    async def read(self) -> bytes:
        return b""

    async def read_all(self, _at_most: int) -> bytes:
        return ANSWER

    async def pour(self, _take: Callable[[bytes], bool]) -> None:
        pass

    def close(self) -> None:
        pass


class _Upstream:
    """A provider without a network."""

    async def open(self, _order: Order, connected: Callable[[], None]) -> _Exchange:
        connected()
        return _Exchange()

    async def close(self) -> None:
        pass


async def own_us(path: Path) -> float:
    """Time a request from ASGI to ASGI: all but the HTTP server and client, in microseconds."""
    clock = SystemClock()
    ledger = Ledger(open_journal(path, stamp="bench").journal, clock)
    await ledger.start()
    means = Means(upstream=_Upstream(), clock=clock, rounds=Rounds())
    engine = Engine(
        World(ledger=ledger, means=means, events=Bus()), version="bench", closing=ledger.close
    )
    loaded = load_document(spillover_document("http://127.0.0.1:1"), environ={})
    await engine.reload(loaded)
    gateway = Gateway(engine, Settings.of(loaded.config.server))

    async def worker(requests: int) -> None:
        for _ in range(requests):
            await _visit(gateway)

    took = []
    for requests in [EACH] * (TIMES + 1):
        began = time.process_time()
        await asyncio.gather(*(worker(requests) for _ in range(TOGETHER)))
        took.append((time.process_time() - began) / (requests * TOGETHER))
    await engine.close(grace_s=0)
    return min(took[1:]) * 1e6


_BODY: Final = request(stream=False)


async def _visit(gateway: Gateway) -> None:
    """Ask the gateway as its server would."""
    answered: list[Message] = []

    unheard = [_BODY]

    async def receive() -> Message:
        if unheard:
            return {"type": "http.request", "body": unheard.pop(), "more_body": False}
        # The client stays; an answer without a wait would keep the loop to itself.
        leaving: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        return await leaving

    async def send(message: Message) -> None:
        answered.append(message)

    headers = {
        b"host": b"127.0.0.1:4400",
        b"content-type": b"application/json",
        b"content-length": b"%d" % len(_BODY),
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "query_string": b"",
        "headers": list(headers.items()),
    }
    await asyncio.create_task(gateway(scope, receive, send))
    if answered[0]["status"] != OK:
        raise SystemExit(f"the gateway answered {answered}")
