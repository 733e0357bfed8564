"""The neutral conversation is written as a request of Anthropic's Messages, and read back as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from spillover.protocols.anthropic.requests_in import read_request
from spillover.protocols.anthropic.requests_out import write_request
from spillover.protocols.chat import requests_in as chat_in
from spillover.protocols.chat import requests_out as chat_out
from spillover.protocols.conversation.requests import (
    Choosing,
    OutputFormat,
    Part,
    Reasoning,
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
from tests.protocols.conversations import CONVERSATION, SCHEMA, meaning
from tests.protocols.strategies import requests

NEW = Target(model="claude-opus-4-6")
OLD = Target(model="claude-sonnet-4-5-20250929")
HELLO = Turn(role=Role.USER, parts=(Text(text="Hi"),))


def written(request: Request, target: Target = NEW) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(write_request(request, target).body)
    return found


@given(requests())
def test_what_is_written_is_read_back(request: Request) -> None:
    out = write_request(request, NEW)

    assert (out.dropped, out.lacks) == ((), ())
    assert meaning(read_request(out.body)) == meaning(request)


@given(requests())
def test_chat_to_anthropic_and_back_keeps_the_meaning(request: Request) -> None:
    router = Target(model="up", provider="openrouter")
    chat = chat_out.write_request(request, router).body

    through = read_request(write_request(chat_in.read_request(chat), NEW).body)

    back = chat_in.read_request(chat_out.write_request(through, router).body)
    assert meaning(back) == meaning(chat_in.read_request(chat))


def test_a_whole_conversation_comes_back() -> None:
    out = write_request(CONVERSATION, NEW)

    assert (out.dropped, out.lacks) == ((), ())
    assert meaning(read_request(out.body)) == meaning(CONVERSATION)


def test_a_result_of_nothing_has_no_content() -> None:
    call = Turn(role=Role.ASSISTANT, parts=(ToolCall(id="a", name="f", arguments="{}"),))
    result = Turn(role=Role.USER, parts=(ToolResult(id="a", content=()),))

    found = written(Request(turns=(HELLO, call, result)))

    (block,) = found["messages"][-1]["content"]
    assert block == {"type": "tool_result", "tool_use_id": "a"}


def test_sides_alternate_and_results_come_first() -> None:
    system = Turn(role=Role.SYSTEM, parts=(Text(text="Hurry."),))
    result = ToolResult(id="call 1", content=(Text(text="x"),), is_error=True)
    turns = (
        HELLO,
        system,
        Turn(role=Role.USER, parts=(Text(text="Well?"), Text(text=" "))),
        Turn(role=Role.ASSISTANT, parts=(ToolCall(id="call 1", name="f", arguments="{"),)),
        Turn(role=Role.ASSISTANT, parts=()),
        Turn(role=Role.USER, parts=(Text(text="So:"), result, ToolResult(id="c2"))),
    )

    found = written(Request(system=(Text(text="Be brief."),), turns=turns))

    assert found["system"] == [
        {"type": "text", "text": "Be brief."},
        {"type": "text", "text": "Hurry."},
    ]
    assert [message["role"] for message in found["messages"]] == ["user", "assistant", "user"]
    assert found["messages"][1]["content"][0]["input"] == {"arguments": "{"}
    assert found["messages"][2]["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": "call_1",
            "content": [{"type": "text", "text": "x"}],
            "is_error": True,
        },
        {"type": "tool_result", "tool_use_id": "c2"},
        {"type": "text", "text": "So:"},
    ]


def test_the_systems_words_alone_are_said_by_the_user() -> None:
    found = written(Request(system=(Text(text="Write a poem."),)))

    assert found["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Write a poem."}]}
    ]
    assert "system" not in found
    assert "stream" not in found
    assert written(Request(stream=True))["stream"] is True


@pytest.mark.parametrize(
    ("asked", "cap", "expected"),
    [
        (None, None, 4_096),
        (None, 64_000, 64_000),
        (9_000, 8_192, 8_192),
        (0, None, 1),
        (7, None, 7),
    ],
)
def test_a_most_is_always_stated(asked: int | None, cap: int | None, expected: int) -> None:
    request = Request(sampling=Sampling(max_tokens=asked))

    assert written(request, replace(NEW, max_output_tokens=cap))["max_tokens"] == expected


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(mode=Choosing.NONE), False, {"type": "none"}),
        (ToolChoice(mode=Choosing.ANY), None, {"type": "any"}),
        (ToolChoice(mode=Choosing.NAMED, names=("f",)), None, {"type": "tool", "name": "f"}),
        (ToolChoice(mode=Choosing.NAMED, names=("f", "g")), None, {"type": "any"}),
    ],
)
def test_a_choice_of_tools_is_kept(
    choice: ToolChoice | None,
    parallel: bool | None,  # noqa: FBT001 - a parameter of the table
    expected: object,
) -> None:
    tools = tuple(Tool(name=name) for name in "fgh")
    request = Request(turns=(HELLO,), tools=tools, tool_choice=choice, parallel_calls=parallel)

    found = written(request)

    assert found.get("tool_choice") == expected
    named = [tool["name"] for tool in found["tools"]]
    assert named == (["f", "g"] if choice and len(choice.names) > 1 else ["f", "g", "h"])


def test_tools_always_have_a_schema() -> None:
    tools = (Tool(name="f", strict=True), Tool(name="g", description="d", schema=SCHEMA))

    out = write_request(Request(turns=(HELLO,), tools=tools), NEW)

    assert json.loads(out.body)["tools"] == [
        {"name": "f", "input_schema": {"type": "object", "properties": {}}},
        {"name": "g", "input_schema": SCHEMA, "description": "d"},
    ]
    assert out.dropped == ("tools.strict",)


def test_a_schema_of_the_answer_is_enforced_where_the_model_can() -> None:
    request = Request(turns=(HELLO,), format=OutputFormat(schema=SCHEMA))

    assert written(request)["output_config"] == {
        "format": {"type": "json_schema", "schema": SCHEMA}
    }
    assert write_request(request, Target(model="claude-3-5-haiku-latest")).lacks == ("json_schema",)
    assert write_request(request, Target(model="claude-sonnet-4-20250514")).lacks == (
        "json_schema",
    )
    assert write_request(replace(request, format=OutputFormat()), NEW).lacks == ("json_object",)


def test_new_models_think_by_effort() -> None:
    form = OutputFormat(schema=SCHEMA)
    request = Request(turns=(HELLO,), reasoning=Reasoning(effort="minimal"), format=form)

    found = written(request)

    assert found["thinking"] == {"type": "adaptive"}
    assert found["output_config"]["effort"] == "low"
    assert "format" in found["output_config"]
    shown = written(replace(request, reasoning=Reasoning(shown=True), format=None))
    assert (shown["thinking"], shown.get("output_config")) == ({"type": "adaptive"}, None)


def test_older_models_think_within_a_budget() -> None:
    request = Request(turns=(HELLO,), reasoning=Reasoning(effort="low"))
    bounded = replace(request, sampling=Sampling(max_tokens=1_500))
    tight = replace(request, sampling=Sampling(max_tokens=1_000))

    found = written(request, OLD)

    assert found["thinking"] == {"type": "enabled", "budget_tokens": 2_048}
    assert found["max_tokens"] == 4_096 + 2_048
    assert written(bounded, OLD)["thinking"]["budget_tokens"] == 1_499
    assert write_request(tight, OLD).dropped == ("reasoning_effort",)
    assert "thinking" not in written(replace(request, reasoning=Reasoning(budget=0)), OLD)


def test_thinking_is_left_out_where_it_would_be_refused() -> None:
    call = ToolCall(id="c", name="f", arguments="{}")
    thought = Thinking(text="t", seal=Seal(origin=Dialect.ANTHROPIC, value="s"))

    def after(*parts: Part) -> Request:
        said = Turn(role=Role.ASSISTANT, parts=parts)
        back = Turn(role=Role.USER, parts=(ToolResult(id="c"),))
        return Request(turns=(HELLO, said, back), reasoning=Reasoning(effort="low"))

    forced = Request(
        turns=(HELLO,),
        tools=(Tool(name="f"),),
        tool_choice=ToolChoice(mode=Choosing.ANY),
        reasoning=Reasoning(effort="low"),
    )

    assert write_request(after(call), OLD).dropped == ("reasoning_effort",)
    assert "thinking" in written(after(thought, call), OLD)
    assert "thinking" in written(after(call), NEW)
    assert write_request(forced, NEW).dropped == ("reasoning_effort",)


def test_sampling_keeps_within_what_is_taken() -> None:
    hot = Sampling(temperature=1.7, top_p=0.9, top_k=4, stop=("END", "\n"), seed=1, logprobs=0)
    request = Request(turns=(HELLO,), sampling=hot, choices=2, user="u", openai={"store": True})

    out = write_request(request, NEW)
    thinks = write_request(replace(request, reasoning=Reasoning(effort="low")), NEW)

    found = json.loads(out.body)
    assert (found["temperature"], found["top_k"], found["stop_sequences"]) == (1, 4, ["END"])
    assert found["metadata"] == {"user_id": "u"}
    assert out.dropped == ("temperature", "top_p", "seed", "store")
    assert out.lacks == ("stop", "logprobs", "n")
    assert set(thinks.dropped) >= {"temperature", "top_p", "top_k"}
    assert written(Request(sampling=Sampling(top_p=0.5)))["top_p"] == 0.5
