"""Whole answers of Gemini are read and written; its SDK reads them in `make test-clients`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from spillover.protocols.conversation.answers import Answer, Choice, Stop, Tokens
from spillover.protocols.conversation.requests import Refusal, Text, Thinking, ToolCall
from spillover.protocols.conversation.seals import Dialect, Seal
from spillover.protocols.gemini.answers import read_answer, write_answer
from tests.protocols.conversations import ANSWERS, STAMP
from tests.protocols.strategies import answers


def read(*candidates: dict[str, Any], **fields: Any) -> Answer:
    return read_answer(json.dumps({"candidates": candidates, **fields}).encode(), seed="s")


@given(answers())
def test_what_is_written_is_read_back(answer: Answer) -> None:
    found = read_answer(write_answer(answer, STAMP))

    assert found.choices == answer.choices
    assert found.tokens == answer.tokens


def test_an_answer_as_gemini_gives_it_is_read() -> None:
    parts = [
        {"text": "Hm.", "thought": True},
        {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "sig"},
        {"functionCall": {"name": "g", "args": {}}},
        {"executableCode": {}},
    ]

    found = read(
        {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0},
        usageMetadata={
            "promptTokenCount": 10,
            "cachedContentTokenCount": 4,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7,
            "toolUsePromptTokenCount": 1,
            "totalTokenCount": 23,
        },
        modelVersion="gemini-3-pro",
        responseId="r",
    )

    assert found == Answer(
        id="r",
        model="gemini-3-pro",
        choices=(
            Choice(
                parts=(
                    Thinking(text="Hm.", seal=Seal(origin=Dialect.GEMINI, value="sig")),
                    ToolCall(id="call_s_0", name="f", arguments='{"a":1}'),
                    ToolCall(id="call_s_1", name="g", arguments="{}"),
                ),
                stop=Stop.TOOLS,
            ),
        ),
        tokens=Tokens(input=11, cached=4, output=12, reasoning=7),
    )


def test_what_is_withheld_says_why() -> None:
    withheld = {"finishReason": "PROHIBITED_CONTENT", "finishMessage": "Not that."}

    assert read(withheld).choices == (
        Choice(parts=(Refusal(text="Not that."),), stop=Stop.FILTERED),
    )
    assert read(promptFeedback={"blockReason": "SAFETY"}).choices == (Choice(stop=Stop.FILTERED),)
    assert read(promptFeedback={}).choices == ()
    assert read({"finishReason": "NOVEL"}).choices == (Choice(stop=Stop.END),)


@pytest.mark.parametrize("name", ["logprobs", "refusal"])
def test_log_probabilities_and_refusals_come_back(name: str) -> None:
    found = read_answer(write_answer(ANSWERS[name], STAMP)).choices[0]

    expected = ANSWERS[name].choices[0]
    assert found.parts == expected.parts
    assert [(t.token, t.logprob, len(t.top)) for t in found.logprobs] == [
        (t.token, t.logprob, len(t.top)) for t in expected.logprobs
    ]


def test_log_probabilities_without_alternatives_are_read() -> None:
    chosen = [{"token": "a", "logProbability": -1}]

    found = read({"logprobsResult": {"chosenCandidates": chosen}}).choices[0].logprobs

    assert (found[0].token, found[0].logprob, found[0].top) == ("a", -1, ())


def test_unsealed_thoughts_are_written_bare() -> None:
    answer = Answer(choices=(Choice(parts=(Thinking(text="t"), Text(text="a"))),))

    found = json.loads(write_answer(answer, STAMP))["candidates"][0]["content"]["parts"]

    assert found == [{"text": "t", "thought": True}, {"text": "a"}]
