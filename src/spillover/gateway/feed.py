"""Tell events over HTTP: as a stream of server-sent events, and the latest as a list.

An event's id holds the start of the gateway that told it, so that a client which comes back after a
restart gets what it missed, not what happens to have the same number.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from spillover.events import to_json
from spillover.events.bus import RECENT
from spillover.gateway.queries import Query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from spillover.events import Event, Subscription
    from spillover.gateway.asgi import Receive
    from spillover.gateway.routes import Inquiry
    from spillover.gateway.visit import Visit

HEARTBEAT_S: Final = 15.0
_USUAL: Final = 100
_HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx would hold events back
    "x-content-type-options": "nosniff",
}


async def recent(inquiry: Inquiry) -> None:
    """Answer the latest events, oldest first; `?limit=` says how many."""
    limit = Query(inquiry.visit, ("limit",)).number("limit", _USUAL, RECENT)
    boot = inquiry.gateway.boot
    events = [
        msgspec.Raw(b'{"event_id":"%s-%d",' % (boot, number) + to_json(event)[1:])
        for number, event in inquiry.engine.events.recent(limit)
    ]
    await inquiry.visit.answer_json(200, {"events": events})


async def follow(inquiry: Inquiry) -> None:
    """Tell events as they happen, after those that a returning client missed."""
    after = _after(inquiry.visit.headers.get(b"last-event-id"), inquiry.gateway.boot)
    async with streaming(inquiry, inquiry.engine.events.subscribe(after=after)) as subscription:
        await tell(inquiry.visit, subscription, inquiry.gateway.boot)


@asynccontextmanager
async def streaming(inquiry: Inquiry, subscription: Subscription) -> AsyncIterator[Subscription]:
    """Begin a stream of events; its subscription ends when the client leaves or the gateway stops."""
    gateway, visit = inquiry.gateway, inquiry.visit
    leaving = asyncio.create_task(_left(visit.receive))
    stopping = asyncio.create_task(gateway.stopping.wait())
    for ending in (leaving, stopping):
        ending.add_done_callback(lambda _: subscription.close())
    try:
        await visit.begin(200, _HEADERS)
        await visit.chunk(b"retry: 2000\n: listening\n\n")
        yield subscription
    finally:
        subscription.close()
        leaving.cancel()
        stopping.cancel()


async def tell(
    visit: Visit, subscription: Subscription, boot: bytes, *, heartbeat_s: float = HEARTBEAT_S
) -> None:
    """Write events until the subscription ends, and a comment when there are none for a while."""
    lost = 0
    while True:
        try:
            async with asyncio.timeout(heartbeat_s):
                number, event = await anext(subscription)
        except TimeoutError:
            await visit.chunk(b": still here\n\n")
            continue
        except StopAsyncIteration:
            await visit.end()
            return
        if subscription.dropped > lost:
            await visit.chunk(b": %d events were lost\n\n" % (subscription.dropped - lost))
            lost = subscription.dropped
        await visit.chunk(written(number, event, boot))


def written(number: int, event: Event, boot: bytes) -> bytes:
    """Return an event as it stands in the stream."""
    name = str(type(event).__struct_config__.tag).encode("ascii")
    return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (boot, number, name, to_json(event))


def _after(last: bytes | None, boot: bytes) -> int | None:
    """Return the number of the last event that a client has seen; None: it missed nothing."""
    if last is None:
        return None
    theirs, _, number = last.rpartition(b"-")
    return int(number[:18]) if theirs == boot and number.isdigit() else 0


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
