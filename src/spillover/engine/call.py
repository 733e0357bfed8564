"""A client's request as the engine takes it, and the answer as the engine gives it.

Refuses to know how either is carried: over HTTP, or inside one process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec.structs import replace

from spillover.core.values import RoutingPolicy, Value
from spillover.protocols.openai_chat import Asked
from spillover.protocols.spoken import Spoken, dialect_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from spillover.core.refusals import Ending
    from spillover.core.values import Demand, Usage
    from spillover.protocols.conversation.seals import Dialect


class Call(Value, frozen=True, kw_only=True):
    """One request of a client."""

    asked: Asked | Spoken
    request_id: str
    model: str | None = None
    """Overrides the model that the body names."""
    session: str | None = None
    policy: RoutingPolicy | None = None
    """A narrower routing policy than the chain's."""
    spend: bool = False
    """The client agrees to reach a paid profile behind a free one."""
    probe: bool = False
    """It tests the profile that it goes to: see `Demand.probe`."""
    client: bytes = b""
    """A print of the key that the client shows: answers are kept for it alone."""
    anew: bool = False
    """No kept answer will do, and this one is not kept."""
    passed_headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Headers of the client's protocol that go to an upstream of the same protocol."""
    passed_query: str = ""
    """What of the address's query goes there likewise: `beta=true`."""

    @property
    def dialect(self) -> Dialect:
        """What the client speaks; completions and embeddings count as OpenAI's chat."""
        return dialect_of(self.asked)

    def demand(self) -> Demand:
        """Return what the core needs to know of this request."""
        demand = self.asked.demand(
            session=self.session, policy=self.policy, spend_allowed=self.spend
        )
        return replace(demand, probe=True) if self.probe else demand


Give = Callable[[bytes], bool]
"""Gives a client the next bytes of its answer, at once; returns whether it keeps up."""


class Served(Protocol):
    """A request on its way, as its answer needs to know it."""

    @property
    def ending(self) -> Ending | None:
        """How it ended; None while it goes on."""

    @property
    def usage(self) -> Usage | None:
        """What it used; None while that is not known."""

    async def pour(self, give: Give) -> bool:
        """Give the stream's chunks as they come; return whether more follow."""

    def abandon(self) -> None:
        """End what has not ended: the client left."""


class Answer:
    """What a client gets: a head, and a body that is whole or a stream of chunks."""

    def __init__(
        self,
        status: int,
        headers: dict[str, str],
        *,
        body: bytes | None = None,
        serving: Served | None = None,
    ) -> None:
        """Hold a whole `body`, or the stream that `serving` relays."""
        self.status = status
        self.headers = headers
        self.body = body
        self._serving = serving
        self._chunks: AsyncIterator[bytes] | None = None

    @property
    def ending(self) -> Ending | None:
        """How the request ended; None while a stream goes on."""
        return None if self._serving is None else self._serving.ending

    @property
    def usage(self) -> Usage | None:
        """What the call used; None before it ended, or when nothing was served."""
        return None if self._serving is None else self._serving.usage

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the body: whole events of a stream, or the whole body at once."""
        if self._chunks is None:
            if self._serving is None or self.body is not None:
                self._chunks = _whole(self.body or b"")
            else:
                self._chunks = _pulled(self._serving)
        return self._chunks

    async def pour(self, give: Give) -> bool:
        """Give the client the stream's chunks as they come, with no turn of the loop between.

        Returns False when the stream has ended, and True as soon as the client falls behind: what
        follows waits until this is called again.
        """
        if self._serving is None or self.body is not None:
            give(self.body or b"")
            return False
        return await self._serving.pour(give)

    def abandon(self) -> None:
        """End a stream that is not read to its end: settle it and close the upstream."""
        if self._serving is not None:
            self._serving.abandon()

    async def aclose(self) -> None:
        """Do what `abandon` does."""
        self.abandon()


async def _pulled(serving: Served) -> AsyncIterator[bytes]:
    """Yield what a stream pours; it waits while nobody asks for more."""
    given: list[bytes] = []

    def give(chunk: bytes) -> bool:
        given.append(chunk)
        return False

    try:
        goes_on = True
        while goes_on:
            goes_on = await serving.pour(give)
            for chunk in given:
                yield chunk
            given.clear()
    finally:
        serving.abandon()


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body
