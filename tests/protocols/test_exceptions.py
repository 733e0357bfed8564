"""Naming what broke an exchange from an exception's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.evidence import TransportFault as Fault
from spillover.protocols.exceptions import fault_of


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("ECONNREFUSED", Fault.REFUSED),
        ("connect ECONNREFUSED 127.0.0.1:4000", Fault.REFUSED),
        ("ConnectionRefusedError: [Errno 111] Connection refused", Fault.REFUSED),
        ("httpx.ConnectError: [Errno 61] Connection refused", Fault.REFUSED),
        (
            (
                "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host x:443 "
                "ssl:default [Connect call failed ('1.2.3.4', 443)]"
            ),
            Fault.REFUSED,
        ),
        ("getaddrinfo ENOTFOUND api.example.com", Fault.DNS),
        ("EAI_AGAIN", Fault.DNS),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", Fault.DNS),
        ("httpx.ConnectError: [Errno -2] Name or service not known", Fault.DNS),
        ("aiohttp.ClientConnectorDNSError: Cannot connect to host x:443", Fault.DNS),
        ("EHOSTUNREACH", Fault.UNREACHABLE),
        ("connect ENETUNREACH 1.2.3.4:443", Fault.UNREACHABLE),
        ("OSError: [Errno 113] No route to host", Fault.UNREACHABLE),
        ("listen EADDRINUSE: address already in use :::4000", Fault.UNREACHABLE),
        ("httpx.ProxyError: 407", Fault.UNREACHABLE),
        ("EPROTO", Fault.TLS),
        ("write EPROTO 140:error:0A00010B:SSL routines:wrong version number", Fault.TLS),
        (
            "httpx.ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
            Fault.TLS,
        ),
        ("CERT_HAS_EXPIRED", Fault.TLS),
        ("aiohttp.ClientConnectorCertificateError", Fault.TLS),
        ("ETIMEDOUT", Fault.CONNECT_TIMEOUT),
        ("httpx.ConnectTimeout", Fault.CONNECT_TIMEOUT),
        ("UND_ERR_CONNECT_TIMEOUT", Fault.CONNECT_TIMEOUT),
        (
            "aiohttp.ConnectionTimeoutError: Connection timeout to host https://x",
            Fault.CONNECT_TIMEOUT,
        ),
        ("httpx.ReadTimeout", Fault.TOTAL_TIMEOUT),
        ("openai.APITimeoutError: Request timed out.", Fault.TOTAL_TIMEOUT),
        ("asyncio.TimeoutError", Fault.TOTAL_TIMEOUT),
        ("UND_ERR_HEADERS_TIMEOUT", Fault.TOTAL_TIMEOUT),
        ("AxiosError: timeout of 30000ms exceeded ECONNABORTED", Fault.TOTAL_TIMEOUT),
        ("httpx.PoolTimeout", Fault.POOL),
        ("ECONNRESET", Fault.RESET),
        ("ECONNABORTED", Fault.RESET),
        ("httpx.ReadError: [Errno 104] Connection reset by peer", Fault.RESET),
        ("Error: socket hang up", Fault.RESET),
        ("UND_ERR_SOCKET: other side closed", Fault.RESET),
        ("EPIPE", Fault.BROKEN_PIPE),
        ("BrokenPipeError: [Errno 32] Broken pipe", Fault.BROKEN_PIPE),
        (
            "httpx.RemoteProtocolError: Server disconnected without sending a response.",
            Fault.CLOSED_BEFORE_HEAD,
        ),
        ("aiohttp.ServerDisconnectedError", Fault.CLOSED_BEFORE_HEAD),
        ("httpx.RemoteProtocolError", Fault.CLOSED_BEFORE_HEAD),
        (
            (
                "httpx.RemoteProtocolError: peer closed connection without sending complete message "
                "body (incomplete chunked read)"
            ),
            Fault.CUT,
        ),
        ("aiohttp.ClientPayloadError: Response payload is not completed", Fault.CUT),
        ("requests.exceptions.ChunkedEncodingError", Fault.CUT),
        ("httpx.LocalProtocolError: Illegal header value", Fault.MALFORMED_HTTP),
        ("openai.APIConnectionError: Connection error.", Fault.UNREACHABLE),
        ("TypeError: fetch failed", Fault.UNREACHABLE),
        ("httpx.ConnectError", Fault.UNREACHABLE),
    ],
)
def test_a_cause_is_told_before_a_kind(words: str, fault: Fault) -> None:
    assert fault_of(words) is fault


@pytest.mark.parametrize(
    "words", ["", "openai.RateLimitError: Error code: 429", "ValueError: no", "KeyError: 'choices'"]
)
def test_what_tells_of_no_fault_is_none(words: str) -> None:
    assert fault_of(words) is None


@given(st.text())
def test_any_words_are_read_without_harm(words: str) -> None:
    fault = fault_of(words)

    assert fault is None or fault in Fault
