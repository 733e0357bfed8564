"""Neutral deltas are written as a stream of Gemini's; its SDK reads it in `make test-clients`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from msgspec.structs import replace

from spillover.protocols.conversation.answers import (
    Answer,
    CallBegin,
    CallDelta,
    Delta,
    Fault,
    Finish,
    Stop,
)
from spillover.protocols.gemini.streams_in import StreamReader
from spillover.protocols.gemini.streams_out import StreamWriter
from spillover.protocols.openai_errors import error_body
from tests.protocols.conversations import (
    ANSWERS,
    STAMP,
    gathered,
    in_pieces,
    payloads,
    read_all,
    streamed,
)
from tests.protocols.strategies import answers


@given(answers())
def test_what_is_written_is_read_back(answer: Answer) -> None:
    stream = streamed(StreamWriter(STAMP), in_pieces(answer))

    found = gathered(read_all(StreamReader().feed, stream))

    assert found.choices == answer.choices
    assert found.tokens == answer.tokens


@pytest.mark.parametrize("name", ["text", "refusal", "logprobs", "filtered", "gemini's thoughts"])
def test_what_is_rare_comes_back_too(name: str) -> None:
    answer = ANSWERS[name]

    stream = streamed(StreamWriter(STAMP), in_pieces(answer))

    found = gathered(read_all(StreamReader().feed, stream))
    stop = Stop.FILTERED if name == "refusal" else answer.choices[0].stop
    assert (found.choices[0].parts, found.choices[0].stop) == (answer.choices[0].parts, stop)


def test_several_choices_come_back() -> None:
    both = replace(ANSWERS["text"], choices=ANSWERS["text"].choices * 2)

    found = gathered(read_all(StreamReader().feed, streamed(StreamWriter(STAMP), in_pieces(both))))

    assert found.choices == both.choices


def test_calls_are_written_when_they_are_whole() -> None:
    writer = StreamWriter(STAMP)
    deltas: list[Delta] = [
        CallBegin(call=0, id="a", name="f"),
        CallDelta(call=0, arguments='{"x"'),
        CallBegin(call=1, id="b", name="g"),
        CallDelta(call=0, arguments=":1}"),
    ]

    early = b"".join(map(writer.feed, deltas))
    late = writer.feed(Finish(stop=Stop.TOOLS))

    assert early == b""
    parts = payloads(late.replace(b"\r", b""))[0]["candidates"][0]["content"]["parts"]
    assert [part["functionCall"]["args"] for part in parts] == [{"x": 1}, {}]
    assert writer.feed(CallDelta(call=0, arguments=" ")) == b""


def test_a_client_that_wants_an_array_gets_one() -> None:
    writer = StreamWriter(replace(STAMP, array=True))
    broken = StreamWriter(replace(STAMP, array=True))
    error = error_body("stream_interrupted", "cut")

    whole = json.loads(streamed(writer, in_pieces(ANSWERS["text"])))
    cut = json.loads(
        b"".join(map(broken.feed, in_pieces(ANSWERS["text"]))) + broken.error(error, 502)
    )

    assert whole[-1]["candidates"][0]["finishReason"] == "STOP"
    assert whole[-1]["usageMetadata"]["cachedContentTokenCount"] == 8
    assert cut[-1]["error"]["code"] == 502


def test_an_error_ends_the_stream_as_its_own_event() -> None:
    writer = StreamWriter(STAMP)

    event = writer.error(error_body("stream_interrupted", "cut"), 502)

    assert event.startswith(b'data: {"error":{"code":502')
    assert writer.feed(Fault(body=b"{}")) == b""
