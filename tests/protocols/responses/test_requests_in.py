"""A request of OpenAI's Responses is understood, and what no other protocol has is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.protocols.conversation.requests import (
    Choosing,
    OutputFormat,
    Reasoning,
    Refusal,
    Request,
    Role,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from spillover.protocols.conversation.seals import Dialect, Seal
from spillover.protocols.openai_chat import InvalidRequest
from spillover.protocols.responses.requests_in import read_request
from tests.protocols.conversations import SCHEMA

CUSTOM = {"type": "custom", "name": "p"}


def read(*items: dict[str, Any], **fields: Any) -> Request:
    return read_request(json.dumps({"input": items, **fields}).encode())


def test_a_conversation_is_read_turn_by_turn() -> None:
    found = read(
        {"role": "system", "content": "Be kind."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "a"}, {"text": "b"}],
            "encrypted_content": "enc",
        },
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "So.", "annotations": [], "logprobs": []},
                {"type": "refusal", "refusal": "No."},
            ],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
        {"role": "user", "content": "Well?"},
        {"role": "developer", "content": "Hurry."},
        instructions="Be brief.",
    )

    assert found.system == (Text(text="Be brief."), Text(text="Be kind."))
    assert found.turns == (
        Turn(role=Role.USER, parts=(Text(text="Hi"),)),
        Turn(
            role=Role.ASSISTANT,
            parts=(
                Thinking(
                    text="a\n\nb", seal=Seal(origin=Dialect.RESPONSES, value="enc", id="rs_1")
                ),
                Text(text="So."),
                Refusal(text="No."),
                ToolCall(id="c", name="f", arguments="{}"),
            ),
        ),
        Turn(
            role=Role.USER,
            parts=(ToolResult(id="c", content=(Text(text="x"),)), Text(text="Well?")),
        ),
        Turn(role=Role.SYSTEM, parts=(Text(text="Hurry."),)),
    )
    assert (found.dropped, found.lacks) == ((), ())


def test_a_string_is_what_the_user_says() -> None:
    found = read_request(b'{"input": "Hi"}')

    assert found.turns == (Turn(role=Role.USER, parts=(Text(text="Hi"),)),)


def test_how_the_answer_is_drawn_is_read() -> None:
    found = read(
        model="m",
        max_output_tokens=9,
        temperature=0.5,
        top_p=0.9,
        top_logprobs=2,
        include=["message.output_text.logprobs", "web_search_call.results"],
        reasoning={"effort": "low", "summary": "auto"},
        text={"verbosity": "low"},
        stream=True,
        user="u",
        store=False,
        parallel_tool_calls=True,
        background=False,
    )

    assert found == Request(
        model="m",
        sampling=Sampling(max_tokens=9, temperature=0.5, top_p=0.9, logprobs=2),
        reasoning=Reasoning(effort="low", shown=True),
        stream=True,
        user="u",
        parallel_calls=True,
        openai={"store": False, "verbosity": "low"},
        dropped=("include.web_search_call.results",),
    )
    assert read(include=["message.output_text.logprobs"]).sampling.logprobs == 0


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, OutputFormat()),
        (
            {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True},
            OutputFormat(schema=SCHEMA, name="n", strict=True),
        ),
    ],
)
def test_the_form_of_the_answer_is_read(wanted: object, expected: OutputFormat | None) -> None:
    assert read(text={"format": wanted}).format == expected


def test_tools_are_read() -> None:
    found = read(
        tools=[
            {
                "type": "function",
                "name": "f",
                "description": "d",
                "parameters": SCHEMA,
                "strict": True,
                "defer_loading": True,
            }
        ]
    )

    assert found.tools == (Tool(name="f", description="d", schema=SCHEMA, strict=True),)
    assert found.dropped == ("tools.defer_loading",)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("required", ToolChoice(mode=Choosing.ANY)),
        ({"type": "function", "name": "f"}, ToolChoice(mode=Choosing.NAMED, names=("f",))),
        ({"type": "custom", "name": "p"}, ToolChoice(mode=Choosing.NAMED, names=("p",))),
        (
            {"type": "function", "name": "f", "namespace": "n"},
            ToolChoice(mode=Choosing.NAMED, names=("n__f",)),
        ),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"name": "f"}, {"type": "x"}]},
            ToolChoice(mode=Choosing.NAMED, names=("f",)),
        ),
    ],
)
def test_a_choice_of_tools_is_read(choice: object, expected: ToolChoice) -> None:
    assert read(tool_choice=choice).tool_choice == expected


def test_what_would_be_missed_is_named() -> None:
    found = read(
        {"type": "item_reference", "id": "x"},
        {"role": "user", "content": [{"type": "input_audio"}]},
        previous_response_id="r",
        background=True,
        tools=[{"type": "web_search"}],
        tool_choice={"type": "web_search"},
        text={"format": {"type": "grammar"}},
    )

    assert set(found.lacks) == {
        "input.item_reference",
        "input.input_audio",
        "previous_response_id",
        "background",
        "tools.web_search",
        "tool_choice.web_search",
        "text.format.grammar",
    }


def test_what_is_harmless_to_lose_is_named() -> None:
    found = read(
        {"role": "user", "content": "x", "novel": 1},
        {"type": "web_search_call", "id": "ws_1", "action": {"type": "search"}},
        truncation="auto",
    )

    assert found.dropped == ("input.novel", "input.web_search_call", "truncation")
    assert found.lacks == ()


def test_tools_that_come_in_the_midst_are_offered_and_called() -> None:
    namespace = {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]}
    found = read(
        {"type": "additional_tools", "role": "developer", "tools": [CUSTOM]},
        {"role": "user", "content": "Hi"},
        {"type": "custom_tool_call", "id": "x", "call_id": "a", "name": "p", "input": "text"},
        {"type": "custom_tool_call_output", "call_id": "a", "name": "p", "output": "done"},
        {"type": "tool_search_call", "call_id": "b", "execution": "client", "arguments": {"q": 1}},
        {"type": "tool_search_output", "call_id": "b", "execution": "client", "tools": [namespace]},
        {"type": "tool_search_call", "call_id": "c", "execution": "client"},
        {"type": "tool_search_output", "call_id": "c", "tools": []},
        {"type": "function_call", "call_id": "d", "name": "f", "namespace": "n"},
    )

    parts = [part for turn in found.turns for part in turn.parts]
    assert parts == [
        Text(text="Hi"),
        ToolCall(id="a", name="p", arguments='{"input":"text"}'),
        ToolResult(id="a", content=(Text(text="done"),)),
        ToolCall(id="b", name="tool_search", arguments='{"q":1}'),
        ToolResult(id="b", content=(Text(text="found: n__f"),)),
        ToolCall(id="c", name="tool_search", arguments="{}"),
        ToolResult(id="c", content=(Text(text="found: nothing"),)),
        ToolCall(id="d", name="n__f", arguments=""),
    ]
    assert list(found.spellings) == ["p", "n__f"]
    assert (found.dropped, found.lacks) == ((), ())


def test_a_search_of_openais_own_is_missed() -> None:
    found = read(
        {"type": "tool_search_call", "execution": "server"},
        {"type": "tool_search_output", "execution": "server", "tools": []},
    )

    assert found.lacks == ("input.tool_search_call", "input.tool_search_output")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"input": [{"role": "tool"}]}', "input[0].role"),
        (b'{"input": 7}', "input"),
        (b'{"instructions": "x"}', "input"),
        (b'{"tool_choice": "x"}', "tool_choice"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(body: bytes, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_request(body)

    assert caught.value.param == param
