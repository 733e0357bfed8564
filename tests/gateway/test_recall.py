"""Answers are remembered for those who got them, for a while and up to a size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from spillover.errors import RequestError
from spillover.gateway.recall import KEPT_S, Recall

if TYPE_CHECKING:
    from tests.serving import Served

MINE = b"a print of my key"
THEIRS = b"a print of theirs"
HELLO = json.dumps({"model": "m", "input": "hello"}).encode()


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def answer(name: str) -> bytes:
    return json.dumps({"id": name, "output": [{"type": "message", "content": name}]}).encode()


def going_on(name: str) -> bytes:
    return json.dumps({"input": "and?", "previous_response_id": name}).encode()


def inputs(body: bytes) -> list[Any]:
    return [item["content"] for item in json.loads(body)["input"]]


def test_a_conversation_goes_on_from_any_of_its_answers() -> None:
    recall = Recall(Clock())

    recall.keep(HELLO, answer("a"), MINE, stream=False)
    second = recall.completed(going_on("a"), MINE)
    recall.keep(second, answer("b"), MINE, stream=False)

    assert inputs(second) == ["hello", "a", "and?"]
    assert inputs(recall.completed(going_on("b"), MINE)) == ["hello", "a", "and?", "b", "and?"]
    assert recall.completed(HELLO, MINE) == HELLO


def test_nobody_goes_on_from_anothers_answer() -> None:
    recall = Recall(Clock())
    recall.keep(HELLO, answer("a"), MINE, stream=False)

    with pytest.raises(RequestError, match="no answer 'a' is remembered") as caught:
        recall.completed(going_on("a"), THEIRS)

    assert caught.value.param == "previous_response_id"


def test_an_hour_later_it_is_forgotten() -> None:
    clock = Clock()
    recall = Recall(clock)
    recall.keep(HELLO, answer("a"), MINE, stream=False)

    clock.at = KEPT_S
    recall.completed(going_on("a"), MINE)
    clock.at = KEPT_S + 1
    with pytest.raises(RequestError):
        recall.completed(going_on("a"), MINE)


def test_the_longest_unused_goes_where_there_is_no_room() -> None:
    recall = Recall(Clock(), most=300)
    recall.keep(HELLO, answer("a"), MINE, stream=False)
    recall.keep(HELLO, answer("b"), MINE, stream=False)

    recall.completed(going_on("a"), MINE)
    recall.keep(HELLO, answer("c"), MINE, stream=False)
    recall.keep(HELLO, answer("c"), MINE, stream=False)
    recall.keep(HELLO, answer("x" * 500), MINE, stream=False)

    assert inputs(recall.completed(going_on("a"), MINE))[1] == "a"
    assert inputs(recall.completed(going_on("c"), MINE))[1] == "c"
    with pytest.raises(RequestError):
        recall.completed(going_on("b"), MINE)


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_goes_on_through_the_gateway(served: Served, *, stream: bool) -> None:
    first = served.post("/v1/responses", {"input": "hello", "stream": stream})
    last = first.body.decode().split("data: ")[-1] if stream else first.body
    found = json.loads(last)
    name = found["response"]["id"] if stream else found["id"]

    second = served.post("/v1/responses", {"input": "and?", "previous_response_id": name})
    unknown = served.post("/v1/responses", {"input": "and?", "previous_response_id": "resp_0"})

    assert second.status == 200
    assert second.json["usage"]["input_tokens"] > 10
    assert (unknown.status, unknown.error["code"]) == (400, "previous_response_not_found")
