"""The way to a host on real sockets: refused, silent, with wrong certificates, through proxies."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import closing
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from spillover.doctor.probe.reach import proxy_of, skew_of, way_to
from tests.doctor.hosts import DAY_S, TLS, host
from tests.doctor.responder import responder
from tests.upstream.commanding import free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from spillover.doctor.judge.network import Way


def shown(name: str, monkeypatch: pytest.MonkeyPatch, *, trusted: bool) -> Way:
    """Go to a server that shows a certificate, which is trusted or not."""
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(TLS / f"{name}.pem"))
    with host(name) as port:
        return gone(way_to("127.0.0.1", port, secure=True))


def gone(work: Awaitable[Way]) -> Way:
    async def run() -> Way:
        return await work

    return asyncio.run(run())


def test_a_trusted_certificate_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shown("interceptor", monkeypatch, trusted=True)

    assert found.is_up
    assert found.certificate is not None
    assert found.certificate.issuer == "Zscaler Inc. Spillover test-only interceptor"
    assert found.certificate.ends_at > time.time()


@pytest.mark.parametrize(
    ("name", "trusted", "code", "error"),
    [
        ("expired", "trusted", 10, "certificate has expired"),
        ("early", "trusted", 9, "certificate is not yet valid"),
        ("other_name", "trusted", 64, "IP address mismatch"),
        ("interceptor", "unknown", 18, "self-signed certificate"),
    ],
)
def test_a_wrong_certificate_is_told_and_read_all_the_same(
    name: str, trusted: str, code: int, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = shown(name, monkeypatch, trusted=trusted == "trusted")

    assert (found.tls_code, found.is_up) == (code, False)
    assert error in found.tls_error
    assert found.certificate is not None
    assert found.certificate.subject.endswith(
        "interceptor" if name == "interceptor" else "Spillover test-only provider"
    )
    assert found.skew_s is not None
    assert -DAY_S - 60 < found.skew_s < 60 - DAY_S


def test_what_speaks_no_tls_is_told() -> None:
    with host(None, b"SSH-2.0-OpenSSH\r\n") as port:
        found = gone(way_to("127.0.0.1", port, secure=True))

    assert found.tls_error
    assert found.certificate is None


def test_a_refused_connection_and_an_unknown_host_are_told() -> None:
    refused = gone(way_to("127.0.0.1", free_port(), secure=False))
    unknown = gone(way_to("nobody.invalid", 443, secure=True))

    assert "refused" in refused.tcp_error.lower() or "connect" in refused.tcp_error.lower()
    assert "not known" in unknown.dns_error


@pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere 127.0.0.2 is no address")
def test_a_stale_address_is_found_by_a_second_resolver() -> None:
    async def run() -> Way:
        with closing(socket.create_server(("127.0.0.2", 0))) as server:
            port = server.getsockname()[1]
            async with responder({"localhost": ("127.0.0.2",)}) as address:
                return await way_to("localhost", port, secure=False, resolver=address)

    found = asyncio.run(run())

    assert found.tcp_error
    assert found.other_addresses == ("127.0.0.2",)
    assert found.other_works


def test_a_second_resolver_that_knows_nothing_is_told() -> None:
    async def run() -> Way:
        async with responder({}) as address:
            return await way_to("nobody.invalid", 443, secure=True, resolver=address)

    assert asyncio.run(run()).other_error == "no such name"


def test_a_proxy_is_gone_to_in_the_place_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as proxy:
        address = f"127.0.0.1:{proxy.getsockname()[1]}"
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{address}")
        up = gone(way_to("api.example", 443, secure=True))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    down = gone(way_to("api.example", 443, secure=True))

    assert up.is_up
    assert up.proxy == f"http://{address}"
    assert down.tcp_error


def test_hosts_that_no_proxy_leaves_out_are_gone_to_straight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "proxy:3128")

    assert proxy_of("api.example", 443, secure=True) == "http://proxy:3128"
    assert proxy_of("127.0.0.1", 80, secure=False) == ""


def test_a_date_tells_how_far_off_the_clock_is() -> None:
    skew_s = skew_of(formatdate(time.time() - 100, usegmt=True))

    assert skew_s is not None
    assert 99 <= skew_s <= 160
    assert skew_of(None) is None
    assert skew_of("yesterday") is None
