"""The pool over real sockets, on either loop: what is kept, what is not, what ends when."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import warnings
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spillover.core.evidence import TransportFault
from spillover.upstream import UpstreamBroken
from spillover.upstream.direct import IDLE_S, DirectUpstream
from tests.engine.staging import read_request_from
from tests.upstream.answers import OK
from tests.upstream.serving import (
    LOOPBACKS,
    SECRET,
    ask,
    broken,
    order,
    plays,
    plays_on_both,
    raw_provider,
    reset,
    shows_certificate,
    trusts_authority,
    unheard,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from tests.upstream.serving import Serve


@asynccontextmanager
async def direct(tls: ssl.SSLContext | None = None) -> AsyncIterator[DirectUpstream]:
    client = DirectUpstream(tls)
    try:
        yield client
    finally:
        await client.close()


class Provider:
    """Answers requests, several on a connection, and counts connections."""

    def __init__(self, answer: bytes = OK, then: Serve | None = None) -> None:
        self.answer = answer
        self.accepted = 0
        self.open = 0
        self._then = then
        """What comes behind the first answer of a connection; None: more answers."""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self.open += 1
        try:
            while True:
                await read_request_from(reader)
                writer.write(self.answer)
                if self._then is not None:
                    await self._then(reader, writer)
                    break
        finally:
            self.open -= 1
            writer.close()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End the connection."""


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    reset(writer)


