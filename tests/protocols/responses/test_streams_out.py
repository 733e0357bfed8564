"""Neutral deltas are written as a stream of OpenAI's Responses, as its SDK reads it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from spillover.protocols.conversation.answers import (
    Answer,
    CallBegin,
    CallDelta,
    Delta,
    Fault,
    Finish,
    Stop,
)
from spillover.protocols.conversation.fields import encode
from spillover.protocols.conversation.requests import Form, Spelling
from spillover.protocols.openai_errors import error_body
from spillover.protocols.responses.answers import read_answer
from spillover.protocols.responses.streams_in import StreamReader
from spillover.protocols.responses.streams_out import StreamWriter
from tests.protocols.conversations import (
    ANSWERS,
    STAMP,
    gathered,
    in_pieces,
    payloads,
    read_all,
    streamed,
)
from tests.protocols.strategies import answers

EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


@given(answers())
def test_what_is_written_is_read_back(answer: Answer) -> None:
    stream = streamed(StreamWriter(STAMP), in_pieces(answer))

    found = gathered(read_all(StreamReader().feed, stream))

    assert found.choices == answer.choices
    assert found.tokens == answer.tokens


@pytest.mark.parametrize("name", ANSWERS)
def test_the_sdk_reads_every_event(name: str) -> None:
    told = payloads(streamed(StreamWriter(STAMP), in_pieces(ANSWERS[name])))

    for event in told:
        EVENTS.validate_python(event)
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert [event["type"] for event in told[:2]] == ["response.created", "response.in_progress"]


@pytest.mark.parametrize("name", ANSWERS)
def test_the_last_event_holds_the_whole_answer(name: str) -> None:
    answer = ANSWERS[name]

    told = payloads(streamed(StreamWriter(STAMP), in_pieces(answer)))

    whole = read_answer(encode(told[-1]["response"]))
    expected = answer.choices[0] if answer.choices else None
    assert whole.choices[0].parts == (expected.parts if expected else ())
    done = [event["item"] for event in told if event["type"] == "response.output_item.done"]
    assert done == told[-1]["response"]["output"]


def test_calls_whose_pieces_are_mixed_are_open_side_by_side() -> None:
    deltas: list[Delta] = [
        CallBegin(call=0, id="a", name="f"),
        CallDelta(call=0, arguments='{"x"'),
        CallBegin(call=1, id="b", name="g"),
        CallDelta(call=0, arguments=":1}"),
        CallBegin(call=2, id="c", name="h"),
        CallDelta(call=0, arguments=" "),
        Finish(stop=Stop.TOOLS),
    ]

    told = payloads(streamed(StreamWriter(STAMP), deltas))

    output = told[-1]["response"]["output"]
    assert [(item["call_id"], item["arguments"]) for item in output] == [
        ("a", '{"x":1}'),
        ("b", "{}"),
        ("c", "{}"),
    ]


def test_the_first_choice_alone_has_room() -> None:
    both = replace(ANSWERS["text"], choices=ANSWERS["text"].choices * 2)

    told = payloads(streamed(StreamWriter(STAMP), in_pieces(both)))

    assert len(told[-1]["response"]["output"]) == 1


def test_an_error_ends_the_stream_as_its_own_event() -> None:
    writer = StreamWriter(STAMP)
    begun = payloads(b"".join(map(writer.feed, in_pieces(ANSWERS["text"]))))

    event = payloads(writer.error(error_body("stream_interrupted", "cut"), 502))[0]

    EVENTS.validate_python(event)
    assert event["sequence_number"] == len(begun)
    assert writer.feed(Fault(body=b"{}")) == b""


def test_calls_are_told_as_the_client_spells_its_tools() -> None:
    spellings = {
        "n__f": Spelling(name="f", namespace="n"),
        "p": Spelling(name="p", form=Form.FREEFORM),
        "tool_search": Spelling(name="tool_search", form=Form.SEARCH),
    }
    deltas: list[Delta] = []
    for number, name in enumerate(spellings):
        deltas += [
            CallBegin(call=number, id=name, name=name),
            CallDelta(call=number, arguments='{"input"'),
            CallDelta(call=number, arguments=':"x"}'),
        ]
    deltas.append(Finish(stop=Stop.TOOLS))

    told = payloads(streamed(StreamWriter(replace(STAMP, spellings=spellings)), deltas))

    for event in told:
        EVENTS.validate_python(event)
    kinds = [event["type"].removeprefix("response.") for event in told[2:-1]]
    assert kinds == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
        "output_item.added",
        "output_item.done",
    ]
    function, custom, search = told[-1]["response"]["output"]
    assert (function["name"], function["namespace"]) == ("f", "n")
    assert (custom["name"], custom["input"]) == ("p", "x")
    assert search["arguments"] == {"input": "x"}


def test_a_call_without_arguments_has_none_that_clients_can_read() -> None:
    deltas: list[Delta] = [CallBegin(call=0, id="a", name="now"), Finish(stop=Stop.TOOLS)]

    told = payloads(streamed(StreamWriter(STAMP), deltas))

    pieces = [each["delta"] for each in told if each["type"].endswith("arguments.delta")]
    (done,) = [each["arguments"] for each in told if each["type"].endswith("arguments.done")]
    assert "".join(pieces) == done == "{}"
