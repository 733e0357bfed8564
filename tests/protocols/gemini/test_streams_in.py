"""Streams of Gemini's are read into neutral deltas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spillover.protocols.conversation.answers import (
    Begin,
    Fault,
    Finish,
    RefusalDelta,
    Spent,
    Stop,
    Tokens,
)
from spillover.protocols.conversation.fields import Malformed
from spillover.protocols.conversation.requests import Thinking, ToolCall
from spillover.protocols.conversation.seals import Dialect, Seal
from spillover.protocols.gemini.streams_in import StreamReader
from tests.protocols.conversations import gathered, read_all

DOCUMENTED = Path(__file__).with_name("documented_stream.txt")


def read(**fields: Any) -> list[Any]:
    return StreamReader().feed(b"data: " + json.dumps(fields).encode() + b"\r\n\r\n")


def test_a_stream_as_gemini_documents_it_is_read() -> None:
    found = gathered(read_all(StreamReader("s").feed, DOCUMENTED.read_bytes()))

    assert found.model == "gemini-3-flash-preview"
    assert found.tokens == Tokens(input=61, output=89, reasoning=71)
    assert found.choices[0].stop is Stop.TOOLS
    assert found.choices[0].parts == (
        Thinking(
            text="**Checking the weather**\n\nI call the tool.",
            seal=Seal(origin=Dialect.GEMINI, value="EroCCrcCAb4+9vt=="),
        ),
        ToolCall(id="call_s_0_0", name="get_weather", arguments='{"city":"Oslo"}'),
        ToolCall(id="call_s_0_1", name="get_weather", arguments='{"city":"Rome"}'),
    )


def test_what_is_withheld_says_why() -> None:
    withheld = {"finishReason": "SAFETY", "finishMessage": "Not that."}

    assert read(candidates=[withheld])[1:] == [
        RefusalDelta(text="Not that."),
        Finish(stop=Stop.FILTERED),
    ]
    blocked = read(promptFeedback={"blockReason": "SAFETY"}, usageMetadata={"promptTokenCount": 3})
    assert blocked == [Begin(), Spent(tokens=Tokens(input=3)), Finish(stop=Stop.FILTERED)]


def test_results_in_an_answer_are_passed_over() -> None:
    part = {"functionResponse": {"name": "f", "response": {}}}

    assert read(candidates=[{"content": {"parts": [part]}}]) == [Begin()]


def test_errors_are_read_comments_are_nothing_and_garbage_is_malformed() -> None:
    error = {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}

    assert read(**error) == [Fault(body=json.dumps(error).encode())]
    assert StreamReader().feed(b": comment\n\n") == []
    with pytest.raises(Malformed):
        StreamReader().feed(b"data: 7\n\n")
