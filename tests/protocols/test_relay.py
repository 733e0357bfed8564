"""Within one dialect every event passes as it came, and is judged all the same."""

from __future__ import annotations

import json

import pytest

from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.judging import Upstream
from spillover.protocols.openai_errors import error_body
from spillover.protocols.relay import StreamRelay
from spillover.protocols.translate import STREAM_WRITERS
from tests.protocols.conversations import ANSWERS, STAMP, events, in_pieces, streamed

BROKEN = error_body("stream_interrupted", "cut")


def source(dialect: Dialect) -> list[bytes]:
    """The events of an upstream that gives an answer."""
    deltas = in_pieces(ANSWERS["text"])
    return events(streamed(STREAM_WRITERS[dialect](STAMP), deltas).replace(b"\r", b""))


@pytest.mark.parametrize("dialect", Dialect)
def test_a_whole_stream_is_the_same_to_the_byte(dialect: Dialect) -> None:
    relay, told = StreamRelay(Upstream(dialect=dialect)), source(dialect)
    told.insert(1, b": comment\n\n")
    told.insert(2, b'data: {"type":"newer_than_this"}\n\n')

    out = b"".join(relay.feed(event).out for event in told) + relay.tail()

    assert out == b"".join(told)
    assert relay.end() is None
    assert relay.usage is not None


def test_garbage_is_never_relayed() -> None:
    relay = StreamRelay(Upstream(dialect=Dialect.GEMINI))

    step = relay.feed(b"data: <html>\n\n")

    assert (step.out, step.seen.garbage) == (b"", True)


def test_the_sentinel_that_a_whole_stream_lacks_is_added() -> None:
    relay, told = StreamRelay(Upstream(dialect=Dialect.ANTHROPIC)), source(Dialect.ANTHROPIC)

    for event in told[:-1]:
        relay.feed(event)

    assert relay.end() is None
    assert relay.tail() == b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def test_events_become_an_array_where_no_events_were_asked_for() -> None:
    relay = StreamRelay(Upstream(dialect=Dialect.GEMINI), array=True)
    told = [*source(Dialect.GEMINI), b": comment\n\n"]

    out = b"".join(relay.feed(event).out for event in told) + relay.tail()

    data = [event.removeprefix(b"data: ").strip() for event in told[:-1]]
    assert out == b"[" + b",\r\n".join(data) + b"]"


def test_an_array_of_nothing_is_one() -> None:
    assert StreamRelay(Upstream(dialect=Dialect.GEMINI), array=True).tail() == b"[]"


@pytest.mark.parametrize("dialect", Dialect)
def test_a_broken_stream_ends_in_the_dialects_own_error(dialect: Dialect) -> None:
    relay = StreamRelay(Upstream(dialect=dialect))
    error = b'event: error\ndata: {"type":"error","error":{"message":"Overloaded"}}\n\n'

    relay.feed(source(dialect)[0])
    step = relay.feed(error)

    assert step.out == b""
    assert step.seen.error is not None
    assert b"cut" in relay.error(BROKEN, 502)


def test_a_broken_array_is_closed_behind_its_error() -> None:
    relay = StreamRelay(Upstream(dialect=Dialect.GEMINI), array=True)

    out = relay.feed(source(Dialect.GEMINI)[0]).out + relay.error(BROKEN, 502)

    assert json.loads(out)[-1]["error"]["message"] == "cut"


def test_events_of_responses_are_counted_for_the_number_of_the_error() -> None:
    relay, told = StreamRelay(Upstream(dialect=Dialect.RESPONSES)), source(Dialect.RESPONSES)

    for event in told[:3]:
        relay.feed(event)

    assert b'"sequence_number":3' in relay.error(BROKEN, 502)
