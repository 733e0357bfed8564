"""A request runs through an application in this process, and its answer comes as it is made."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from spillover.library.exchange import MOST_HELD, Asking, Exchange, ExchangeBroken
from tests.waiting import eventually

if TYPE_CHECKING:
    from spillover.gateway.asgi import Message, Receive, Scope, Send

ASKING = Asking(
    method="POST",
    path="/v1/chat/completions",
    query=b"key=1",
    headers=[(b"host", b"spillover"), (b"x-a", b"b")],
    body=b"question",
)
HEAD: Message = {"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]}


def body(text: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": text, "more_body": more}


async def whole(exchange: Exchange) -> bytes:
    parts = []
    while part := await exchange.chunk():
        parts.append(part)
    return b"".join(parts)


def test_the_application_sees_a_request_to_this_machine_and_its_body() -> None:
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([scope, await receive()])
        await send(HEAD)
        await send(body(b"answer"))

    async def run() -> tuple[int, bytes]:
        exchange = Exchange(app, ASKING)
        status, _ = await exchange.head()
        return status, await whole(exchange)

    answered = asyncio.run(run())

    assert answered == (200, b"answer")
    scope, message = seen
    assert (scope["method"], scope["path"], scope["query_string"]) == (
        "POST",
        "/v1/chat/completions",
        b"key=1",
    )
    assert scope["headers"] == [(b"host", b"localhost"), (b"x-a", b"b")]
    assert message == {"type": "http.request", "body": b"question", "more_body": False}


def test_chunks_are_handed_on_before_the_answer_has_ended() -> None:
    async def run() -> list[bytes]:
        going_on = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send(HEAD)
            await send(body(b"one", more=True))
            await going_on.wait()
            await send(body(b"two"))

        exchange = Exchange(app, ASKING)
        first = await exchange.chunk()
        going_on.set()
        return [first, await exchange.chunk(), await exchange.chunk()]

    assert asyncio.run(run()) == [b"one", b"two", b""]


def test_a_slow_reader_makes_the_application_wait() -> None:
    sent = 0
    count = 64
    piece = b"x" * (MOST_HELD // 8)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(HEAD)
        for _ in range(count):
            await send(body(piece, more=True))
            sent += 1
        await send(body(b""))

    async def run() -> tuple[int, int]:
        exchange = Exchange(app, ASKING)
        await exchange.head()
        await eventually(lambda: sent >= 8)
        for _ in range(100):
            await asyncio.sleep(0)
        return sent, len(await whole(exchange))

    held, received = asyncio.run(run())

    assert held == 8
    assert received == count * len(piece)


def test_leaving_cancels_the_application_and_waits_until_it_has_ended() -> None:
    ended: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(HEAD)
        try:
            while True:
                await send(body(b"more", more=True))
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            ended.append("settled")
            raise

    async def run() -> None:
        exchange = Exchange(app, ASKING)
        await exchange.chunk()
        await exchange.aclose()
        await exchange.aclose()

    asyncio.run(run())

    assert ended == ["settled"]


def test_an_application_that_asks_hears_that_the_client_left() -> None:
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(HEAD)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            heard.append((await receive())["type"])

    async def run() -> None:
        exchange = Exchange(app, ASKING)
        await exchange.head()
        await exchange.aclose()

    asyncio.run(run())

    assert heard == ["http.disconnect"]


def test_an_application_that_fails_before_its_answer_is_told_as_such() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("oh")

    async def run() -> None:
        await Exchange(app, ASKING).head()

    with pytest.raises(ExchangeBroken, match="ValueError: oh"):
        asyncio.run(run())


def test_an_application_that_ends_without_an_answer_is_told_as_such() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        return

    async def run() -> None:
        await Exchange(app, ASKING).head()

    with pytest.raises(ExchangeBroken, match="without ending its answer"):
        asyncio.run(run())


def test_an_answer_that_is_cut_is_told_after_what_came() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(HEAD)
        await send(body(b"half", more=True))
        raise ValueError("cut")

    async def run() -> bytes:
        exchange = Exchange(app, ASKING)
        first = await exchange.chunk()
        with pytest.raises(ExchangeBroken, match="cut"):
            await exchange.chunk()
        return first

    assert asyncio.run(run()) == b"half"


def test_an_exchange_that_was_closed_has_no_more_chunks() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(HEAD)
        await asyncio.Event().wait()

    async def run() -> None:
        exchange = Exchange(app, ASKING)
        await exchange.head()
        await exchange.aclose()
        await exchange.chunk()

    with pytest.raises(ExchangeBroken, match="closed"):
        asyncio.run(run())
