"""Whole answers of OpenAI's Responses are read, and written as its SDK reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace
from openai.types.responses import Response

from spillover.protocols.conversation.answers import Answer, Choice, Stop
from spillover.protocols.conversation.requests import Form, Spelling, Text, ToolCall
from spillover.protocols.responses.answers import read_answer, write_answer
from tests.protocols.conversations import ANSWERS, STAMP
from tests.protocols.strategies import answers


def read(*output: dict[str, Any], **fields: Any) -> Answer:
    return read_answer(json.dumps({"output": output, **fields}).encode())


@given(answers())
def test_what_is_written_is_read_back(answer: Answer) -> None:
    found = read_answer(write_answer(answer, STAMP))

    assert found.choices == answer.choices
    assert found.tokens == answer.tokens


@pytest.mark.parametrize("name", ANSWERS)
def test_the_sdk_reads_every_answer(name: str) -> None:
    found = Response.model_validate_json(write_answer(ANSWERS[name], STAMP))

    texts = [part.text for c in ANSWERS[name].choices for part in c.parts if isinstance(part, Text)]
    assert found.output_text == "".join(texts)


@pytest.mark.parametrize("name", ["logprobs", "refusal", "filtered", "foreign seals"])
def test_what_is_rare_comes_back_too(name: str) -> None:
    found = read_answer(write_answer(ANSWERS[name], STAMP)).choices[0]

    expected = ANSWERS[name].choices[0]
    assert (found.parts, found.stop) == (expected.parts, expected.stop)
    assert [token.token for token in found.logprobs] == [t.token for t in expected.logprobs]


def test_an_answer_as_openai_gives_it_is_read() -> None:
    found = read(
        {"type": "web_search_call", "id": "ws_1"},
        {
            "type": "message",
            "content": [
                {"type": "output_text", "text": "So."},
                {"type": "input_image", "file_id": "f"},
            ],
        },
        {"type": "function_call", "call_id": "c", "name": "f"},
        id="resp_1",
    )

    assert found == Answer(
        id="resp_1",
        choices=(
            Choice(
                parts=(Text(text="So."), ToolCall(id="c", name="f", arguments="")),
                stop=Stop.TOOLS,
            ),
        ),
    )
    cut = read(incomplete_details={"reason": "max_output_tokens"})
    assert cut.choices[0].stop is Stop.LENGTH


def test_a_call_is_written_as_the_client_spells_its_tool() -> None:
    call = ToolCall(id="c", name="p", arguments='{"input":"x"}')
    stamp = replace(STAMP, spellings={"p": Spelling(name="p", form=Form.FREEFORM)})

    found = json.loads(write_answer(Answer(choices=(Choice(parts=(call,)),)), stamp))

    assert found["output"][0]["type"] == "custom_tool_call"
    assert found["output"][0]["input"] == "x"
