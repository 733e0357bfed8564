"""Reading requests, and writing them for an upstream."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.values import Capability, Demand, Operation, RoutingPolicy
from spillover.protocols import openai_chat
from spillover.protocols.openai_chat import (
    TEMPLATE_CHARS,
    TOKEN_CHARS,
    Asked,
    InvalidRequest,
    read_request,
)

PIXEL = "data:image/png;base64," + "iVBORw0KGgo" * 1_000


def read(body: object, operation: Operation = Operation.CHAT) -> Asked:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return read_request(raw, operation)


def a_chat(*contents: object, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": content} for content in contents or ("hi",)]
    return {"model": "default", "messages": messages, **fields}


def chars_of(*contents: object, **fields: Any) -> int:
    return read(a_chat(*contents, **fields)).chars - TEMPLATE_CHARS * len(contents)


def refusal_of(body: object, operation: Operation = Operation.CHAT) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        read(body, operation)
    return caught.value


def test_the_module_is_the_whole_dialect() -> None:
    assert all(hasattr(openai_chat, name) for name in openai_chat.__all__)


# --- what is asked ---


def test_a_plain_chat_is_understood() -> None:
    asked = read(a_chat("hello", temperature=0.5))

    assert asked.model == "default"
    assert asked.stream is False
    assert asked.client_wants_usage is False
    assert asked.chars == 5 + TEMPLATE_CHARS
    assert asked.choices == 1
    assert asked.max_output_tokens is None
    assert asked.needs == {Capability.CHAT}


@pytest.mark.parametrize("model", [None, "absent"])
def test_a_request_may_name_no_model(model: str | None) -> None:
    body = a_chat(model=model)
    if model == "absent":
        del body["model"]

    assert read(body).model is None


@pytest.mark.parametrize(
    ("fields", "stream", "usage"),
    [
        ({"stream": True}, True, False),
        ({"stream": False}, False, False),
        ({"stream": None}, False, False),
        ({"stream": True, "stream_options": {"include_usage": True}}, True, True),
        ({"stream": True, "stream_options": {"include_usage": False}}, True, False),
        ({"stream": True, "stream_options": {}}, True, False),
        ({"stream": True, "stream_options": None}, True, False),
        ({"stream_options": {"include_usage": True}}, False, False),
    ],
)
def test_a_stream_and_its_usage_are_asked_for(
    fields: dict[str, Any], *, stream: bool, usage: bool
) -> None:
    asked = read(a_chat(**fields))

    assert asked.stream is stream
    assert asked.client_wants_usage is usage


@pytest.mark.parametrize(
    ("fields", "most"),
    [
        ({"max_tokens": 100}, 100),
        ({"max_completion_tokens": 50}, 50),
        ({"max_completion_tokens": 50, "max_tokens": 100}, 50),
        ({"max_completion_tokens": None, "max_tokens": 100}, 100),
        ({"max_tokens": 0}, 0),
        ({"max_tokens": None}, None),
    ],
)
def test_the_longest_answer_is_read(fields: dict[str, Any], most: int | None) -> None:
    assert read(a_chat(**fields)).max_output_tokens == most


def test_several_answers_are_asked_for() -> None:
    assert read(a_chat(n=3)).choices == 3


def test_a_demand_holds_what_was_asked_and_what_headers_said() -> None:
    asked = read(a_chat("你好", n=2, max_tokens=9, stream=True))

    demand = asked.demand(session="s", policy=RoutingPolicy.LOCAL_ONLY, spend_allowed=True)

    assert demand == Demand(
        operation=Operation.CHAT,
        stream=True,
        chars=TEMPLATE_CHARS,
        wide_chars=2,
        choices=2,
        max_output_tokens=9,
        needs=frozenset({Capability.CHAT}),
        session="s",
        policy=RoutingPolicy.LOCAL_ONLY,
        spend_allowed=True,
    )


# --- what is counted ---


def test_all_text_counts() -> None:
    assert chars_of("hello", "world!") == 11
    assert chars_of([{"type": "text", "text": "hello"}, {"type": "text", "text": "you"}]) == 8
    assert chars_of(None) == 0
    assert chars_of([]) == 0


def test_names_and_tool_calls_count() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
    message = {"role": "assistant", "content": None, "name": "bob", "tool_calls": [call, {}]}

    asked = read({"messages": [message]})

    assert asked.chars == TEMPLATE_CHARS + 3 + 4 + 7


def test_an_image_is_an_image_and_never_text() -> None:
    asked = read(
        a_chat(
            [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
        )
    )

    assert asked.images == 1
    assert asked.chars == 5 + TEMPLATE_CHARS
    assert asked.needs == {Capability.CHAT, Capability.VISION}


def test_another_medium_is_reserved_like_an_image_but_needs_no_eyes() -> None:
    audio = {"type": "input_audio", "input_audio": {"data": "UklGR" * 1_000, "format": "wav"}}

    asked = read(a_chat([audio, {"type": "unheard_of"}]))

    assert asked.images == 1
    assert asked.chars == TEMPLATE_CHARS
    assert asked.needs == {Capability.CHAT}


@pytest.mark.parametrize("name", ["tools", "functions"])
def test_tools_are_needed_and_counted(name: str) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]

    asked = read(a_chat("", **{name: tools}))

    assert asked.needs == {Capability.CHAT, Capability.TOOLS}
    assert asked.chars == TEMPLATE_CHARS + len(msgspec.json.encode(tools))


@pytest.mark.parametrize("tools", [None, []])
def test_no_tools_are_no_need(tools: object) -> None:
    assert read(a_chat(tools=tools)).needs == {Capability.CHAT}


def test_a_schema_is_needed_and_counted() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}

    asked = read(a_chat("", response_format=wanted))

    assert asked.needs == {Capability.CHAT, Capability.JSON_SCHEMA}
    assert asked.chars == TEMPLATE_CHARS + len(msgspec.json.encode(wanted))


@pytest.mark.parametrize("wanted", [None, {"type": "json_object"}, {"type": "text"}, {}])
def test_other_formats_need_nothing(wanted: object) -> None:
    assert read(a_chat(response_format=wanted)).needs == {Capability.CHAT}


def test_messages_of_unusual_shapes_are_counted_all_the_same() -> None:
    odd: list[dict[str, Any]] = [
        {"role": "user", "name": 7, "content": "hello"},
        {"role": "user", "content": {"text": "abc", "type": 5}},
        {"role": "user", "content": [{"type": "image_url", "image_url": PIXEL, "text": 3}, "de"]},
        {"role": "user", "content": [{"input_audio": {"data": PIXEL}}]},
    ]

    asked = read({"messages": odd})

    assert asked.chars == 4 * TEMPLATE_CHARS + 5 + 3 + 2
    assert asked.images == 2
    assert Capability.VISION in asked.needs


@given(st.lists(st.text(max_size=30), max_size=5))
def test_no_character_is_forgotten(contents: list[str]) -> None:
    asked = read({"messages": [{"role": "user", "content": content} for content in contents]})

    total = asked.chars + asked.wide_chars
    assert total == sum(map(len, contents)) + TEMPLATE_CHARS * len(contents)


# --- prompts and embeddings ---


@pytest.mark.parametrize(
    ("prompt", "chars", "choices"),
    [
        ("hello", 5, 1),
        (["hello", "you"], 8, 2),
        ([], 0, 1),
        ([1, 2, 3], 3 * TOKEN_CHARS, 1),
        ([[1, 2], [3]], 3 * TOKEN_CHARS, 2),
    ],
)
def test_prompts_are_counted(prompt: object, chars: int, choices: int) -> None:
    asked = read({"prompt": prompt, "max_tokens": 5}, Operation.COMPLETIONS)

    assert (asked.chars, asked.choices) == (chars, choices)
    assert asked.max_output_tokens == 5
    assert asked.needs == frozenset()


def test_answers_are_asked_for_by_prompt_and_the_best_of_more() -> None:
    asked = read({"prompt": ["a", "b"], "n": 2, "best_of": 3}, Operation.COMPLETIONS)

    assert asked.choices == 6


@pytest.mark.parametrize(
    ("text", "chars", "images"),
    [
        ("hello", 5, 0),
        (["hello", "you"], 8, 0),
        ([[1, 2], [3]], 3 * TOKEN_CHARS, 0),
        ([{"text": "hello"}, {"image": PIXEL}], 5, 1),
        ([["not", "tokens"]], 9, 0),
    ],
)
def test_embeddings_are_counted_and_never_streamed(text: object, chars: int, images: int) -> None:
    body = {"model": "e", "input": text, "stream": True, "max_tokens": 5}

    asked = read(body, Operation.EMBEDDINGS)

    assert (asked.chars, asked.images) == (chars, images)
    assert asked.choices == 1
    assert asked.stream is False
    assert asked.max_output_tokens is None
    assert asked.needs == {Capability.EMBEDDINGS}


# --- what is refused ---


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is empty"),
        (b"  ", "the body is empty"),
        (b"{", "malformed JSON"),
        (b'{"a": 1,}', "malformed JSON"),
        (b'{"\xff": 1}', "malformed JSON"),
        (b"[]", "must be a JSON object"),
        (b'"hi"', "must be a JSON object"),
        (b'{"a":' + b"[" * 200_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes, words: str) -> None:
    refusal = refusal_of(body)

    assert words in refusal.message
    assert refusal.param is None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": 7}, "model"),
        ({"model": ["a"]}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"content": "a"}, {"content": 7}]}, "messages[1]"),
        ({"stream": "true"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stream": True, "stream_options": 7}, "stream_options"),
        ({"stream_options": []}, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": "yes"}}, "include_usage"),
        ({"n": 0}, "n"),
        ({"n": "2"}, "n"),
        ({"n": 1.5}, "n"),
        ({"n": True}, "n"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_completion_tokens": []}, "max_completion_tokens"),
        ({"response_format": "json"}, "response_format"),
    ],
)
def test_a_badly_typed_field_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    refusal = refusal_of(a_chat() | fields)

    assert refusal.param == param
    assert param in str(refusal)


@pytest.mark.parametrize(
    ("operation", "param"),
    [
        (Operation.CHAT, "messages"),
        (Operation.COMPLETIONS, "prompt"),
        (Operation.EMBEDDINGS, "input"),
    ],
)
def test_a_request_without_content_is_refused(operation: Operation, param: str) -> None:
    refusal = refusal_of({"model": "default"}, operation)

    assert refusal.param == param
    assert "missing" in refusal.message


@pytest.mark.parametrize("prompt", [7, {}, [None], ["a", 1], [1.5]])
def test_a_badly_typed_prompt_is_refused(prompt: object) -> None:
    assert refusal_of({"prompt": prompt}, Operation.COMPLETIONS).param == "prompt"


@pytest.mark.parametrize(
    ("body", "operation", "param"),
    [
        (b'{"messages": [{"content": "\xff"}]}', Operation.CHAT, "messages"),
        (b'{"messages": [{"content": 7, "x": "\xff"}]}', Operation.CHAT, "messages"),
        (b'{"prompt": "\xff"}', Operation.COMPLETIONS, "prompt"),
        (b'{"input": [7, "\xff"]}', Operation.EMBEDDINGS, "input"),
        (b'{"model": "\xff", "messages": []}', Operation.CHAT, "model"),
    ],
)
def test_text_that_is_not_utf_8_is_refused(body: bytes, operation: Operation, param: str) -> None:
    refusal = refusal_of(body, operation)

    assert refusal.param == param
    assert "malformed" in refusal.message


# --- what is sent ---


def test_the_upstream_gets_its_own_model_name_in_the_same_place() -> None:
    body = b'{"temperature": 0.50, "model": "default", "messages": [ ], "x-new": {"a" : 1e3}}'

    sent = read(body).body_for("gpt-5-mini", ask_usage=False)

    assert sent == b'{"temperature":0.50,"model":"gpt-5-mini","messages":[ ],"x-new":{"a" : 1e3}}'


def test_a_model_name_is_added_where_the_client_gave_none() -> None:
    sent = read(b'{"messages":[]}').body_for("m", ask_usage=False)

    assert sent == b'{"messages":[],"model":"m"}'


def test_one_request_can_be_written_for_several_upstreams() -> None:
    asked = read(a_chat(stream=True))

    first, second = (asked.body_for(model, ask_usage=True) for model in ("one", "two"))

    assert msgspec.json.decode(first)["model"] == "one"
    assert msgspec.json.decode(second)["model"] == "two"
    assert asked.model == "default"


@pytest.mark.parametrize(
    ("fields", "asks", "options"),
    [
        ({"stream": True}, True, {"include_usage": True}),
        ({"stream": True, "stream_options": None}, True, {"include_usage": True}),
        (
            {"stream": True, "stream_options": {"x": 1, "include_usage": False}},
            True,
            {"x": 1, "include_usage": True},
        ),
        ({"stream": True, "stream_options": {"include_usage": True}}, False, "absent"),
        ({"stream": True, "stream_options": {"include_usage": True, "x": 1}}, False, {"x": 1}),
        ({"stream": True, "stream_options": {"x": 1}}, False, {"x": 1}),
        ({"stream": True, "stream_options": {}}, False, {}),
        ({"stream": True, "stream_options": None}, False, None),
        ({"stream": True}, False, "absent"),
        ({"stream": False}, True, "absent"),
    ],
)
def test_usage_of_a_stream_is_asked_for_where_the_provider_allows(
    fields: dict[str, Any], *, asks: bool, options: object
) -> None:
    sent = msgspec.json.decode(read(a_chat(**fields)).body_for("m", ask_usage=asks))

    assert sent.get("stream_options", "absent") == options


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text().map(lambda name: f"x-{name}"), JSON, max_size=5))
def test_unknown_fields_reach_the_upstream_untouched(unknown: dict[str, Any]) -> None:
    body = {**unknown, **a_chat()}

    sent = read(body).body_for("m", ask_usage=False)

    assert sent == msgspec.json.encode(body | {"model": "m"})


@given(st.binary(max_size=60), st.sampled_from(Operation))
def test_any_bytes_are_read_or_refused(body: bytes, operation: Operation) -> None:
    fields: dict[str, msgspec.Raw] | None = None

    with suppress(InvalidRequest):
        fields = read(body, operation).fields

    assert fields is None or msgspec.json.decode(body, type=dict[str, msgspec.Raw]) == fields


def test_content_of_an_unbearable_depth_is_refused() -> None:
    deep = b'{"messages": [{"content": ' + b"[" * 990 + b"1" + b"]" * 990 + b"}]}"

    assert "nested too deeply" in refusal_of(deep).message
