"""Answers in other dialects, whole and streamed, as their documentation has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.simulator.answers import Answer, Choice
from spillover.simulator.asked import Asked, Operation
from spillover.simulator.faults import Part
from spillover.simulator.native_asked import read_native
from spillover.simulator.native_speech import NATIVE, responses_error
from spillover.simulator.replies import json_reply

BODIES: dict[Operation, dict[str, Any]] = {
    Operation.MESSAGES: {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hello"}],
    },
    Operation.RESPONSES: {"model": "m", "input": "hello"},
    Operation.GENERATE: {"contents": [{"parts": [{"text": "hello"}]}]},
}
TEXT = Answer(choices=(Choice(pieces=("one", " two")),), prompt_tokens=2)
CALL = Answer(
    choices=(Choice(pieces=('{"a"', ":1}"), tool="f", finish_reason="tool_calls"),),
    prompt_tokens=2,
)
CUT = Answer(choices=(Choice(pieces=("one",), finish_reason="length"),), prompt_tokens=2)
ANSWERS = {"text": TEXT, "call": CALL, "cut": CUT}


def asked(operation: Operation) -> Asked:
    return read_native(json.dumps(BODIES[operation]).encode(), operation, model="m")


def whole(operation: Operation, answer: Answer) -> Any:
    return json.loads(NATIVE[operation](asked(operation), serial=7, created_at=5).body(answer))


def events(operation: Operation, answer: Answer) -> list[tuple[Part, Any]]:
    speaker = NATIVE[operation](asked(operation), serial=7, created_at=5)
    found = [(event.part, event.data.decode()) for event in speaker.events(answer)]
    return [(part, json.loads(data.partition("data: ")[2])) for part, data in found]


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_anthropics_whole_answer(answer: Answer) -> None:
    found = whole(Operation.MESSAGES, answer)

    block = found["content"][0]
    assert found["usage"]["input_tokens"] == 2
    assert (found["stop_reason"], block.get("text"), block.get("input")) == {
        "text": ("end_turn", "one two", None),
        "call": ("tool_use", None, {"a": 1}),
        "cut": ("max_tokens", "one", None),
    }[next(name for name, each in ANSWERS.items() if each is answer)]


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("operation", NATIVE)
def test_a_stream_opens_says_its_pieces_and_ends(operation: Operation, answer: Answer) -> None:
    told = events(operation, answer)

    parts = [part for part, _ in told]
    contents = parts.count(Part.CONTENT)
    generates = operation is Operation.GENERATE
    assert contents == (1 if generates and answer is CALL else len(answer.choices[0].pieces))
    assert parts[-1] is (Part.FINISH if generates else Part.DONE)
    assert (parts[0] is Part.ROLE) is not generates


def test_geminis_last_chunk_says_why_and_what_it_used() -> None:
    _, last = events(Operation.GENERATE, CUT)[-1]

    assert last["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert last["usageMetadata"] == {
        "promptTokenCount": 2,
        "candidatesTokenCount": 1,
        "totalTokenCount": 3,
    }
    assert whole(Operation.GENERATE, CALL)["candidates"][0]["content"]["parts"] == [
        {"functionCall": {"name": "f", "args": {"a": 1}}}
    ]


def test_events_of_responses_are_numbered_and_end_with_all_of_it() -> None:
    told = [event for _, event in events(Operation.RESPONSES, TEXT)]

    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert told[-1]["type"] == "response.completed"
    assert told[-1]["response"]["output"][0]["content"][0]["text"] == "one two"
    assert told[-1]["response"]["usage"]["total_tokens"] == 4
    assert events(Operation.RESPONSES, CUT)[-1][1]["type"] == "response.incomplete"
    assert whole(Operation.RESPONSES, CUT)["status"] == "incomplete"
    assert whole(Operation.RESPONSES, CALL)["output"][0]["arguments"] == '{"a":1}'


def test_an_error_of_responses_is_an_event_of_its_own() -> None:
    event = responses_error(json_reply(500, {"error": {"code": "c", "message": "no"}}))

    assert event.startswith(b"event: error\ndata: ")
    assert json.loads(event.partition(b"data: ")[2])["message"] == "no"
