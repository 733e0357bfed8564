"""Whole answers of Anthropic's Messages are read and written; its SDK reads them in `make test-clients`."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from msgspec.structs import replace

from spillover.protocols.anthropic.answers import read_answer, write_answer
from spillover.protocols.conversation.answers import Answer, Choice, Stop, Tokens
from spillover.protocols.conversation.requests import Refusal, Text, Thinking, ToolCall
from spillover.protocols.conversation.seals import Dialect, Seal
from tests.protocols.conversations import ANSWERS, STAMP
from tests.protocols.strategies import answers


def written(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(write_answer(ANSWERS[name], STAMP))
    return found


@given(answers())
def test_what_is_written_is_read_back(answer: Answer) -> None:
    found = read_answer(write_answer(answer, STAMP))

    assert found.choices == answer.choices
    assert found.tokens == answer.tokens


def test_input_is_counted_apart_from_the_cache() -> None:
    assert written("text") == {
        "id": "msg_abc123",
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [{"type": "text", "text": "Hello there."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 8,
            "cache_creation_input_tokens": 4,
            "cache_read_input_tokens": 8,
            "output_tokens": 6,
        },
    }


def test_seals_of_other_providers_come_back_through_it() -> None:
    found = read_answer(write_answer(ANSWERS["foreign seals"], STAMP)).choices[0].parts

    expected = ANSWERS["foreign seals"].choices[0].parts
    assert found == (*expected[:2], replace(expected[2], arguments="{}"), *expected[3:])


def test_a_refusal_is_its_stop_reason() -> None:
    found = written("refusal")

    assert found["stop_reason"] == "refusal"
    assert found["stop_details"]["explanation"] == "I can't help."
    assert read_answer(json.dumps(found).encode()).choices[0] == Choice(
        parts=(Refusal(text="I can't help."),), stop=Stop.FILTERED
    )
    assert written("filtered")["stop_reason"] == "refusal"
    assert written("nothing")["content"] == []


def test_broken_arguments_reach_the_client_whole() -> None:
    parts = (
        ToolCall(id="c", name="f", arguments='{"a":'),
        Thinking(),
        Thinking(seal=Seal(origin=Dialect.CHAT, value="")),
        Thinking(text="bare"),
    )

    found = json.loads(write_answer(Answer(choices=(Choice(parts=parts),)), STAMP))["content"]

    assert found == [
        {"type": "tool_use", "id": "c", "name": "f", "input": {"arguments": '{"a":'}},
        {"type": "thinking", "thinking": "bare", "signature": ""},
    ]


def test_what_anthropics_own_tools_did_is_passed_over() -> None:
    body = {
        "id": "msg_1",
        "content": [
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "text", "text": ""},
            {"type": "text", "text": "Found."},
        ],
        "stop_reason": "novel",
        "stop_sequence": "END",
        "usage": None,
    }

    found = read_answer(json.dumps(body).encode())

    choice = Choice(parts=(Text(text="Found."),), stop=Stop.END, stop_sequence="END")
    assert found == Answer(id="msg_1", choices=(choice,), tokens=Tokens())


def test_answers_of_lesser_imitators_are_read() -> None:
    call = {"type": "tool_use", "name": "f", "input": '{"a":1}'}

    called = read_answer(json.dumps({"content": [call]}).encode()).choices[0]
    said = read_answer(b'{"content": "It rains."}').choices[0]

    assert called.parts == (ToolCall(id="", name="f", arguments='{"a":1}'),)
    assert said.parts == (Text(text="It rains."),)
