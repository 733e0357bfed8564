"""One answer: the same however its bytes come, bounded, and broken in a named way or not at all."""

from __future__ import annotations

import asyncio
import gc
import gzip
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.evidence import TransportFault
from spillover.upstream import UpstreamBroken
from spillover.upstream.connection import LARGE
from spillover.upstream.reply import HEAD_MOST, READ_AHEAD
from tests.upstream.answers import OK
from tests.upstream.serving import plays
from tests.upstream.wire import Wired, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.upstream.reply import Reply

EVENTS = b"".join(b'data: {"delta":"%d"}\n\n' % number for number in range(20))
CHUNKS = b"".join(b"%x\r\n%b\r\n" % (len(e), e) for e in EVENTS.split(b"\n\n")[:-1])
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-a: 1\r\n"
RECORDED = {
    "stream": CHUNKED + b"\r\n" + CHUNKS + b"0\r\n\r\n",
    "informed": b"HTTP/1.1 103 Early\r\nlink: a\r\n\r\n"
    + CHUNKED
    + b"\r\n"
    + CHUNKS
    + b"0\r\n\r\n",
    "trailers": CHUNKED + b"\r\n" + CHUNKS + b"0\r\nx-b: 2\r\nx-a: 3\r\n\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b"
    % (len(gzip.compress(EVENTS)), gzip.compress(EVENTS)),
    "length": b"HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-length: %d\r\n\r\n%b" % (len(EVENTS), EVENTS),
}
"""Exchanges as providers send them."""


def fault(reply: Reply) -> TransportFault:
    found = read(reply)
    assert isinstance(found, UpstreamBroken), found
    assert not found.never_sent
    return found.fault


# However the bytes come.


@pytest.mark.parametrize("kind", RECORDED)
def test_an_answer_may_come_byte_by_byte(kind: str) -> None:
    wired, answer = Wired(), RECORDED[kind]

    reply = wired.ask(*(answer[at : at + 1] for at in range(len(answer))))

    assert (reply.status, reply.headers["x-a"], read(reply)) == (200, "1", read(wired.ask(answer)))
    assert (read(reply), wired.vacated) == (b"", 0)
    reply.close()
    assert (wired.vacated, wired.wire.is_aborted) == (1, False)


@given(kind=st.sampled_from(sorted(RECORDED)), cuts=st.sets(st.integers(1, 900), max_size=30))
def test_an_answer_is_the_same_wherever_it_is_cut(kind: str, cuts: set[int]) -> None:
    answer = RECORDED[kind]
    at = [0, *sorted(cut for cut in cuts if cut < len(answer)), len(answer)]
    wired = Wired()

    reply = wired.ask(*(answer[begin:end] for begin, end in pairwise(at)))

    assert reply.headers == Wired().ask(answer).headers
    assert read(reply) == read(Wired().ask(answer))
    reply.close()
    assert wired.vacated == 1


@given(st.lists(st.binary(max_size=300) | st.sampled_from([b"\r\n", b"\r\n\r\n", b"0\r\n\r\n"])))
def test_no_bytes_do_more_than_break_the_answer(parts: list[bytes]) -> None:
    found = read(Wired().ask(*parts, ends=True))

    assert isinstance(found, UpstreamBroken)


@given(
    head=st.sampled_from([CHUNKED, *RECORDED.values(), b"HTTP/1.1 200 OK\r\n\r\n"]),
    noise=st.binary(max_size=60),
    at=st.integers(0, 500),
)
def test_noise_inside_an_answer_never_raises(head: bytes, noise: bytes, at: int) -> None:
    wired = Wired()

    reply = wired.ask(head[:at] + noise, head[at:], ends=True)

    assert isinstance(read(reply), (bytes, UpstreamBroken))
    reply.close()
    assert not wired.vacated


# What stands behind an answer.


