"""What Cursor sends of Responses to the address of chats is read as a chat."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.core.values import Capability
from spillover.protocols.misaddressed import read_chat
from spillover.protocols.openai_chat import Asked, InvalidRequest

TOOL: dict[str, Any] = {"type": "function", "name": "read", "parameters": {"type": "object"}}
CURSOR: dict[str, Any] = {
    "model": "gpt-5",
    "input": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "hello"}]},
        {"type": "function_call", "call_id": "c", "name": "read", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "found"},
    ],
    "tools": [TOOL],
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_output_tokens": 9,
    "reasoning": {"effort": "low"},
}


def read(fields: dict[str, Any]) -> Asked:
    return read_chat(json.dumps(fields).encode())


def test_it_is_a_chat_as_any_other() -> None:
    asked = read(CURSOR)
    sent = json.loads(asked.body_for("theirs", ask_usage=True))

    assert (asked.model, asked.stream, asked.client_wants_usage) == ("gpt-5", True, True)
    assert asked.needs == {Capability.CHAT, Capability.TOOLS}
    assert asked.max_output_tokens == 9
    assert [message["role"] for message in sent["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
    ]
    assert sent["tools"][0]["function"]["name"] == "read"
    assert sent["reasoning_effort"] == "low"
    assert "input" not in sent


def test_without_a_model_it_names_none() -> None:
    assert read({"input": "hello"}).model is None


def test_half_an_emoji_is_no_hindrance() -> None:
    body = rb'{"input": "cut \ud83d"}'

    assert json.loads(read_chat(body).body_for("m", ask_usage=False))["messages"] == [
        {"role": "user", "content": "cut \ufffd"}
    ]


def test_a_chat_stays_one() -> None:
    chat = {"messages": [{"role": "user", "content": "x"}], "input": "y"}

    assert json.loads(read(chat).body_for("m", ask_usage=False)) == {**chat, "model": "m"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "messages"),
        ({"messages": 7, "input": "x"}, "messages"),
        ({"input": "x", "stream": 1, "messages": []}, "stream"),
        ({"input": [{"role": "judge"}]}, "input[0].role"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "messages"),
    ],
)
def test_what_is_neither_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(fields)

    assert caught.value.param == param
