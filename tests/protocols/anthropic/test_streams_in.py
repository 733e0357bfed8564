"""Streams of Anthropic's Messages are read into neutral deltas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spillover.protocols.anthropic.streams_in import StreamReader
from spillover.protocols.conversation.answers import (
    CallBegin,
    CallDelta,
    Fault,
    Finish,
    RefusalDelta,
    Sealed,
    Spent,
    Stop,
    TextDelta,
    ThinkingDelta,
    Tokens,
)
from spillover.protocols.conversation.fields import Malformed
from spillover.protocols.conversation.requests import Text, Thinking, ToolCall
from spillover.protocols.conversation.seals import Dialect, Seal
from tests.protocols.conversations import gathered, read_all

DOCUMENTED = Path(__file__).with_name("documented_stream.txt")


def read(*events: dict[str, Any]) -> list[Any]:
    reader = StreamReader()
    found = []
    for event in events:
        data = json.dumps(event).encode()
        found += reader.feed(b"event: " + event["type"].encode() + b"\ndata: " + data + b"\n\n")
    return found


def begun(block: dict[str, Any]) -> list[Any]:
    return read({"type": "content_block_start", "index": 0, "content_block": block})


def test_a_stream_as_anthropic_documents_it_is_read() -> None:
    found = gathered(read_all(StreamReader().feed, DOCUMENTED.read_bytes()))

    assert found.id == "msg_014p7gG3wDgGV9EUtLvnow3U"
    assert found.tokens == Tokens(input=472, output=89)
    assert found.choices[0].stop is Stop.TOOLS
    assert found.choices[0].parts == (
        Thinking(
            text="The user asks for the weather.", seal=Seal(origin=Dialect.ANTHROPIC, value="EqQB")
        ),
        Text(text="Okay, let's check the weather."),
        ToolCall(
            id="toolu_01T1x1fJ34qAmk2tNTrN7Up6",
            name="get_weather",
            arguments='{"location": "San Francisco, CA"}',
        ),
    )


def test_blocks_that_begin_with_content_are_read() -> None:
    assert begun({"type": "text", "text": "a"}) == [TextDelta(text="a")]
    assert begun({"type": "thinking", "thinking": "a"}) == [ThinkingDelta(text="a")]
    assert begun({"type": "redacted_thinking", "data": "d"}) == [
        Sealed(seal=Seal(origin=Dialect.ANTHROPIC, value="d", redacted=True))
    ]


@pytest.mark.parametrize(
    "after",
    [
        [{"type": "content_block_stop", "index": 0}],
        [{"type": "message_delta"}],
        [{"type": "content_block_stop", "index": 0}, {"type": "message_delta"}],
        [
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'},
            },
            {"type": "content_block_stop", "index": 0},
        ],
    ],
    ids=["its end", "the end", "both", "the same in pieces"],
)
def test_a_call_that_begins_whole_is_told_once(after: list[dict[str, Any]]) -> None:
    block = {"type": "tool_use", "name": "f", "input": {"a": 1}}

    found = read({"type": "content_block_start", "index": 0, "content_block": block}, *after)

    assert [delta for delta in found if not isinstance(delta, Spent)] == [
        CallBegin(call=0, id="", name="f"),
        CallDelta(call=0, arguments='{"a":1}'),
    ]


def test_what_anthropics_own_tools_do_is_passed_over() -> None:
    delta = {"type": "input_json_delta", "partial_json": "{}"}

    assert begun({"type": "server_tool_use", "id": "s"}) == []
    assert read({"type": "content_block_delta", "index": 3, "delta": delta}) == []
    assert read({"type": "content_block_delta", "delta": {"type": "citations_delta"}}) == []


def test_usage_told_at_the_end_corrects_what_was_told_before() -> None:
    found = read(
        {"type": "message_start", "message": {"usage": {"input_tokens": 3}}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "refusal", "stop_details": {"explanation": "No."}},
            "usage": {
                "cache_read_input_tokens": 4,
                "cache_creation_input_tokens": 5,
                "output_tokens": 6,
                "output_tokens_details": {"thinking_tokens": 2},
            },
        },
        {"type": "message_delta"},
    )

    tokens = Tokens(input=12, cached=4, stored=5, output=6, reasoning=2)
    assert found[1:] == [
        Spent(tokens=tokens),
        RefusalDelta(text="No."),
        Finish(stop=Stop.FILTERED),
        Spent(tokens=tokens),
    ]


def test_errors_are_read_pings_are_nothing_and_garbage_is_malformed() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

    assert read(error) == [Fault(body=json.dumps(error).encode())]
    assert read({"type": "ping"}) == []
    assert StreamReader().feed(b": comment\n\n") == []
    with pytest.raises(Malformed):
        StreamReader().feed(b"data: 7\n\n")
