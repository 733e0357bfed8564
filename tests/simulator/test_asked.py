"""What a request's body says, and when it can't be answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.simulator.asked import IMAGE_TOKENS, Malformed, Operation, read, tokens_of
from tests.simulator.asking import chat


def asked(body: Any, operation: Operation = Operation.CHAT) -> Any:
    return read(body if isinstance(body, bytes) else json.dumps(body).encode(), operation)


def test_a_token_is_four_characters_rounded_up() -> None:
    assert [tokens_of(chars) for chars in (0, 1, 4, 5)] == [0, 1, 1, 2]


def test_a_chat_request_is_read_with_what_it_asks_for() -> None:
    found = asked(
        chat(
            "12345",
            stream=True,
            stream_options={"include_usage": True},
            n=2,
            max_tokens=7,
            max_completion_tokens=9,
        )
    )

    assert (found.model, found.stream, found.usage_asked) == ("m", True, True)
    assert (found.choices, found.max_tokens) == (2, 9)
    assert (found.prompt_tokens, found.last_text) == (2, "12345")


def test_text_tools_and_images_count_as_prompt() -> None:
    parts = [
        {"type": "text", "text": "x" * 40},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9_000}},
        "stray",
    ]
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]
    tools = [{"type": "function", "function": {"name": "f"}}]

    found = asked({"model": "m", "messages": messages, "tools": tools})

    written = len(
        json.dumps([call], separators=(",", ":")) + json.dumps(tools, separators=(",", ":"))
    )
    assert found.prompt_tokens == tokens_of(40 + written) + IMAGE_TOKENS


@pytest.mark.parametrize(
    ("value", "texts", "tokens"),
    [
        ("12345", ("12345",), 2),
        (["1234", "12345"], ("1234", "12345"), 3),
        ([1, 22, 333], ("   1  22 333",), 3),
        ([[1], [2, 3]], ("   1", "   2   3"), 3),
    ],
)
def test_embeddings_take_texts_and_token_numbers(
    value: Any, texts: tuple[str, ...], tokens: int
) -> None:
    found = asked({"model": "m", "input": value, "stream": True}, Operation.EMBEDDINGS)

    assert (found.inputs, found.prompt_tokens, found.stream) == (texts, tokens, False)


def test_a_completions_request_is_read_by_its_prompt() -> None:
    found = asked({"model": "m", "prompt": ["one", "two"]}, Operation.COMPLETIONS)

    assert (found.inputs, found.last_text, found.prompt_tokens) == (("one", "two"), "two", 2)


@pytest.mark.parametrize(
    ("body", "operation", "param"),
    [
        (b"{", Operation.CHAT, None),
        (b"\xff", Operation.CHAT, None),
        (b"[]", Operation.CHAT, None),
        ({"messages": []}, Operation.CHAT, "model"),
        ({"model": ""}, Operation.CHAT, "model"),
        ({"model": "m"}, Operation.CHAT, "messages"),
        ({"model": "m", "messages": []}, Operation.CHAT, "messages"),
        ({"model": "m", "messages": ["hi"]}, Operation.CHAT, "messages"),
        ({"model": "m", "messages": [{"role": "user", "content": 5}]}, Operation.CHAT, "messages"),
        (chat(n=0), Operation.CHAT, "n"),
        (chat(max_tokens="9"), Operation.CHAT, "max_tokens"),
        (chat(max_tokens=True), Operation.CHAT, "max_tokens"),
        ({"model": "m"}, Operation.COMPLETIONS, "prompt"),
        ({"model": "m", "input": []}, Operation.EMBEDDINGS, "input"),
        ({"model": "m", "input": {"a": 1}}, Operation.EMBEDDINGS, "input"),
    ],
)
def test_a_malformed_body_is_refused_by_the_field_at_fault(
    body: Any, operation: Operation, param: str | None
) -> None:
    with pytest.raises(Malformed) as caught:
        asked(body, operation)

    assert caught.value.param == param
