"""The seam between the engine and whatever carries bytes to a provider and back.

Refuses to know what the bytes say and how long each phase may take: whoever waits sets the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Protocol

from spillover.core.evidence import TransportFault
from spillover.core.values import Value


class Order(Value, frozen=True, kw_only=True):
    """One request to a provider."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    connect_s: float
    """How long a new connection, its TLS included, may take."""
    loopback: bool = False
    """The provider is on this machine: no proxy is ever asked."""
    method: str = "POST"

    def lines(self) -> bytes:
        """Return the headers as they go out; raises `ValueError` for one that would be several."""
        headers = self.headers
        return headers.lines if isinstance(headers, SameHeaders) else _lines_of(headers)


class SameHeaders(dict[str, str]):
    """Headers that go out with many requests; they do not change."""

    @cached_property
    def lines(self) -> bytes:
        """As they go out; raises `ValueError` for one that would be several."""
        return _lines_of(self)


def _lines_of(headers: Mapping[str, str]) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
        message = "a header holds a line break"
        raise ValueError(message)
    return lines.encode()


class UpstreamBroken(Exception):
    """The exchange broke below the level of answers."""

    def __init__(self, fault: TransportFault, message: str, *, never_sent: bool = False) -> None:
        """Say how it broke; `never_sent`: the provider can't have seen the request."""
        self.fault = fault
        self.never_sent = never_sent
        super().__init__(message)


Take = Callable[[bytes], bool]
"""Takes bytes of a body, decompressed, in the very moment they come; returns whether to go on."""


class Exchange(Protocol):
    """An answer that has begun: its head is there, its body is read in chunks."""

    status: int
    headers: Mapping[str, str]
    """Looked up by names in lower case; of a repeated header the first value."""

    async def read(self) -> bytes:
        """Return the next bytes of the body, decompressed; empty at its end.

        Raises `UpstreamBroken`.
        """

    async def read_all(self, at_most: int) -> bytes:
        """Return the rest of the body; raises `UpstreamBroken`, also when it is larger."""

    async def pour(self, take: Take) -> None:
        """Hand over the body as it comes, until it ends or `take` wants no more for now.

        Raises `UpstreamBroken`, and what `take` raises.
        """

    def close(self) -> None:
        """Let go: a body not read to its end closes the connection. Closing twice is harmless."""


class Upstream(Protocol):
    """Opens exchanges."""

    async def open(self, order: Order, connected: Callable[[], None]) -> Exchange:
        """Send the request and return when the head of the answer is there.

        `connected` is called when the request begins to go out: before it the provider can't know.
        Raises `UpstreamBroken`. Cancelling closes the connection.
        """

    async def close(self) -> None:
        """Close every connection."""


async def read_bounded(exchange: Exchange, at_most: int) -> bytes:
    """Return the rest of a body; raises `UpstreamBroken`, also when it is larger than `at_most`."""
    chunks: list[bytes] = []
    size = 0
    while chunk := await exchange.read():
        size += len(chunk)
        if size > at_most:
            message = f"the answer is larger than {at_most} bytes"
            raise UpstreamBroken(TransportFault.MALFORMED_HTTP, message)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def pour_what_is_read(exchange: Exchange, take: Take) -> None:
    """Hand over a body piece by piece as it is read: `Exchange.pour` for one that can do no more."""
    while (chunk := await exchange.read()) and take(chunk):
        pass
