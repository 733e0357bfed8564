"""The neutral conversation is written as a request of OpenAI's Responses, and read back as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from spillover.protocols.chat import requests_in as chat_in
from spillover.protocols.chat import requests_out as chat_out
from spillover.protocols.conversation.requests import (
    Choosing,
    Media,
    Medium,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Request,
    Role,
    Sampling,
    Target,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from spillover.protocols.conversation.seals import Dialect, Seal
from spillover.protocols.responses.requests_in import read_request
from spillover.protocols.responses.requests_out import write_request
from tests.protocols.conversations import CONVERSATION, PIXEL, SCHEMA, meaning, sealed_by
from tests.protocols.strategies import requests

TARGET = Target(model="up")


def written(request: Request, target: Target = TARGET) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(write_request(request, target).body)
    return found


def said(role: Role, *parts: Part) -> Request:
    return Request(turns=(Turn(role=role, parts=parts),))


def unstopped(request: Request) -> Request:
    """The Responses have no stop sequences, and are kept by OpenAI unless that is refused."""
    return replace(request, sampling=replace(request.sampling, stop=()), openai={})


@given(requests())
def test_what_is_written_is_read_back(request: Request) -> None:
    request = unstopped(sealed_by(Dialect.RESPONSES, request))

    out = write_request(request, TARGET)

    assert (out.dropped, out.lacks) == ((), ())
    assert meaning(unstopped(read_request(out.body))) == meaning(request)


@given(requests())
def test_chat_to_responses_and_back_keeps_the_meaning(request: Request) -> None:
    router = Target(model="up", provider="openrouter")
    asked = chat_in.read_request(
        chat_out.write_request(unstopped(sealed_by(Dialect.RESPONSES, request)), router).body
    )

    through = unstopped(read_request(write_request(asked, TARGET).body))

    back = chat_in.read_request(chat_out.write_request(through, router).body)
    assert meaning(back) == meaning(asked)


def test_a_whole_conversation_comes_back() -> None:
    asked = unstopped(sealed_by(Dialect.RESPONSES, CONVERSATION))

    out = write_request(asked, TARGET)

    assert (out.dropped, out.lacks) == ((), ())
    assert meaning(unstopped(read_request(out.body))) == meaning(asked)


def test_all_that_responses_have_is_written() -> None:
    found = written(
        Request(
            system=(Text(text="Be brief."), Text(text="Be kind.")),
            turns=(Turn(role=Role.SYSTEM, parts=(Text(text="Now."),)),),
            format=OutputFormat(schema=SCHEMA, name="n", description="d", strict=True),
            sampling=Sampling(max_tokens=500, logprobs=2),
            reasoning=Reasoning(effort="max"),
            stream=True,
            user="u",
            openai={"verbosity": "low", "service_tier": "flex"},
        ),
        replace(TARGET, max_output_tokens=100),
    )

    assert found == {
        "model": "up",
        "instructions": "Be brief.\n\nBe kind.",
        "input": [
            {
                "type": "message",
                "role": "developer",
                "content": [{"type": "input_text", "text": "Now."}],
            }
        ],
        "stream": True,
        "max_output_tokens": 100,
        "top_logprobs": 2,
        "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
        "reasoning": {"effort": "xhigh", "summary": "auto"},
        "user": "u",
        "text": {
            "format": {
                "type": "json_schema",
                "name": "n",
                "schema": SCHEMA,
                "description": "d",
                "strict": True,
            },
            "verbosity": "low",
        },
        "store": False,
        "service_tier": "flex",
    }


def test_forms_and_efforts_are_written_as_responses_name_them() -> None:
    json_alone = written(Request(format=OutputFormat()))
    bare = written(Request(format=OutputFormat(schema=SCHEMA)))

    assert json_alone["text"] == {"format": {"type": "json_object"}}
    assert "strict" not in bare["text"]["format"]
    assert written(Request(reasoning=Reasoning(budget=0)))["reasoning"] == {"effort": "none"}
    assert "reasoning" not in written(Request(reasoning=Reasoning(shown=False)))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (ToolChoice(mode=Choosing.ANY), "required"),
        (ToolChoice(mode=Choosing.NAMED, names=("f",)), {"type": "function", "name": "f"}),
        (
            ToolChoice(mode=Choosing.NAMED, names=("f", "g")),
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": name} for name in "fg"],
            },
        ),
    ],
)
def test_a_choice_of_tools_is_kept(choice: ToolChoice | None, expected: object) -> None:
    request = Request(
        tools=(Tool(name="f", description="d"),), tool_choice=choice, parallel_calls=False
    )

    found = written(request)

    assert found.get("tool_choice") == expected
    assert found["parallel_tool_calls"] is False
    assert found["tools"] == [
        {
            "type": "function",
            "name": "f",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
            "description": "d",
        }
    ]


@pytest.mark.parametrize(
    ("result", "output"),
    [
        (ToolResult(id="c"), ""),
        (ToolResult(id="c", content=(Text(text="x"),)), "x"),
        (
            ToolResult(id="c", content=(Text(text="x"),), is_error=True),
            [{"type": "input_text", "text": "error:"}, {"type": "input_text", "text": "x"}],
        ),
        (
            ToolResult(id="c", content=(Media(medium=Medium.IMAGE, mime="image/png", data=PIXEL),)),
            [
                {
                    "type": "input_image",
                    "image_url": f"data:image/png;base64,{PIXEL}",
                    "detail": "auto",
                }
            ],
        ),
    ],
)
def test_results_are_written(result: ToolResult, output: object) -> None:
    found = written(said(Role.USER, result))["input"]

    assert found == [{"type": "function_call_output", "call_id": "c", "output": output}]


def test_thinking_goes_back_to_openai_alone() -> None:
    own = Thinking(text="t", seal=Seal(origin=Dialect.RESPONSES, value="e", id="rs_1"))
    foreign = Thinking(text="t", seal=Seal(origin=Dialect.GEMINI, value="g"))
    call = ToolCall(id="c", name="f", arguments="")

    out = write_request(said(Role.ASSISTANT, own, Thinking(text="x"), foreign, call), TARGET)

    assert json.loads(out.body)["input"] == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "t"}],
            "encrypted_content": "e",
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    assert out.dropped == ("thinking",)


def test_refusals_are_said_by_whom_they_were_said() -> None:
    refusal = Refusal(text="No.")

    model = written(said(Role.ASSISTANT, refusal))["input"][0]["content"]
    user = written(said(Role.USER, refusal))["input"][0]["content"]

    assert model == [{"type": "refusal", "refusal": "No."}]
    assert user == [{"type": "input_text", "text": "No."}]


def test_what_is_lost_is_named() -> None:
    drawn = Sampling(top_k=1, seed=2, stop=("END",))
    image = Media(medium=Medium.IMAGE, url="https://e.org")
    request = replace(said(Role.ASSISTANT, image), sampling=drawn, choices=2, dropped=("x",))

    out = write_request(request, TARGET)

    assert out.dropped == ("x", "top_k", "seed")
    assert out.lacks == ("input.assistant.media", "stop", "n")


def test_tools_calls_and_results_go_back_to_openai_as_they_came() -> None:
    function = {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}
    tools = [
        {"type": "custom", "name": "p"},
        {"type": "namespace", "name": "n", "description": "n", "tools": [function]},
        {"type": "tool_search", "execution": "client", "parameters": SCHEMA},
    ]
    items = [
        {"type": "custom_tool_call", "call_id": "a", "name": "p", "input": "text"},
        {"type": "custom_tool_call_output", "call_id": "a", "output": "done"},
        {"type": "function_call", "call_id": "b", "name": "f", "namespace": "n", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "b", "output": "done"},
        {"type": "tool_search_call", "call_id": "c", "execution": "client", "arguments": {"q": 1}},
        {
            "type": "tool_search_output",
            "call_id": "c",
            "execution": "client",
            "status": "completed",
            "tools": [],
        },
    ]

    found = written(read_request(json.dumps({"input": items, "tools": tools}).encode()))

    assert found["tools"] == tools
    assert found["input"] == items


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "custom", "name": "p"},
        {"type": "function", "name": "f", "namespace": "n"},
    ],
)
def test_a_choice_is_spelled_as_its_tool(choice: dict[str, str]) -> None:
    namespace = {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]}
    asked = {
        "input": "x",
        "tools": [{"type": "custom", "name": "p"}, namespace],
        "tool_choice": choice,
    }

    assert written(read_request(json.dumps(asked).encode()))["tool_choice"] == choice
