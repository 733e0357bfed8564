"""Ids of requests, and answers as they are written."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from spillover.gateway.access import Denial
from spillover.gateway.visit import RequestIds, Visit, turn_away

if TYPE_CHECKING:
    from spillover.gateway.asgi import Message


NOW = 1_800_000_000.0


def fixed() -> float:
    return NOW


class Client:
    """Takes an answer, message by message."""

    def __init__(self, *sends: Message) -> None:
        self.sends = list(sends)
        self.got: list[Message] = []

    async def receive(self) -> Message:
        return self.sends.pop(0)

    async def send(self, message: Message) -> None:
        self.got.append(message)

    def visit(self, *headers: tuple[bytes, bytes]) -> Visit:
        scope = {"method": "POST", "path": "/x", "headers": [*headers, (b"x-request-id", b"r1")]}
        return Visit(scope, self.receive, self.send, ids=RequestIds(fixed))

    @property
    def status(self) -> int:
        status: int = self.got[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.got[0]["headers"])

    @property
    def error(self) -> Any:
        body = b"".join(message["body"] for message in self.got[1:])
        return json.loads(body)["error"]


def test_ids_rise_within_a_millisecond_and_over_time() -> None:
    times = iter([NOW, NOW, NOW + 0.001])
    ids = RequestIds(lambda: next(times))

    given = [ids.next() for _ in range(3)]

    assert given == sorted(set(given))
    assert {len(each) for each in given} == {18}


def test_two_processes_give_different_ids() -> None:
    assert RequestIds(fixed).next() != RequestIds(fixed).next()


@pytest.mark.parametrize("given", [b"a", b"A.b_c-9", b"x" * 64])
def test_a_sane_id_of_the_client_is_kept(given: bytes) -> None:
    assert RequestIds(fixed).of({b"x-request-id": given}) == given.decode()


def test_our_own_header_comes_before_the_general_one() -> None:
    headers = {b"x-request-id": b"general", b"x-spillover-request-id": b"own"}

    assert RequestIds(fixed).of(headers) == "own"


@pytest.mark.parametrize("given", [b"", b"x" * 65, b"a b", b"a\nb", b"a,b", b"\xe4", b"a\n"])
def test_any_other_id_is_replaced(given: bytes) -> None:
    assert len(RequestIds(fixed).of({b"x-request-id": given})) == 18


def test_an_error_names_the_request_and_the_field() -> None:
    client = Client()

    asyncio.run(client.visit().refuse(400, "invalid_request", "no", param="messages"))

    assert client.status == 400
    assert client.headers[b"x-spillover-request-id"] == b"r1"
    assert client.headers[b"content-type"] == b"application/json"
    assert (client.error["code"], client.error["param"]) == ("invalid_request", "messages")
    assert client.error["request_id"] == "r1"


def test_a_client_that_still_sends_gets_its_answer_before_the_connection_closes() -> None:
    client = Client(
        {"type": "http.request", "body": b"x", "more_body": True},
        {"type": "http.request", "body": b"x", "more_body": False},
    )

    asyncio.run(client.visit().refuse_unread(413, "body_too_large", "too large"))

    assert client.sends == []
    assert client.headers[b"connection"] == b"close"
    assert int(client.headers[b"content-length"]) == len(client.got[1]["body"])
    assert client.got[1]["more_body"] is True
    assert client.got[2] == {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize(("status", "challenge"), [(401, b"Bearer"), (403, None)])
def test_who_may_not_come_in_is_told_how_where_a_key_would_help(
    status: int, challenge: bytes | None
) -> None:
    client = Client()

    asyncio.run(turn_away(client.visit(), Denial(status, "a_code", "a message")))

    assert client.status == status
    assert client.headers.get(b"www-authenticate") == challenge


def test_a_visit_knows_whether_its_answer_has_begun() -> None:
    visit = Client().visit()
    before = visit.started

    asyncio.run(visit.begin(200, {}))

    assert (before, visit.started) == (False, True)


def test_what_is_given_is_sent_in_order_by_a_server_that_must_be_awaited() -> None:
    client = Client()
    visit = client.visit()

    async def story() -> tuple[bool, bool]:
        await visit.begin(200, {})
        give = visit.giver()
        kept_up = give(b"one"), give(b"two")
        await visit.catch_up()
        give(b"three")
        await visit.end(b"four")
        return kept_up

    kept_up = asyncio.run(story())

    assert kept_up == (False, False)
    assert [message["body"] for message in client.got[1:]] == [b"one", b"two", b"three", b"four"]
    assert [message.get("more_body", False) for message in client.got[1:]] == [True] * 3 + [False]
