"""The HTTP client over real sockets: connections, redirects, proxies, and every way to break."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from spillover.core.evidence import TransportFault
from spillover.simulator import Fault, ProviderSpec, simulate
from spillover.upstream import HttpUpstream, Order, UpstreamBroken
from tests.engine.staging import plays, read_request_from, upstream_of
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

BODY = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def order(base_url: str, **more: Any) -> Order:
    fields: dict[str, Any] = {"connect_s": 1.0, "loopback": True, **more}
    return Order(
        url=f"{base_url}/chat/completions",
        headers={"content-type": "application/json", "authorization": "Bearer key"},
        body=BODY,
        **fields,
    )


def unheard() -> None:
    """Take no notice of the connection."""


@asynccontextmanager
async def upstream() -> AsyncIterator[HttpUpstream]:
    client = HttpUpstream()
    try:
        yield client
    finally:
        await client.close()


async def broken(ordered: Order) -> UpstreamBroken:
    """Return how an exchange breaks, at its head or in its body."""
    async with upstream() as client:
        try:
            exchange = await client.open(ordered, unheard)
        except UpstreamBroken as found:
            return found
        try:
            await exchange.read_all(1 << 20)
        except UpstreamBroken as found:
            return found
        finally:
            exchange.close()
    raise AssertionError(ordered.url)


def writing(
    *parts: bytes, reset: bool = False
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Return a server's answer: the parts, then the end of the connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if reset:
            own = writer.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    return answer


@plays
async def test_an_answer_has_status_headers_and_body() -> None:
    head = b"HTTP/1.1 203 Odd\r\nX-One: a\r\nx-one: b\r\nContent-Length: 5\r\n\r\n"

    async with upstream_of(writing(head, b"hello")) as base_url, upstream() as client:
        exchange = await client.open(order(base_url), unheard)

        assert exchange.status == 203
        assert exchange.headers["x-one"] == "a"
        assert await exchange.read() == b"hello"
        assert await exchange.read() == b""
        exchange.close()
        exchange.close()


@plays
async def test_a_connection_is_kept_once_its_answer_was_read() -> None:
    async with simulate(ProviderSpec()) as provider, upstream() as client:
        for _ in range(3):
            exchange = await client.open(order(provider.base_url), unheard)
            await exchange.read_all(1 << 20)
            exchange.close()

        assert provider.connections == 1


@plays
async def test_it_is_told_when_the_request_goes_out_on_a_new_or_a_kept_connection() -> None:
    heard: list[int] = []

    async with simulate(ProviderSpec()) as provider, upstream() as client:
        for number in (1, 2):
            exchange = await client.open(order(provider.base_url), lambda: heard.append(1))
            await exchange.read_all(1 << 20)
            assert len(heard) == number
        with pytest.raises(UpstreamBroken):
            await client.open(order("http://127.0.0.1:1/v1"), lambda: heard.append(1))

    assert len(heard) == 2


@plays
async def test_an_answer_that_is_not_read_to_its_end_closes_the_connection() -> None:
    async with simulate(ProviderSpec()) as provider, upstream() as client:
        provider.script("stall")
        exchange = await client.open(order(provider.base_url), unheard)
        await exchange.read()

        exchange.close()

        await eventually(lambda: provider.connections == 0, within_s=1)


@plays
async def test_an_open_that_is_cancelled_closes_the_connection() -> None:
    async with simulate(ProviderSpec()) as provider, upstream() as client:
        provider.script("silence")
        task = asyncio.create_task(client.open(order(provider.base_url), unheard))
        await eventually(lambda: provider.counters().in_flight == 1)

        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        await eventually(lambda: provider.connections == 0, within_s=1)


@plays
async def test_only_the_ordered_headers_are_sent() -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        head, _ = await read_request_from(reader)
        heads.append(head.lower())
        writer.write(OK.replace(b"content-length", b"set-cookie: a=b\r\ncontent-length"))
        head, _ = await read_request_from(reader)
        heads.append(head.lower())
        writer.write(OK)

    async with upstream_of(answer) as base_url, upstream() as client:
        for _ in range(3):
            exchange = await client.open(order(base_url), unheard)
            await exchange.read_all(100)
            exchange.close()

    names = {line.split(b":")[0] for line in heads[0].strip().split(b"\r\n")[1:]}
    assert names == {
        b"host",
        b"content-type",
        b"authorization",
        b"content-length",
    }
    assert b"cookie" not in heads[1]


@plays
async def test_a_redirect_is_handed_on_and_never_followed() -> None:
    async with simulate(ProviderSpec()) as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nlocation: {elsewhere.base_url}\r\n\r\n".encode()

        async with upstream_of(writing(moved)) as base_url, upstream() as client:
            exchange = await client.open(order(base_url), unheard)

            assert exchange.status == 307
            assert elsewhere.counters().received == 0
            exchange.close()


@plays
async def test_a_provider_may_send_long_headers() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-security-policy: %b\r\ncontent-length: 0\r\n\r\n"

    async with upstream_of(writing(head % (b"x" * 40_000))) as base_url, upstream() as client:
        exchange = await client.open(order(base_url), unheard)

        assert len(exchange.headers["content-security-policy"]) == 40_000
        exchange.close()


@plays
async def test_more_than_is_asked_for_is_not_held() -> None:
    async with simulate(ProviderSpec()) as provider, upstream() as client:
        provider.script(Fault(body="x" * 5_000))
        exchange = await client.open(order(provider.base_url), unheard)

        with pytest.raises(UpstreamBroken, match="larger than 4000 bytes") as found:
            await exchange.read_all(4_000)

        assert found.value.fault is TransportFault.MALFORMED_HTTP
        exchange.close()


# Proxies.


@asynccontextmanager
async def proxy(asked: list[bytes]) -> AsyncIterator[str]:
    """Serve a proxy that answers by itself and keeps the lines it was asked with."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, _ = await read_request_from(reader)
        asked.append(head.split(b"\r\n")[0])
        writer.write(OK)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@plays
