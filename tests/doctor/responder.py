"""A DNS server on loopback, for the doctor's second resolver."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


def answer_to(question: bytes, addresses: tuple[str, ...]) -> bytes:
    """Return the answer to a question: its addresses, or that there is no such name."""
    flags = 0x8180 if addresses else 0x8183
    head = question[:2] + struct.pack("!5H", flags, 1, len(addresses), 0, 0)
    records = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(each)
        for each in addresses
    )
    return head + question[12:] + records


def name_of(question: bytes) -> str:
    labels, at = [], 12
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels)


class _Responder(asyncio.DatagramProtocol):
    def __init__(self, names: Mapping[str, tuple[str, ...]]) -> None:
        self._names = names

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(answer_to(data, self._names.get(name_of(data), ())), addr)


@asynccontextmanager
async def responder(names: Mapping[str, tuple[str, ...]]) -> AsyncIterator[str]:
    """Answer for some names while the context lasts; yield `address:port`."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Responder(names), local_addr=("127.0.0.1", 0)
    )
    try:
        host, port = transport.get_extra_info("sockname")
        yield f"{host}:{port}"
    finally:
        transport.close()
