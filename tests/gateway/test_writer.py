"""What goes in and out of one request's connection."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from spillover.gateway.asgi import WRITER
from spillover.gateway.writer import Writer
from tests.gateway.connecting import ASKED, answering, connected
from tests.waiting import WITHIN_S, eventually


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
                await eventually(lambda: len(writers()) <= 1)
        await eventually(lambda: not writers())

    gc.collect()
    gc.disable()
    try:
        asyncio.run(story())
    finally:
        gc.enable()


async def echoing(_scope: Any, receive: Any, send: Any) -> None:
    """Answer with how the body came, part by part."""
    parts, more = [], True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        parts.append(message.get("body", b"") if message["type"] == "http.request" else b"gone")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"|".join(parts) + b"."})


POSTED = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n"


def test_a_body_is_received_as_it_comes() -> None:
    heard = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def counted() -> Any:
            message = await receive()
            heard.set()
            return message

        await echoing(scope, counted, send)

    async def story() -> bytes:
        async with asyncio.timeout(WITHIN_S), connected(app) as (reader, writer, _):
            writer.write(POSTED + b"\r\nab")
            await heard.wait()
            writer.write(b"cd")
            return await reader.readuntil(b".\r\n")

    assert b"ab|cd." in asyncio.run(story())


def test_a_client_that_asks_whether_to_go_on_is_told_to_once() -> None:
    async def story() -> tuple[bytes, bytes]:
        async with asyncio.timeout(WITHIN_S), connected(echoing) as (reader, writer, _):
            writer.write(POSTED + b"Expect: 100-Continue\r\n\r\n")
            word = await reader.readuntil(b"\r\n\r\n")
            writer.write(b"ab")
            writer.write(b"cd")
            return word, await reader.readuntil(b".\r\n")

    word, answer = asyncio.run(story())

    assert word == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_client_that_is_answered_already_is_not_told_to_go_on() -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        message = await receive()
        await send({"type": "http.response.body", "body": message["body"]})

    async def story() -> bytes:
        async with asyncio.timeout(WITHIN_S), connected(app) as (reader, writer, _):
            writer.write(POSTED + b"expect: 100-continue\r\n\r\n")
            head = await reader.readuntil(b"a\r\n")
            writer.write(b"late")
            return head + await reader.readuntil(b"0\r\n\r\n")

    answer = asyncio.run(story())

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer
    assert b"late" in answer


def test_who_waits_for_a_client_hears_that_it_left() -> None:
    told: list[str] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        told.extend([(await receive())["type"] for _ in range(2)])

    async def story() -> None:
        async with asyncio.timeout(WITHIN_S), connected(app) as (_, writer, connections):
            writer.write(ASKED)
            (own,) = await eventually(lambda: connections)
            await eventually(lambda: own.cycle is not None)
            writer.close()
            await eventually(lambda: len(told) == 2)

    asyncio.run(story())

    assert told == ["http.request", "http.disconnect"]


def test_a_body_at_hand_is_given_once_if_it_is_whole_and_not_too_large() -> None:
    found: list[bytes | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        writer = scope[WRITER]
        found.append(writer.body_at_hand(3))
        found.append(writer.body_at_hand(4))
        found.append(writer.body_at_hand(4))
        await answering(scope, receive, send)

    async def story() -> None:
        async with asyncio.timeout(WITHIN_S), connected(app) as (reader, writer, _):
            writer.write(POSTED + b"\r\nabcd")
            await reader.readuntil(b"0\r\n\r\n")

    asyncio.run(story())

    assert found == [None, b"abcd", None]


def test_a_large_body_is_held_back_until_it_is_wanted_and_comes_whole() -> None:
    body = b"x" * (1 << 22)

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        length, more = 0, True
        while more:
            message = await receive()
            length, more = length + len(message["body"]), message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d." % length})

    async def story() -> bytes:
        async with asyncio.timeout(WITHIN_S), connected(app) as (reader, writer, _):
            head = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n"
            writer.write(head % len(body) + body)
            return await reader.readuntil(b".\r\n")

    assert b"%d." % len(body) in asyncio.run(story())
