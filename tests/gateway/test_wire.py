"""The HTTP server: what is not HTTP, and heads that never end."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

import pytest

from spillover.gateway.wire import MOST_HEAD, Connection, Sweeper
from spillover.simulator import Outcome, ProviderSpec, running
from tests.gateway.connecting import ASKED, answering, connected
from tests.serving import (
    CHAT,
    HELLO,
    document_for,
    post_bytes,
    read_all,
    read_until,
    serving,
)
from tests.waiting import WITHIN_S, eventually, wait_until

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
        # The last of them is one too many: nothing may be left unread, or the system resets the answer away.
        for number in range(MOST_HEAD // 1_000 + 1):
            connection.sendall(b"x-%d: %s\r\n" % (number % 10, b"y" * 993))
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


def test_offers_of_another_protocol_may_come_in_any_number_at_once(served: Served) -> None:
    offer = (
        b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
    )
    last = offer.replace(b"upgrade: h2c", b"connection: close")

    answer = served.raw(offer * 600 + last)

    assert answer.count(b"HTTP/1.1 200 OK") == 601


@pytest.mark.parametrize(
    ("begun", "unit"), [(b"0\r\n", b"x: y\r\n"), (b"1;", b"x")], ids=["trailers", "extension"]
)
def test_what_never_ends_beside_a_body_is_refused(
    served: Served, begun: bytes, unit: bytes
) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    endless = head + begun + unit * MOST_HEAD

    answer = served.raw(endless[: MOST_HEAD + 1])

    assert answer.startswith(b"HTTP/1.1 431 ")


def test_nothing_is_written_into_an_answer_under_way() -> None:
    asked = post_bytes(CHAT, json.dumps({**HELLO, "stream": True}).encode())
    spec = ProviderSpec(events=1_000, events_per_s=200)
    with running(spec) as (provider,), serving(document_for(provider)) as served:
        with served.connect() as connection:
            connection.sendall(asked)
            read_until(connection, b"data: ")
            connection.sendall(b"nonsense\r\n\r\n")
            rest = read_all(connection)

        wait_until(lambda: provider.counters().in_flight == 0)

    assert b"HTTP/1.1" not in rest
    assert b"[DONE]" not in rest


def test_trailers_are_no_headers(served: Served) -> None:
    asked = json.dumps(HELLO).encode()
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n"
    )
    body = b"%x\r\n%b\r\n0\r\nx-spillover-policy: nonsense\r\n\r\n" % (len(asked), asked)

    answer = served.raw(head + b"connection: close\r\n\r\n" + body)

    assert b"nonsense" not in answer


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
        self.cycle = cast("Any", None)
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


def test_an_idle_connection_is_closed_at_a_sweep_and_one_that_is_answered_is_not() -> None:
    async def story() -> tuple[bool, bytes, bytes]:
        let_go = asyncio.Event()

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await let_go.wait()
            await answering(scope, receive, send)

        async with asyncio.timeout(WITHIN_S), connected(slow) as (reader, writer, connections):
            sweeper = Sweeper(connections, keep_s=0.0)
            writer.write(ASKED)
            (own,) = await eventually(lambda: connections)
            await eventually(lambda: own.cycle is not None)
            sweeper.sweep()
            spared = not own.transport.is_closing()
            let_go.set()
            answer = await reader.readuntil(b"0\r\n\r\n")
            sweeper.sweep()
            return spared, answer, await reader.read()

    spared, answer, rest = asyncio.run(story())

    assert spared
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert rest == b""


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


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (b"/a/b?c=d?e", ("/a/b", b"/a/b", b"c=d?e")),
        (b"/a%20b%2Fc", ("/a b/c", b"/a%20b%2Fc", b"")),
        (b"http://localhost/a?b", ("/a", b"/a", b"b")),
        (b"http://localhost/a", ("/a", b"/a", b"")),
        (b"/a?b#c", ("/a", b"/a", b"b")),
    ],
    ids=["a query", "escapes", "a whole address", "one without a query", "a fragment"],
)
def test_what_is_asked_for_is_told_in_its_parts(
    target: bytes, found: tuple[str, bytes, bytes]
) -> None:
    seen: list[tuple[str, bytes, bytes]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["path"], scope["raw_path"], scope["query_string"]))
        await answering(scope, receive, send)

    async def story() -> None:
        async with asyncio.timeout(WITHIN_S), connected(app) as (reader, writer, _):
            writer.write(b"GET %b HTTP/1.1\r\nhost: localhost\r\n\r\n" % target)
            await reader.readuntil(b"0\r\n\r\n")

    asyncio.run(story())

    assert seen == [found]


def test_each_request_of_a_connection_has_a_scope_of_its_own() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["method"], scope["http_version"], scope["path"], scope["headers"]))
        scope["more"] = True
        await answering(scope, receive, send)

    async def story() -> None:
        async with asyncio.timeout(WITHIN_S), connected(app) as (reader, writer, _):
            writer.write(ASKED)
            await reader.readuntil(b"0\r\n\r\n")
            writer.write(b"PUT /b HTTP/1.0\r\nX-One: 1\r\n\r\n")
            await reader.read()

    asyncio.run(story())

    assert seen == [
        ("GET", "1.1", "/", [(b"host", b"localhost")]),
        ("PUT", "1.0", "/b", [(b"x-one", b"1")]),
    ]
