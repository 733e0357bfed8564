"""A stream behind its commit point: it goes on at its client's pace, and ends one way or another."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from spillover.core.evidence import TransportFault
from spillover.core.values import Operation
from spillover.engine.reading import PlainReading
from spillover.engine.relaying import Relaying
from spillover.protocols.openai_chat import read_request
from spillover.upstream import Exchange, HttpUpstream, Order
from tests.engine.staging import DONE, HELLO, STREAM_HEAD, content, finish, plays, upstream_of

if TYPE_CHECKING:
    from spillover.engine import Give

WHOLE = content("one ") + content("two") + finish() + DONE


def a_reading() -> PlainReading:
    return PlainReading(read_request(json.dumps(HELLO).encode(), Operation.CHAT), "custom")


async def an_exchange(upstream: HttpUpstream, url: str) -> Exchange:
    order = Order(url=url, headers={}, body=b"{}", connect_s=20.0, loopback=True)
    return await upstream.open(order, lambda: None)


def a_relaying(exchange: Exchange, reading: PlainReading, **how: float) -> Relaying:
    ends_s = asyncio.get_running_loop().time() + how.get("total_s", 60.0)
    stall_s = how.get("stall_s", 30.0)
    return Relaying(exchange, reading, [], stall_s=stall_s, ends_s=ends_s)


def keeps_up(got: list[bytes], *, always: bool = True) -> Give:
    def give(chunk: bytes) -> bool:
        got.append(chunk)
        return always

    return give


async def sends(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM_HEAD + WHOLE)
    await writer.drain()


async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM_HEAD + content("one "))
    await reader.read()


@plays
async def test_a_client_that_keeps_up_gets_it_all_at_one_go() -> None:
    upstream, reading, got = HttpUpstream(), a_reading(), list[bytes]()

    async with upstream_of(sends) as url:
        relaying = a_relaying(await an_exchange(upstream, url), reading)

        more = await relaying.pour(keeps_up(got), lambda: None)

        await upstream.close()
    assert (more, b"".join(got) + reading.tail) == (False, WHOLE)
    assert (reading.evidence, reading.judge.end()) == (None, None)


@plays
async def test_a_client_that_is_behind_is_waited_for() -> None:
    upstream, reading, got = HttpUpstream(), a_reading(), list[bytes]()

    async with upstream_of(sends) as url:
        relaying = a_relaying(await an_exchange(upstream, url), reading)
        turns = 1
        while await relaying.pour(keeps_up(got, always=False), lambda: None):
            turns += 1
        await upstream.close()

    assert b"".join(got) + reading.tail == WHOLE
    assert turns > 1


@plays
async def test_silence_is_a_stall() -> None:
    upstream, reading = HttpUpstream(), a_reading()

    async with upstream_of(stalls) as url:
        relaying = a_relaying(await an_exchange(upstream, url), reading, stall_s=0.5)
        more = await relaying.pour(lambda _: True, lambda: None)
        await upstream.close()

    assert not more
    assert reading.evidence is not None
    assert reading.evidence.fault is TransportFault.STALL


@plays
async def test_a_client_that_never_comes_back_is_told_when_time_is_up() -> None:
    upstream, reading, stuck = HttpUpstream(), a_reading(), asyncio.Event()

    async with upstream_of(stalls) as url:
        relaying = a_relaying(await an_exchange(upstream, url), reading, total_s=0.5)
        behind = await relaying.pour(lambda _: False, stuck.set)
        await stuck.wait()
        relaying.close()
        await upstream.close()

    assert behind
