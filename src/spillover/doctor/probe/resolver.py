"""Ask a certain resolver for the addresses of a host: a question and an answer of RFC 1035.

Refuses to know what the system's own resolver says.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S: Final = 2.0
_PORT: Final = 53
_HEAD: Final = struct.Struct("!6H")
_RECORD: Final = struct.Struct("!HHIH")
_RECURSE: Final = 0x0100
_A, _INTERNET = 1, 1
_POINTER: Final = 0xC0
_NO_SUCH_NAME: Final = 3


async def addresses_by(resolver: str, host: str) -> tuple[str, ...]:
    """Return the IPv4 addresses that a resolver (`1.1.1.1`, `127.0.0.1:5353`) has for a host.

    Raises `OSError`, `TimeoutError`, or `ValueError` for an answer that says no or can't be read.
    """
    place, _, port = resolver.partition(":")
    number = secrets.randbelow(1 << 16)
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[bytes] = loop.create_future()
    transport, _protocol = await loop.create_datagram_endpoint(
        lambda: _Answer(answered), remote_addr=(place, int(port or _PORT))
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            transport.sendto(question(host, number))
            return tuple(addresses_in(await answered, number))
    finally:
        transport.close()


class _Answer(asyncio.DatagramProtocol):
    """Keeps the first datagram."""

    def __init__(self, answered: asyncio.Future[bytes]) -> None:
        self._answered = answered

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        if not self._answered.done():
            self._answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(exc)


def question(host: str, number: int) -> bytes:
    """Return the question for a host's IPv4 addresses; raises ValueError for a name that is none."""
    labels = [label.encode("idna") for label in host.rstrip(".").split(".")]
    if any(not 0 < len(label) < 64 for label in labels):  # noqa: PLR2004 - RFC 1035, 2.3.4
        raise ValueError("no name of a host")
    name = b"".join(bytes([len(label)]) + label for label in labels)
    return _HEAD.pack(number, _RECURSE, 1, 0, 0, 0) + name + struct.pack("!xHH", _A, _INTERNET)


def addresses_in(answer: bytes, number: int) -> Iterator[str]:
    """Yield the addresses of an answer; raises ValueError where it says no or can't be read."""
    try:
        same, flags, asked, answers, _, _ = _HEAD.unpack_from(answer)
        if same != number:
            raise ValueError("an answer to another question")
        code = flags & 0xF
        if code:
            raise ValueError("no such name" if code == _NO_SUCH_NAME else f"it said no ({code})")
        at = _HEAD.size
        for _ in range(asked):
            at = _after_name(answer, at) + 4
        for _ in range(answers):
            at = _after_name(answer, at)
            kind, _, _, length = _RECORD.unpack_from(answer, at)
            at += _RECORD.size
            if kind == _A:
                yield str(IPv4Address(answer[at : at + length]))
            at += length
    except (struct.error, IndexError) as error:
        raise ValueError("an answer that can't be read") from error


def _after_name(answer: bytes, at: int) -> int:
    """Return where a name ends: at its empty label, or behind a pointer."""
    while (length := answer[at]) != 0:
        if length & _POINTER == _POINTER:
            return at + 2
        at += 1 + length
    return at + 1
