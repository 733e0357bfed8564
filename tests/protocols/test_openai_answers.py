"""Reading whole answers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.evidence import Shape
from spillover.core.failures import classify
from spillover.core.values import FailureClass, Operation, Usage
from spillover.protocols.openai_answers import WholeAnswer, hollow, read_answer

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
READ = Usage(requests=1, input_tokens=10, output_tokens=5)
UNUSED = {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10}


def read(body: object, operation: Operation = Operation.CHAT) -> WholeAnswer:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return read_answer(raw, operation, provider="somebody", headers={})


def a_chat(message: dict[str, Any], **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": "stop", **fields.pop("choice", {})}
    return {"id": "x", "object": "chat.completion", "choices": [choice], **fields}


def failure_of(answer: WholeAnswer) -> FailureClass:
    assert answer.evidence is not None
    return classify(answer.evidence, now=0.0).failure


def test_a_chat_answer_with_usage_is_whole() -> None:
    answer = read(a_chat({"role": "assistant", "content": "hi"}, usage=USAGE))

    assert answer == WholeAnswer(usage=READ)


@pytest.mark.parametrize(
    "message",
    [
        {"content": "hi"},
        {"content": [{"type": "text", "text": "hi"}]},
        {"content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]},
        {"content": None, "function_call": {"name": "f"}},
        {"content": "", "reasoning_content": "hm"},
        {"content": "", "reasoning": "hm"},
        {"content": None, "refusal": "I can't"},
        {"content": None, "audio": {"id": "a"}},
    ],
)
def test_anything_said_makes_an_answer(message: dict[str, Any]) -> None:
    assert read(a_chat(message)).evidence is None
    assert read(a_chat(message, usage=UNUSED)).evidence is None


def test_an_answer_without_usage_is_measured() -> None:
    answer = read(a_chat({"content": "你好 hi"}))

    assert answer.usage is None
    assert (answer.chars, answer.wide_chars) == (5, 2)


def test_an_answer_of_nothing_that_cost_something_is_whole() -> None:
    assert read(a_chat({"content": ""}, usage=USAGE)).evidence is None


@pytest.mark.parametrize("usage", [None, UNUSED])
def test_an_answer_of_nothing_that_cost_nothing_is_hollow(usage: object) -> None:
    answer = read(a_chat({"content": ""}, usage=usage))

    assert answer.evidence is not None
    assert answer.evidence.shape is Shape.HOLLOW
    assert failure_of(answer) is FailureClass.SERVER_ERROR


def test_an_answer_emptied_by_a_filter_was_filtered() -> None:
    answer = read(a_chat({"content": None}, choice={"finish_reason": "content_filter"}))

    assert failure_of(answer) is FailureClass.CONTENT_FILTER


@pytest.mark.parametrize("usage", [None, USAGE])
def test_an_answer_without_choices_is_hollow(usage: object) -> None:
    answer = read({"choices": [], "usage": usage})

    assert answer.evidence is not None
    assert answer.evidence.shape is Shape.HOLLOW


def test_a_choice_without_a_message_or_a_reason_is_hollow() -> None:
    answer = read({"choices": [{"index": 0}]})

    assert answer.evidence is not None
    assert answer.evidence.codes == ()


def test_a_legacy_completion_is_read() -> None:
    answer = read({"choices": [{"text": "hi", "index": 0}]}, Operation.COMPLETIONS)

    assert answer == WholeAnswer(chars=4)


def test_embeddings_are_whole_when_there_are_any() -> None:
    body = {"data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}

    answer = read(body, Operation.EMBEDDINGS)

    assert answer == WholeAnswer(usage=Usage(requests=1, input_tokens=3))


@pytest.mark.parametrize("body", [{"data": []}, {"data": None}, {"error": {"message": "no"}}])
def test_embeddings_that_are_not_there_are_a_failure(body: object) -> None:
    assert failure_of(read(body, Operation.EMBEDDINGS)) is FailureClass.SERVER_ERROR


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ({"error": {"message": "Rate limit exceeded", "code": 429}}, FailureClass.RATE_LIMITED),
        ([{"error": {"message": "no", "code": 503}}], FailureClass.OVERLOADED),
        ({"message": "the model is overloaded", "code": 1}, FailureClass.OVERLOADED),
        (a_chat({"content": "x"}, error={"code": 502}), FailureClass.BAD_GATEWAY),
        (a_chat({"content": "x"}, choice={"finish_reason": "error"}), FailureClass.SERVER_ERROR),
        (a_chat({"content": "x"}, choice={"error": {"code": 429}}), FailureClass.RATE_LIMITED),
        (b"<html><title>Just a moment</title></html>", FailureClass.SERVER_ERROR),
        (b"", FailureClass.SERVER_ERROR),
        (b"{", FailureClass.SERVER_ERROR),
        (b'{"choices": [{"message": {"content": "cut o', FailureClass.SERVER_ERROR),
        ({"hello": "world"}, FailureClass.SERVER_ERROR),
        ({"choices": "none"}, FailureClass.SERVER_ERROR),
    ],
)
def test_an_error_inside_200_is_an_error(body: object, failure: FailureClass) -> None:
    assert failure_of(read(body)) is failure


def test_a_null_error_beside_an_answer_is_none() -> None:
    assert read(a_chat({"content": "hi"}, error=None, usage=USAGE)).evidence is None


def test_usage_of_a_failed_answer_is_kept() -> None:
    answer = read(a_chat({"content": "x"}, error={"code": 502}, usage=USAGE))

    assert answer.usage == READ


@given(st.binary(max_size=100), st.sampled_from(Operation))
def test_any_body_is_read_without_harm(body: bytes, operation: Operation) -> None:
    assert read(body, operation).evidence is not None


def test_an_answer_that_a_filter_withheld_says_so() -> None:
    assert "content filter" in hollow("gemini", "content_filter").message
    assert hollow("gemini", "stop").message == "the answer is empty"


def test_a_half_character_spoils_no_answer() -> None:
    body = rb'{"choices":[{"message":{"content":"cut \ud83d"},"finish_reason":"stop"}]}'

    assert read_answer(body, Operation.CHAT, headers={}).evidence is None
