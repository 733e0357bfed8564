"""Connecting: where URLs lead, names, several addresses, TLS, and no socket left behind."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from spillover.upstream.connection import Connection
from spillover.upstream.dialling import DNS_S, Dialler, Origin
from tests.upstream.serving import (
    LOOPBACKS,
    TLS,
    plays,
    plays_on_both,
    raw_provider,
    shows_certificate,
    trusts_authority,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def forget(_: Connection) -> None:
    """Keep no connection."""


def made() -> Connection:
    return Connection(forget)


async def staying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@contextlib.asynccontextmanager
async def connected(dialler: Dialler, url: str) -> AsyncIterator[Connection]:
    connection = await dialler.connect(Origin.of(url), made)
    try:
        yield connection
    finally:
        connection.close()
        for _ in range(3):  # turns in which loops let go of sockets
            await asyncio.sleep(0)


def address(port: int) -> tuple[Any, ...]:
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))


def known(url: str, *ports: int, tls: ssl.SSLContext | None = None) -> Dialler:
    """Return a dialler to which a host has one address per port of this machine."""
    dialler, origin = Dialler(tls), Origin.of(url)
    dialler._addresses[origin.host, origin.port] = (math.inf, [address(port) for port in ports])
    return dialler


def port_of(url: str) -> int:
    return Origin.of(url).port


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses: bound, and never listened on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


# Where a URL leads.


@pytest.mark.parametrize(
    ("url", "key", "line", "clean"),
    [
        ("http://a", ("http", "a", 80), b"POST / HTTP/1.1\r\nhost: a\r\n", "http://a/"),
        ("https://A.b/v1", ("https", "a.b", 443), b"POST /v1 HTTP/1.1\r\nhost: a.b\r\n", None),
        ("https://a:443/", ("https", "a", 443), b"POST / HTTP/1.1\r\nhost: a\r\n", "https://a/"),
        ("http://a:443/", ("http", "a", 443), b"POST / HTTP/1.1\r\nhost: a:443\r\n", None),
        ("http://a:/", ("http", "a", 80), b"POST / HTTP/1.1\r\nhost: a\r\n", "http://a/"),
        ("http://a?x=/y?", ("http", "a", 80), b"POST /?x=/y? HTTP/1.1\r\nhost: a\r\n", None),
        ("http://a/#f", ("http", "a", 80), b"POST / HTTP/1.1\r\nhost: a\r\n", "http://a/"),
        ("http://u:p@a/", ("http", "a", 80), b"POST / HTTP/1.1\r\nhost: a\r\n", "http://a/"),
        ("http://[::1]:8/v1", ("http", "::1", 8), b"POST /v1 HTTP/1.1\r\nhost: [::1]:8\r\n", None),
        (
            "http://b\u00fccher.example/\u00e9",
            ("http", "xn--bcher-kva.example", 80),
            b"POST /%C3%A9 HTTP/1.1\r\nhost: xn--bcher-kva.example\r\n",
            "http://xn--bcher-kva.example/%C3%A9",
        ),
        (
            "http://a/a b/%2F/m:x|y?k=%20+",
            ("http", "a", 80),
            b"POST /a%20b/%2F/m:x%7Cy?k=%20+ HTTP/1.1\r\nhost: a\r\n",
            "http://a/a%20b/%2F/m:x%7Cy?k=%20+",
        ),
        ("http://a/\r\nx: y", ("http", "a", 80), b"POST /x:%20y HTTP/1.1\r\nhost: a\r\n", None),
    ],
)
def test_a_url_leads_to_a_host_and_a_path(
    url: str, key: tuple[str, str, int], line: bytes, clean: str | None
) -> None:
    origin = Origin.of(url)

    assert (origin.key, origin.line) == (key, line)
    assert clean in (None, origin.url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a",
        "//a",
        "ftp://a",
        "http://",
        "http://:80",
        "http://a:0",
        "http://a:65536",
        "http://[a",
    ],
)
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http or https") as found:
        Origin.of(url)

    assert found.value.__suppress_context__ or found.value.__context__ is None


# Addresses.


@pytest.mark.parametrize("host", LOOPBACKS)
@plays_on_both
async def test_an_address_is_connected_to_as_it_stands(host: str) -> None:
    async with raw_provider(staying, host=host) as url, connected(Dialler(), url) as found:
        assert found._transport.get_extra_info("peername")[0] == host


@plays
async def test_a_name_is_believed_for_a_while_and_no_longer_once_it_fails() -> None:
    dialler = Dialler()

    async with raw_provider(staying) as url:
        for _ in range(2):
            async with connected(dialler, url):
                pass
        ((until, believed),) = dialler._addresses.values()
        assert until <= asyncio.get_running_loop().time() + DNS_S
        assert [each[4] for each in believed] == [("127.0.0.1", port_of(url))]
    with pytest.raises(ConnectionRefusedError):
        await dialler.connect(Origin.of(url), made)

    assert not dialler._addresses


@plays
async def test_an_old_address_is_looked_up_again(closed_port: int) -> None:
    async with raw_provider(staying) as url:
        dialler = known(url, closed_port)
        key, (_, addresses) = dialler._addresses.popitem()
        dialler._addresses[key] = (asyncio.get_running_loop().time(), addresses)

        async with connected(dialler, url) as found:
            assert found.is_open


@plays
async def test_a_name_that_does_not_exist_is_no_address() -> None:
    with pytest.raises(socket.gaierror):
        await Dialler().connect(Origin.of("http://provider.invalid/"), made)


@plays_on_both
async def test_a_second_address_serves_when_the_first_refuses(closed_port: int) -> None:
    async with raw_provider(staying) as url:
        dialler = known("http://two.test/", closed_port, port_of(url))

        async with connected(dialler, "http://two.test/") as found:
            assert found.is_open


@plays_on_both
async def test_a_second_address_serves_when_the_first_says_nothing() -> None:
    with contextlib.ExitStack() as stack:
        # A full queue of a socket that is listened on and never accepted from answers nobody.
        dead = stack.enter_context(socket.socket())
        dead.bind(("127.0.0.1", 0))
        dead.listen(0)
        port = dead.getsockname()[1]
        for _ in range(64):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        async with (
            raw_provider(staying) as url,
            connected(known("http://t.test/", port, port_of(url)), "http://t.test/") as found,
        ):
            assert found.is_open


@plays_on_both
async def test_addresses_that_all_refuse_are_an_error_of_the_system(closed_port: int) -> None:
    dialler = known("http://two.test/", closed_port, closed_port)

    with pytest.raises(ConnectionRefusedError):
        await dialler.connect(Origin.of("http://two.test/"), made)


# TLS.


@plays_on_both
async def test_it_agrees_on_tls_with_a_trusted_provider() -> None:
    async with (
        raw_provider(staying, tls=shows_certificate()) as url,
        connected(Dialler(trusts_authority()), url) as found,
    ):
        assert found._transport.get_extra_info("ssl_object").version().startswith("TLS")


@plays_on_both
async def test_it_trusts_what_the_system_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_provider(staying, tls=shows_certificate()) as url:
        with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
            await Dialler().connect(Origin.of(url), made)

        monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "authority.pem"))
        async with connected(Dialler(), url) as found:
            assert found.is_open


@plays_on_both
async def test_a_certificate_of_another_host_is_refused() -> None:
    async with raw_provider(staying, tls=shows_certificate()) as url:
        there = f"https://other.test:{port_of(url)}"

        with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for 'other\.test'"):
            await known(there, port_of(url), tls=trusts_authority()).connect(Origin.of(there), made)


@plays_on_both
async def test_plain_http_is_no_tls() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with raw_provider(plain) as url:
        with pytest.raises(ssl.SSLError):
            await Dialler().connect(Origin.of(url.replace("http:", "https:")), made)


@plays_on_both
async def test_a_handshake_that_is_cancelled_leaves_no_socket() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(1)
            begun.set()
            await reader.read()
        ended.set()

    async with raw_provider(silent) as url:
        origin = Origin.of(url.replace("http:", "https:"))
        shaking = asyncio.create_task(Dialler().connect(origin, made))
        await begun.wait()
        shaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await shaking

        await ended.wait()
