"""Unpack bodies that come packed, a bounded piece at a time: what they grow to is never held.

Refuses to know who sends them and how.
"""

from __future__ import annotations

import zlib
from typing import Final

from spillover.core.evidence import TransportFault
from spillover.upstream.exchange import UpstreamBroken

UNPACKED_MOST: Final = 1 << 19
"""Bytes that one piece grows to at most."""
PIECE: Final = 1 << 14
"""Packed bytes unpacked at a time: zlib copies what it leaves over."""
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_GZIP: Final = 0x1F
"""The first byte of gzip; none of bare deflate."""
_ASKED_FOR: Final = frozenset({"gzip", "x-gzip", "deflate"})
_NOT_ASKED_FOR: Final = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})
"""The other packings that there are (IANA's registry of content codings). Words that are none, as
`utf-8`, are sent too and say nothing."""


def unpacker_of(written: str) -> Unpacker | None:
    """Return what unpacks a body with that `content-encoding`, None when it is not packed."""
    packing = written.strip().lower()
    known = packing in _ASKED_FOR or packing in _NOT_ASKED_FOR or "," in packing
    return Unpacker(packing) if known else None


class Unpacker:
    """Unpacks gzip and deflate, a bounded piece at a time; refuses any other packing."""

    __slots__ = ("_at", "_begun", "_has_more", "_inflate", "_packed", "_packing")

    def __init__(self, packing: str) -> None:
        """Begin; `packing` is in lower case."""
        self._packing = packing
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._packed = b""
        self._at = 0
        self._begun = False
        self._has_more = False

    def feed(self, packed: bytes) -> None:
        """Take packed bytes, once those before are used up; raises `UpstreamBroken`."""
        if not self._begun:
            self._begun = True
            if self._packing not in _ASKED_FOR:
                message = f"the answer is packed as {self._packing[:40]!r}, which was not asked for"
                raise UpstreamBroken(TransportFault.MALFORMED_HTTP, message)
            # Some servers send bare deflate, without zlib's heading, under the name of zlib's.
            headed = packed[0] & 0x0F == zlib.DEFLATED or packed[0] == _GZIP
            if self._packing == "deflate" and not headed:
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._packed, self._at = packed, 0

    def next(self) -> bytes:
        """Return the next unpacked bytes; empty: more must be fed. Raises `UpstreamBroken`."""
        while self._at < len(self._packed) or self._has_more:
            if self._inflate.eof:  # a body of several members, one after the other
                self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
            inflate = self._inflate
            piece = self._packed[self._at : self._at + PIECE]
            try:
                unpacked = inflate.decompress(piece, UNPACKED_MOST)
            except zlib.error as error:
                message = f"the packing is broken: {error}"
                raise UpstreamBroken(TransportFault.CUT, message) from error
            self._at += len(piece) - len(inflate.unconsumed_tail) - len(inflate.unused_data)
            # zlib may hold back output though it took all input.
            self._has_more = len(unpacked) == UNPACKED_MOST and not inflate.eof
            if unpacked:
                return unpacked
        return b""

    def end(self) -> None:
        """Raise `UpstreamBroken` when the packed body has not ended."""
        if self._begun and not self._inflate.eof:
            raise UpstreamBroken(TransportFault.CUT, "the packed body has no end")
