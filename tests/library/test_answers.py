"""What a library's user reads of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.core.refusals import Step
from spillover.errors import MalformedAnswer
from spillover.library.answers import (
    ChatAnswer,
    ToolCall,
    calls_of,
    first_of,
    reasoning_of,
    sent,
    text_of,
)
from spillover.library.forms import Form, form_of


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"choices": [{"index": 0, "message": {"content": "yes"}}]}, "yes"),
        ({"choices": [{"message": {"content": "no index"}}]}, "no index"),
        ({"choices": [{"index": 1, "message": {"content": "other"}}]}, ""),
        ({"choices": [{"index": 0, "message": {"content": None, "tool_calls": []}}]}, ""),
        ({"choices": [{"index": 0, "message": None}]}, ""),
        ({"choices": []}, ""),
        ({}, ""),
        (
            {"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"type": "x"}]}}]},
            "a",
        ),
    ],
    ids=["text", "no index", "second choice", "tools", "null", "no choice", "usage", "parts"],
)
def test_the_text_is_what_the_first_choice_says(raw: dict[str, Any], text: str) -> None:
    assert text_of(first_of(raw).get("message") or {}) == text


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_are_found_by_either_name(name: str) -> None:
    assert reasoning_of({name: "hm"}) == "hm"
    assert reasoning_of({"content": "yes"}) == ""


CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"at": 1}'}}


def test_calls_come_with_their_arguments_read() -> None:
    custom = {"id": "c2", "type": "custom", "custom": {"name": "x", "input": ""}}

    (call,) = calls_of({"tool_calls": [CALL, custom]})

    assert (call.id, call.name, call.arguments) == ("c1", "weather", {"at": 1})
    assert call.result("sunny") == {"role": "tool", "tool_call_id": "c1", "content": "sunny"}


def test_a_call_without_arguments_has_none() -> None:
    assert ToolCall(id="c", name="now", written="").arguments == {}


@pytest.mark.parametrize("written", ['{"at": ', "[1]"], ids=["cut short", "no object"])
def test_arguments_that_are_no_object_raise_when_they_are_read(written: str) -> None:
    call = ToolCall(id="c", name="weather", written=written)

    with pytest.raises(MalformedAnswer, match="'weather' is no JSON object") as raised:
        _ = call.arguments

    assert raised.value.text == written


def an_answer(text: str, form: Form[Any] | None = None, **more: Any) -> ChatAnswer[Any]:
    message = {"role": "assistant", "content": text, **more}
    return ChatAnswer(
        text=text,
        reasoning="",
        tool_calls=(),
        finish_reason="length",
        profile="groq",
        trail=(),
        usage=None,
        request_id="r1",
        raw={"choices": [{"index": 0, "message": message}]},
        form=form,
    )


def test_an_answer_is_parsed_as_it_was_asked_for() -> None:
    form = form_of({"type": "json_object"})

    assert an_answer('{"a": 1}', form).parsed == {"a": 1}
    assert an_answer("", form).parsed is None
    assert an_answer('{"a": 1}').parsed is None


def test_an_answer_that_was_cut_short_says_so_and_is_not_repeated_in_the_error() -> None:
    answer = an_answer('{"secret": ', form_of({"type": "json_object"}))

    with pytest.raises(MalformedAnswer) as raised:
        _ = answer.parsed

    assert str(raised.value) == "the model's answer (finish_reason: length) is no JSON"
    assert raised.value.text == '{"secret": '


def test_the_message_goes_into_the_next_request_as_it_came() -> None:
    assert an_answer("yes", tool_calls=[CALL]).message == {
        "role": "assistant",
        "content": "yes",
        "tool_calls": [CALL],
    }


def test_a_trail_says_who_was_sent_to_and_how_it_ended() -> None:
    trail = (Step(profile="groq", result="rate_limited"), Step(profile="glm", result="ok"))

    seen = sent(trail)

    assert [(entry.profile, entry.outcome) for entry in seen] == [
        ("groq", "rate_limited"),
        ("glm", "ok"),
    ]
