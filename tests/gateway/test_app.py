"""The application as a whole: what nobody foresaw, and what is not a request."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any, cast

import pytest

from spillover.config.secrets import Redactor, Secret
from spillover.events import Bus
from spillover.gateway.app import Gateway
from spillover.gateway.settings import Settings
from tests.serving import CHAT, HELLO, Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from spillover.engine import Call
    from spillover.gateway.asgi import Message

KEY = "sk-a-key-that-nobody-may-see"


class FixedClock:
    def now(self) -> float:
        return 1_800_000_000.0


class BrokenAnswer:
    """A stream with a bug behind its first chunk."""

    status = 200
    headers: dict[str, str] = {"content-type": "text/event-stream"}  # noqa: RUF012
    body = None
    closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"data: {}\n\n"
        raise RuntimeError(KEY)

    async def aclose(self) -> None:
        self.closed = True


class BrokenEngine:
    """An engine with a bug."""

    clock = FixedClock()
    keeps_answers = False

    def __init__(self, *, streams: bool = False, hangs: bool = False) -> None:
        self.events = Bus()
        self.broken_answer = BrokenAnswer()
        self._streams = streams
        self._hangs = hangs
        self.asked = asyncio.Event()

    async def answer(self, _call: Call) -> BrokenAnswer:
        self.asked.set()
        if self._hangs:
            await asyncio.Event().wait()
        if self._streams:
            return self.broken_answer
        raise RuntimeError(KEY)

    def status(self) -> dict[str, Any]:
        raise RuntimeError(KEY)


def gateway_of(engine: BrokenEngine) -> Gateway:
    redact = Redactor([Secret(KEY)]).redact
    return Gateway(cast("Any", engine), Settings(), redact=redact)


async def asked(gateway: Gateway, method: str, path: str, body: bytes = b"") -> list[Message]:
    """Send one request straight into the application."""
    sent: list[Message] = []
    todo: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if todo:
            return todo.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"x-request-id", b"r1")]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": headers,
    }
    await gateway(scope, receive, send)
    return sent


@pytest.mark.parametrize(("method", "path"), [("POST", CHAT), ("GET", "/api/status")])
def test_what_nobody_foresaw_is_an_error_with_the_requests_id_and_no_trace(
    caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    async def work() -> list[Message]:
        return await asked(gateway_of(BrokenEngine()), method, path, json.dumps(HELLO).encode())

    head, body = asyncio.run(work())

    error = json.loads(body["body"])["error"]
    assert (head["status"], error["code"], error["request_id"]) == (500, "internal_error", "r1")
    assert b"Traceback" not in body["body"]
    assert KEY.encode() not in body["body"]
    assert "Traceback" in caplog.text
    assert "r1" in caplog.text
    assert KEY not in caplog.text


def test_a_stream_that_breaks_for_a_reason_nobody_foresaw_does_not_look_whole() -> None:
    engine = BrokenEngine(streams=True)

    async def work() -> list[Message]:
        return await asked(gateway_of(engine), "POST", CHAT, json.dumps(HELLO).encode())

    messages = asyncio.run(work())

    assert messages[0]["status"] == 200
    assert b'"code":"internal_error"' in messages[-1]["body"]
    assert not messages[-1].get("more_body")
    assert engine.broken_answer.closed


def test_a_request_that_the_end_of_the_gateway_cuts_short_is_told_so() -> None:
    async def work() -> list[Message]:
        engine = BrokenEngine(hangs=True)
        gateway = gateway_of(engine)
        asking = asyncio.create_task(asked(gateway, "POST", CHAT, json.dumps(HELLO).encode()))
        await engine.asked.wait()
        gateway.stopping.set()
        asking.cancel()
        return await asking

    head, body = asyncio.run(work())

    assert head["status"] == 503
    assert json.loads(body["body"])["error"]["code"] == "shutting_down"


def test_a_request_that_its_server_cancels_for_itself_stays_cancelled() -> None:
    async def work() -> None:
        engine = BrokenEngine(hangs=True)
        gateway = gateway_of(engine)
        asking = asyncio.create_task(asked(gateway, "POST", CHAT, json.dumps(HELLO).encode()))
        await engine.asked.wait()
        asking.cancel()
        await asking

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work())


def test_a_server_that_asks_whether_we_are_ready_is_told_so() -> None:
    async def work() -> list[str]:
        told: list[str] = []
        news = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> Message:
            return {"type": next(news)}

        async def send(message: Message) -> None:
            told.append(message["type"])

        await gateway_of(BrokenEngine())({"type": "lifespan"}, receive, send)
        return told

    assert asyncio.run(work()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_websocket_is_closed() -> None:
    async def work() -> list[Message]:
        told: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            told.append(message)

        await gateway_of(BrokenEngine())({"type": "websocket"}, receive, send)
        return told

    assert asyncio.run(work()) == [{"type": "websocket.close", "code": 1000}]


def test_other_settings_hold_for_the_next_request(served: Served) -> None:
    before = served.gateway.settings
    keyed = Settings(client_keys=(Secret("a-key"),), max_body=10)

    served.loop.call_soon_threadsafe(served.gateway.apply, keyed, str)
    without = served.chat()
    with_key = served.post(CHAT, HELLO, authorization="Bearer a-key")
    served.loop.call_soon_threadsafe(served.gateway.apply, before, str)
    afterwards = served.chat()

    assert (without.status, with_key.status, afterwards.status) == (401, 413, 200)


def test_nothing_is_logged_of_what_clients_do_wrong(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="spillover"):
        served.post(CHAT, b"{ a prompt that is nobody's business")
        served.post(CHAT, {**HELLO, "model": "unknown"})

    assert not caplog.records
