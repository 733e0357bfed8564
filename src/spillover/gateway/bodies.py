"""Read a request's body, packed or not, and no more of it than was agreed.

Refuses to know what a body means.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Final

from spillover.errors import RequestError
from spillover.gateway.asgi import ClientLeft

if TYPE_CHECKING:
    from spillover.gateway.asgi import Headers, Receive

_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_BARE_DEFLATE: Final = -zlib.MAX_WBITS
_LINGER_S: Final = 5.0
_LINGER_BYTES: Final = 1 << 28


class BodyUnread(RequestError):
    """The body is refused while the client may still be sending it."""


async def read_body(receive: Receive, headers: Headers, *, most: int) -> bytes:
    """Return a request's body, unpacked.

    Raises `RequestError`: 413 beyond `most` bytes, packed or unpacked, before more are read
    (`BodyUnread`); 415 and 400 for a packing that is not known or broken. Raises `ClientLeft`.
    """
    stated = headers.get(b"content-length")
    if stated is not None and int(stated) > most:
        raise _too_large(most, read=False)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft
    body: bytes = message["body"]
    if message["more_body"]:
        body = await _rest(receive, body, most=most)
    elif len(body) > most:
        raise _too_large(most)
    packing = headers.get(b"content-encoding")
    if packing is not None and body:
        return await _unpacked(body, packing, most=most)
    return body


async def _rest(receive: Receive, first: bytes, *, most: int) -> bytes:
    parts, length, more = [first], len(first), True
    while more:
        if length > most:
            raise _too_large(most, read=False)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        parts.append(message["body"])
        length += len(message["body"])
        more = message["more_body"]
    if length > most:
        raise _too_large(most)
    return b"".join(parts)


async def discard(
    receive: Receive, *, most: int = _LINGER_BYTES, within_s: float = _LINGER_S
) -> None:
    """Read on and forget what comes, up to `most` bytes and for `within_s` seconds.

    A connection that is closed while its client still sends is reset, and with it goes the answer
    that the client has not read yet.
    """
    length = 0
    try:
        async with asyncio.timeout(within_s):
            while length < most:
                message = await receive()
                if message["type"] == "http.disconnect" or not message["more_body"]:
                    return
                length += len(message["body"])
    except TimeoutError:
        return


def _too_large(most: int, *, read: bool = True) -> RequestError:
    refusal = RequestError if read else BodyUnread
    return refusal(
        f"the body is larger than {most:,} bytes (server.max_body)",
        code="body_too_large",
        status=413,
    )


async def _unpacked(body: bytes, packing: bytes, *, most: int) -> bytes:
    match packing.strip().lower():
        case b"identity":
            return body
        case b"gzip" | b"x-gzip":
            # In a thread: a small body may grow to all that is agreed.
            return await asyncio.to_thread(_inflated, body, _GZIP_OR_ZLIB, most)
        case b"deflate":
            bare = body[0] & 0x0F != zlib.DEFLATED  # the first byte of zlib's own heading
            return await asyncio.to_thread(
                _inflated, body, _BARE_DEFLATE if bare else _GZIP_OR_ZLIB, most
            )
        case _:
            shown = packing[:40].decode("ascii", "replace")
            raise RequestError(
                f"content-encoding {shown!r} can't be read here: send gzip, deflate, or none",
                status=415,
            )


def _inflated(body: bytes, window_bits: int, most: int) -> bytes:
    unpacker = zlib.decompressobj(window_bits)
    try:
        unpacked = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise RequestError(f"the packed body is broken: {error}") from None
    if len(unpacked) > most:
        raise _too_large(most)
    if not unpacker.eof or unpacker.unused_data:
        found = "more behind its end" if unpacker.eof else "no end"
        raise RequestError(f"the packed body is broken: it has {found}")
    return unpacked
