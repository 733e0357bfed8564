"""Streams of OpenAI's Responses are read into neutral deltas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spillover.protocols.conversation.answers import (
    CallBegin,
    CallDelta,
    End,
    Fault,
    Finish,
    RefusalDelta,
    Sealed,
    Stop,
    TextDelta,
    ThinkingDelta,
    Tokens,
)
from spillover.protocols.conversation.fields import Malformed
from spillover.protocols.conversation.requests import Text, Thinking, ToolCall
from spillover.protocols.conversation.seals import Dialect, Seal
from spillover.protocols.responses.streams_in import StreamReader
from tests.protocols.conversations import gathered, read_all

DOCUMENTED = Path(__file__).with_name("documented_stream.txt")


def read(*told: dict[str, Any]) -> list[Any]:
    reader = StreamReader()
    found = []
    for event in told:
        found += reader.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    return found


def test_a_stream_as_openai_documents_it_is_read() -> None:
    found = gathered(read_all(StreamReader().feed, DOCUMENTED.read_bytes()))

    assert (found.id, found.model) == ("resp_67c9", "gpt-5-2025-08-07")
    assert found.tokens == Tokens(input=76, cached=8, output=120, reasoning=64)
    assert found.choices[0].stop is Stop.TOOLS
    assert found.choices[0].parts == (
        Thinking(
            text="**Checking**\n\nI call the tool.",
            seal=Seal(origin=Dialect.RESPONSES, value="gAAAAABo", id="rs_1"),
        ),
        Text(text="Let me look."),
        ToolCall(id="call_1", name="get_weather", arguments='{"city":"Oslo"}'),
    )


def test_items_that_come_whole_are_read() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}

    found = read(
        {"type": "response.output_item.done", "output_index": 0, "item": call},
        {"type": "response.output_item.done", "output_index": 1, "item": {"type": "reasoning"}},
        {"type": "response.output_item.added", "output_index": 2, "item": {"type": "message"}},
        {"type": "response.output_item.done", "output_index": 2, "item": {"type": "message"}},
        {
            "type": "response.output_item.done",
            "output_index": 3,
            "item": {"type": "reasoning", "id": "rs", "encrypted_content": "e"},
        },
    )

    assert found == [
        CallBegin(call=0, id="c", name="f"),
        CallDelta(call=0, arguments="{}"),
        Sealed(seal=Seal(origin=Dialect.RESPONSES, value="e", id="rs")),
    ]


MESSAGE = {
    "type": "message",
    "content": [
        {"type": "output_text", "text": "It rains."},
        {"type": "refusal", "refusal": "No."},
        {"type": "input_image", "image_url": "https://example.com/a.png"},
    ],
}
THOUGHT = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
CALL = {"type": "function_call", "id": "fc", "name": "f", "arguments": {"a": 1}}
SAID = [
    ThinkingDelta(text="Hm."),
    TextDelta(text="It rains."),
    RefusalDelta(text="No."),
    CallBegin(call=0, id="fc", name="f"),
    CallDelta(call=0, arguments='{"a":1}'),
]


def test_what_is_told_in_no_pieces_is_read_from_whole_items_and_once() -> None:
    items = [THOUGHT, MESSAGE, CALL]
    done = [
        {"type": "response.output_item.done", "output_index": index, "item": item}
        for index, item in enumerate(items)
    ]
    ended = {"type": "response.completed", "response": {"output": items}}
    end = [Finish(stop=Stop.TOOLS), End()]

    assert read(*done, ended) == [*SAID, *end]
    assert read(ended) == [*SAID, *end]


def test_what_was_told_in_pieces_is_not_told_again() -> None:
    done = {"type": "response.output_item.done", "output_index": 0}

    assert read(
        {"type": "response.output_text.delta", "output_index": 0, "delta": "It rains."},
        {**done, "item": MESSAGE},
    ) == [TextDelta(text="It rains.")]
    assert read(
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "Hm."},
        {**done, "item": THOUGHT},
    ) == [ThinkingDelta(text="Hm.")]


def test_refusals_and_open_thoughts_are_read() -> None:
    found = read(
        {"type": "response.reasoning_text.delta", "delta": "Hm"},
        {"type": "response.refusal.delta", "delta": "No."},
        {"type": "response.function_call_arguments.delta", "output_index": 9, "delta": "{"},
        {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "x"}}},
    )

    assert found == [
        ThinkingDelta(text="Hm"),
        RefusalDelta(text="No."),
        Finish(stop=Stop.LENGTH),
        End(),
    ]


@pytest.mark.parametrize("kind", ["response.failed", "error"])
def test_errors_are_read(kind: str) -> None:
    assert read({"type": kind}) == [Fault(body=json.dumps({"type": kind}).encode())]


def test_comments_are_nothing_and_garbage_is_malformed() -> None:
    assert StreamReader().feed(b": comment\n\n") == []
    assert read({"type": "response.web_search_call.searching"}) == []
    with pytest.raises(Malformed):
        StreamReader().feed(b"data: 7\n\n")
