"""The client, straight and through a proxy: what both do alike, and when it goes which way."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest

from spillover.core.evidence import TransportFault
from spillover.simulator import Fault, ProviderSpec, simulate
from spillover.upstream import HttpUpstream, UpstreamBroken
from tests.engine.staging import read_request_from, upstream_of
from tests.upstream.answers import BREAKS, HELLO, OK, sized
from tests.upstream.serving import (
    MOST,
    SECRET,
    ask,
    broken,
    order,
    plays,
    proxy,
    raw_provider,
    reached,
    shows_certificate,
    trusts_authority,
    unheard,
    writing,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

both_ways = pytest.mark.parametrize("way", ["direct", "proxied"])


# Answers.


@both_ways
@plays
async def test_an_answer_has_status_headers_and_body(way: str) -> None:
    head = b"HTTP/1.1 203 Odd\r\nX-One: a\r\nx-one: b\r\nContent-Length: 5\r\n\r\n"

    async with upstream_of(writing(head, b"hello")) as base_url, reached(way) as client:
        exchange = await client.open(order(base_url), unheard)

        assert exchange.status == 203
        assert exchange.headers["x-one"] == "a"
        assert await exchange.read() == b"hello"
        assert await exchange.read() == b""
        exchange.close()
        exchange.close()


@pytest.mark.parametrize("form", HELLO)
@both_ways
@plays
async def test_a_body_is_the_same_however_it_is_sent(way: str, form: str) -> None:
    answer = HELLO[form]
    pieces = [answer[at : at + 7] for at in range(0, len(answer), 7)]

    async with upstream_of(writing(*pieces)) as base_url, reached(way) as client:
        assert await ask(client, order(base_url)) == (200, b"hello")


@pytest.mark.parametrize("status", [204, 304])
@both_ways
@plays
async def test_some_answers_never_have_a_body(way: str, status: int) -> None:
    stays = asyncio.Event()

    async with (
        upstream_of(writing(b"HTTP/1.1 %d Nothing\r\n\r\n" % status, then=stays)) as base_url,
        reached(way) as client,
    ):
        assert await ask(client, order(base_url)) == (status, b"")
        stays.set()


@both_ways
@plays
async def test_a_redirect_is_handed_on_and_never_followed(way: str) -> None:
    async with simulate(ProviderSpec()) as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nlocation: {elsewhere.base_url}\r\n\r\n".encode()

        async with upstream_of(writing(moved)) as base_url, reached(way) as client:
            status, _ = await ask(client, order(base_url))

        assert status == 307
        assert elsewhere.counters().received == 0


@both_ways
@plays
async def test_a_provider_may_send_long_headers(way: str) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-security-policy: %b\r\ncontent-length: 0\r\n\r\n"

    async with upstream_of(writing(head % (b"x" * 40_000))) as base_url, reached(way) as client:
        exchange = await client.open(order(base_url), unheard)

        assert len(exchange.headers["content-security-policy"]) == 40_000
        exchange.close()


@both_ways
@plays
async def test_more_than_is_asked_for_is_not_held(way: str) -> None:
    async with simulate(ProviderSpec()) as provider, reached(way) as client:
        provider.script(Fault(body="x" * 5_000))
        exchange = await client.open(order(provider.base_url), unheard)

        with pytest.raises(UpstreamBroken, match="larger than 4000 bytes") as found:
            await exchange.read_all(4_000)

        assert found.value.fault is TransportFault.MALFORMED_HTTP
        exchange.close()


@both_ways
@plays
async def test_a_packed_bomb_is_never_held(way: str) -> None:
    size = 1 << 28
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    zeros = bytes(1 << 20)
    bomb = b"".join([packer.compress(zeros) for _ in range(size >> 20)]) + packer.flush()

    async with (
        upstream_of(writing(sized(bomb, b"content-encoding: gzip\r\n"))) as base_url,
        reached(way) as client,
    ):
        exchange = await client.open(order(base_url), unheard)
        tracemalloc.start()
        try:
            unpacked = 0
            while chunk := await exchange.read():
                unpacked += len(chunk)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        exchange.close()

    assert unpacked == size
    assert peak < 8 << 20


@pytest.mark.parametrize("form", ["length", "chunks", "gzip"])
@both_ways
@plays
async def test_a_slow_reader_pauses_the_provider(way: str, form: str) -> None:
    part = bytes(1 << 18)
    count = 256
    wrapped: dict[str, Callable[[bytes], bytes]] = {
        "length": lambda data: data,
        "chunks": lambda data: b"%x\r\n%b\r\n" % (len(data), data),
        "gzip": lambda data: gzip.compress(data, 0),
    }
    heads = {
        "length": b"content-length: %d" % (count * len(part)),
        "chunks": b"transfer-encoding: chunked",
        "gzip": b"content-encoding: gzip",
    }
    sent = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % heads[form])
        for _ in range(count):
            writer.write(wrapped[form](part))
            await writer.drain()
            sent += len(part)
        if form == "chunks":
            writer.write(b"0\r\n\r\n")

    async with upstream_of(answer) as base_url, reached(way) as client:
        exchange = await client.open(order(base_url), unheard)
        before = -1
        while sent > before:  # until the provider is held up: sockets hold a few MB
            before = sent
            await asyncio.sleep(0.2)
        held_up_at = sent
        body = await exchange.read_all(count * len(part))
        exchange.close()

    assert held_up_at < count * len(part) // 2
    assert len(body) == count * len(part)


# What is sent.


@both_ways
@plays
async def test_only_the_ordered_headers_are_sent(way: str) -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heads.append((await read_request_from(reader))[0].lower())
            writer.write(OK.replace(b"content-length", b"set-cookie: a=b\r\ncontent-length"))

    async with raw_provider(answer) as base_url, reached(way) as client:
        for method in ("POST", "GET"):
            await ask(client, order(base_url, method=method))

    assert [head[:3] for head in heads] == [b"pos", b"get"]
    for head in heads:
        names = {line.split(b":")[0] for line in head.strip().split(b"\r\n")[1:]}
        assert names == {b"host", b"content-type", b"authorization", b"content-length"}


@both_ways
@plays
async def test_a_header_that_would_be_several_is_never_sent(way: str) -> None:
    heard: list[int] = []
    ordered = order("http://127.0.0.1:1/v1", headers={"x-a": f"b\r\nx-evil: {SECRET}"})

    async with reached(way) as client:
        with pytest.raises(UpstreamBroken, match="a header holds a line break") as found:
            await client.open(ordered, lambda: heard.append(1))

    assert (found.value.fault, found.value.never_sent) == (TransportFault.UNREACHABLE, True)
    assert not heard


@pytest.mark.parametrize(
    "path", ["/v1/caf\u00e9?q=\u00fc&k=a%2Fb+c", "/v1/caf%C3%A9?q=%C3%BC&k=a%2Fb+c"]
)
@both_ways
@plays
async def test_a_path_is_sent_in_ascii(way: str, path: str) -> None:
    lines: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, _ = await read_request_from(reader)
        lines.append(head.split(b"\r\n")[0])
        writer.write(OK)

    async with raw_provider(answer) as base_url, reached(way) as client:
        url = base_url.removesuffix("/v1").replace("//", f"//user:{SECRET}@") + path
        await ask(client, order("", url=url))

    assert lines[0].endswith(b"/v1/caf%C3%A9?q=%C3%BC&k=a%2Fb+c HTTP/1.1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://provider.invalid/",
        "http:///v1",
        "http://provider.invalid:0/",
        "http://provider.invalid:99999/",
        f"http://provider.invalid:{SECRET}/",
        f"http://[{SECRET}/",
        "http://a..b/",
        f"http://{'a' * 64}.invalid/",
    ],
)
@both_ways
@plays
async def test_a_url_that_leads_nowhere_is_never_sent_to(way: str, url: str) -> None:
    async with reached(way) as client:
        found = await broken(client, order("", url=url))

    assert (found.fault, found.never_sent) == (TransportFault.UNREACHABLE, True)
    assert "http or https" in str(found)


@both_ways
@plays
async def test_a_large_body_arrives_whole(way: str) -> None:
    body = bytes(range(256)) * (20 << 12)
    got: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, received = await read_request_from(reader)
        got.append(received)
        writer.write(OK)

    async with raw_provider(answer) as base_url, reached(way) as client:
        assert await ask(client, order(base_url, body=body)) == (200, b"{}")

    assert got == [body]


@both_ways
@plays
async def test_an_answer_before_the_whole_request_is_out_counts(way: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await writer.drain()

    async with raw_provider(answer) as base_url, reached(way) as client:
        assert await ask(client, order(base_url, body=bytes(20 << 20))) == (413, b"big")


# Connections.


@both_ways
@plays
async def test_a_connection_is_kept_once_its_answer_was_read(way: str) -> None:
    async with simulate(ProviderSpec()) as provider, reached(way) as client:
        for _ in range(3):
            await ask(client, order(provider.base_url))

        assert provider.connections == 1


@both_ways
@plays
async def test_it_is_told_when_the_request_goes_out_on_a_new_or_a_kept_connection(way: str) -> None:
    heard: list[int] = []

    async with simulate(ProviderSpec()) as provider, reached(way) as client:
        for number in (1, 2):
            exchange = await client.open(order(provider.base_url), lambda: heard.append(1))
            assert len(heard) == number
            await exchange.read_all(1 << 20)
            exchange.close()
            assert len(heard) == number


@both_ways
@plays
async def test_an_answer_that_is_not_read_to_its_end_closes_the_connection(way: str) -> None:
    async with simulate(ProviderSpec()) as provider, reached(way) as client:
        provider.script("stall")
        exchange = await client.open(order(provider.base_url), unheard)
        await exchange.read()

        exchange.close()

        await eventually(lambda: provider.connections == 0)


@both_ways
@plays
async def test_an_open_that_is_cancelled_closes_the_connection(way: str) -> None:
    async with simulate(ProviderSpec()) as provider, reached(way) as client:
        provider.script("silence")
        task = asyncio.create_task(client.open(order(provider.base_url), unheard))
        await eventually(lambda: provider.counters().in_flight == 1)

        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        await eventually(lambda: provider.connections == 0)


@both_ways
@plays
async def test_a_read_that_is_cancelled_leaves_an_answer_that_can_be_closed(way: str) -> None:
    async with simulate(ProviderSpec()) as provider, reached(way) as client:
        provider.script("stall")
        exchange = await client.open(order(provider.base_url), unheard)
        await exchange.read()
        task = asyncio.create_task(exchange.read_all(MOST))
        await asyncio.sleep(0)

        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        exchange.close()

        await eventually(lambda: provider.connections == 0)


# TLS.


@both_ways
@plays
async def test_a_provider_is_reached_over_tls_and_its_connection_kept(way: str) -> None:
    accepted: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(1)
        for _ in range(3):
            await read_request_from(reader)
            writer.write(OK)

    async with (
        raw_provider(answer, tls=shows_certificate()) as base_url,
        reached(way, trusts_authority()) as client,
    ):
        for _ in range(3):
            assert await ask(client, order(base_url)) == (200, b"{}")

    assert len(accepted) == 1


@pytest.mark.parametrize(
    ("trusts", "host", "says"),
    [(False, "127.0.0.1", "unable to get local issuer"), (True, "localhost", "not valid for")],
    ids=["untrusted", "of another host"],
)
@both_ways
@plays
async def test_a_certificate_that_is_not_right_is_never_sent_to(
    way: str, host: str, says: str, *, trusts: bool
) -> None:
    async with (
        raw_provider(writing(OK), tls=shows_certificate()) as base_url,
        reached(way, trusts_authority() if trusts else None) as client,
    ):
        found = await broken(client, order(base_url.replace("127.0.0.1", host)))

    assert (found.fault, found.never_sent) == (TransportFault.TLS, True)
    assert says in str(found)


# How exchanges break.


@pytest.mark.parametrize("name", BREAKS)
@both_ways
@plays
async def test_what_breaks_in_use_may_have_been_received(way: str, name: str) -> None:
    parts, is_reset, fault = BREAKS[name]

    async with (
        upstream_of(writing(*parts, is_reset=is_reset)) as base_url,
        reached(way) as client,
    ):
        found = await broken(client, order(base_url))

    assert (found.fault, found.never_sent) == (fault, False)


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, br"])
@both_ways
@plays
async def test_a_packing_that_was_not_asked_for_is_named(way: str, packing: str) -> None:
    head = (
        b"HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-encoding: %b\r\ncontent-length: 2\r\n\r\n"
    )

    async with (
        upstream_of(writing(head % packing.encode(), b"\x0b\x80")) as base_url,
        reached(way) as client,
    ):
        exchange = await client.open(order(base_url), unheard)
        with pytest.raises(UpstreamBroken, match=packing) as found:
            await exchange.read_all(MOST)
        exchange.close()

    assert found.value.fault is TransportFault.MALFORMED_HTTP
    assert (exchange.status, exchange.headers["retry-after"]) == (429, "7")


# Which way.


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
@plays
async def test_remote_providers_are_reached_through_the_environments_proxy(
    variable: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    async with proxy(asked) as address, upstream_of(writing(OK)) as base_url:
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.setenv(variable, scheme + address.removeprefix("http://"))
        client = HttpUpstream()
        url = base_url.replace("127.0.0.1", "provider.invalid")

        assert await ask(client, order(url)) == (200, b"{}")

        await client.close()
    line = f"POST {url}/chat/completions HTTP/1.1".encode()
    assert [head.split(b"\r\n")[0] for head in asked] == [line]


@pytest.mark.parametrize("excepted", ["{host}", "{host}:{port}", "*"])
@plays
async def test_this_machine_and_excepted_hosts_are_reached_without_a_proxy(
    excepted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    async with proxy(asked) as address, simulate(ProviderSpec()) as provider:
        port = provider.base_url.split(":")[2].split("/")[0]
        monkeypatch.setenv("HTTP_PROXY", address)

        for no_proxy, loopback in (
            (excepted.format(host="127.0.0.1", port=port), False),
            ("", True),
        ):
            monkeypatch.setenv("NO_PROXY", no_proxy)
            client = HttpUpstream()
            status, _ = await ask(client, order(provider.base_url, loopback=loopback))
            await client.close()
            assert status == 200

    assert asked == []
