"""Take in one answer as its bytes come: head, body, packing, end.

Rules of this file:
- What is held is bounded: a head that never ends is an error, and a body that nobody reads pauses
  the provider.
- A packed body is unpacked when it is read, piece by piece: what it grows to is never held.
- A body without a stated length ends with its connection; any other that ends so was cut.

Refuses to know sockets and how connections are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from spillover.core.evidence import TransportFault
from spillover.upstream.exchange import UpstreamBroken, pour_what_is_read, read_bounded
from spillover.upstream.unpacking import Unpacker, unpacker_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from spillover.upstream.exchange import Take

READ_AHEAD: Final = 1 << 19
"""Bytes held while a slow client reads; more pauses the provider."""
HEAD_MOST: Final = 1 << 17
"""Bytes of a head and of the informational ones before it; content policies and cookies of
providers' front doors pass the 8 KiB that are usual."""
_NO_HEADERS: Final[Mapping[str, str]] = {}
_FINAL: Final = 200
_ERROR: Final = 400
_WITHOUT_BODY: Final = frozenset({204, 304})


class Carrier(Protocol):
    """The connection that an answer comes on, as far as the answer asks anything of it."""

    sends_much: bool
    """The request is so large that an answer may come before it is out."""

    def future(self) -> asyncio.Future[None]:
        """Return what can be waited for on the connection's loop."""

    def pause(self) -> None:
        """Let the provider wait: the reader is slow."""

    def resume(self) -> None:
        """Read on."""

    def release(self, *, keep: bool) -> None:
        """End what is under way; `keep` it for another request, else close it."""


