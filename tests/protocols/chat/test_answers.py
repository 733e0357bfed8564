"""Whole answers of OpenAI's chat are read, and written as its SDK reads them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from openai.types.chat import ChatCompletion

from spillover.protocols.chat.answers import read_answer, words, write_answer
from spillover.protocols.conversation.answers import Answer, Choice, Stop, Tokens
from spillover.protocols.conversation.fields import Malformed
from spillover.protocols.conversation.requests import Text, ToolCall
from tests.protocols.conversations import ANSWERS, STAMP
from tests.protocols.strategies import answers


@given(answers())
def test_what_is_written_is_read_back(answer: Answer) -> None:
    found = read_answer(write_answer(answer, STAMP))

    assert found.choices == answer.choices
    assert found.tokens == answer.tokens


@pytest.mark.parametrize("name", ANSWERS)
def test_the_sdk_reads_every_answer(name: str) -> None:
    found = ChatCompletion.model_validate_json(write_answer(ANSWERS[name], STAMP))

    assert found.id == "chatcmpl-abc123"


def test_log_probabilities_and_refusals_come_back() -> None:
    for name in ("logprobs", "refusal"):
        found = read_answer(write_answer(ANSWERS[name], STAMP))

        first, expected = found.choices[0], ANSWERS[name].choices[0]
        assert (first.parts, first.stop) == (expected.parts, expected.stop)
        assert [token.token for token in first.logprobs] == [
            token.token for token in expected.logprobs
        ]


def test_answers_of_lesser_dialects_are_read() -> None:
    body = {
        "choices": [
            {
                "message": {
                    "content": [{"type": "text", "text": "a"}, {"text": 1}, 7],
                    "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}, {}],
                },
                "logprobs": {"content": [{"token": "a"}]},
            },
            {"finish_reason": "novel"},
        ],
        "usage": {"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "completion_tokens": 2},
    }

    found = read_answer(json.dumps(body).encode())

    assert found.choices[0].parts == (
        Text(text="a"),
        ToolCall(id="", name="f", arguments='{"a":1}'),
        ToolCall(id="", name="", arguments=""),
    )
    assert found.choices[0].logprobs[0].bytes is None
    assert found.choices[1] == Choice(stop=Stop.END)
    assert found.tokens == Tokens(input=9, cached=4, output=2)
    assert words(7) == ""


def test_what_is_no_answer_is_malformed() -> None:
    with pytest.raises(Malformed):
        read_answer(b"[]")
