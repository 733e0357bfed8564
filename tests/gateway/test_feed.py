"""Events over HTTP."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from spillover.events import Bus, ConfigReloaded
from spillover.events.bus import BUFFER
from spillover.gateway.feed import tell
from spillover.simulator import ProviderSpec, running
from tests import own_time
from tests.serving import START_S, Served, document_for, read_all, read_until, serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from spillover.simulator import SimulatedProvider


class Listener:
    """Someone who follows the events on a connection of its own."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = b""

    def until(self, mark: bytes) -> bytes:
        """Return all that was received once a mark is in it."""
        if mark not in self.received:
            self.received += read_until(self.connection, mark)
        return self.received


@contextmanager
def listening(served: Served, *headers: str) -> Iterator[Listener]:
    """Follow the events."""
    lines = ["GET /api/events HTTP/1.1", "host: localhost", *headers]
    with served.connect() as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        listener = Listener(connection)
        listener.until(b": listening\n\n")
        yield listener


def event_in(received: bytes, name: str) -> dict[str, Any]:
    """The first event of a name in a piece of the stream, with its id."""
    for block in received.decode().replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if fields.get("event") == name:
            return {**json.loads(fields["data"]), "id": fields["id"]}
    raise AssertionError(received)


def test_a_fallback_is_told_as_it_happens(served: Served, one: SimulatedProvider) -> None:
    one.script("overloaded", times=None)
    with listening(served) as listener:
        served.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "secret"}]})
        received = listener.until(b"event: request.done")

    told = event_in(received, "request.fallback")
    assert (told["type"], told["from"], told["to"]) == ("request.fallback", "one", "two")
    assert told["cause"] == "overloaded"
    assert told["request_id"]
    assert b"secret" not in received


def test_a_client_that_comes_back_gets_what_it_missed(served: Served) -> None:
    with listening(served) as listener:
        served.chat()
        seen = event_in(listener.until(b"event: request.done"), "request.done")["id"]
    missed = served.chat().headers["x-spillover-request-id"]

    with listening(served, f"last-event-id: {seen}") as listener:
        told = event_in(listener.until(b"event: request.done"), "request.done")

    assert told["request_id"] == missed


@pytest.mark.parametrize("last", ["1234abcd-99999", "99999", "x", ""])
def test_an_id_of_another_run_gets_all_that_is_kept(served: Served, last: str) -> None:
    served.chat()

    with listening(served, f"last-event-id: {last}") as listener:
        assert listener.until(b"event: request.done")


def test_the_latest_events_are_listed_oldest_first(served: Served) -> None:
    ids = [served.chat().headers["x-spillover-request-id"] for _ in range(3)]

    events = served.get("/api/events/recent?limit=2").json["events"]

    assert [event["request_id"] for event in events] == ids[1:]
    assert all(event["type"] == "request.done" for event in events)
    assert events[0]["event_id"] != events[1]["event_id"]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1001", "1" * 5_000, "%C2%B2"])
def test_a_limit_that_makes_no_sense_is_refused(served: Served, limit: str) -> None:
    reply = served.get(f"/api/events/recent?limit={limit}")

    assert (reply.status, reply.error["code"]) == (400, "invalid_request")


def test_a_listener_that_leaves_is_forgotten(served: Served) -> None:
    with listening(served):
        wait_until(lambda: served.engine.events._subscribers)

    wait_until(lambda: not served.engine.events._subscribers)


def test_open_event_streams_do_not_hold_up_the_end() -> None:
    with running(ProviderSpec()) as (provider,), serving(document_for(provider)) as served:
        with listening(served) as listener:
            served.stop()
            rest = read_all(listener.connection)

        assert rest.endswith(b"0\r\n\r\n"), "it ended as a whole stream does"
        assert served.stopped.wait(START_S)


class Page:
    """A visit that keeps what is written to it."""

    def __init__(self) -> None:
        self.text = b""
        self.ended = False

    async def chunk(self, body: bytes) -> None:
        self.text += body

    async def end(self) -> None:
        self.ended = True


def reloaded(number: int) -> ConfigReloaded:
    return ConfigReloaded(at=1_800_000_000.0 + number, path=f"file-{number}")


def test_silence_is_broken_now_and_then_so_that_no_proxy_takes_it_for_the_end() -> None:
    async def work() -> Page:
        page, subscription = Page(), Bus().subscribe()
        asyncio.get_running_loop().call_later(0.1, subscription.close)
        await tell(cast("Any", page), subscription, b"boot", heartbeat_s=0.01)
        return page

    page = own_time.run(work())

    assert page.text.startswith(b": still here\n\n: still here\n\n")
    assert page.ended


def test_a_listener_that_reads_too_slowly_is_told_how_much_it_missed() -> None:
    async def work() -> Page:
        page, bus = Page(), Bus()
        subscription = bus.subscribe()
        for number in range(BUFFER + 7):
            bus.publish(reloaded(number))
        subscription.close()
        await tell(cast("Any", page), subscription, b"boot")
        return page

    page = own_time.run(work())

    assert page.text.startswith(
        b": 7 events were lost\n\nid: boot-8\nevent: config.reloaded\ndata: {"
    )
    assert page.text.count(b"events were lost") == 1
    assert page.text.count(b"event: config.reloaded\n") == BUFFER
