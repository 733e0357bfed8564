"""Neutral deltas are written as a stream of Anthropic's Messages; its SDK reads it in `make test-clients`."""

from __future__ import annotations

import pytest
from hypothesis import given
from msgspec.structs import replace

from spillover.protocols.anthropic.streams_in import StreamReader
from spillover.protocols.anthropic.streams_out import StreamWriter
from spillover.protocols.conversation.answers import (
    Answer,
    Begin,
    CallBegin,
    CallDelta,
    Delta,
    Fault,
    Finish,
    Sealed,
    Stop,
    TextDelta,
    ThinkingDelta,
)
from spillover.protocols.conversation.seals import Dialect, Seal
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
def test_blocks_come_one_after_another(name: str) -> None:
    stream = streamed(StreamWriter(STAMP), in_pieces(ANSWERS[name]))

    told = payloads(stream)
    assert [told[0]["type"], told[-2]["type"], told[-1]["type"]] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    current, begun = None, 0
    for event in told[1:-2]:
        if event["type"] == "content_block_start":
            assert (current, event["index"]) == (None, begun)
            current, begun = begun, begun + 1
        else:
            assert event["index"] == current
            if event["type"] == "content_block_stop":
                current = None
    assert current is None


def test_calls_whose_pieces_are_mixed_are_open_side_by_side() -> None:
    deltas: list[Delta] = [
        CallBegin(call=0, id="a", name="f"),
        CallDelta(call=0, arguments='{"x"'),
        CallBegin(call=1, id="b", name="g"),
        CallDelta(call=1, arguments="{}"),
        CallDelta(call=0, arguments=":1}"),
        CallBegin(call=2, id="c", name="h"),
        CallDelta(call=0, arguments=" "),
        Finish(stop=Stop.TOOLS),
    ]

    told = payloads(streamed(StreamWriter(STAMP), deltas))

    steps = [(e["type"].removeprefix("content_block_"), e.get("index")) for e in told[1:-2]]
    assert steps == [
        ("start", 0),
        ("delta", 0),
        ("start", 1),
        ("delta", 1),
        ("delta", 0),
        ("stop", 0),
        ("stop", 1),
        ("start", 2),
        ("stop", 2),
    ]


def test_a_seal_alone_is_a_block_of_its_own() -> None:
    own = Seal(origin=Dialect.ANTHROPIC, value="s")
    deltas: list[Delta] = [
        TextDelta(text="a"),
        Sealed(seal=own),
        ThinkingDelta(text="b"),
        Finish(stop=Stop.END),
    ]

    told = payloads(streamed(StreamWriter(STAMP), deltas))

    blocks = [e["content_block"] for e in told if e["type"] == "content_block_start"]
    assert blocks == [
        {"type": "text", "text": ""},
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking", "thinking": "", "signature": ""},
    ]
    assert {"type": "signature_delta", "signature": "s"} in [e.get("delta") for e in told]


def test_the_first_choice_alone_has_room() -> None:
    both = replace(ANSWERS["text"], choices=ANSWERS["text"].choices * 2)

    found = gathered(read_all(StreamReader().feed, streamed(StreamWriter(STAMP), in_pieces(both))))

    assert found.choices == ANSWERS["text"].choices


def test_a_refusal_is_told_at_the_end() -> None:
    told = payloads(streamed(StreamWriter(STAMP), in_pieces(ANSWERS["refusal"])))

    assert told[-2]["delta"] == {
        "stop_reason": "refusal",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": "I can't help."},
    }


def test_an_error_ends_the_stream_as_its_own_event() -> None:
    writer = StreamWriter(STAMP)

    event = writer.error(error_body("stream_interrupted", "cut", request_id="r"), 502)

    assert event.startswith(b"event: error\n")
    assert payloads(event)[0]["error"]["type"] == "api_error"
    assert writer.feed(Fault(body=b"{}")) == b""
    assert writer.feed(Begin()) == b""
