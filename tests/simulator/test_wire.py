"""HTTP as it goes over a real connection, byte for byte."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from spillover.simulator.faults import Break, Fault
from spillover.simulator.hosting import SimulatedProvider, simulate
from spillover.simulator.records import Outcome
from spillover.simulator.spec import ProviderSpec, limits
from tests import own_time
from tests.simulator.asking import chat, taken_apart
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DEADLINE_S = 60.0


def message(body: Any = None, version: str = "1.1", **headers: str) -> bytes:
    """Write a chat request as it goes over the wire."""
    sent = json.dumps(chat() if body is None else body).encode()
    lines = [
        f"POST /v1/chat/completions HTTP/{version}",
        "host: x",
        f"content-length: {len(sent)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + sent


class Client:
    """One connection to a provider."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def until(self, mark: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(mark), DEADLINE_S)

    async def rest(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), DEADLINE_S)

    async def answer(self) -> bytes:
        """Read one unstreamed answer."""
        head = await self.until(b"\r\n\r\n")
        length = int(taken_apart(head).headers["content-length"])
        return head + await asyncio.wait_for(self.reader.readexactly(length), DEADLINE_S)


def with_a_client(
    act: Callable[[SimulatedProvider, Client], Awaitable[None]], **fields: Any
) -> None:
    async def main() -> None:
        async with simulate(ProviderSpec(**fields)) as provider:
            host, _, port = provider.origin.removeprefix("http://").partition(":")
            client = Client(*await asyncio.open_connection(host, int(port)))
            try:
                await act(provider, client)
            finally:
                client.writer.close()

    own_time.run(main())


def test_a_connection_serves_many_requests() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        for _ in range(3):
            client.writer.write(message())
            assert taken_apart(await client.answer()).status == 200
        assert provider.connections == 1

    with_a_client(act)


def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        provider.script(Fault(delay_s=0.05))
        client.writer.write(b"".join(message(chat(model=f"m{n}")) for n in range(20)))

        models = [taken_apart(await client.answer()).json["model"] for _ in range(20)]

        assert models == [f"m{n}" for n in range(20)]

    with_a_client(act)


def test_a_request_may_come_in_pieces_and_chunks() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        body = json.dumps(chat()).encode()
        head = b"POST /v1/chat/completions HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
        raw = head + b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:5], len(body) - 5, body[5:])
        for start in range(0, len(raw), 7):
            client.writer.write(raw[start : start + 7])
            await client.writer.drain()

        assert taken_apart(await client.answer()).status == 200
        assert provider.records[0].body == body

    with_a_client(act)


def test_a_body_waits_until_it_is_invited() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        head, _, body = message(expect="100-continue").partition(b"\r\n\r\n")
        client.writer.write(head + b"\r\n\r\n")
        invited = await client.until(b"\r\n\r\n")
        client.writer.write(body)

        assert invited == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert taken_apart(await client.answer()).status == 200

    with_a_client(act)


def test_an_offer_of_another_protocol_is_answered_in_this_one() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        client.writer.write(
            b"GET /v1/models HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
        )

        assert taken_apart(await client.answer()).status == 200

    with_a_client(act)


def test_what_is_no_http_is_told_so_and_left() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        client.writer.write(b"\x16\x03\x01 hello?\r\n\r\n")

        assert (await client.rest()).startswith(b"HTTP/1.1 400 ")
        assert provider.counters().received == 0

    with_a_client(act)


def test_a_large_body_arrives_whole() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        image = {"type": "image_url", "image_url": {"url": "data:," + "A" * 5_000_000}}
        body = {"model": "m", "messages": [{"role": "user", "content": [image]}]}
        client.writer.write(message(body))

        usage = taken_apart(await client.answer()).json["usage"]

        assert usage["prompt_tokens"] == 1_000
        assert provider.records[0].body == json.dumps(body).encode()

    with_a_client(act)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_client_that_keeps_no_connection_gets_it_closed(version: str) -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        client.writer.write(message(chat(stream=True), version, connection="close"))

        got = taken_apart(await client.rest())

        assert got.headers["connection"] == "close"
        assert got.body.endswith(b"data: [DONE]\n\n")
        assert ("transfer-encoding" in got.headers) is (version == "1.1")

    with_a_client(act)


