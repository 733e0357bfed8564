"""What a simulated model says."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from spillover.simulator.answers import Voice, answer, encoded, sample, vector
from spillover.simulator.asked import Operation, read
from spillover.simulator.spec import ScriptedCall
from tests.simulator.asking import chat

VOICE = Voice(title="simulated", text="one two three")
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        },
    },
}
TIME = {"type": "function", "function": {"name": "get_time"}}


def said(body: dict[str, Any], voice: Voice = VOICE, operation: Operation = Operation.CHAT) -> Any:
    return answer(read(json.dumps(body).encode(), operation), voice)


def test_the_same_question_has_the_same_answer_word_by_word() -> None:
    first, second = said(chat("hi")), said(chat("hi"))

    assert first == second
    assert first.choices[0].pieces == ("one", " two", " three")
    assert (first.prompt_tokens, first.completion_tokens) == (1, 4)


def test_a_provider_without_a_text_names_itself_and_the_model() -> None:
    text = said(chat(), Voice(title="simulated groq")).choices[0].text

    assert "simulated groq" in text
    assert " m," in text


@pytest.mark.parametrize(
    ("events", "text"),
    [(2, "one two"), (3, "one two three "), (5, "one two three one two"), (0, "")],
)
def test_events_repeat_or_drop_words(events: int, text: str) -> None:
    choice = said(chat(), Voice(title="t", text="one two three", events=events)).choices[0]

    assert len(choice.pieces) == events
    assert choice.text == text


@pytest.mark.parametrize(
    ("fields", "voice", "text"),
    [
        ({"max_tokens": 1}, VOICE, "one "),
        ({"max_tokens": 2}, VOICE, "one two "),
        ({"max_tokens": 100}, Voice(title="t", text="one two three", max_output_tokens=1), "one "),
    ],
)
def test_an_answer_is_cut_where_its_tokens_run_out(
    fields: dict[str, Any], voice: Voice, text: str
) -> None:
    choice = said(chat(**fields), voice).choices[0]

    assert (choice.text, choice.finish_reason) == (text, "length")


def test_each_choice_asked_for_is_answered_and_counted() -> None:
    found = said(chat(n=3))

    texts = [choice.text for choice in found.choices]
    assert texts == ["one two three", "one two three (choice 2)", "one two three (choice 3)"]
    assert found.completion_tokens == 4 + 6 + 6


def test_each_prompt_of_a_completions_request_is_answered() -> None:
    body = {"model": "m", "prompt": ["a", "b"], "n": 2}

    assert len(said(body, operation=Operation.COMPLETIONS).choices) == 4


@pytest.mark.parametrize(
    ("text", "choice", "called"),
    [
        ("please get_time now", None, "get_time"),
        ("use a tool", "auto", "get_weather"),
        ("hello", "required", "get_weather"),
        ("hello", {"type": "function", "function": {"name": "get_time"}}, "get_time"),
        ("hello", {"type": "function", "function": {"name": "unknown"}}, None),
        ("hello", "auto", None),
        ("use a tool", "none", None),
    ],
)
def test_a_tool_is_called_when_required_or_when_the_user_asks(
    text: str, choice: Any, called: str | None
) -> None:
    found = said(chat(text, tools=[WEATHER, TIME], tool_choice=choice)).choices[0]

    assert found.tool == called
    assert found.finish_reason == ("stop" if called is None else "tool_calls")


def test_a_tool_call_has_arguments_after_its_schema() -> None:
    choice = said(chat("use a tool", tools=[WEATHER])).choices[0]

    assert json.loads(choice.text) == {"city": "simulated", "days": 1}
    assert max(map(len, choice.pieces)) <= 8


def test_a_tools_result_is_answered_in_words() -> None:
    body = chat("use a tool", tools=[WEATHER])
    body["messages"].append({"role": "tool", "content": "tool says 5", "tool_call_id": "1"})

    assert said(body).choices[0].tool is None


def test_scripted_calls_are_made_in_turn_where_their_tools_are_offered() -> None:
    first, second = (
        ScriptedCall(tool=name, arguments={"n": name}) for name in ("get_time", "get_weather")
    )
    voice = Voice(title="t", text="done", calls=(first, second))
    result = {"role": "tool", "tool_call_id": "x", "content": "found"}
    messages = [{"role": "user", "content": "hi"}]

    turns = [
        said(chat(messages=messages + [result] * made, tools=[WEATHER, TIME]), voice).choices[0]
        for made in range(3)
    ]
    lacking = said(chat(messages=messages, tools=[WEATHER]), voice).choices[0]

    assert [(turn.tool, turn.text) for turn in turns] == [
        ("get_time", '{"n":"get_time"}'),
        ("get_weather", '{"n":"get_weather"}'),
        (None, "done"),
    ]
    assert lacking.tool is None


def test_no_tool_is_called_where_none_is_usable() -> None:
    assert said(chat("a tool", tools=[{"type": "function"}, "x"])).choices[0].tool is None
    assert said(chat("a tool", tools=[], tool_choice="required")).choices[0].tool is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"type": "json_object"}, {"answer": "simulated"}),
        (
            {
                "type": "json_schema",
                "json_schema": {"schema": {"properties": {"ok": {"type": "boolean"}}}},
            },
            {"ok": True},
        ),
    ],
)
def test_a_structured_answer_is_json_of_the_shape_asked_for(wanted: Any, found: Any) -> None:
    choice = said(chat(response_format=wanted), Voice(title="simulated", events=50)).choices[0]

    assert json.loads(choice.text) == found


def test_a_plain_response_format_changes_nothing() -> None:
    plain = said(chat(response_format={"type": "text"}))

    assert plain.choices == said(chat()).choices


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 5}, 5),
        ({"default": "d"}, "d"),
        ({"enum": ["a", "b"]}, "a"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, 1),
        ({"type": ["null", "string"]}, None),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": "array"}, ["simulated"]),
        ({}, "simulated"),
        ({"type": "object"}, {}),
    ],
)
def test_a_sample_fits_its_schema(schema: dict[str, Any], value: Any) -> None:
    assert sample(schema) == value


def test_a_vector_depends_on_model_and_text_alone_and_has_length_one() -> None:
    first, again = vector("m", "text", 8), vector("m", "text", 8)

    assert first == again
    assert len(first) == 8
    assert sum(number * number for number in first) == pytest.approx(1)
    assert first != vector("other", "text", 8)
    assert first != vector("m", "other", 8)


def test_an_encoded_vector_is_32_bit_floats() -> None:
    numbers = vector("m", "text", 4)

    found = struct.unpack("<4f", base64.b64decode(encoded(numbers)))

    assert found == pytest.approx(numbers)
