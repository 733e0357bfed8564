"""Streams of OpenAI's chat are read into neutral deltas, those of lesser dialects too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.protocols.chat.streams_in import StreamReader
from spillover.protocols.conversation.answers import (
    Begin,
    CallBegin,
    CallDelta,
    End,
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
from spillover.protocols.conversation.seals import Dialect, Seal

UNSEALED = Seal(origin=Dialect.CHAT, value="")


def chunk(delta: dict[str, Any] | None = None, **fields: Any) -> bytes:
    piece = {"index": 0, "delta": delta, **fields}
    return b"data: " + json.dumps({"id": "c", "model": "m", "choices": [piece]}).encode() + b"\n\n"


def read(*events: bytes) -> list[Any]:
    reader = StreamReader("seed")
    return [delta for event in events for delta in reader.feed(event)][1:]


def test_a_stream_begins_once_and_ends_with_its_sentinel() -> None:
    reader = StreamReader()

    assert reader.feed(chunk({"role": "assistant", "content": ""})) == [Begin(id="c", model="m")]
    assert reader.feed(chunk({"content": "Hi"})) == [TextDelta(text="Hi")]
    assert reader.feed(chunk(finish_reason="length")) == [Finish(stop=Stop.LENGTH)]
    assert reader.feed(b'data: {"choices": [], "usage": {"prompt_tokens": 3}}\n\n') == [
        Spent(tokens=Tokens(input=3))
    ]
    assert reader.feed(b"data: [DONE]\n\n") == [End()]


def test_thinking_without_a_seal_is_sealed_as_chats_own() -> None:
    found = read(
        chunk({"reasoning_content": "Hm"}),
        chunk({"reasoning": "m."}),
        chunk({"content": "So."}),
        chunk({"reasoning_content": "Again"}),
        chunk({}, finish_reason="stop"),
    )

    assert found == [
        ThinkingDelta(text="Hm"),
        ThinkingDelta(text="m."),
        Sealed(seal=UNSEALED),
        TextDelta(text="So."),
        ThinkingDelta(text="Again"),
        Sealed(seal=UNSEALED),
        Finish(stop=Stop.END),
    ]


def test_thinking_keeps_the_seal_of_its_provider() -> None:
    thought = {"type": "reasoning.text", "format": "anthropic-claude-v1"}

    found = read(
        chunk({"reasoning_details": [{**thought, "text": "Hm."}]}),
        chunk({"reasoning_details": [{**thought, "signature": "c2ln"}]}),
        chunk({}, finish_reason="stop"),
    )

    assert found == [
        ThinkingDelta(text="Hm."),
        Sealed(seal=Seal(origin=Dialect.ANTHROPIC, value="c2ln")),
        Finish(stop=Stop.END),
    ]


def test_calls_are_told_apart_by_index_and_by_id() -> None:
    def call(index: int, **fields: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": index, **fields}]}

    found = read(
        chunk(call(0, id="a", function={"name": "f", "arguments": ""})),
        chunk(call(0, id="a", function={"arguments": "{"})),
        chunk(call(0, id="b", function={"name": "g", "arguments": "{}"})),
        chunk(call(1, function={"name": "h"})),
        chunk(call(1)),
    )

    assert found == [
        CallBegin(call=0, id="a", name="f"),
        CallDelta(call=0, arguments="{"),
        CallBegin(call=1, id="b", name="g"),
        CallDelta(call=1, arguments="{}"),
        CallBegin(call=2, id="call_seed_0_2", name="h"),
    ]


def test_refusals_and_errors_are_read() -> None:
    broken = b'data: {"error": {"message": "no"}}\n\n'
    ended = chunk({}, finish_reason="error")

    assert read(chunk({"refusal": "No."})) == [RefusalDelta(text="No.")]
    assert StreamReader().feed(broken) == [Fault(body=broken[6:-2])]
    assert read(ended) == [Fault(body=ended[6:-2])]


def test_comments_are_nothing_and_garbage_is_malformed() -> None:
    reader = StreamReader()

    assert reader.feed(b": ping\n\n") == []
    assert reader.feed(b"data: \n\n") == []
    with pytest.raises(Malformed):
        reader.feed(b"data: <html>\n\n")
