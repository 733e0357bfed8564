"""Take in one answer as its bytes come: head, body, packing, end.

Rules of this file:
- What is held is bounded: a head that never ends is an error, and a body that nobody reads pauses
  the provider.
- A packed body is unpacked when it is read, piece by piece: what it grows to is never held.
- A body without a stated length ends with its connection; any other that ends so was cut.

Refuses to know sockets and how connections are kept.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from spillover.core.evidence import TransportFault
from spillover.upstream.exchange import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.upstream.connection import Connection

READ_AHEAD: Final = 1 << 19
"""Bytes held while a slow client reads; more pauses the provider."""
HEAD_MOST: Final = 1 << 17
"""Bytes of a head and of the informational ones before it; content policies and cookies of
providers' front doors pass the 8 KiB that are usual."""
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_PACKINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})
_NO_HEADERS: Final[Mapping[str, str]] = {}
_FINAL: Final = 200
_WITHOUT_BODY: Final = frozenset({204, 304})


class Reply:
    """One answer, from the first byte of its head; an `Exchange`."""

    __slots__ = (
        "_chunks",
        "_connection",
        "_ends_with_connection",
        "_error",
        "_head_bytes",
        "_held",
        "_is_whole",
        "_keeps_alive",
        "_parser",
        "_raw",
        "_unpacker",
        "_waiter",
        "has_head",
        "headers",
        "status",
    )

    def __init__(self, connection: Connection) -> None:
        """Expect an answer on `connection`."""
        self.status = 0
        self.headers: Mapping[str, str] = _NO_HEADERS
        self.has_head = False
        self._connection: Connection | None = connection
        self._parser: HttpResponseParser | None = _lenient(HttpResponseParser(self))
        self._raw: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._chunks: list[bytes] = []
        self._held = 0
        self._unpacker: _Unpacker | None = None
        self._ends_with_connection = False
        self._keeps_alive = False
        self._is_whole = False
        self._error: UpstreamBroken | None = None
        self._waiter: asyncio.Future[None] | None = None

    # What the connection tells.

    def feed(self, data: bytes) -> None:
        """Take bytes that came."""
        parser = self._parser
        if parser is None:
            return
        if not self.has_head:
            self._head_bytes += len(data)
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            # Behind a whole answer there is nothing to read: the connection is not to be kept.
            self._keeps_alive = False
            if not self._is_whole:
                self._fail(TransportFault.MALFORMED_HTTP, f"this is not HTTP: {error}")
            return
        if not self.has_head and self._head_bytes > HEAD_MOST:
            self._fail(TransportFault.MALFORMED_HTTP, f"the head passes {HEAD_MOST} bytes")

    def lost(self, fault: TransportFault | None) -> None:
        """Note that the connection ended; `fault` says how, None: in good order."""
        self._connection = None
        if self._is_whole or self._error is not None:
            return
        if fault is None and self._ends_with_connection:
            self._is_whole = True
            self._wake()
        elif self.has_head:
            self._fail(fault or TransportFault.CUT)
        else:
            self._fail(fault or TransportFault.CLOSED_BEFORE_HEAD, "the connection was closed")

    # What the parser tells.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._raw.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the end of a head, unless a final one is still to come."""
        parser = self._parser
        if parser is None:
            return
        status = parser.get_status_code()
        if status < _FINAL:
            self._raw.clear()
            return
        # Of a repeated header the first value stays.
        self.headers = headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in reversed(self._raw)
        }
        self._raw.clear()
        self.status = status
        self._keeps_alive = parser.should_keep_alive()
        packing = headers.get("content-encoding")
        if packing is not None and packing.lower() in _PACKINGS:
            self._unpacker = _Unpacker()
        if "content-length" not in headers and status not in _WITHOUT_BODY:
            chunked = headers.get("transfer-encoding", "").lower().endswith("chunked")
            self._ends_with_connection = not chunked
        self.has_head = True
        self._wake()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._chunks.append(body)
        self._held += len(body)
        if self._held > READ_AHEAD and self._connection is not None:
            self._connection.pause()
        self._wake()

    def on_message_complete(self) -> None:
        """Take the end of the body."""
        if not self.has_head:  # an informational one has ended
            return
        self._is_whole = True
        self._wake()

    def _fail(self, fault: TransportFault, message: str = "") -> None:
        self._error = UpstreamBroken(fault, message)
        self._let_go(keep=False)
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    # What the engine asks.

    async def head(self) -> None:
        """Wait for the head; raises `UpstreamBroken`."""
        while not self.has_head:
            if self._error is not None:
                raise self._error
            await self._more()

    async def read(self) -> bytes:
        """Return the next bytes of the body, unpacked; empty at its end."""
        unpacker = self._unpacker
        while True:
            if unpacker is not None and (unpacked := unpacker.next()):
                return unpacked
            if self._chunks:
                chunk = self._take()
                if unpacker is None:
                    return chunk
                unpacker.feed(chunk)
            elif self._is_whole:
                if unpacker is not None:
                    unpacker.end()
                return b""
            elif self._error is not None:
                raise self._error
            else:
                await self._more()

    async def read_all(self, at_most: int) -> bytes:
        """Return the rest of the body."""
        parts: list[bytes] = []
        size = 0
        while chunk := await self.read():
            size += len(chunk)
            if size > at_most:
                message = f"the answer is larger than {at_most} bytes"
                raise UpstreamBroken(TransportFault.MALFORMED_HTTP, message)
            parts.append(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Let go: an answer not read to its end closes the connection."""
        is_done = self._is_whole and not self._chunks
        if not is_done and self._error is None:
            self._error = UpstreamBroken(TransportFault.CUT, "")
        self._let_go(keep=is_done and self._keeps_alive)
        self._parser = None  # it refers back to us, and the collector has enough to do
        self._wake()

    def _take(self) -> bytes:
        chunks = self._chunks
        chunk = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        if self._held > READ_AHEAD and self._connection is not None:
            self._connection.resume()
        self._held = 0
        return chunk

    async def _more(self) -> None:
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        await waiter

    def _let_go(self, *, keep: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release(keep=keep)


def _lenient(parser: HttpResponseParser) -> HttpResponseParser:
    """Let a parser take what browsers take: nobody is misled, for nobody stands behind us."""
    parser.set_dangerous_leniencies(
        lenient_headers=True,
        lenient_optional_cr_before_lf=True,
        lenient_spaces_after_chunk_size=True,
    )
    return parser


class _Unpacker:
    """Unpacks gzip and deflate, a bounded piece at a time."""

    __slots__ = ("_begun", "_inflate", "_packed")

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._packed = b""
        self._begun = False

    def feed(self, packed: bytes) -> None:
        """Take packed bytes."""
        if not self._begun and packed:
            self._begun = True
            # Some servers send bare deflate, without zlib's heading, under the name of zlib's.
            if packed[0] & 0x0F != zlib.DEFLATED and packed[:1] != b"\x1f":
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._packed += packed

    def next(self) -> bytes:
        """Return the next unpacked bytes; empty: more must be fed. Raises `UpstreamBroken`."""
        while self._packed or self._inflate.unconsumed_tail:
            packed, self._packed = self._inflate.unconsumed_tail + self._packed, b""
            try:
                unpacked = self._inflate.decompress(packed, READ_AHEAD)
            except zlib.error as error:
                raise UpstreamBroken(
                    TransportFault.CUT, f"the packing is broken: {error}"
                ) from error
            if self._inflate.eof and self._inflate.unused_data:
                # A body of several members, one after the other.
                self._packed = self._inflate.unused_data
                self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
            if unpacked:
                return unpacked
        return b""

    def end(self) -> None:
        """Raise `UpstreamBroken` when the packed body has not ended."""
        if self._begun and not self._inflate.eof:
            raise UpstreamBroken(TransportFault.CUT, "the packed body has no end")