async def chatters(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.02)  # the answer is read by then, or is not: either way it is spoilt
    writer.write(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
    await reader.read()


def is_at_rest(client: DirectUpstream) -> bool:
    """Tell whether nothing is kept and nothing will happen."""
    return not client._idle and client._sweep is None


# What is kept.


@pytest.mark.parametrize("host", LOOPBACKS)
@plays_on_both
async def test_requests_one_after_the_other_take_one_connection(host: str) -> None:
    provider = Provider()

    async with raw_provider(provider, host=host) as base_url, direct() as client:
        for _ in range(5):
            assert await ask(client, order(base_url)) == (200, b"{}")

        assert (provider.accepted, provider.open) == (1, 1)
    assert provider.accepted == 1


@plays_on_both
async def test_requests_at_once_take_a_connection_each_and_all_are_kept() -> None:
    provider = Provider()

    async with raw_provider(provider) as base_url, direct() as client:
        for _ in range(3):
            exchanges = await asyncio.gather(
                *(client.open(order(base_url), unheard) for _ in range(20))
            )
            for exchange in exchanges:
                assert await exchange.read_all(10) == b"{}"
                exchange.close()

        assert provider.accepted == 20


@plays_on_both
async def test_connections_are_kept_apart_by_where_they_lead() -> None:
    one, other = Provider(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1"), Provider()

    async with raw_provider(one) as first, raw_provider(other) as second, direct() as client:
        for _ in range(2):
            assert await ask(client, order(first)) == (200, b"1")
            assert await ask(client, order(second)) == (200, b"{}")

        assert (one.accepted, other.accepted) == (1, 1)


@pytest.mark.parametrize("then", [closes, resets, chatters])
@plays_on_both
async def test_a_kept_connection_that_was_spoilt_meanwhile_is_not_used(then: Serve) -> None:
    provider = Provider(then=then)

    async with raw_provider(provider) as base_url, direct() as client:
        for number in (1, 2, 3):
            assert await ask(client, order(base_url)) == (200, b"{}")
            assert provider.accepted == number
            await eventually(lambda: not any(each.is_open for each in client._all))


@plays_on_both
async def test_a_kept_connection_that_ends_on_the_next_request_may_have_been_used() -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request_from(reader)

    provider, heard = Provider(then=hangs_up), list[int]()

    async with raw_provider(provider) as base_url, direct() as client:
        await ask(client, order(base_url))
        with pytest.raises(UpstreamBroken, match="was closed") as found:
            await client.open(order(base_url), lambda: heard.append(1))

    assert (found.value.fault, found.value.never_sent) == (TransportFault.CLOSED_BEFORE_HEAD, False)
    assert (heard, provider.accepted) == ([1], 1)


@plays
async def test_connections_that_were_idle_for_long_are_closed() -> None:
    provider = Provider()
    loop = asyncio.get_running_loop()

    async with raw_provider(provider) as base_url, direct() as client:
        exchanges = [await client.open(order(base_url), unheard) for _ in range(3)]
        for exchange in exchanges:
            await exchange.read_all(10)
            exchange.close()
        (idle,) = client._idle.values()
        for connection in idle[:2]:
            connection.idle_since -= IDLE_S
        assert client._sweep is not None
        client._sweep.cancel()

        client._sweep_idle()

        await eventually(lambda: provider.open == 1)
        assert 0 < client._sweep.when() - loop.time() <= IDLE_S
        idle[0].idle_since -= IDLE_S
        client._sweep.cancel()
        client._sweep_idle()
        await eventually(lambda: provider.open == 0)
        assert is_at_rest(client)


@plays_on_both
async def test_connections_that_are_never_kept_are_forgotten() -> None:
    provider = Provider(OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), closes)

    async with raw_provider(provider) as base_url, direct() as client:
        for _ in range(50):
            await ask(client, order(base_url))
        gc.collect()  # uvloop's transports are in a circle with themselves

        assert len(client._all) <= 1


# What is closed.


@pytest.mark.parametrize("secure", [False, True])
@plays_on_both
async def test_closing_leaves_no_socket(*, secure: bool) -> None:
    provider = Provider()
    tls = shows_certificate() if secure else None

    async with raw_provider(provider, tls=tls) as base_url:
        client = DirectUpstream(trusts_authority() if secure else None)
        exchanges = [await client.open(order(base_url), unheard) for _ in range(4)]
        await exchanges[0].read_all(10)
        exchanges[0].close()
        exchanges[1].close()

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await client.close()
            await client.close()
            del client, exchanges
            gc.collect()
        await eventually(lambda: provider.open == 0)


@pytest.mark.parametrize("at", ["connecting", "handshake", "head", "body"])
@plays_on_both
async def test_cancelling_closes_the_connection_wherever_it_stands(at: str) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    heard: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if at == "body":
            await read_request_from(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        elif at == "head":
            await read_request_from(reader)
        begun.set()
        with contextlib.suppress(ConnectionError):
            while await reader.read(1 << 16):
                pass
        ended.set()

    async with raw_provider(serve) as base_url, direct() as client:
        url = base_url.replace("http:", "https:") if at == "handshake" else base_url

        async def reading() -> None:
            exchange = await client.open(order(url), lambda: heard.append(1))
            try:
                await exchange.read_all(100)
            finally:
                exchange.close()

        task = asyncio.create_task(reading())
        if at == "connecting":
            await asyncio.sleep(0)
        else:
            await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        if at != "connecting":
            await ended.wait()
        assert heard == ([1] if at in {"head", "body"} else [])
        assert not any(each.is_open for each in client._all)


@plays_on_both
async def test_a_thousand_requests_leave_nothing_to_the_garbage_collector() -> None:
    async with raw_provider(Provider()) as base_url, direct() as client:
        ordered = order(base_url)
        await ask(client, ordered)
        gc.collect()
        gc.disable()
        try:
            for _ in range(1_000):
                await ask(client, ordered)
            found = gc.collect()
        finally:
            gc.enable()

    assert found < 100


@plays
async def test_a_thousand_requests_leave_no_descriptor() -> None:
    def opened() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    provider = Provider(OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), closes)
    async with raw_provider(provider) as base_url, direct() as client:
        await ask(client, order(base_url))
        before = opened()
        for _ in range(300):
            await ask(client, order(base_url))

        await eventually(lambda: opened() <= before + 2)


# How it breaks.


@plays_on_both
async def test_nobody_listening_is_told_as_refused() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with direct() as client:
            found = await broken(client, order(f"http://127.0.0.1:{bound.getsockname()[1]}"))

    assert (found.fault, found.never_sent) == (TransportFault.REFUSED, True)
    assert str(found)


@plays
async def test_a_name_that_does_not_exist_is_told_as_dns() -> None:
    async with direct() as client:
        found = await broken(client, order("http://provider.invalid"))

    assert (found.fault, found.never_sent) == (TransportFault.DNS, True)
    assert str(found) == "Name or service not known"


@plays_on_both
async def test_a_handshake_that_stalls_is_told_as_too_long() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await reader.read()

    async with raw_provider(silent) as base_url, direct() as client:
        url = base_url.replace("http:", "https:")
        found = await broken(client, order(url, connect_s=0.1))

    assert (found.fault, found.never_sent) == (TransportFault.CONNECT_TIMEOUT, True)
    assert str(found) == "no connection within 0.1 s"


@plays_on_both
async def test_a_handshake_that_is_hung_up_on_is_never_sent() -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        reset(writer)

    async with raw_provider(hangs_up) as base_url, direct() as client:
        found = await broken(client, order(base_url.replace("http:", "https:")))

    assert found.fault in {TransportFault.RESET, TransportFault.TLS}
    assert found.never_sent
    assert str(found)


@plays_on_both
async def test_tls_to_a_plain_port_says_so() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
        writer.close()

    async with raw_provider(plain) as base_url, direct() as client:
        found = await broken(client, order(base_url.replace("http:", "https:")))

    assert (found.fault, found.never_sent) == (TransportFault.TLS, True)
    assert "SSL" in str(found)


@plays_on_both
async def test_plain_http_to_a_tls_port_gets_no_answer() -> None:
    async with (
        raw_provider(Provider(), tls=shows_certificate()) as base_url,
        direct() as client,
    ):
        found = await broken(client, order(base_url.replace("https:", "http:")))

    assert not found.never_sent
    assert found.fault in {
        TransportFault.MALFORMED_HTTP,
        TransportFault.RESET,
        TransportFault.CLOSED_BEFORE_HEAD,
    }


@plays_on_both
async def test_a_connection_closed_at_once_never_leaves_a_request_waiting() -> None:
    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reset(writer)

    async with raw_provider(refuses) as base_url, direct() as client:
        for _ in range(50):
            found = await broken(client, order(base_url))
            assert found.fault in {TransportFault.RESET, TransportFault.CLOSED_BEFORE_HEAD}


@plays_on_both
async def test_one_lost_before_it_was_used_was_never_sent_on() -> None:
    class Lossy:
        async def connect(self, origin: Any, make: Any) -> Any:
            connection = await dialler.connect(origin, make)
            connection.close()
            return connection

    heard: list[int] = []
    async with raw_provider(Provider()) as base_url, direct() as client:
        dialler = client._dialler
        client._dialler = Lossy()  # type: ignore[assignment]
        with pytest.raises(UpstreamBroken, match="as soon as it was open") as found:
            await client.open(order(base_url), lambda: heard.append(1))

    assert (found.value.fault, found.value.never_sent) == (TransportFault.CLOSED_BEFORE_HEAD, True)
    assert not heard


@plays_on_both
async def test_informational_answers_without_end_are_no_answer() -> None:
    async def informs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request_from(reader)
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
            await writer.drain()

    async with raw_provider(informs) as base_url, direct() as client:
        found = await broken(client, order(base_url))

    assert (found.fault, found.never_sent) == (TransportFault.MALFORMED_HTTP, False)
    assert "the head passed" in str(found)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("lingers", [False, True])
@plays_on_both
async def test_an_early_answer_to_a_large_request_is_read(*, secure: bool, lingers: bool) -> None:
    done = asyncio.Event()

    async def too_large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await writer.drain()
        if lingers:  # and reads no more
            await done.wait()
        writer.close()

    tls = shows_certificate() if secure else None
    async with (
        raw_provider(too_large, tls=tls) as base_url,
        direct(trusts_authority() if secure else None) as client,
    ):
        assert await ask(client, order(base_url, body=bytes(20 << 20))) == (413, b"big")

        await asyncio.sleep(0)
        assert not any(each.is_open for each in client._all)
        done.set()


@pytest.mark.parametrize("secure", [False, True])
@plays_on_both
async def test_a_large_request_and_a_large_answer_pass(*, secure: bool) -> None:
    body = os.urandom(1 << 20) * 20
    tls = shows_certificate() if secure else None

    async def echoes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            _, received = await read_request_from(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(received))
            writer.write(received)
            await writer.drain()

    async with (
        raw_provider(echoes, tls=tls) as base_url,
        direct(trusts_authority() if secure else None) as client,
    ):
        for _ in range(2):
            assert await ask(client, order(base_url, body=body)) == (200, body)


@plays_on_both
async def test_a_login_in_the_url_is_neither_sent_nor_shown() -> None:
    heads: list[bytes] = []

    async def notes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, _ = await read_request_from(reader)
        heads.append(head)
        writer.close()

    async with raw_provider(notes) as base_url, direct() as client:
        await broken(client, order(base_url.replace("//", f"//user:{SECRET}@"), headers={}))

    assert SECRET.encode() not in heads[0]
    assert b"user" not in heads[0]
