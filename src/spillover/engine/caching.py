"""Keep whole answers for those who ask the very same again, where a chain's configuration says so.

In memory alone, by client key, for a while and up to a size, the longest unused forgotten first.
Errors, streams that broke off and whatever may act (tools) are never kept; an answer that is given
again was paid for once: it takes no quota and asks nobody. Refuses to know who serves.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from spillover.core.refusals import EndKind
from spillover.core.values import Value
from spillover.engine.call import Answer, Call, Give
from spillover.events import RequestDone
from spillover.protocols.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from spillover.core.chains import Caching, Chain
    from spillover.core.refusals import Ending
    from spillover.core.values import Usage
    from spillover.engine.world import World

CACHE: Final = "x-spillover-cache"
CACHED: Final = "cached"
"""The outcome of a request that was answered from here."""
_OF_ONE_REQUEST: Final = (
    "x-spillover-request-id",
    "x-spillover-attempts",
    "x-spillover-trail",
    "x-upstream-request-id",
)
_PART: Final = 64
"""Bytes that a part takes beside its own, …"""
_ANSWER: Final = 512
"""… and an answer with its headers and its place."""
_sorted: Final = msgspec.json.Encoder(order="sorted").encode


class Kept(Value, frozen=True, kw_only=True):
    """An answer, as it was given."""

    headers: Mapping[str, str]
    """Those that are true of it whoever asks."""
    parts: tuple[bytes, ...]
    """The chunks of a stream, or the whole body."""
    is_stream: bool
    until: float

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return sum(map(len, self.parts)) + _PART * len(self.parts) + _ANSWER


class Cache:
    """The answers of one chain."""

    def __init__(self, rule: Caching, now: Callable[[], float]) -> None:
        """Keep them as `rule` says, by the time of `now`, in epoch seconds."""
        self._rule = rule
        self._now = now
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._size = self._hits = self._misses = 0

    @property
    def most(self) -> int:
        """Bytes that are kept in all."""
        return self._rule.most_bytes

    def find(self, key: bytes) -> Kept | None:
        """Return what is kept for a request, and count whether it was."""
        found = self._kept.get(key)
        if found is not None and found.until <= self._now():
            self._drop(key)
            found = None
        if found is None:
            self._misses += 1
            return None
        self._hits += 1
        self._kept.move_to_end(key)
        return found

    def keep(
        self, key: bytes, answer: Answer, parts: tuple[bytes, ...], *, is_stream: bool
    ) -> None:
        """Keep an answer, if there is room for it at all."""
        headers = {n: value for n, value in answer.headers.items() if n not in _OF_ONE_REQUEST}
        headers.pop(CACHE, None)
        until = self._now() + self._rule.ttl_s
        kept = Kept(headers=headers, parts=parts, is_stream=is_stream, until=until)
        if kept.size > self.most:
            return
        self._drop(key)
        self._kept[key] = kept
        self._size += kept.size
        while self._size > self.most:
            self._drop(next(iter(self._kept)))

    def status(self) -> dict[str, int]:
        """Return how much is kept, and how often it was asked for."""
        return {
            "hits": self._hits,
            "misses": self._misses,
            "answers": len(self._kept),
            "bytes": self._size,
        }

    def _drop(self, key: bytes) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._size -= found.size


class Caches:
    """The caches of all chains that have one, under one configuration."""

    def __init__(self, world: World) -> None:
        """Make them empty: what was said under another configuration is not said again."""
        self._world = world
        self._of = {
            name: Cache(chain.cache, world.clock.now)
            for name, chain in world.routing.chains.items()
            if chain.cache is not None
        }

    def __bool__(self) -> bool:
        """Whether any chain has one."""
        return bool(self._of)

    async def answer(
        self, call: Call, chain: Chain, serve: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Return the answer that is kept, else the one that `serve` gives, which may be kept."""
        cache = self._of[chain.name]
        key = None if call.anew else self._key(call, chain)
        if key is None:
            return await serve()
        kept = cache.find(key)
        if kept is not None:
            return self._again(kept, call, chain)
        answer = await serve()
        answer.headers[CACHE] = "miss"
        if answer.status != 200:  # noqa: PLR2004 - HTTP's
            return answer
        if answer.body is None:
            return Answer(answer.status, answer.headers, serving=Recording(answer, cache, key))
        cache.keep(key, answer, (answer.body,), is_stream=False)
        return answer

    def status(self, chain: str) -> dict[str, int] | None:
        """Return how a chain's cache fares; None: it has none."""
        cache = self._of.get(chain)
        return None if cache is None else cache.status()

    def _key(self, call: Call, chain: Chain) -> bytes | None:
        """Return what two calls share that may have one answer."""
        body = canonical(call.asked)
        if body is None:
            return None
        pin = self._world.ledger.book.pin(chain.name)
        how = (
            call.dialect,
            call.asked.operation,
            call.asked.stream,
            call.asked.array,
            call.policy,
            call.passed_headers,
            call.passed_query,
            None if pin is None else pin.profile,
        )
        return hashlib.sha256(b"\n".join((call.client, _sorted(how), body))).digest()

    def _again(self, kept: Kept, call: Call, chain: Chain) -> Answer:
        world, headers = self._world, dict(kept.headers)
        headers |= {"x-spillover-request-id": call.request_id, "x-spillover-attempts": "0"}
        headers[CACHE] = "hit"
        world.events.publish(
            RequestDone(
                at=world.clock.now(),
                request_id=call.request_id,
                chain=chain.name,
                profile=headers.get("x-spillover-profile"),
                outcome=CACHED,
                took_ms=0.0,
            )
        )
        if kept.is_stream:
            return Answer(200, headers, serving=Replay(kept.parts))
        return Answer(200, headers, body=kept.parts[0])


class Replay:
    """A stream that is given again."""

    ending: Ending | None = None
    usage: Usage | None = None

    def __init__(self, parts: tuple[bytes, ...]) -> None:
        """Give `parts`, the same bytes as the first time."""
        self._left = list(reversed(parts))

    async def pour(self, give: Give) -> bool:
        """Give what is left, until the client is behind; return whether more follows."""
        while self._left:
            if not give(self._left.pop()):
                break
        return bool(self._left)

    def abandon(self) -> None:
        """Nothing was held for it."""


class Recording:
    """A stream on its way, which is kept when it is whole."""

    def __init__(self, answer: Answer, cache: Cache, key: bytes) -> None:
        """Hand on `answer`, and have `cache` keep it under `key`."""
        self._answer = answer
        self._cache = cache
        self._key = key
        self._parts: list[bytes] = []
        self._room = cache.most

    @property
    def ending(self) -> Ending | None:
        """How it ended; None while it goes on."""
        return self._answer.ending

    @property
    def usage(self) -> Usage | None:
        """What it used."""
        return self._answer.usage

    async def pour(self, give: Give) -> bool:
        """Give the client the stream's chunks as they come; return whether more follow."""

        def kept(chunk: bytes) -> bool:
            self._room -= len(chunk)
            if self._room >= 0:
                self._parts.append(chunk)
            else:
                self._parts.clear()  # it will not be kept: hold no more of it
            return give(chunk)

        more = await self._answer.pour(kept)
        ending = self.ending
        if not more and self._room >= 0 and ending is not None and ending.kind is EndKind.SERVED:
            self._cache.keep(self._key, self._answer, tuple(self._parts), is_stream=True)
        return more

    def abandon(self) -> None:
        """End a stream that is not read to its end."""
        self._answer.abandon()
