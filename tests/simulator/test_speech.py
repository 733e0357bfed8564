"""Answers in the dialect, as bodies and as streams."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from spillover.simulator.answers import Voice, answer
from spillover.simulator.asked import Asked, Operation, read
from spillover.simulator.faults import Part
from spillover.simulator.flavours import FLAVOURS
from spillover.simulator.speech import Event, Speaker, embeddings_body, failing
from tests.simulator.asking import chat
from tests.simulator.test_answers import WEATHER

VOICE = Voice(title="simulated", text="one two")


def a_speaker(asked: Asked, flavour: str = "generic") -> Speaker:
    return Speaker(asked, FLAVOURS[flavour], serial=7, created_at=5)


def asked(body: dict[str, Any], operation: Operation = Operation.CHAT) -> Asked:
    return read(json.dumps(body).encode(), operation)


def body(fields: dict[str, Any], operation: Operation = Operation.CHAT) -> Any:
    request = asked(fields, operation)
    return json.loads(a_speaker(request).body(answer(request, VOICE)))


def events(
    fields: dict[str, Any], flavour: str = "generic", operation: Operation = Operation.CHAT
) -> list[tuple[Part, Any]]:
    request = asked(fields, operation)
    return [
        (event.part, decoded(event.data))
        for event in a_speaker(request, flavour).events(answer(request, VOICE))
    ]


def decoded(data: bytes) -> Any:
    text = data.decode().removeprefix("data: ")
    return text.strip() if text.startswith("[") else json.loads(text)


def test_a_whole_answer_has_choices_and_usage() -> None:
    found = body(chat())

    assert (found["id"], found["created"], found["model"]) == ("chatcmpl-sim-7", 5, "m")
    assert found["object"] == "chat.completion"
    assert found["choices"][0]["message"] == {"role": "assistant", "content": "one two"}
    assert found["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}


def test_a_whole_completion_has_text() -> None:
    found = body({"model": "m", "prompt": "p", "logprobs": 1}, Operation.COMPLETIONS)

    assert found["object"] == "text_completion"
    assert found["choices"][0]["text"] == "one two"
    assert found["choices"][0]["logprobs"]["tokens"] == ["one two"]


def test_a_tool_call_is_a_message_without_content() -> None:
    choice = body(chat("a tool", tools=[WEATHER]))["choices"][0]

    call = choice["message"]["tool_calls"][0]
    assert choice["message"]["content"] is None
    assert choice["finish_reason"] == "tool_calls"
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "simulated", "days": 1}


def test_logprobs_are_told_when_asked_for() -> None:
    with_them, without = body(chat(logprobs=True)), body(chat(logprobs=False))

    assert with_them["choices"][0]["logprobs"]["content"][0]["token"] == "one two"
    assert without["choices"][0]["logprobs"] is None


def test_a_stream_has_role_content_finish_and_sentinel() -> None:
    found = events(chat(stream=True))

    parts = [part for part, _ in found]
    assert parts == [Part.ROLE, Part.CONTENT, Part.CONTENT, Part.FINISH, Part.DONE]
    assert found[0][1]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [event["choices"][0]["delta"]["content"] for _, event in found[1:3]] == ["one", " two"]
    assert found[3][1]["choices"][0]["finish_reason"] == "stop"
    assert found[4][1] == "[DONE]"


@pytest.mark.parametrize(
    ("flavour", "asks", "where"),
    [
        ("generic", False, {}),
        ("generic", True, {Part.USAGE: 1}),
        ("openai", True, {Part.USAGE: 1}),
        ("gemini", False, {}),
        ("gemini", True, {Part.CONTENT: 2, Part.FINISH: 1}),
        ("mistral", False, {Part.FINISH: 1}),
        ("mistral", True, {Part.FINISH: 1}),
    ],
)
def test_usage_is_told_where_the_flavour_tells_it(
    flavour: str, *, asks: bool, where: dict[Part, int]
) -> None:
    fields = chat(stream=True) | ({"stream_options": {"include_usage": True}} if asks else {})

    told = [
        (part, event["usage"])
        for part, event in events(fields, flavour)
        if part is not Part.DONE and event.get("usage")
    ]

    counted = {part: sum(one is part for one, _ in told) for part, _ in told}
    assert counted == where
    if told:
        assert told[-1][1]["total_tokens"] == 4


def test_a_running_usage_is_the_sum_so_far() -> None:
    fields = chat(stream=True, stream_options={"include_usage": True})

    outputs = [
        event["usage"]["completion_tokens"]
        for part, event in events(fields, "gemini")
        if part is not Part.DONE
    ]

    assert outputs == [1, 2, 2]


def test_groq_tells_usage_unasked_in_its_own_place() -> None:
    last = dict(events(chat(stream=True), "groq"))[Part.FINISH]

    assert last["x_groq"]["usage"]["total_tokens"] == 4


def test_openai_says_null_usage_in_every_event_but_the_last() -> None:
    found = events(chat(stream=True, stream_options={"include_usage": True}), "openai")

    assert all(
        event["usage"] is None for part, event in found if part not in {Part.USAGE, Part.DONE}
    )
    assert dict(found)[Part.USAGE]["choices"] == []


@pytest.mark.parametrize("flavour", ["gemini", "ollama"])
def test_some_repeat_the_role_instead_of_sending_it_first(flavour: str) -> None:
    part, first = events(chat(stream=True), flavour)[0]

    assert part is Part.CONTENT
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "one"}


def test_choices_take_turns_in_a_stream() -> None:
    found = events(chat(stream=True, n=2))

    turns = [event["choices"][0]["index"] for part, event in found if part is Part.CONTENT]
    ends = [event["choices"][0]["index"] for part, event in found if part is Part.FINISH]
    assert turns == [0, 1, 0, 1, 1, 1]
    assert ends == [0, 1]


def test_a_streamed_tool_call_names_itself_once_and_then_goes_on() -> None:
    found = [
        event["choices"][0]["delta"]["tool_calls"][0]
        for part, event in events(chat("a tool", stream=True, tools=[WEATHER]))
        if part is Part.CONTENT
    ]

    arguments = "".join(call["function"]["arguments"] for call in found)
    assert found[0]["function"]["name"] == "get_weather"
    assert all("name" not in call["function"] for call in found[1:])
    assert json.loads(arguments) == {"city": "simulated", "days": 1}


def test_a_streamed_completion_has_text_and_no_role() -> None:
    fields = {"model": "m", "prompt": "p", "stream": True}

    found = events(fields, operation=Operation.COMPLETIONS)

    assert found[0][0] is Part.CONTENT
    assert [event["choices"][0]["text"] for _, event in found[:3]] == ["one", " two", ""]


def test_a_failing_stream_tells_its_error_after_so_much_content() -> None:
    whole = [
        Event(Part.ROLE, b"r"),
        Event(Part.CONTENT, b"1"),
        Event(Part.CONTENT, b"2"),
        Event(Part.FINISH, b"f"),
    ]

    cut = [b"".join(event.data for event in failing(whole, after, b"E")) for after in (0, 1, 9)]

    assert cut == [b"rE", b"r1E", b"r12E"]


def test_embeddings_are_listed_with_their_usage() -> None:
    request = asked({"model": "m", "input": ["a", "b"]}, Operation.EMBEDDINGS)

    found = json.loads(embeddings_body(request, 4))

    assert [one["index"] for one in found["data"]] == [0, 1]
    assert [len(one["embedding"]) for one in found["data"]] == [4, 4]
    assert found["usage"] == {"prompt_tokens": 2, "total_tokens": 2}


def test_embeddings_come_as_short_and_as_encoded_as_asked_for() -> None:
    fields = {"model": "m", "input": "a", "dimensions": 3, "encoding_format": "base64"}

    found = json.loads(embeddings_body(asked(fields, Operation.EMBEDDINGS), 4))

    assert len(base64.b64decode(found["data"][0]["embedding"])) == 3 * 4