async def test_remote_providers_are_reached_through_the_environments_proxy(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    async with proxy(asked) as address:
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.setenv(variable, address)

        async with upstream() as client:
            exchange = await client.open(
                order("http://provider.invalid/v1", loopback=False), unheard
            )

            exchange.close()
            assert exchange.status == 200
            assert asked == [b"POST http://provider.invalid/v1/chat/completions HTTP/1.1"]


@plays
async def test_this_machine_and_excepted_hosts_are_reached_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []
    async with proxy(asked) as address, simulate(ProviderSpec()) as provider:
        monkeypatch.setenv("HTTP_PROXY", address)
        monkeypatch.setenv("NO_PROXY", "provider.invalid")

        async with upstream() as client:
            exchange = await client.open(order(provider.base_url), unheard)
            with pytest.raises(UpstreamBroken):
                await client.open(order("http://provider.invalid/v1", loopback=False), unheard)

            assert exchange.status == 200
            exchange.close()
        assert asked == []


# How exchanges break.


@plays
async def test_what_was_never_reached_is_told_apart() -> None:
    unused = "http://127.0.0.1:1/v1"
    async with simulate(ProviderSpec()) as plain:
        found = await asyncio.gather(
            broken(order(unused)),
            broken(order("http://provider.invalid/v1")),
            broken(order(plain.base_url.replace("http:", "https:"))),
            broken(order("http://127.0.0.1:99999/v1")),
        )

    assert [(each.fault, each.never_sent) for each in found] == [
        (TransportFault.REFUSED, True),
        (TransportFault.DNS, True),
        (TransportFault.TLS, True),
        (TransportFault.UNREACHABLE, True),
    ]
    assert all(str(each) for each in found)


@plays
async def test_a_connection_that_takes_too_long_is_never_sent() -> None:
    async with upstream_of(writing()) as base_url:
        tls = order(base_url.replace("http:", "https:"), connect_s=0.1)

        found = await broken(tls)

    assert (found.fault, found.never_sent) == (TransportFault.CONNECT_TIMEOUT, True)


@pytest.mark.parametrize(
    ("parts", "reset", "fault"),
    [
        ((), False, TransportFault.CLOSED_BEFORE_HEAD),
        ((), True, TransportFault.RESET),
        ((b"\x00\x16 no HTTP\r\n\r\n",), False, TransportFault.MALFORMED_HTTP),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"half"), False, TransportFault.CUT),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"half"), True, TransportFault.RESET),
        (
            (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"4\r\nhalf\r\n"),
            False,
            TransportFault.CUT,
        ),
        (
            (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\n", b"plain"),
            False,
            TransportFault.CUT,
        ),
    ],
)
@plays
async def test_what_breaks_in_use_may_have_been_received(
    parts: tuple[bytes, ...], fault: TransportFault, *, reset: bool
) -> None:
    async with upstream_of(writing(*parts, reset=reset)) as base_url:
        found = await broken(order(base_url))

    assert (found.fault, found.never_sent) == (fault, False)


@plays
async def test_a_kept_connection_that_the_provider_dropped_may_have_been_used() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await read_request_from(reader)

    async with upstream_of(answer) as base_url, upstream() as client:
        first = await client.open(order(base_url), unheard)
        await first.read_all(100)
        first.close()

        with pytest.raises(UpstreamBroken) as found:
            await client.open(order(base_url), unheard)

        assert found.value.fault is TransportFault.CLOSED_BEFORE_HEAD
        assert not found.value.never_sent
