"""One answer judged as it comes, and what of it clients get, in any pair of dialects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.core.evidence import TransportFault
from spillover.core.values import Operation, Usage
from spillover.engine.reading import Passage, PassingReading, PlainReading, Reading
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.openai_chat import DONE, error_body, read_request
from spillover.protocols.sse import MOST_EVENT_BYTES
from tests.engine.staging import HELLO, content, finish

BROKEN = error_body("stream_interrupted", "cut")
CLAUDE = (
    b'data: {"type":"message_start","message":{"usage":{"input_tokens":7}}}\n\n'
    b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
    b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}'
    b"\n\n"
)
STOP = b'data: {"type":"message_stop"}\n\n'
SPENT = Usage(requests=1, input_tokens=7, output_tokens=5)


def a_reading(upstream: Dialect = Dialect.CHAT, client: Dialect = Dialect.CHAT) -> Reading:
    asked = read_request(json.dumps({**HELLO, "stream": True}).encode(), Operation.CHAT)
    if upstream is client is Dialect.CHAT:
        return PlainReading(asked, "custom")
    passage = Passage(upstream=upstream, client=client, model="m")
    return PassingReading(asked, "custom", passage, created_at=7)


def read(reading: Reading, *chunks: bytes) -> list[bytes]:
    out: list[bytes] = []
    for chunk in chunks:
        reading.feed(chunk, out)
    return out


def documents(out: list[bytes]) -> list[Any]:
    events = b"".join(out).split(b"\n\n")
    return [json.loads(event.partition(b"data: ")[2]) for event in events if event]


def test_openais_events_pass_and_end_with_the_sentinel_that_came() -> None:
    reading = a_reading()

    out = read(reading, content("Hi")[:9], content("Hi")[9:] + finish(), b"data:[DONE]\n\n")

    assert out == [content("Hi"), finish()]
    assert (reading.has_ended, reading.is_stream, reading.tail) == (True, True, b"data:[DONE]\n\n")
    reading.finish()
    assert reading.judge.end() is None


def test_anthropics_events_pass_to_its_own_clients() -> None:
    reading = a_reading(Dialect.ANTHROPIC, Dialect.ANTHROPIC)

    out = read(reading, CLAUDE + STOP)
    reading.finish()

    assert b"".join(out) + reading.tail == CLAUDE + STOP
    assert (reading.usage, reading.sizes, reading.has_ended) == (SPENT, (2, 0), True)


def test_anthropics_events_are_translated_for_others() -> None:
    reading = a_reading(Dialect.ANTHROPIC, Dialect.CHAT)

    out = read(reading, CLAUDE, b": ping\n\n", b"data: <html>\n\n", STOP)
    reading.finish()

    deltas = [document["choices"][0]["delta"] for document in documents(out)]
    assert "".join(delta.get("content") or "" for delta in deltas) == "Hi"
    assert {document["model"] for document in documents(out)} == {"m"}
    assert (reading.tail, reading.garbage, reading.usage) == (DONE, 1, SPENT)
    assert len({document["id"] for document in documents(out)}) == 1


@pytest.mark.parametrize("client", Dialect)
@pytest.mark.parametrize("upstream", [Dialect.CHAT, Dialect.ANTHROPIC])
def test_an_error_ends_the_events(upstream: Dialect, client: Dialect) -> None:
    reading = a_reading(upstream, client)

    read(reading, b'data: {"type":"error","error":{"message":"Overloaded"}}\n\n')
    reading.break_off(BROKEN)

    assert reading.evidence is not None
    assert reading.evidence.message == "Overloaded"
    assert b"cut" in reading.tail


@pytest.mark.parametrize("upstream", [Dialect.CHAT, Dialect.ANTHROPIC])
def test_an_event_beyond_all_bounds_is_a_fault(upstream: Dialect) -> None:
    reading = a_reading(upstream)

    read(reading, b"data: " + b"x" * (MOST_EVENT_BYTES + 1))

    assert reading.evidence is not None
    assert reading.evidence.fault is TransportFault.MALFORMED_HTTP
    assert reading.has_ended


def test_a_last_event_without_its_empty_line_is_read() -> None:
    reading, out = a_reading(), list[bytes]()

    reading.feed(content("Hi").rstrip(), out)
    reading.feed_rest(out)

    assert out == [content("Hi")]
    reading.feed_rest(out)
    assert len(out) == 1


ANSWER = {
    "type": "message",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 7, "output_tokens": 5},
}


def test_a_whole_answer_passes_or_is_translated() -> None:
    body = json.dumps(ANSWER).encode()
    same = a_reading(Dialect.ANTHROPIC, Dialect.ANTHROPIC)
    other = a_reading(Dialect.ANTHROPIC, Dialect.CHAT)

    assert same.take_whole(body, {}) == (None, body)
    evidence, translated = other.take_whole(body, {})
    assert evidence is None
    assert json.loads(translated)["choices"][0]["message"]["content"] == "Hi"
    assert same.usage == other.usage == SPENT
    assert same.sizes == (2, 0)


def test_a_whole_answer_of_openais_passes() -> None:
    body = b'{"choices":[{"message":{"content":"Hi"}}]}'
    reading = a_reading()

    assert reading.take_whole(body, {}) == (None, body)
    assert (reading.usage, reading.sizes) == (None, (4, 0))


@pytest.mark.parametrize("client", Dialect)
def test_an_error_in_place_of_an_answer_is_evidence(client: Dialect) -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'

    evidence, _ = a_reading(Dialect.ANTHROPIC, client).take_whole(body, {"retry-after": "7"})

    assert evidence is not None
    assert evidence.message == "Overloaded"
