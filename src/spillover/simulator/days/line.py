"""Carry the engine's requests to a simulated provider without sockets, and note what came of each.

Refuses to know why a request was sent. Answers are read from the very bytes that the provider would
have written to its socket.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from spillover.core.evidence import TransportFault
from spillover.simulator.exchange import Request
from spillover.upstream import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spillover.simulator.provider import Provider
    from spillover.upstream import Order

LATENCY_S: Final = 0.04
"""From the send to the whole answer."""
_JSON: Final = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
_FINE: Final = (
    _JSON + '{"choices":[{"index":0,"message":{"role":"assistant","content":"Fine."},'
    '"finish_reason":"stop"}],"usage":{"prompt_tokens":6,"completion_tokens":2}}'
).encode()


class Sent(msgspec.Struct, kw_only=True):
    """One request that was sent to the judged provider, by the true time in epoch seconds."""

    at: float
    ended_at: float = 0.0
    served: bool = False


class Line:
    """The way to one provider that is judged, and to others that are always fine."""

    def __init__(self, provider: Provider, host: str, now: Callable[[], float]) -> None:
        """Begin with everyone listening; `now` is the true time."""
        self._provider = provider
        self._host = host
        self._now = now
        self.is_refusing = False
        """The judged provider refuses connections."""
        self.sent: list[Sent] = []

    async def open(self, order: Order, connected: Callable[[], None]) -> Delivered:
        """Send the request and return its answer; raises `UpstreamBroken`."""
        url = urlsplit(order.url)
        if url.hostname != self._host:
            connected()
            await asyncio.sleep(LATENCY_S)
            return Delivered(_FINE)
        sent = Sent(at=self._now())
        self.sent.append(sent)
        if self.is_refusing:
            sent.ended_at = sent.at
            raise UpstreamBroken(TransportFault.REFUSED, "connection refused", never_sent=True)
        connected()
        headers = tuple((name.lower(), value) for name, value in order.headers.items())
        done = self._provider.handle(
            Request(method="POST", target=url.path, headers=headers, body=order.body)
        )
        await asyncio.sleep(LATENCY_S)
        steps = list(done.play.steps)
        self._provider.finish(done, performed=True, chars=sum(step.chars for step in steps))
        sent.ended_at = self._now()
        answer = Delivered(b"".join(step.data for step in steps))
        sent.served = answer.status == HTTPStatus.OK
        return answer

    async def close(self) -> None:
        """Do nothing: no connection is kept."""


class Delivered:
    """A whole answer, as its bytes say."""

    def __init__(self, written: bytes) -> None:
        """Read the head of an HTTP answer whose body has a stated length."""
        head, _, self._body = written.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(status.split(" ", 2)[1])
        pairs = (line.partition(": ") for line in lines)
        self.headers: Mapping[str, str] = {name.lower(): value for name, _, value in pairs}

    async def read(self) -> bytes:
        """Return the whole body, then nothing."""
        body, self._body = self._body, b""
        return body

    async def read_all(self, at_most: int) -> bytes:
        """Return the whole body."""
        del at_most
        return await self.read()

    async def pour(self, take: Callable[[bytes], bool]) -> None:
        """Hand over the whole body."""
        take(await self.read())

    def close(self) -> None:
        """Do nothing: nothing is held."""
