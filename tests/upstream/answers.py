"""Answers of providers, byte for byte: every form that a body comes in, and ways to break one."""

from __future__ import annotations

import gzip
import zlib
from typing import Final

from spillover.core.evidence import TransportFault

OK: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def chunked(*parts: bytes, trailers: bytes = b"") -> bytes:
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in parts)
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + chunks + b"0\r\n" + trailers + b"\r\n"


def sized(body: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (more, len(body), body)


_GZIP: Final = b"content-encoding: gzip\r\n"
_DEFLATE: Final = b"content-encoding: deflate\r\n"

HELLO: Final = {
    "length": sized(b"hello"),
    "chunks": chunked(b"h", b"ell", b"o"),
    "trailers": chunked(b"hello", trailers=b"x-checksum: 1\r\nx-more: 2\r\n"),
    "until the end": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "HTTP/1.0 kept": sized(b"hello", b"connection: keep-alive\r\n").replace(b"/1.1", b"/1.0"),
    "no reason": sized(b"hello").replace(b" OK", b""),
    "informational": b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + sized(b"hello"),
    "odd headers": sized(b"hello", b"x-id: up-\x1b[31m\r\nx-folded: a\r\n b\r\n"),
    "LF alone": sized(b"hello").replace(b"\r\n", b"\n"),
    "blanks": chunked(b"hello").replace(b";a=b", b"  "),
    "identity": sized(b"hello", b"content-encoding: identity\r\n"),
    "no packing at all": sized(b"hello", b"content-encoding: utf-8\r\n"),
    "gzip": sized(gzip.compress(b"hello"), _GZIP),
    "GZIP": sized(gzip.compress(b"hello"), _GZIP.upper()),
    "two members": sized(gzip.compress(b"hel") + gzip.compress(b"lo"), _GZIP),
    "zlib": sized(zlib.compress(b"hello"), _DEFLATE),
    "bare deflate": sized(bare_deflate(b"hello"), _DEFLATE),
}
"""Answers that all say `hello`."""

_HALF: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"

BREAKS: Final[dict[str, tuple[tuple[bytes, ...], bool, TransportFault]]] = {
    "closed": ((), False, TransportFault.CLOSED_BEFORE_HEAD),
    "inside the head": ((_HALF[:27],), False, TransportFault.CLOSED_BEFORE_HEAD),
    "reset": ((), True, TransportFault.RESET),
    "no HTTP": ((b"\x00\x16 no HTTP\r\n\r\n",), False, TransportFault.MALFORMED_HTTP),
    "inside the body": ((_HALF,), False, TransportFault.CUT),
    "reset inside the body": ((_HALF,), True, TransportFault.RESET),
    "before the last chunk": ((chunked(b"half")[:-5],), False, TransportFault.CUT),
    "inside a chunk": ((chunked(b"half")[:-8],), False, TransportFault.CUT),
    "not packed": ((sized(b"plain", _GZIP),), False, TransportFault.CUT),
    "packing without end": (
        (sized(gzip.compress(b"a" * 99)[:-9], _GZIP),),
        False,
        TransportFault.CUT,
    ),
}
"""What is sent, whether the connection is then reset or closed, and what it is called."""
