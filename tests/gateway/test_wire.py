"""The HTTP server: what is not HTTP, and heads that never end."""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

import pytest

from spillover.gateway.wire import MOST_HEAD, Connection, Sweeper
from spillover.simulator import Outcome, ProviderSpec, running
from tests.serving import (
    CHAT,
    HELLO,
    document_for,
    post_bytes,
    read_all,
    read_until,
    serving,
)
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.serving import Served


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
    ids=["text", "header", "tls", "two lengths", "negative", "length and chunks"],
)
def test_what_is_not_http_is_refused_in_our_shape(served: Served, request_: bytes) -> None:
    answer = served.raw(request_)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"type":"spillover_error"' in answer


def test_a_chunk_that_is_none_ends_the_request(served: Served) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"

    answer = served.raw(head + b"zz\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_headers_without_end_are_refused(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\n")
        for number in range(MOST_HEAD // 1_000 + 5):
            try:
                connection.sendall(b"x-%d: %s\r\n" % (number, b"y" * 1_000))
            except OSError:  # closed on us
                break
        answer = read_all(connection)

    assert answer.startswith(b"HTTP/1.1 431 ")


def test_long_headers_on_a_kept_connection_do_not_add_up(served: Served) -> None:
    half = b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: "
    with served.connect() as connection:
        for _ in range(6):
            connection.sendall(half)
            connection.sendall(b"y" * 20_000 + b"\r\n\r\n")
            answer = read_until(connection, b"}")
            assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_an_offer_of_another_protocol_is_declined_and_the_request_answered(
    served: Served, protocol: str
) -> None:
    request = (
        f"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n"
        f"upgrade: {protocol}\r\nx-half: "
    ).encode()
    with served.connect() as connection:
        connection.sendall(request)
        connection.sendall(b"other half\r\n\r\n" + request.replace(b"upgrade", b"close"))
        connection.sendall(b"\r\n\r\n")
        answer = read_all(connection)

    assert answer.count(b"HTTP/1.1 200 OK") == 2


def test_it_is_no_proxy_for_other_hosts(served: Served) -> None:
    answer = served.raw(b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 405 ")


def test_the_server_tells_nothing_of_itself(served: Served) -> None:
    assert "server" not in {name.lower() for name in served.get("/health").headers}


class FakeTransport:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_a_client_that_leaves_is_missed_by_the_first_of_the_requests_it_sent_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = post_bytes(CHAT, json.dumps({**HELLO, "stream": True}).encode())
    spec = ProviderSpec(events=1_000, events_per_s=200)
    with running(spec) as (provider,), serving(document_for(provider)) as served:
        with served.connect() as connection:
            connection.sendall(asked * 3)
            read_until(connection, b"delta")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        wait_until(lambda: provider.records[0].outcome is Outcome.ABANDONED)
        wait_until(lambda: served.engine.in_flight == 0)

    assert provider.counters().received == 1
    assert not caplog.records


class HalfConnection(Connection):
    """A connection as the sweeper sees it."""

    def __init__(self, *, in_head: bool) -> None:
        self.transport = cast("Any", FakeTransport())
        self.scope = cast("Any", {})
        self._in_head = in_head

    @property
    def is_in_head(self) -> bool:
        return self._in_head

    @property
    def closed(self) -> bool:
        return cast("FakeTransport", self.transport).closed


def test_a_head_that_never_becomes_whole_is_closed_at_the_second_sweep() -> None:
    stuck, busy = HalfConnection(in_head=True), HalfConnection(in_head=False)
    sweeper = Sweeper({stuck, busy})

    sweeper.sweep()
    after_one = stuck.closed
    sweeper.sweep()

    assert (after_one, stuck.closed, busy.closed) == (False, True, False)


def test_a_connection_that_began_another_head_meanwhile_is_kept() -> None:
    slow = HalfConnection(in_head=True)
    sweeper = Sweeper({slow})

    sweeper.sweep()
    slow.scope = cast("Any", {})
    sweeper.sweep()

    assert not slow.closed


def test_a_half_request_is_in_its_head_until_it_is_whole(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n")
        connection.sendall(b"\r\n")

        assert read_all(connection).startswith(b"HTTP/1.1 200 ")