class Reply:
    """One answer, from the first byte of its head; an `Exchange`."""

    __slots__ = (
        "_broken",
        "_chunks",
        "_connection",
        "_ends_with_connection",
        "_held",
        "_is_whole",
        "_keeps_alive",
        "_overhead",
        "_parser",
        "_raw",
        "_take",
        "_unpacker",
        "_waiter",
        "has_head",
        "headers",
        "on_header",
        "status",
    )

    def __init__(self, connection: Carrier) -> None:
        """Expect an answer on `connection`."""
        self.status = 0
        self.headers: Mapping[str, str] = _NO_HEADERS
        self.has_head = False
        self._connection: Carrier | None = connection
        self._raw: dict[bytes, bytes] = {}
        self.on_header = self._raw.setdefault
        """What the parser tells of headers, as it is made; of a repeated one the first stays."""
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        # What servers do and clients take, aiohttp and browsers too.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self._overhead = 0
        self._chunks: list[bytes] = []
        self._held = 0
        self._unpacker: Unpacker | None = None
        self._ends_with_connection = False
        self._keeps_alive = False
        self._is_whole = False
        self._broken: tuple[TransportFault, str] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._take: Take | None = None
        """Who takes the body as it comes, with no task to be woken for it."""

    # What the connection tells.

    def feed(self, data: bytes) -> None:
        """Take bytes that came."""
        parser = self._parser
        if parser is None:
            return
        self._overhead += len(data)
        try:
            parser.feed_data(data)
        except HttpParserError as error:
            # Behind a whole answer there is nothing to read: the connection is not to be kept.
            self._keeps_alive = False
            if self._is_whole:
                self._wake()
            else:
                self._fail(TransportFault.MALFORMED_HTTP, f"this is not HTTP: {error}")
        except HttpParserUpgrade:
            self._fail(TransportFault.MALFORMED_HTTP, "it would speak something else than HTTP")
        else:
            if self._overhead > HEAD_MOST and not self._is_whole:
                what = "trailers" if self.has_head else "head"
                self._fail(TransportFault.MALFORMED_HTTP, f"the {what} passed {HEAD_MOST} bytes")
            elif self._take is not None:
                if self._chunks:
                    self._hand_over(self._take)
                if self._is_whole:
                    self._wake()

    def lost(self, fault: TransportFault | None) -> None:
        """Note that the connection ended; `fault` says how, None: in good order."""
        self._connection = None
        if self._is_whole or self._broken is not None:
            return
        if fault is None and self._ends_with_connection:
            self._is_whole = True
            self._wake()
        elif self.has_head:
            self._fail(fault or TransportFault.CUT)
        else:
            self._fail(fault or TransportFault.CLOSED_BEFORE_HEAD, "the connection was closed")

    # What the parser tells.

    def on_message_begin(self) -> None:
        """Take no second answer, which would pass for the first; the parser stops."""
        if self._is_whole:
            raise _Surplus

    def on_headers_complete(self) -> None:
        """Take the end of a head, unless a final one is still to come."""
        parser = self._parser
        if parser is None:
            return
        status = parser.get_status_code()
        if status < _FINAL:
            self._raw.clear()
            return
        self.headers = headers = {
            name.lower().decode("latin-1"): value.decode("latin-1")
            for name, value in reversed(self._raw.items())
        }
        self._raw.clear()
        self.status = status
        self._keeps_alive = parser.should_keep_alive()
        if status >= _ERROR and self._connection is not None and self._connection.sends_much:
            # The server may have read no further, and what waits in TLS and sockets is not seen.
            self._keeps_alive = False
        packing = headers.get("content-encoding")
        if packing is not None:
            self._unpacker = unpacker_of(packing)
        if "content-length" not in headers:
            coding = headers.get("transfer-encoding")
            if coding is None:
                self._ends_with_connection = True
            elif coding.lower() != "chunked":
                self._unpacker = Unpacker(f"transfer-encoding {coding}")
        self.has_head = True
        self._wake()
        if status in _WITHOUT_BODY:
            # Whatever the head says of one: not all servers agree on what follows it.
            self._is_whole = True
            self._keeps_alive = False
            raise _Surplus

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._overhead = 0
        self._chunks.append(body)
        self._held += len(body)
        if self._held > READ_AHEAD and self._connection is not None:
            self._connection.pause()
        if self._waiter is not None and self._take is None:
            self._wake()

    def on_message_complete(self) -> None:
        """Take the end of the body."""
        if not self.has_head:  # an informational one has ended
            return
        self._is_whole = True
        if self._waiter is not None and self._take is None:
            self._wake()

    def _fail(self, fault: TransportFault, message: str = "") -> None:
        self._broken = fault, message
        self._let_go(keep=False)
        self._wake()

    def _wake(self, error: Exception | None = None) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if waiter.done():
                return
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)

    # What the engine asks.

    async def head(self) -> None:
        """Wait for the head; raises `UpstreamBroken`."""
        while not self.has_head:
            if self._broken is not None:
                raise UpstreamBroken(*self._broken)
            await self._more()

    async def read(self) -> bytes:
        """Return the next bytes of the body, unpacked; empty at its end."""
        unpacker = self._unpacker
        while True:
            if unpacker is not None and (unpacked := unpacker.next()):
                return unpacked
            if self._chunks:
                chunk = self._held_bytes()
                if unpacker is None:
                    return chunk
                unpacker.feed(chunk)
            elif self._is_whole:
                if unpacker is not None:
                    unpacker.end()
                return b""
            elif self._broken is not None:
                raise UpstreamBroken(*self._broken)
            else:
                await self._more()

    async def read_all(self, at_most: int) -> bytes:
        """Return the rest of the body."""
        if self._is_whole and self._unpacker is None and self._held <= at_most:
            return self._held_bytes() if self._chunks else b""  # as mostly: it came with its head
        return await read_bounded(self, at_most)

    async def pour(self, take: Take) -> None:
        """Hand over the body as it comes; packed, piece by piece as it is read."""
        if self._unpacker is not None:
            await pour_what_is_read(self, take)
            return
        while True:
            if self._chunks:
                if not take(self._held_bytes()):
                    return
            elif self._is_whole:
                return
            elif self._broken is not None:
                raise UpstreamBroken(*self._broken)
            else:
                self._take = take
                try:
                    await self._more()
                finally:
                    wanted_more, self._take = self._take is not None, None
                if not wanted_more:
                    return

    def _hand_over(self, take: Take) -> None:
        try:
            wants_more = take(self._held_bytes())
        except Exception as error:  # noqa: BLE001 - it is raised where the body is poured
            self._take = None
            self._wake(error)
            return
        if not wants_more:
            self._take = None
            self._wake()

    def close(self) -> None:
        """Let go: an answer not read to its end closes the connection."""
        is_done = self._is_whole and not self._chunks
        if not is_done and self._broken is None:
            self._broken = TransportFault.CUT, ""
        self._let_go(keep=is_done and self._keeps_alive)
        self._parser = None  # it refers back to us, and the collector has enough to do
        if self._waiter is not None:
            self._wake()

    def _held_bytes(self) -> bytes:
        chunks = self._chunks
        chunk = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        if self._held > READ_AHEAD and self._connection is not None:
            self._connection.resume()
        self._held = 0
        return chunk

    def _more(self) -> asyncio.Future[None]:
        """Return what is done once more came."""
        if self._connection is None:  # then it is whole or broken, and nobody waits
            raise AssertionError(self.status)
        self._waiter = waiter = self._connection.future()
        return waiter

    def _let_go(self, *, keep: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release(keep=keep)


class _Surplus(Exception):
    """Bytes came behind the answer."""
