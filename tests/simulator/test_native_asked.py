"""Requests of other dialects, read for what is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.simulator.asked import IMAGE_TOKENS, Asked, Malformed, Operation
from spillover.simulator.native_asked import read_native

SCHEMA = {"type": "object"}
CLAUDE: dict[str, Any] = {
    "model": "m",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "four"}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "four"}, {"type": "image"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f"}]},
        {"role": "user", "content": [{"type": "tool_result", "content": "done"}]},
    ],
}
RESPONSES: dict[str, Any] = {"model": "m", "input": "hello", "stream": True}
GEMINI: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


def asked(operation: Operation, body: Any, **how: Any) -> Asked:
    return read_native(json.dumps(body).encode(), operation, **how)


def roles(request: Asked) -> list[str]:
    return [message["role"] for message in request.fields["messages"]]


def test_anthropics_turns_images_and_results_are_read() -> None:
    found = asked(Operation.MESSAGES, CLAUDE)

    assert roles(found) == ["system", "user", "assistant", "tool"]
    assert (found.last_text, found.max_tokens, found.stream) == ("done", 9, False)
    assert IMAGE_TOKENS < found.prompt_tokens < IMAGE_TOKENS + 50


def test_responses_take_a_text_or_items() -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "hello"}]},
        {"type": "function_call", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "output": "done"},
    ]

    plain = asked(Operation.RESPONSES, {**RESPONSES, "instructions": "be brief"})
    found = asked(Operation.RESPONSES, {**RESPONSES, "input": items, "max_output_tokens": 5})

    assert (roles(plain), plain.last_text, plain.stream) == (["system", "user"], "hello", True)
    assert (roles(found), found.max_tokens) == (["user", "assistant", "tool"], 5)


def test_geminis_address_says_model_and_stream() -> None:
    result = {"role": "user", "parts": [{"functionResponse": {"name": "f"}}]}
    body = {
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "contents": [*GEMINI["contents"], {"role": "model", "parts": [{"text": "x"}]}, result],
        "generationConfig": {"maxOutputTokens": 5},
    }

    found = asked(Operation.GENERATE, body, model="m", stream=True)

    assert (found.model, found.stream, found.max_tokens) == ("m", True, 5)
    assert roles(found) == ["system", "user", "assistant", "tool"]


def test_a_number_of_geminis_may_be_text() -> None:
    body = {**GEMINI, "generationConfig": {"maxOutputTokens": "5"}}

    assert asked(Operation.GENERATE, body, model="m", stream=False).max_tokens == 5


@pytest.mark.parametrize(
    ("operation", "body", "wanted"),
    [
        (Operation.MESSAGES, {"tool_choice": {"type": "any"}}, "required"),
        (Operation.MESSAGES, {"tool_choice": {"type": "auto"}}, "auto"),
        (Operation.MESSAGES, {}, "auto"),
        (Operation.MESSAGES, {"tool_choice": {"type": "tool", "name": "f"}}, "f"),
        (Operation.RESPONSES, {"tool_choice": "required"}, "required"),
        (Operation.RESPONSES, {"tool_choice": {"type": "function", "name": "f"}}, "f"),
        (
            Operation.GENERATE,
            {"toolConfig": {"functionCallingConfig": {"mode": "NONE"}}},
            "none",
        ),
        (
            Operation.GENERATE,
            {"toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["f"]}}},
            "f",
        ),
    ],
)
def test_tools_and_their_choice_are_put_as_chat_has_them(
    operation: Operation, body: dict[str, Any], wanted: str
) -> None:
    whole, tool = {
        Operation.MESSAGES: (CLAUDE, {"name": "f", "input_schema": SCHEMA}),
        Operation.RESPONSES: (RESPONSES, {"type": "function", "name": "f", "parameters": SCHEMA}),
        Operation.GENERATE: (
            GEMINI,
            {"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}]},
        ),
    }[operation]

    fields = asked(operation, {**whole, "tools": [tool], **body}, model="m").fields

    choice = fields["tool_choice"]
    assert fields["tools"][0]["function"] == {"name": "f", "parameters": SCHEMA}
    assert (choice["function"]["name"] if isinstance(choice, dict) else choice) == wanted


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        (Operation.MESSAGES, {**CLAUDE, "output_config": {"format": {"schema": SCHEMA}}}),
        (Operation.MESSAGES, {**CLAUDE, "output_format": {"schema": SCHEMA}}),
        (Operation.RESPONSES, {**RESPONSES, "text": {"format": {"schema": SCHEMA}}}),
        (Operation.GENERATE, {**GEMINI, "generationConfig": {"responseJsonSchema": SCHEMA}}),
    ],
)
def test_the_form_of_the_answer_is_put_as_chat_has_it(
    operation: Operation, body: dict[str, Any]
) -> None:
    form = asked(operation, body, model="m").fields["response_format"]

    assert form == {"type": "json_schema", "json_schema": {"schema": SCHEMA}}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        (Operation.MESSAGES, b"<html>"),
        (Operation.MESSAGES, b"[]"),
        (Operation.MESSAGES, b'{"model":"m","messages":[{"role":"user","content":"x"}]}'),
        (Operation.MESSAGES, b'{"model":"m","max_tokens":5,"messages":[]}'),
        (Operation.RESPONSES, b'{"input":"x"}'),
        (Operation.GENERATE, b"{}"),
    ],
)
def test_what_can_not_be_answered_is_malformed(operation: Operation, body: bytes) -> None:
    with pytest.raises(Malformed):
        read_native(body, operation)
