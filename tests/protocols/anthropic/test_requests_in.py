"""A request of Anthropic's Messages is understood, and what no other protocol has is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.protocols.anthropic.requests_in import read_request
from spillover.protocols.conversation.requests import (
    Choosing,
    Media,
    Medium,
    OutputFormat,
    Reasoning,
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
from spillover.protocols.conversation.seals import Dialect, Seal, marked
from spillover.protocols.openai_chat import InvalidRequest
from tests.protocols.conversations import PIXEL, SCHEMA


def read(*messages: dict[str, Any], **fields: Any) -> Request:
    return read_request(json.dumps({"max_tokens": 9, "messages": messages, **fields}).encode())


def said(*blocks: Any) -> Request:
    return read({"role": "user", "content": blocks})


def test_a_conversation_is_read_turn_by_turn() -> None:
    found = read(
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "thinking", "thinking": "unsigned", "signature": ""},
                {"type": "redacted_thinking", "data": "d"},
                {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "x", "is_error": True},
                {"type": "tool_result", "tool_use_id": "c2"},
            ],
        },
        {"role": "system", "content": "Hurry."},
        system=[{"type": "text", "text": "Be brief."}],
        model="m",
        stream=True,
    )

    assert found == Request(
        model="m",
        stream=True,
        sampling=Sampling(max_tokens=9),
        system=(Text(text="Be brief."),),
        turns=(
            Turn(role=Role.USER, parts=(Text(text="Hi"),)),
            Turn(
                role=Role.ASSISTANT,
                parts=(
                    Thinking(text="Hm.", seal=Seal(origin=Dialect.ANTHROPIC, value="s")),
                    Thinking(text="unsigned"),
                    Thinking(seal=Seal(origin=Dialect.ANTHROPIC, value="d", redacted=True)),
                    ToolCall(id="c1", name="f", arguments='{"a":1}'),
                ),
            ),
            Turn(
                role=Role.USER,
                parts=(
                    ToolResult(id="c1", content=(Text(text="x"),), is_error=True),
                    ToolResult(id="c2"),
                ),
            ),
            Turn(role=Role.SYSTEM, parts=(Text(text="Hurry."),)),
        ),
    )
    assert read(system="Be brief.").system == (Text(text="Be brief."),)
    assert read({"role": "user", "content": ""}).turns[0].parts == ()


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
            },
            Media(medium=Medium.IMAGE, mime="image/png", data=PIXEL),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://e.org/a"}},
            Media(medium=Medium.IMAGE, url="https://e.org/a"),
        ),
        (
            {"type": "document", "title": "t", "source": {"type": "file", "file_id": "f"}},
            Media(medium=Medium.FILE, file_id="f", name="t"),
        ),
        (
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
            },
            Text(text="words"),
        ),
    ],
)
def test_media_are_read(block: dict[str, Any], expected: object) -> None:
    assert said(block).turns[0].parts == (expected,)


def test_a_seal_of_another_provider_finds_home() -> None:
    seal = Seal(origin=Dialect.GEMINI, value="g")

    found = said(
        {"type": "thinking", "thinking": "t", "signature": marked(seal, Dialect.ANTHROPIC)}
    )

    assert found.turns[0].parts == (Thinking(text="t", seal=seal),)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 2_000}}, (None, 2_000, True)),
        (
            {
                "thinking": {"type": "adaptive", "display": "omitted"},
                "output_config": {"effort": "low"},
            },
            ("low", None, False),
        ),
        ({"thinking": {"type": "disabled"}}, (None, 0, None)),
        ({"output_config": {"effort": "max"}}, ("max", None, None)),
        ({"thinking": {"type": "between_tools"}}, None),
    ],
)
def test_how_much_to_think_is_read(fields: dict[str, Any], expected: Any) -> None:
    wanted = None
    if expected is not None:
        wanted = Reasoning(effort=expected[0], budget=expected[1], shown=expected[2])

    assert read(**fields).reasoning == wanted


def test_how_the_answer_is_drawn_is_read() -> None:
    found = read(
        temperature=0.5,
        top_p=0.9,
        top_k=5,
        stop_sequences=["END"],
        metadata={"user_id": "u"},
        tools=[{"name": "f", "description": "d", "input_schema": SCHEMA, "strict": True}],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    )

    assert found.sampling == Sampling(
        max_tokens=9, temperature=0.5, top_p=0.9, top_k=5, stop=("END",)
    )
    assert found.user == "u"
    assert found.tools == (Tool(name="f", description="d", schema=SCHEMA, strict=True),)
    assert found.tool_choice == ToolChoice(mode=Choosing.NAMED, names=("f",))
    assert found.parallel_calls is False
    assert read(tool_choice={"type": "any"}).tool_choice == ToolChoice(mode=Choosing.ANY)


def test_the_form_of_the_answer_is_read_by_both_its_names() -> None:
    form = {"type": "json_schema", "schema": SCHEMA}

    assert read(output_config={"format": form}).format == OutputFormat(schema=SCHEMA, strict=True)
    assert read(output_format=form).format == OutputFormat(schema=SCHEMA, strict=True)
    assert read(output_config={"effort": "low"}).format is None


def test_what_is_harmless_to_lose_is_named() -> None:
    found = read(
        {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}], "id": 7},
        tools=[{"type": "custom", "name": "f", "cache_control": {}}],
        service_tier="auto",
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    )

    assert found.dropped == (
        "cache_control",
        "messages.id",
        "tools.cache_control",
        "service_tier",
        "context_management",
    )
    assert found.lacks == ()


IMAGE = {"type": "url", "url": "https://example.com/a.png"}


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"type": "tool_reference", "tool_name": "weather"}, "found: weather"),
        (
            {
                "type": "search_result",
                "title": "Oslo",
                "source": "https://example.com",
                "content": [{"type": "text", "text": "It rains."}],
            },
            "Oslo\nhttps://example.com\nIt rains.",
        ),
        ({"type": "document", "source": {"type": "content", "content": "It rains."}}, "It rains."),
    ],
    ids=["a tool found", "a search result", "a document of words"],
)
def test_what_is_words_is_read_as_words(block: dict[str, Any], words: str) -> None:
    found = read({"role": "user", "content": [block]})

    assert found.turns[0].parts == (Text(text=words),)
    assert found.lacks == ()


def test_an_empty_list_asks_for_nothing() -> None:
    assert read({"role": "user", "content": "x"}, mcp_servers=[]).lacks == ()


def test_what_would_be_missed_is_named() -> None:
    found = read(
        {
            "role": "user",
            "content": [
                {"type": "container_upload"},
                {"type": "image"},
                {
                    "type": "document",
                    "source": {"type": "content", "content": [{"type": "image", "source": IMAGE}]},
                },
            ],
        },
        tools=[{"type": "web_search_20250305", "name": "web_search"}],
        mcp_servers=[{"name": "m"}],
        output_format={"type": "grammar"},
    )

    assert set(found.lacks) == {
        "messages.container_upload",
        "messages.image",
        "messages.document",
        "tools.web_search_20250305",
        "mcp_servers",
        "output_config.format.grammar",
    }


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"messages": []}', "max_tokens"),
        (b'{"max_tokens": 1}', "messages"),
        (b'{"max_tokens": 1, "messages": [{"role": "tool"}]}', "messages[0].role"),
        (b'{"max_tokens": 1, "tool_choice": {"type": "x"}}', "tool_choice.type"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(body: bytes, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_request(body)

    assert caught.value.param == param
