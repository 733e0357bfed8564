"""The neutral conversation is written as a request of OpenAI's chat, and read back as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from spillover.protocols.chat.requests_in import read_request
from spillover.protocols.chat.requests_out import write_request
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
from tests.protocols.conversations import CONVERSATION, PIXEL, SCHEMA, meaning
from tests.protocols.strategies import requests

TARGET = Target(model="up", provider="openrouter")


def written(request: Request, target: Target = TARGET) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(write_request(request, target).body)
    return found


def user(*parts: Part) -> Request:
    return Request(turns=(Turn(role=Role.USER, parts=parts),))


@given(requests())
def test_what_is_written_is_read_back(request: Request) -> None:
    out = write_request(request, TARGET)

    assert (out.dropped, out.lacks) == ((), ())
    assert meaning(read_request(out.body)) == meaning(request)


def test_a_whole_conversation_comes_back() -> None:
    out = write_request(CONVERSATION, TARGET)

    assert (out.dropped, out.lacks) == ((), ())
    assert meaning(read_request(out.body)) == meaning(CONVERSATION)


def test_all_that_chat_has_is_written() -> None:
    found = written(
        Request(
            system=(Text(text="Be brief."),),
            turns=(
                Turn(role=Role.SYSTEM, parts=(Text(text="Now."), Refusal(text="never"))),
                Turn(role=Role.ASSISTANT, parts=(Refusal(text="No."),)),
            ),
            format=OutputFormat(schema=SCHEMA, name="n", description="d", strict=True),
            sampling=Sampling(max_tokens=500, seed=1, logprobs=2),
            reasoning=Reasoning(budget=9_000),
            stream=True,
            user="u",
            choices=2,
            openai={"store": True},
        ),
        Target(model="up", provider="openai", max_output_tokens=100, asks_usage=True),
    )

    assert found == {
        "model": "up",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "system", "content": "Now."},
            {"role": "assistant", "content": None, "refusal": "No."},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 100,
        "seed": 1,
        "logprobs": True,
        "top_logprobs": 2,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": SCHEMA, "description": "d", "strict": True},
        },
        "reasoning_effort": "high",
        "user": "u",
        "n": 2,
        "store": True,
    }


def test_forms_and_efforts_are_written_as_chat_names_them() -> None:
    bare = OutputFormat(schema=SCHEMA)

    assert written(Request(format=OutputFormat()))["response_format"] == {"type": "json_object"}
    assert "strict" not in written(Request(format=bare))["response_format"]["json_schema"]
    assert written(Request(reasoning=Reasoning(effort="max")))["reasoning_effort"] == "xhigh"
    assert "reasoning_effort" not in written(Request(reasoning=Reasoning(shown=True)))
    assert "top_logprobs" not in written(Request(sampling=Sampling(logprobs=0)))
    assert "stream_options" not in written(Request(stream=True))


def test_tools_are_written_where_nobody_chose_among_them() -> None:
    found = written(replace(CONVERSATION, tool_choice=None))

    assert found["tools"]
    assert "tool_choice" not in found


@pytest.mark.parametrize(
    ("choice", "expected", "left"),
    [
        (ToolChoice(mode=Choosing.ANY), "required", ["f", "g"]),
        (
            ToolChoice(mode=Choosing.NAMED, names=("f",)),
            {"type": "function", "function": {"name": "f"}},
            ["f", "g"],
        ),
        (ToolChoice(mode=Choosing.NAMED, names=("g", "h")), "required", ["g"]),
    ],
)
def test_a_choice_of_tools_is_kept(choice: ToolChoice, expected: object, left: list[str]) -> None:
    tools = (Tool(name="f", strict=True), Tool(name="g"))

    found = written(Request(tools=tools, tool_choice=choice, parallel_calls=False))

    assert found["tool_choice"] == expected
    assert [tool["function"]["name"] for tool in found["tools"]] == left
    assert found["parallel_tool_calls"] is False


def test_what_a_tool_found_beside_text_is_said_behind_it() -> None:
    image = Media(medium=Medium.IMAGE, mime="image/png", data=PIXEL, detail="low")
    result = ToolResult(id="c", content=(Text(text="a"), image, Text(text="b")), is_error=True)

    found = written(user(result, Text(text="Well?")))["messages"]

    assert found == [
        {"role": "tool", "tool_call_id": "c", "content": "error: a\nb"},
        {
            "role": "user",
            "content": [
                {
                    "type": "image_url",
                    "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"},
                },
                {"type": "text", "text": "Well?"},
            ],
        },
    ]


def test_results_alone_are_messages_alone() -> None:
    found = written(user(ToolResult(id="c")))["messages"]

    assert found == [{"role": "tool", "tool_call_id": "c", "content": ""}]


def test_sounds_and_files_are_written() -> None:
    sound = Media(medium=Medium.AUDIO, mime="audio/mpeg", data="QQ==")
    file = Media(medium=Medium.FILE, data="QQ==")

    out = write_request(user(sound, file), TARGET)

    assert json.loads(out.body)["messages"][0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "mp3"}},
        {
            "type": "file",
            "file": {
                "filename": "file",
                "file_data": "data:application/octet-stream;base64,QQ==",
            },
        },
    ]
    assert not out.lacks


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Media(medium=Medium.IMAGE, file_id="f"), "file_id"),
        (Media(medium=Medium.AUDIO, mime="audio/aac", data="QQ=="), "audio/aac"),
        (Media(medium=Medium.AUDIO, url="https://e.org"), "audio"),
        (Media(medium=Medium.VIDEO, url="https://e.org"), "video"),
        (Media(medium=Medium.FILE, file_id="f"), "file_id"),
        (Media(medium=Medium.FILE, url="https://e.org"), "file_url"),
    ],
)
def test_media_that_chat_does_not_take_are_lacking(part: Media, name: str) -> None:
    assert write_request(user(part), TARGET).lacks == (name,)


def test_media_of_the_model_are_lacking() -> None:
    turn = Turn(role=Role.ASSISTANT, parts=(Media(medium=Medium.IMAGE, data=PIXEL),))

    assert write_request(Request(turns=(turn,)), TARGET).lacks == ("messages.assistant.media",)


def test_thinking_goes_back_to_its_own_provider_alone() -> None:
    own = Thinking(text="mine", seal=Seal(origin=Dialect.CHAT, value=""))
    foreign = Thinking(text="theirs", seal=Seal(origin=Dialect.ANTHROPIC, value="s"))
    call = ToolCall(id="c", name="f", arguments="")
    request = Request(turns=(Turn(role=Role.ASSISTANT, parts=(own, foreign, call)),))

    plain = Target(model="up", provider="deepseek")

    out = write_request(request, plain)
    unowned = replace(request, turns=(Turn(role=Role.ASSISTANT, parts=(foreign,)),))
    without = written(unowned, Target(model="up"))["messages"]

    assert (
        write_request(
            replace(request, turns=(Turn(role=Role.ASSISTANT, parts=(own,)),)), plain
        ).dropped
        == ()
    )
    assert json.loads(out.body)["messages"][0]["reasoning_content"] == "mine"
    assert out.dropped == ("thinking",)
    assert without == []


def test_mistral_takes_no_thoughts_back() -> None:
    thought = Thinking(text="mine", seal=Seal(origin=Dialect.CHAT, value=""))
    turn = Turn(role=Role.ASSISTANT, parts=(thought, Text(text="x")))

    out = write_request(Request(turns=(turn,)), Target(model="up", provider="mistral"))

    assert json.loads(out.body)["messages"][0] == {"role": "assistant", "content": "x"}
    assert out.dropped == ("thinking",)


def test_what_was_lost_before_is_still_named() -> None:
    request = Request(dropped=("a",), lacks=("b",), sampling=Sampling(top_k=1))

    out = write_request(request, TARGET)

    assert (out.dropped, out.lacks) == (("a", "top_k"), ("b",))
