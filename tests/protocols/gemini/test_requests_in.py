"""A request of Gemini's generateContent is understood, and what no other protocol has is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.protocols.conversation.requests import (
    Choosing,
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
from spillover.protocols.conversation.seals import Dialect, Seal
from spillover.protocols.gemini.requests_in import read_request
from spillover.protocols.openai_chat import InvalidRequest
from tests.protocols.conversations import SCHEMA


def read(*contents: dict[str, Any], **fields: Any) -> Request:
    return read_request(json.dumps({"contents": contents, **fields}).encode())


def configured(**config: Any) -> Request:
    return read(generationConfig=config)


def test_a_conversation_is_read_turn_by_turn() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "sig"}
    answer = {"functionResponse": {"name": "f", "response": {"output": "x"}}}
    body = {
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Hm.", "thought": True}, call]},
            {"role": "user", "parts": [answer]},
        ],
    }

    found = read_request(json.dumps(body).encode(), model="m", stream=True)

    assert found == Request(
        model="m",
        stream=True,
        system=(Text(text="Be brief."),),
        turns=(
            Turn(role=Role.USER, parts=(Text(text="Hi"),)),
            Turn(
                role=Role.ASSISTANT,
                parts=(
                    Thinking(text="Hm.", seal=Seal(origin=Dialect.GEMINI, value="sig")),
                    ToolCall(id="call_0_0", name="f", arguments='{"a":1}'),
                ),
            ),
            Turn(role=Role.USER, parts=(ToolResult(id="call_0_0", content=(Text(text="x"),)),)),
        ),
    )
    assert read(systemInstruction="Be brief.").system == (Text(text="Be brief."),)


def test_how_the_answer_is_drawn_is_read() -> None:
    found = configured(
        maxOutputTokens=9,
        temperature=0.5,
        topP=0.9,
        top_k=4,
        stopSequences=["END"],
        seed=1,
        frequencyPenalty=0.1,
        presencePenalty=0.2,
        responseLogprobs=True,
        logprobs=2,
        candidateCount=3,
        responseModalities=["TEXT"],
    )

    assert found == Request(
        choices=3,
        sampling=Sampling(
            max_tokens=9,
            temperature=0.5,
            top_p=0.9,
            top_k=4,
            stop=("END",),
            seed=1,
            frequency_penalty=0.1,
            presence_penalty=0.2,
            logprobs=2,
        ),
    )


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [
        ({"thinkingBudget": 500}, Reasoning(budget=500)),
        ({"thinkingBudget": -1, "includeThoughts": True}, Reasoning(shown=True)),
        ({"thinkingLevel": "low"}, Reasoning(effort="low")),
    ],
)
def test_how_much_to_think_is_read(thinking: dict[str, Any], expected: Reasoning) -> None:
    assert configured(thinkingConfig=thinking).reasoning == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"responseMimeType": "text/plain", "responseSchema": {}}, None),
        ({"responseMimeType": "application/json"}, OutputFormat()),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
            OutputFormat(schema=SCHEMA),
        ),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "STRING"}},
            OutputFormat(schema={"type": "string"}),
        ),
    ],
)
def test_the_form_of_the_answer_is_read(
    config: dict[str, Any], expected: OutputFormat | None
) -> None:
    assert configured(**config).format == expected


def test_tools_and_their_choice_are_read() -> None:
    declared = [
        {"name": "f", "description": "d", "parameters": {"type": "OBJECT", "properties": {}}},
        {"name": "g", "parametersJsonSchema": SCHEMA, "behavior": "BLOCKING"},
    ]
    calling = {"mode": "ANY", "allowedFunctionNames": ["f"]}

    found = read(
        tools=[{"functionDeclarations": declared}],
        toolConfig={"functionCallingConfig": calling, "retrievalConfig": {}},
    )

    assert found.tools == (
        Tool(name="f", description="d", schema={"type": "object", "properties": {}}),
        Tool(name="g", schema=SCHEMA),
    )
    assert found.tool_choice == ToolChoice(mode=Choosing.NAMED, names=("f",))
    assert found.dropped == ("functionDeclarations.behavior", "toolConfig.retrievalConfig")
    none = read(toolConfig={"functionCallingConfig": {"mode": "NONE"}})
    assert none.tool_choice == ToolChoice(mode=Choosing.NONE)
    assert read(toolConfig={}).tool_choice is None


def test_names_that_are_the_users_own_are_not_touched() -> None:
    schema = {"type": "object", "properties": {"snake_case": {"type": "string"}}}

    found = read(
        {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"a_b": 1}}}]},
        tools=[{"function_declarations": [{"name": "f", "parameters_json_schema": schema}]}],
    )

    assert found.tools[0].schema == schema
    assert found.turns[0].parts == (ToolCall(id="call_0_0", name="f", arguments='{"a_b":1}'),)


def test_what_is_harmless_to_lose_is_named() -> None:
    found = read(
        {"parts": [{"text": "x", "partMetadata": {}}]},
        safetySettings=[{}],
        generationConfig={"mediaResolution": "LOW"},
    )

    assert found.dropped == ("parts.partMetadata", "safetySettings", "mediaResolution")
    assert found.lacks == ()


def test_what_would_be_missed_is_named() -> None:
    found = read(
        {"parts": [{"executableCode": {}}]},
        tools=[{"googleSearch": {}}],
        cachedContent="c",
        generationConfig={
            "responseModalities": ["IMAGE"],
            "speechConfig": {},
            "responseMimeType": "text/x.enum",
        },
    )

    assert set(found.lacks) == {
        "parts.executableCode",
        "tools.googleSearch",
        "cachedContent",
        "responseModalities",
        "speechConfig",
        "responseMimeType.text/x.enum",
    }


def test_what_makes_no_sense_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_request(b'{"contents": [{"parts": [7]}]}')

    assert caught.value.param == "contents[0].parts[0]"


def test_a_request_without_contents_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_request(b"{}")

    assert refused.value.param == "contents"


def test_a_request_may_be_written_as_protocol_buffers_are() -> None:
    found = read_request(
        json.dumps(
            {
                "contents": {"role": "user", "parts": {"text": "hi"}},
                "tools": {"functionDeclarations": {"name": "f"}},
                "generationConfig": {"maxOutputTokens": "100", "temperature": "0.5"},
            }
        ).encode()
    )

    assert found.turns == (Turn(role=Role.USER, parts=(Text(text="hi"),)),)
    assert found.tools == (Tool(name="f"),)
    assert (found.sampling.max_tokens, found.sampling.temperature) == (100, 0.5)
