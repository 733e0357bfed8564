"""The HTTP server: what is not HTTP, and heads that never end."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from spillover.gateway.asgi import WRITER
from spillover.gateway.wire import MOST_HEAD, Connection, Sweeper, Writer
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
from tests.waiting import WITHIN_S, eventually, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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


ASKED = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


def _config(app: Any) -> uvicorn.Config:
    config = uvicorn.Config(
        app, http=Connection, interface="asgi3", lifespan="off", proxy_headers=False
    )
    config.load()
    return config


@asynccontextmanager
async def connected(
    app: Any,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, set[Any]]]:
    """Serve an application; give a client's two ends and the server's connections."""
    config, state = _config(app), ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer, state.connections
    finally:
        writer.transport.abort()
        server.close()
        await eventually(lambda: not state.connections)


async def answering(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


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


def test_head_and_body_of_an_answer_leave_in_one_write() -> None:
    async def story() -> bytes:
        async with asyncio.timeout(WITHIN_S), connected(answering) as (reader, writer, _):
            writer.write(ASKED)
            return await reader.read(65_536)

    assert asyncio.run(story()).endswith(b"done\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("start", "bodies"),
    [
        ({"headers": [(b"x", b"a\r\nset-cookie: b")]}, [b"done"]),
        ({"headers": [(b"content-length", b"3")]}, [b"done"]),
        ({"headers": [(b"content-length", b"5")]}, [b"done"]),
        ({"headers": []}, []),
    ],
    ids=["a line break in a header", "too long", "too short", "no body"],
)
def test_an_answer_that_can_not_be_written_closes_the_connection(
    start: dict[str, Any], bodies: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, **start})
        for body in bodies:
            await send({"type": "http.response.body", "body": body})

    async def story() -> bytes:
        async with asyncio.timeout(WITHIN_S), connected(broken) as (reader, writer, _):
            writer.write(ASKED)
            return await reader.read()

    assert asyncio.run(story()) == b""
    assert bool(caplog.records) is bool(bodies)


@pytest.mark.parametrize(
    ("request_", "status", "ends"),
    [
        (b"HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 200, b"\r\n\r\n"),
        (ASKED, 204, b"\r\n\r\n"),
        (ASKED, 299, b"done\r\n0\r\n\r\n"),
        (b"GET / HTTP/1.0\r\nhost: a\r\n\r\n", 200, b"done\r\n0\r\n\r\n"),
    ],
    ids=["HEAD", "no content", "unknown status", "HTTP/1.0"],
)
def test_answers_are_framed_as_their_request_and_status_ask(
    request_: bytes, status: int, ends: bytes
) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"done"})

    async def story() -> bytes:
        async with asyncio.timeout(WITHIN_S), connected(app) as (reader, writer, _):
            writer.write(request_)
            return await reader.read()

    answer = asyncio.run(story())

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"connection: close") == 1
    assert answer.endswith(ends)


@pytest.mark.parametrize(
    ("request_", "status", "headers", "expected"),
    [
        (ASKED, 200, {"x": "1"}, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nx: 1\r\n\r\ndone"),
        (ASKED, 299, {}, b"HTTP/1.1 299 \r\ncontent-length: 4\r\n\r\ndone"),
        (
            ASKED,
            400,
            {"connection": "close"},
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 4\r\nconnection: close\r\n\r\ndone",
        ),
        (
            b"HEAD / HTTP/1.0\r\nhost: a\r\n\r\n",
            200,
            {},
            b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n",
        ),
        (ASKED, 200, {"x": "1\r\ny: 2"}, b""),
        (ASKED, 200, {"x": "1\ry: 2"}, b""),
    ],
    ids=["plain", "unknown status", "closing", "HEAD", "two lines", "a bare CR"],
)
def test_a_whole_answer_is_written_past_the_messages(
    request_: bytes, status: int, headers: dict[str, str], expected: bytes
) -> None:
    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scope[WRITER].answer(status, headers, b"done")

    async def story() -> bytes:
        async with asyncio.timeout(10), connected(app) as (reader, writer, _):
            writer.write(request_)
            writer.write_eof()
            return await reader.read()

    assert asyncio.run(story()) == expected


def test_a_writer_says_when_its_client_falls_behind_and_waits_for_it() -> None:
    more_than_sockets_hold = b"x" * (1 << 25)

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        writer = scope[WRITER]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        kept_up = writer.write(b"a"), writer.write(more_than_sockets_hold)
        await writer.drained()
        said = b"%d %d" % kept_up
        await send({"type": "http.response.body", "body": said})

    async def story() -> bytes:
        async with asyncio.timeout(30), connected(app) as (reader, writer, _):
            writer.write(ASKED)
            await reader.readuntil(b"a\r\n")
            found = b""
            while not found.endswith(b"0\r\n\r\n"):
                found = found[-100:] + await reader.read(1 << 20)
            return found

    assert asyncio.run(story()).endswith(b"\r\n3\r\n1 0\r\n0\r\n\r\n")


def test_a_request_leaves_nothing_to_the_garbage_collector() -> None:
    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scope[WRITER].answer(200, {}, b"done")

    def writers() -> list[object]:
        return [each for each in gc.get_objects() if type(each) is Writer]

    async def story() -> None:
        async with asyncio.timeout(60), connected(app) as (reader, writer, _):
            for _ in range(3):
                writer.write(ASKED)
                await reader.readuntil(b"done")
                await eventually(lambda: not writers())

    gc.collect()
    gc.disable()
    try:
        asyncio.run(story())
    finally:
        gc.enable()


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
