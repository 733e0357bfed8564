"""Conversations that clients of Responses name by their last answer's id, put together again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.protocols.responses.recall import listed, previous_of, recalled, said_in

REQUEST = {"model": "m", "input": "hello"}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
SEALED = {**THOUGHT, "encrypted_content": "abc"}
ANSWER: dict[str, Any] = {"id": "resp_1", "output": [THOUGHT, SEALED, MESSAGE, 7]}


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_what_was_said_takes_the_place_of_the_id() -> None:
    said = said_in(written(REQUEST), written(ANSWER), stream=False)
    assert said is not None
    body = written({**REQUEST, "input": [{"role": "user"}], "previous_response_id": said.id})

    assert previous_of(body) == "resp_1"
    found = json.loads(recalled(body, said.items))

    unnamed = {name: value for name, value in MESSAGE.items() if name != "id"}
    first = {"role": "user", "content": "hello"}
    assert found == {"model": "m", "input": [first, SEALED, unnamed, {"role": "user"}]}


@pytest.mark.parametrize("kind", ["completed", "incomplete"])
def test_the_end_of_a_stream_tells_all_of_it(kind: str) -> None:
    event = {"type": f"response.{kind}", "response": ANSWER}
    told = b"event: x\ndata: {}\n\ndata: " + written(event) + b"\n\n: end\n\n"

    said = said_in(written(REQUEST), told, stream=True)

    assert said is not None
    assert said.id == "resp_1"


@pytest.mark.parametrize(
    ("request_", "answer", "stream"),
    [
        ({**REQUEST, "store": False}, written(ANSWER), False),
        (REQUEST, b"<html>", False),
        (REQUEST, written({"error": {}}), False),
        (REQUEST, written({"id": "x", "output": None}), False),
        (REQUEST, b'event: error\ndata: {"type":"error"}\n\n', True),
        (REQUEST, b'data: {"type":"response.completed"}\n\n', True),
        ([], written(ANSWER), False),
    ],
)
def test_nothing_else_is_remembered(request_: Any, answer: bytes, *, stream: bool) -> None:
    assert said_in(written(request_), answer, stream=stream) is None


@pytest.mark.parametrize("body", [b"<html>", written(REQUEST), b'{"previous_response_id": 7}'])
def test_most_requests_go_on_from_nothing(body: bytes) -> None:
    assert previous_of(body) is None


def test_a_request_without_input_says_nothing_new() -> None:
    found = recalled(b'{"previous_response_id": "x"}', b"[1]")

    assert json.loads(found) == {"input": [1]}


def test_the_answer_itself_is_kept_as_it_was() -> None:
    said = said_in(written(REQUEST), written(ANSWER), stream=False)

    assert said is not None
    assert json.loads(said.answer) == ANSWER
    assert said.size == len(said.items) + len(said.answer)


def test_what_was_said_before_is_listed_page_by_page() -> None:
    items = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"type": "function_call", "id": "fc_1", "call_id": "1"},
        "odd",
    ]
    said = said_in(written({"input": items}), written(ANSWER), stream=False)
    assert said is not None

    first = listed(said, limit=3, after=None, oldest_first=True)
    rest = listed(said, limit=3, after=first["last_id"], oldest_first=True)
    latest = listed(said, limit=1, after=None, oldest_first=False)

    names = ["resp_1_in_0", "resp_1_in_1", "fc_1", "resp_1_in_3"]
    assert [item["id"] for item in first["data"]] == names[:3]
    assert first["data"][0]["content"] == [{"type": "input_text", "text": "a"}]
    assert first["data"][1]["content"] == [{"type": "output_text", "text": "b"}]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert [item["id"] for item in rest["data"]] == names[3:]
    assert latest["data"] == rest["data"]
    assert listed(said, limit=3, after=names[3], oldest_first=True)["first_id"] is None
