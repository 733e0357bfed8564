"""A request of OpenAI's chat is understood, and what no other protocol has is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.protocols.chat.requests_in import read_request
from spillover.protocols.conversation.requests import (
    Choosing,
    Media,
    Medium,
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
from tests.protocols.conversations import PIXEL, SCHEMA


def read(*messages: dict[str, Any], **fields: Any) -> Request:
    return read_request(json.dumps({"messages": messages, **fields}).encode())


def said(*parts: Any) -> tuple[Any, ...]:
    """What a user's parts are read as."""
    return read({"role": "user", "content": parts}).turns[0].parts


def test_a_conversation_is_read_turn_by_turn() -> None:
    found = read(
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "found"},
        {"role": "system", "content": "Hurry."},
        {"role": "assistant", "content": "", "refusal": "No."},
    )

    assert found.system == (Text(text="Be brief."), Text(text="Be kind."))
    assert found.turns == (
        Turn(role=Role.USER, parts=(Text(text="Hi"),)),
        Turn(role=Role.ASSISTANT, parts=(ToolCall(id="c1", name="f", arguments="{}"),)),
        Turn(role=Role.USER, parts=(ToolResult(id="c1", content=(Text(text="found"),)),)),
        Turn(role=Role.SYSTEM, parts=(Text(text="Hurry."),)),
        Turn(role=Role.ASSISTANT, parts=(Refusal(text="No."),)),
    )
    assert (found.dropped, found.lacks) == ((), ())


def test_how_the_answer_is_drawn_is_read() -> None:
    found = read(
        model="m",
        max_completion_tokens=7,
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        stop="END",
        seed=1,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        logprobs=True,
        top_logprobs=3,
        reasoning_effort="low",
        n=2,
        stream=True,
        stream_options={"include_usage": True},
        user="u",
        parallel_tool_calls=False,
        store=True,
        modalities=["text"],
    )

    assert found == Request(
        model="m",
        sampling=Sampling(
            max_tokens=7,
            temperature=0.5,
            top_p=0.9,
            top_k=40,
            stop=("END",),
            seed=1,
            frequency_penalty=0.1,
            presence_penalty=0.2,
            logprobs=3,
        ),
        reasoning=Reasoning(effort="low"),
        choices=2,
        stream=True,
        user="u",
        parallel_calls=False,
        openai={"store": True},
    )
    assert read(max_tokens=9, stop=["a", "b"]).sampling.stop == ("a", "b")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
            Media(medium=Medium.IMAGE, mime="image/png", data=PIXEL),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://e.org/a", "detail": "low"}},
            Media(medium=Medium.IMAGE, url="https://e.org/a", detail="low"),
        ),
        (
            {"type": "image_url", "image_url": "https://e.org/a"},
            Media(medium=Medium.IMAGE, url="https://e.org/a"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "mp3"}},
            Media(medium=Medium.AUDIO, mime="audio/mp3", data="QQ=="),
        ),
        (
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ=="},
            },
            Media(medium=Medium.FILE, mime="application/pdf", data="QQ==", name="a.pdf"),
        ),
        (
            {"type": "file", "file": {"file_data": "QQ=="}},
            Media(medium=Medium.FILE, data="QQ=="),
        ),
        ({"type": "file", "file": {"file_id": "f1"}}, Media(medium=Medium.FILE, file_id="f1")),
        ({"type": "refusal", "refusal": "No."}, Refusal(text="No.")),
    ],
)
def test_media_are_read(part: dict[str, Any], expected: object) -> None:
    assert said({"type": "text", "text": "See:"}, part) == (Text(text="See:"), expected)


def test_tools_and_their_choice_are_read() -> None:
    function = {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}

    found = read(
        tools=[{"type": "function", "function": function}],
        tool_choice={"type": "function", "function": {"name": "f"}},
    )

    assert found.tools == (Tool(name="f", description="d", schema=SCHEMA, strict=True),)
    assert found.tool_choice == ToolChoice(mode=Choosing.NAMED, names=("f",))
    assert read(tool_choice="required").tool_choice == ToolChoice(mode=Choosing.ANY)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, OutputFormat()),
        (
            {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": SCHEMA, "strict": True, "description": "d"},
            },
            OutputFormat(schema=SCHEMA, name="n", strict=True, description="d"),
        ),
        (
            {"type": "json_schema", "json_schema": {}},
            OutputFormat(schema={}),
        ),
    ],
)
def test_the_form_of_the_answer_is_read(wanted: object, expected: OutputFormat | None) -> None:
    assert read(response_format=wanted).format == expected


