"""Bodies: whole, in parts, packed, broken, and too large."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

from spillover.errors import RequestError
from spillover.gateway.asgi import ClientLeft
from spillover.gateway.bodies import BodyUnread, discard, read_body

if TYPE_CHECKING:
    from spillover.gateway.asgi import Headers, Message

GZIPPED = gzip.compress(b"hello", mtime=0)
"""Without the time in it: a test's name must be the same in every process."""

GONE: Message = {"type": "http.disconnect"}


class Client:
    """Sends a body in parts, and counts those that were taken."""

    def __init__(self, *parts: bytes, leaves: bool = False) -> None:
        self._messages: list[Message] = [
            {"type": "http.request", "body": part, "more_body": leaves or number < len(parts)}
            for number, part in enumerate(parts, 1)
        ]
        self.taken = 0

    async def receive(self) -> Message:
        if self.taken == len(self._messages):
            return GONE
        self.taken += 1
        return self._messages[self.taken - 1]


def body_of(client: Client, headers: Headers | None = None, *, most: int = 100) -> bytes:
    return asyncio.run(read_body(client.receive, headers or {}, most=most))


def bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def test_a_body_is_returned_as_it_came() -> None:
    assert body_of(Client(b"body")) == b"body"


def test_the_parts_of_a_body_are_joined() -> None:
    assert body_of(Client(b"a", b"", b"bc", b"d")) == b"abcd"


def test_a_body_of_exactly_what_is_agreed_is_taken() -> None:
    assert body_of(Client(b"x" * 60, b"x" * 40), {b"content-length": b"100"}) == b"x" * 100


def test_a_stated_length_that_is_too_large_is_refused_before_anything_is_read() -> None:
    client = Client(b"x" * 101)

    with pytest.raises(BodyUnread) as caught:
        body_of(client, {b"content-length": b"101"})

    assert (caught.value.status, caught.value.code) == (413, "body_too_large")
    assert client.taken == 0


def test_parts_that_become_too_large_are_not_read_to_their_end() -> None:
    client = Client(*[b"x" * 40] * 10)

    with pytest.raises(BodyUnread):
        body_of(client)

    assert client.taken == 3


def test_a_last_part_that_is_too_much_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        body_of(Client(b"x" * 60, b"x" * 41))

    assert caught.value.status == 413


def test_one_part_that_is_too_much_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        body_of(Client(b"x" * 101))

    assert caught.value.status == 413
    assert not isinstance(caught.value, BodyUnread), "there is nothing left to wait for"


@pytest.mark.parametrize("sent", [Client(), Client(b"half", leaves=True)])
def test_a_client_that_leaves_before_its_body_is_whole_is_not_answered(sent: Client) -> None:
    with pytest.raises(ClientLeft):
        body_of(sent)


@pytest.mark.parametrize(
    ("packing", "packed"),
    [
        (b"gzip", GZIPPED),
        (b"GZip ", GZIPPED),
        (b"x-gzip", GZIPPED),
        (b"deflate", zlib.compress(b"hello")),
        (b"deflate", bare_deflate(b"hello")),
        (b"identity", b"hello"),
    ],
)
def test_a_packed_body_is_unpacked(packing: bytes, packed: bytes) -> None:
    assert body_of(Client(packed), {b"content-encoding": packing}) == b"hello"


def test_a_small_body_that_unpacks_to_too_much_is_refused() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)

    with pytest.raises(RequestError) as caught:
        body_of(Client(bomb), {b"content-encoding": b"gzip"}, most=100_000)

    assert caught.value.status == 413


@pytest.mark.parametrize(
    "packed",
    [b"no gzip at all", GZIPPED[:-3], GZIPPED + b"more"],
    ids=["not packed", "cut", "trailing"],
)
def test_a_broken_packed_body_is_refused(packed: bytes) -> None:
    with pytest.raises(RequestError, match="broken") as caught:
        body_of(Client(packed), {b"content-encoding": b"gzip"})

    assert (caught.value.status, caught.value.code) == (400, "invalid_request")


@pytest.mark.parametrize("packing", [b"br", b"gzip, gzip", b"\xff"])
def test_a_packing_that_is_not_known_is_refused(packing: bytes) -> None:
    with pytest.raises(RequestError, match="gzip, deflate") as caught:
        body_of(Client(b"x"), {b"content-encoding": packing})

    assert caught.value.status == 415


def test_an_empty_body_is_empty_however_it_is_packed() -> None:
    assert body_of(Client(b""), {b"content-encoding": b"gzip"}) == b""


def test_what_a_refused_client_still_sends_is_read_to_its_end() -> None:
    client = Client(b"a", b"b", b"c")

    asyncio.run(discard(client.receive))

    assert client.taken == 3


def test_a_refused_client_that_leaves_is_not_waited_for() -> None:
    asyncio.run(discard(Client(b"a", leaves=True).receive))


def test_a_refused_client_that_sends_on_and_on_is_left_in_the_end() -> None:
    client = Client(*[b"x" * 10] * 10)

    asyncio.run(discard(client.receive, most=25))

    assert client.taken == 3


def test_a_refused_client_that_sends_nothing_is_left_after_a_while() -> None:
    async def silence() -> Message:
        await asyncio.Event().wait()
        return GONE

    asyncio.run(discard(silence, within_s=0.01))