@pytest.mark.parametrize(
    "surplus",
    [
        b"garbage",
        b"H",
        b"HTTP/1.1 500 No\r\ncontent-length: 3\r\n\r\nbad",
        b"HTTP/1.1 500 No\r\n\r\n",
    ],
)
@pytest.mark.parametrize("apart", [False, True])
def test_what_comes_behind_an_answer_is_no_part_of_it(surplus: bytes, *, apart: bool) -> None:
    wired = Wired()

    reply = wired.ask(OK, surplus) if apart else wired.ask(OK + surplus)

    assert (reply.status, read(reply)) == (200, b"{}")
    reply.close()
    assert (wired.vacated, wired.wire.is_aborted) == (0, True)


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("says", [b"", b"content-length: 5\r\n", b"transfer-encoding: chunked\r\n"])
def test_some_answers_have_no_body_whatever_they_say(status: int, says: bytes) -> None:
    reply = Wired().ask(b"HTTP/1.1 %d No\r\n%b\r\nhello" % (status, says))

    assert (reply.status, read(reply)) == (status, b"")
    reply.close()


@pytest.mark.parametrize(
    ("answer", "is_kept"),
    [
        (OK, True),
        (OK.replace(b"\r\n\r\n", b"\r\nConnection: Close\r\n\r\n"), False),
        (OK.replace(b"HTTP/1.1", b"HTTP/1.0"), False),
        (OK.replace(b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK\r\nconnection: keep-alive"), True),
    ],
    ids=["HTTP/1.1", "closing", "HTTP/1.0", "HTTP/1.0 kept"],
)
def test_a_connection_is_kept_as_its_answer_says(answer: bytes, *, is_kept: bool) -> None:
    wired = Wired()
    reply = wired.ask(answer)

    assert read(reply) == b"{}"
    reply.close()

    assert (wired.vacated == 1, wired.wire.is_aborted) == (is_kept, not is_kept)


@pytest.mark.parametrize(
    ("status", "size", "is_kept"), [(200, LARGE, True), (413, LARGE, False), (413, 9, True)]
)
def test_an_error_to_a_large_request_may_be_early(status: int, size: int, *, is_kept: bool) -> None:
    wired = Wired()
    reply = wired.connection.send(b"head", bytes(size))
    wired.connection.data_received(OK.replace(b"200", b"%d" % status))

    assert read(reply) == b"{}"
    reply.close()

    assert (wired.vacated == 1) is is_kept


# Bounds.


@pytest.mark.parametrize(
    ("begin", "more", "says"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 40, "the head passed"),
        (b"HTTP/1.1 200 OK\r\nx-a: ", b"a" * 1_000, "the head passed"),
        (b"HTTP/1.1 200 OK\r\n", b"x-a: %b\r\n" % (b"a" * 1_000), "the head passed"),
        (CHUNKED + b"\r\n0\r\n", b"x-a: %b\r\n" % (b"a" * 1_000), "the trailers passed"),
        (CHUNKED + b"\r\n0\r\nx-a: ", b"a" * 1_000, "the trailers passed"),
    ],
    ids=["informational", "one header", "headers", "trailers", "one trailer"],
)
def test_a_head_without_end_is_not_held(begin: bytes, more: bytes, says: str) -> None:
    wired = Wired()

    reply = wired.ask(begin, *[more] * (HEAD_MOST // len(more) + 1))

    assert wired.wire.is_aborted
    found = read(reply)
    assert isinstance(found, UpstreamBroken)
    assert found.fault is TransportFault.MALFORMED_HTTP
    assert says in str(found)


def test_a_body_that_nobody_reads_pauses_the_provider_until_it_is_read() -> None:
    wired, part = Wired(), bytes(READ_AHEAD // 2)
    reply = wired.ask(b"HTTP/1.1 200 OK\r\n\r\n", part, part)
    paused = [wired.wire.is_paused]

    wired.connection.data_received(b"one more")
    paused.append(wired.wire.is_paused)
    wired.connection.data_received(part)  # what the transport still had
    wired.connection.connection_lost(None)

    assert paused == [False, True]
    assert read(reply) == part + part + b"one more" + part


def test_reading_lets_the_provider_go_on() -> None:
    wired = Wired()
    reply = wired.ask(b"HTTP/1.1 200 OK\r\n\r\n", bytes(READ_AHEAD + 1))
    assert wired.wire.is_paused

    with pytest.raises(StopIteration):
        reply.read().send(None)

    assert not wired.wire.is_paused


# How it breaks.


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", TransportFault.CLOSED_BEFORE_HEAD),
        (b"HTTP/1.1 200", TransportFault.CLOSED_BEFORE_HEAD),
        (b"HTTP/1.1 100 Continue\r\n\r\n", TransportFault.CLOSED_BEFORE_HEAD),
        (OK[:-1], TransportFault.CUT),
        (CHUNKED + b"\r\n", TransportFault.CUT),
        (CHUNKED + b"\r\n" + CHUNKS[:-3], TransportFault.CUT),
        (CHUNKED + b"\r\n" + CHUNKS, TransportFault.CUT),
        (CHUNKED + b"\r\n" + CHUNKS + b"0\r\n", TransportFault.CUT),
        (CHUNKED + b"\r\n" + CHUNKS + b"zz\r\n", TransportFault.MALFORMED_HTTP),
        (CHUNKED + b"content-length: 5\r\n\r\nhello", TransportFault.MALFORMED_HTTP),
        (OK.replace(b"2\r\n", b"2\r\ncontent-length: 3\r\n"), TransportFault.MALFORMED_HTTP),
        (OK.replace(b"content-length: 2", b"content-length: -2"), TransportFault.MALFORMED_HTTP),
        (
            b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
            TransportFault.MALFORMED_HTTP,
        ),
        (b"HTTP/2 200 OK\r\n\r\n", TransportFault.MALFORMED_HTTP),
        (b"<html>", TransportFault.MALFORMED_HTTP),
        (b"\x15\x03\x03\x00\x02\x02\x50", TransportFault.MALFORMED_HTTP),
    ],
)
def test_an_answer_that_is_not_whole_says_how(answer: bytes, expected: TransportFault) -> None:
    wired = Wired()

    reply = wired.ask(answer, ends=True)

    assert fault(reply) is expected
    assert fault(reply) is expected  # however often it is asked
    reply.close()
    assert not wired.vacated


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"gzip", b"br"])
def test_a_transfer_coding_that_was_not_asked_for_is_named(coding: bytes) -> None:
    answer = RECORDED["stream"].replace(b"chunked", coding)

    found = read(Wired().ask(answer, ends=True))

    assert isinstance(found, UpstreamBroken)
    assert found.fault is TransportFault.MALFORMED_HTTP
    assert coding.decode() in str(found)