def test_thinking_comes_back_with_its_seals() -> None:
    found = read(
        {
            "role": "assistant",
            "content": "So.",
            "reasoning_details": [
                {"type": "reasoning.text", "text": "Hm", "index": 0},
                {"type": "reasoning.text", "text": "m.", "index": 0},
                {"signature": "sig", "format": "anthropic-claude-v1", "index": 0},
                {
                    "type": "reasoning.encrypted",
                    "data": "x",
                    "format": "anthropic-claude-v1",
                    "index": 1,
                },
                {"type": "reasoning.summary", "summary": "s", "format": "anthropic-claude-v1"},
                {"data": "e", "format": "openai-responses-v1", "id": "rs_1"},
                {"text": "unsealed"},
            ],
        },
        {"role": "assistant", "content": "So.", "reasoning_content": "own"},
        {"role": "assistant", "content": "So.", "reasoning": "own too"},
    )

    assert found.turns[0].parts[:-1] == (
        Thinking(text="Hmm.", seal=Seal(origin=Dialect.ANTHROPIC, value="sig")),
        Thinking(seal=Seal(origin=Dialect.ANTHROPIC, value="x", redacted=True)),
        Thinking(text="s"),
        Thinking(seal=Seal(origin=Dialect.RESPONSES, value="e", id="rs_1")),
        Thinking(text="unsealed", seal=Seal(origin=Dialect.CHAT, value="")),
    )
    assert found.turns[1].parts[0] == Thinking(text="own", seal=Seal(origin=Dialect.CHAT, value=""))
    assert isinstance(found.turns[2].parts[0], Thinking)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reasoning_effort": "low"}, Reasoning(effort="low")),
        ({"reasoning": {"effort": "high"}}, Reasoning(effort="high")),
        (
            {"reasoning": {"max_tokens": 2000, "exclude": True}},
            Reasoning(budget=2000, shown=False),
        ),
        ({"reasoning": {"enabled": False}}, Reasoning(budget=0)),
        ({"thinking": {"type": "enabled", "budget_tokens": 3000}}, Reasoning(budget=3000)),
        ({"thinking": {"type": "disabled"}}, Reasoning(budget=0)),
        (
            {"reasoning_effort": "low", "thinking": {"type": "enabled", "budget_tokens": 9}},
            Reasoning(effort="low", budget=9),
        ),
        ({"reasoning": "yes", "thinking": None}, None),
    ],
    ids=str,
)
def test_how_much_to_think_is_read_as_agents_say_it(
    fields: dict[str, Any], expected: Reasoning | None
) -> None:
    found = read({"role": "user", "content": "x"}, **fields)

    assert found.reasoning == expected
    assert found.dropped == ()


def test_arguments_that_are_no_text_are_read_too() -> None:
    function = {"name": "f", "arguments": {"a": 1}}

    found = read({"role": "assistant", "tool_calls": [{"id": "c", "function": function}]})

    assert found.turns[0].parts == (ToolCall(id="c", name="f", arguments='{"a":1}'),)


def test_what_is_harmless_to_lose_is_named() -> None:
    found = read(
        {"role": "user", "content": "Hi", "name": "me"},
        {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]},
        logit_bias={"1": 2},
        stream_options={"include_obfuscation": False},
    )

    assert found.dropped == (
        "messages.name",
        "cache_control",
        "stream_options.include_obfuscation",
        "logit_bias",
    )
    assert found.lacks == ()


def test_what_would_be_missed_is_named() -> None:
    found = read(
        {"role": "user", "content": [{"type": "video_url", "video_url": {}}]},
        {"role": "function", "content": "x"},
        {
            "role": "assistant",
            "audio": {"id": "a"},
            "function_call": {"name": "f", "arguments": ""},
            "tool_calls": [{"id": "c", "type": "custom", "custom": {}}],
        },
        modalities=["text", "audio"],
        functions=[{"name": "f"}],
        web_search_options={},
        tools=[{"type": "custom", "custom": {}}],
        tool_choice={"type": "allowed_tools"},
        response_format={"type": "grammar"},
    )

    assert set(found.lacks) == {
        "modalities",
        "messages.video_url",
        "messages.function",
        "messages.audio",
        "messages.function_call",
        "tools.custom",
        "tool_choice.allowed_tools",
        "response_format.grammar",
        "functions",
        "web_search_options",
    }


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"[]", None),
        (b"{", None),
        (b'{"messages": {}}', "messages"),
        (b'{"messages": "\xff"}', "messages"),
        (b'{"tools": ["\xff"]}', "tools"),
        (b'{"tools": [{"type": "function", "function": {}}]}', "tools[0].function.name"),
        (b'{"messages": [1]}', "messages[0]"),
        (b'{"messages": [{}]}', "messages[0].role"),
        (b'{"messages": [{"role": "user", "content": 7}]}', "messages[0].content"),
        (
            b'{"messages": [{"role": "user", "content": [{"type": "file"}]}]}',
            "messages[0].content[0].file",
        ),
        (b'{"n": 1.5}', "n"),
        (b'{"n": true}', "n"),
        (b'{"stop": [1]}', "stop"),
        (b'{"tool_choice": "x"}', "tool_choice"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(body: bytes, param: str | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_request(body)

    assert caught.value.param == param
