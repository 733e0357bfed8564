"""Neutral deltas are written as a stream of OpenAI's chat, as its SDK reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from msgspec.structs import replace
from openai.types.chat import ChatCompletionChunk

from spillover.protocols.chat.streams_in import StreamReader
from spillover.protocols.chat.streams_out import StreamWriter
from spillover.protocols.conversation.answers import (
    Answer,
    CallBegin,
    CallDelta,
    Delta,
    Fault,
    Finish,
    Stop,
)
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


@pytest.mark.parametrize("name", ANSWERS)
def test_the_sdk_reads_every_event(name: str) -> None:
    stream = streamed(StreamWriter(STAMP), in_pieces(ANSWERS[name]))

    for chunk in payloads(stream):
        ChatCompletionChunk.model_validate(chunk)
    assert stream.endswith(b"data: [DONE]\n\n")


def test_each_choice_begins_with_its_role() -> None:
    both = replace(ANSWERS["text"], choices=ANSWERS["text"].choices * 2)

    chunks = payloads(streamed(StreamWriter(STAMP), in_pieces(both)))

    spoken = [(c["index"], "role" in c["delta"]) for p in chunks for c in p["choices"]]
    assert [index for index, has_role in spoken if has_role] == [0, 1]
    assert chunks[0]["model"] == "m-1"


def test_usage_is_told_to_those_who_asked() -> None:
    deltas = in_pieces(ANSWERS["text"])
    quiet = replace(STAMP, wants_usage=False)

    asked = payloads(streamed(StreamWriter(STAMP), deltas))
    unasked = payloads(streamed(StreamWriter(quiet), deltas))

    assert asked[-1]["usage"]["prompt_tokens_details"]["cached_tokens"] == 8
    assert not any("usage" in chunk for chunk in unasked)


def test_an_error_ends_the_stream_as_its_own_event() -> None:
    writer = StreamWriter(STAMP)

    event = writer.error(error_body("stream_interrupted", "cut"), 502)

    assert payloads(event)[0]["error"]["code"] == "stream_interrupted"
    assert writer.feed(Fault(body=b"{}")) == b""


def test_a_call_without_arguments_has_none_that_clients_can_read() -> None:
    deltas: list[Delta] = [
        CallBegin(call=0, id="a", name="now"),
        CallBegin(call=1, id="b", name="then"),
        CallDelta(call=0, arguments=""),
        CallDelta(call=1, arguments="[]"),
        CallBegin(call=0, id="c", name="other", choice=1),
        Finish(stop=Stop.TOOLS),
    ]

    chunks = payloads(streamed(StreamWriter(STAMP), deltas))

    last = chunks[-1]["choices"][0]
    assert last["finish_reason"] == "tool_calls"
    assert last["delta"] == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}