def test_what_came_before_the_break_is_read_first() -> None:
    async def first_read(reply: Reply) -> bytes:
        return await reply.read()

    reply = Wired().ask(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", ends=True)

    with pytest.raises(StopIteration) as stopped:
        first_read(reply).send(None)

    assert stopped.value.value == b"half"
    assert fault(reply) is TransportFault.CUT


def test_a_body_without_length_that_is_reset_is_not_whole() -> None:
    wired = Wired()
    reply = wired.ask(b"HTTP/1.1 200 OK\r\n\r\nhalf")

    wired.connection.connection_lost(ConnectionResetError())

    assert fault(reply) is TransportFault.RESET


@plays
async def test_closing_wakes_whoever_reads() -> None:
    wired = Wired()
    reply = wired.ask(CHUNKED + b"\r\n")
    reading = asyncio.create_task(reply.read())
    await asyncio.sleep(0)

    reply.close()

    with pytest.raises(UpstreamBroken) as found:
        await reading
    assert found.value.fault is TransportFault.CUT
    assert wired.wire.is_aborted
    reply.feed(CHUNKS)  # what the loop had read before
    assert fault(reply) is TransportFault.CUT


@plays
async def test_bytes_that_come_after_a_cancelled_read_are_not_lost() -> None:
    wired = Wired()
    reply = wired.ask(b"HTTP/1.1 200 OK\r\n\r\n")
    reading = asyncio.create_task(reply.read())
    await asyncio.sleep(0)

    reading.cancel()
    wired.connection.data_received(b"late")
    await asyncio.gather(reading, return_exceptions=True)

    assert await reply.read() == b"late"
    reply.close()


# Poured.


def taking_all(taken: bytearray) -> Callable[[bytes], bool]:
    def take(chunk: bytes) -> bool:
        taken.extend(chunk)
        return True

    return take


def halves(kind: str) -> tuple[bytes, bytes]:
    """Return a recorded answer cut inside its body."""
    answer = RECORDED[kind]
    middle = (answer.index(b"\r\n\r\n") + len(answer)) // 2
    return answer[:middle], answer[middle:]


@pytest.mark.parametrize("kind", RECORDED)
@plays
async def test_a_body_is_poured_as_it_comes(kind: str) -> None:
    first, second = halves(kind)
    whole = await Wired().ask(RECORDED[kind]).read_all(1 << 20)
    wired, taken = Wired(), bytearray()
    reply = wired.ask(first)
    pouring = asyncio.create_task(reply.pour(taking_all(taken)))
    await asyncio.sleep(0)
    came_first = bytes(taken)

    wired.connection.data_received(second)
    came_at_once = bytes(taken)
    await pouring

    assert taken == whole
    assert whole.startswith(came_first)
    # What is packed is unpacked by whoever reads; all else is there before any task has its turn.
    assert came_at_once == (came_first if kind == "gzip" else whole)


@plays
async def test_who_wants_no_more_gets_the_rest_when_the_body_is_poured_again() -> None:
    wired = Wired()
    reply = wired.ask(CHUNKED + b"\r\n1\r\na\r\n")
    taken: list[bytes] = []

    def take(chunk: bytes) -> bool:
        taken.append(chunk)
        return False

    await reply.pour(take)
    pouring = asyncio.create_task(reply.pour(take))
    await asyncio.sleep(0)
    wired.connection.data_received(b"1\r\nb\r\n")
    wired.connection.data_received(b"1\r\nc\r\n0\r\n\r\n")
    await pouring
    kept_back = list(taken)
    await reply.pour(take)
    await reply.pour(take)

    assert (kept_back, taken) == ([b"a", b"b"], [b"a", b"b", b"c"])


@plays
async def test_a_poured_body_that_breaks_says_how_behind_what_came() -> None:
    wired, taken = Wired(), bytearray()
    reply = wired.ask(CHUNKED + b"\r\n")
    pouring = asyncio.create_task(reply.pour(taking_all(taken)))
    await asyncio.sleep(0)

    wired.connection.data_received(b"1\r\na\r\nno chunk")

    with pytest.raises(UpstreamBroken) as found:
        await pouring
    assert (bytes(taken), found.value.fault) == (b"a", TransportFault.MALFORMED_HTTP)


@pytest.mark.parametrize(
    ("behind", "closes"),
    [(b"", True), (b"0\r\n\r\n", False), (b"0\r\n\r\nHTTP/1.1 200 OK\r\n", True)],
    ids=["it goes on", "it ends", "more than its end"],
)
@plays
async def test_what_a_taker_raises_is_raised_where_the_body_is_poured(
    behind: bytes, *, closes: bool
) -> None:
    wired = Wired()
    reply = wired.ask(CHUNKED + b"\r\n")

    def take(chunk: bytes) -> bool:
        raise LookupError(chunk)

    pouring = asyncio.create_task(reply.pour(take))
    await asyncio.sleep(0)
    wired.connection.data_received(b"1\r\na\r\n" + behind)

    with pytest.raises(LookupError):
        await pouring
    reply.close()
    assert wired.wire.is_aborted is closes


@pytest.mark.parametrize("answer", [RECORDED["gzip"], RECORDED["stream"], OK[:-1], b"<html>", b""])
def test_answers_leave_nothing_to_the_garbage_collector(answer: bytes) -> None:
    wired = Wired()

    def exchange() -> None:
        reply = wired.ask(answer, ends=answer is not RECORDED["stream"])
        read(reply)
        reply.close()
        wired.wire.is_aborted = False

    exchange()
    gc.collect()
    gc.disable()
    try:
        for _ in range(1_000):
            exchange()
        found = gc.collect()
    finally:
        gc.enable()

    assert found < 10