def test_a_paced_stream_keeps_to_its_schedule() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        loop = asyncio.get_running_loop()
        client.writer.write(message(chat(stream=True)))
        await client.until(b"\r\n\r\n")
        began_at = loop.time()
        for _ in range(21):
            await client.until(b"\n\n\r\n")

        assert 0.19 <= loop.time() - began_at < 0.25

    with_a_client(act, events=20, events_per_s=100)


def test_a_cut_answer_ends_without_its_end() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        provider.script("cut")
        client.writer.write(message(chat(stream=True)))

        body = await client.rest()

        assert body.count(b"data: ") == 4
        assert not body.endswith(b"0\r\n\r\n")

    with_a_client(act)


@pytest.mark.parametrize("after", [None, 2])
def test_a_reset_is_a_reset(after: int | None) -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        provider.script(Fault(break_=Break.RESET, after=after))
        client.writer.write(message(chat(stream=True)))

        with pytest.raises(ConnectionResetError):
            await client.rest()

    with_a_client(act)


def test_a_closed_connection_is_closed_before_any_answer() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        provider.script("close_before_head")
        client.writer.write(message())

        assert await client.rest() == b""

    with_a_client(act)


def test_garbage_comes_as_it_is() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        provider.script("not_http")
        client.writer.write(message())

        assert (await client.rest()).startswith(b"\x00\xff\x16\x03")

    with_a_client(act)


def test_a_stalled_answer_ends_when_the_client_leaves() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        provider.script("stall")
        client.writer.write(message(chat(stream=True)))
        await client.until(b'"content":"This"')
        assert provider.counters().in_flight == 1
        client.writer.close()

        await eventually(lambda: provider.counters().in_flight == 0)

        assert provider.records[0].outcome is Outcome.FAULTED

    with_a_client(act)


def test_comments_keep_a_stalled_stream_alive() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        provider.script("keepalive_only")
        client.writer.write(message(chat(stream=True)))

        for _ in range(3):
            await client.until(b": keep-alive\n\n")

        assert provider.counters().in_flight == 1

    with_a_client(act)


def test_a_client_that_leaves_ends_its_stream_and_frees_its_slot() -> None:
    async def act(provider: SimulatedProvider, client: Client) -> None:
        client.writer.write(message(chat(stream=True)))
        await client.until(b'"content":"This"')
        client.writer.close()

        await eventually(lambda: provider.counters().outcomes == {"abandoned": 1})

        assert 0 < provider.counters().output_tokens < 10

    with_a_client(act, events_per_s=20, limits=limits("concurrency=1"))


def test_a_reader_that_does_not_read_holds_its_stream_up_until_it_reads() -> None:
    async def main() -> None:
        async with simulate(ProviderSpec(events=30_000)) as provider:
            port = int(provider.origin.rpartition(":")[2])
            with socket.socket() as slow:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                slow.connect(("127.0.0.1", port))
                slow.sendall(message(chat(stream=True)))
                await eventually(lambda: provider.counters().accepted == 1)
                for _ in range(20):
                    await asyncio.sleep(0)
                held = provider.counters().in_flight
                read = await asyncio.to_thread(_read_all, slow)

            await eventually(lambda: provider.counters().in_flight == 0)

            assert held == 1
            assert read.count(b"data: ") == 30_000 + 3
            assert provider.records[0].outcome is Outcome.ANSWERED

    own_time.run(main())


def _read_all(reading: socket.socket) -> bytes:
    read = b""
    reading.settimeout(DEADLINE_S)
    while not read.endswith(b"0\r\n\r\n"):
        read += reading.recv(1 << 20)
    return read


def test_a_mistake_of_the_stage_drops_the_connection_and_is_seen() -> None:
    async def main() -> None:
        seen: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
        async with simulate(ProviderSpec(), clock=_broken_clock) as provider:
            port = int(provider.origin.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(message())

            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(1), DEADLINE_S)
            writer.close()

        assert len(seen) == 1

    own_time.run(main())


def _broken_clock() -> float:
    raise RuntimeError("the clock has stopped")
