"""What only the way through a proxy has: tunnels, logins, and a proxy's own failures."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from spillover.core.evidence import TransportFault
from spillover.upstream import UpstreamBroken
from spillover.upstream.proxied import ProxiedUpstream
from tests.engine.staging import read_request_from
from tests.upstream.answers import OK
from tests.upstream.serving import (
    SECRET,
    order,
    plays,
    plays_on_both,
    proxy,
    raw_provider,
    shows_certificate,
    trusts_authority,
    unheard,
    writing,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from spillover.upstream import Order


@asynccontextmanager
async def proxied(tls: ssl.SSLContext | None = None) -> AsyncIterator[ProxiedUpstream]:
    client = ProxiedUpstream(tls)
    try:
        yield client
    finally:
        await client.close()


async def broken(client: ProxiedUpstream, ordered: Order, through: str) -> UpstreamBroken:
    heard: list[int] = []
    with pytest.raises(UpstreamBroken) as found:
        await client.open(ordered, lambda: heard.append(1), through)
    assert bool(heard) is not found.value.never_sent
    assert SECRET not in str(found.value)
    return found.value


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_request_from(reader)
        writer.write(OK)


@plays_on_both
async def test_a_provider_behind_tls_is_tunnelled_to_and_sees_no_login() -> None:
    asked: list[bytes] = []
    heads: list[bytes] = []
    heard: list[int] = []

    async def notes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            head, _ = await read_request_from(reader)
            heads.append(head.lower())
            writer.write(OK)

    async with (
        raw_provider(notes, tls=shows_certificate()) as base_url,
        proxy(asked) as address,
        proxied(trusts_authority()) as client,
    ):
        through = address.replace("//", f"//user:{SECRET}@")
        for _ in range(2):
            exchange = await client.open(order(base_url), lambda: heard.append(1), through)
            assert await exchange.read_all(10) == b"{}"
            exchange.close()

    (connect,) = asked
    login = base64.b64encode(f"user:{SECRET}".encode())
    assert connect.startswith(b"CONNECT 127.0.0.1:")
    assert b"Basic " + login in connect
    assert len(heard) == len(heads) == 2
    assert not any(b"proxy" in head or login.lower() in head for head in heads)


@pytest.mark.parametrize("secure", [False, True])
@plays
async def test_a_proxy_that_refuses_is_unreached(*, secure: bool) -> None:
    async with proxied() as client:
        found = await broken(
            client,
            order(f"{'https' if secure else 'http'}://provider.invalid/v1"),
            f"http://user:{SECRET}@127.0.0.1:1",
        )

    assert (found.fault, found.never_sent) == (TransportFault.REFUSED, True)
    assert "127.0.0.1:1" in str(found)


@pytest.mark.parametrize("status", [407, 502])
@plays
async def test_a_tunnel_that_the_proxy_denies_is_never_sent_through(status: int) -> None:
    denial = b"HTTP/1.1 %d Denied\r\ncontent-length: 0\r\n\r\n" % status

    async with raw_provider(writing(denial)) as address, proxied() as client:
        through = address.removesuffix("/v1").replace("//", f"//user:{SECRET}@")
        found = await broken(client, order("https://provider.invalid/v1"), through)

    assert (found.fault, found.never_sent) == (TransportFault.UNREACHABLE, True)
    assert str(found) == f"the proxy denied the tunnel: {status} Denied"


@plays
async def test_a_proxy_of_another_kind_is_named() -> None:
    async with proxied() as client:
        found = await broken(
            client, order("https://provider.invalid/v1"), f"socks5://u:{SECRET}@127.0.0.1:1"
        )

    assert (found.fault, found.never_sent) == (TransportFault.UNREACHABLE, True)
    assert "only http and https proxies" in str(found)


@plays
async def test_a_proxy_whose_name_does_not_exist_is_dns() -> None:
    async with proxied() as client:
        found = await broken(client, order("http://a.invalid/v1"), "http://proxy.invalid:3128")

    assert (found.fault, found.never_sent) == (TransportFault.DNS, True)


@plays
async def test_a_tunnel_that_stalls_is_told_as_too_long() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(100):
            pass

    async with raw_provider(silent) as address, proxied() as client:
        ordered = order("", url=f"https://provider.invalid/v1?key={SECRET}", connect_s=0.1)
        found = await broken(client, ordered, address.removesuffix("/v1"))

    assert (found.fault, found.never_sent) == (TransportFault.CONNECT_TIMEOUT, True)
    assert str(found) == "no connection within 0.1 s"


@plays
async def test_requests_at_once_are_told_apart() -> None:
    heard: list[int] = []

    async with (
        raw_provider(answering) as base_url,
        proxy([]) as address,
        proxied() as client,
    ):

        async def one(number: int) -> None:
            exchange = await client.open(order(base_url), lambda: heard.append(number), address)
            await exchange.read_all(10)
            exchange.close()

        await asyncio.gather(*map(one, range(20)))

    assert sorted(heard) == list(range(20))


@plays
async def test_closing_twice_is_harmless() -> None:
    async with raw_provider(answering) as base_url, proxy([]) as address, proxied() as client:
        exchange = await client.open(order(base_url), unheard, address)
        exchange.close()
        exchange.close()
        await client.close()
        await client.close()
