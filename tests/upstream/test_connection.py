"""One connection: what goes out, whom bytes are for, when it can be used again."""

from __future__ import annotations

import gc
import weakref

import pytest

from spillover.core.evidence import TransportFault
from spillover.upstream import UpstreamBroken
from spillover.upstream.connection import LARGE
from spillover.upstream.reply import READ_AHEAD
from tests.upstream.answers import OK
from tests.upstream.wire import Wired, read


def answered(wired: Wired) -> None:
    """Send a request and take in its answer."""
    reply = wired.ask(OK)
    assert read(reply) == b"{}"
    reply.close()


@pytest.mark.parametrize("size", [0, LARGE - 1, LARGE, LARGE + 1])
def test_head_and_body_go_out_in_order(size: int) -> None:
    wired = Wired()

    wired.connection.send(b"head", b"b" * size)

    assert b"".join(wired.wire.sent) == b"head" + b"b" * size


def test_it_takes_one_request_after_the_other() -> None:
    wired = Wired()

    for number in range(3):
        answered(wired)
        assert wired.vacated == number + 1

    assert wired.connection.is_open


@pytest.mark.parametrize("unasked", [b"HTTP/1.1 408 Idle\r\n\r\n", b"\r\n", OK])
def test_bytes_that_nobody_asked_for_spoil_it(unasked: bytes) -> None:
    wired = Wired()
    answered(wired)

    wired.connection.data_received(unasked)

    assert not wired.connection.is_open


def test_it_is_over_when_the_provider_sends_no_more() -> None:
    wired = Wired()
    reply = wired.ask(b"HTTP/1.1 200 OK\r\n\r\nwhole")

    wired.connection.eof_received()
    wired.connection.connection_lost(None)

    assert wired.wire.is_aborted
    assert read(reply) == b"whole"


def test_it_is_not_kept_when_its_request_is_still_going_out() -> None:
    wired = Wired()
    reply = wired.ask(OK)
    read(reply)
    wired.wire.unsent = 1

    reply.close()

    assert (wired.vacated, wired.wire.is_aborted) == (0, True)


def test_an_idle_connection_may_end() -> None:
    wired = Wired()
    answered(wired)

    wired.connection.connection_lost(ConnectionResetError())

    assert wired.vacated == 1


def test_the_error_that_ended_it_names_the_fault() -> None:
    wired = Wired()
    reply = wired.ask()

    wired.connection.connection_lost(BrokenPipeError())

    found = read(reply)
    assert isinstance(found, UpstreamBroken)
    assert found.fault is TransportFault.BROKEN_PIPE


def test_pausing_and_resuming_twice_is_harmless() -> None:
    wired = Wired()

    wired.connection.pause()
    wired.connection.pause()
    assert wired.wire.is_paused
    wired.connection.resume()
    wired.connection.resume()

    assert not wired.wire.is_paused


def test_it_is_kept_unpaused() -> None:
    wired, body = Wired(), bytes(READ_AHEAD + 1)
    reply = wired.ask(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body), body)
    assert wired.wire.is_paused

    assert read(reply) == body
    reply.close()

    assert (wired.vacated, wired.wire.is_paused) == (1, False)


def test_a_closed_one_is_not_resumed() -> None:
    wired = Wired()
    wired.connection.pause()
    wired.connection.close()

    wired.connection.resume()

    assert wired.wire.is_paused


def test_one_that_ended_is_gone_without_the_garbage_collector() -> None:
    wired = Wired()
    answered(wired)
    gone = weakref.ref(wired.connection)

    gc.disable()
    try:
        wired.connection.close()
        wired.connection.connection_lost(None)
        del wired.connection
        assert gone() is None
    finally:
        gc.enable()
