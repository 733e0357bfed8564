"""A request to a simulated provider, and what comes of it, as values.

Refuses to know sockets and what decides between the two.
"""

from __future__ import annotations

import msgspec

from spillover.simulator.desk import Charge, Desk
from spillover.simulator.plays import Play
from spillover.simulator.records import Outcome, Record
from spillover.simulator.replies import Headers, Reply


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A whole HTTP request."""

    method: str
    target: str
    """The path with its query."""
    headers: Headers
    """Names in lower case."""
    body: bytes
    chunked: bool = True
    """The client reads chunked bodies (HTTP/1.1)."""
    keep: bool = True
    """The client keeps the connection."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def key(self) -> str:
        """The API key that it carries, wherever; empty: none."""
        for name, value in self.headers:
            if name == "authorization":
                return value.removeprefix("Bearer ")
            if name in {"x-api-key", "x-goog-api-key"}:
                return value
        return ""


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted request's play, with the usage that it amounts to when it is all performed."""

    play: Play
    status: int
    outcome: Outcome = Outcome.ANSWERED
    input_tokens: int = 0
    output_tokens: int = 0


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be settled when an accepted request's play has ended."""

    record: Record
    composed: Composed
    charge: Charge
    desk: Desk
    """Where the charge was counted."""


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """A play to perform, and what to settle behind it."""

    play: Play
    booking: Booking | None = None
    """None: nothing was accepted."""


class Turned(Exception):
    """A request that gets a reply instead of an answer."""

    def __init__(self, reply: Reply, outcome: Outcome) -> None:
        """Keep the reply and what it means."""
        super().__init__(reply.status)
        self.reply = reply
        self.outcome = outcome
