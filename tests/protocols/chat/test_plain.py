"""Plain messages are read in one go, and come to what they come to one by one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.protocols.chat.plain import plain_tools, plain_turns
from spillover.protocols.chat.requests_in import read_request

TEXTS = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.lists(
        st.fixed_dictionaries({"type": st.just("text"), "text": st.text(max_size=3)}), max_size=2
    ),
)
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text(max_size=3),
            "type": st.just("function"),
            "function": st.fixed_dictionaries(
                {"name": st.text(max_size=3), "arguments": st.text(max_size=3)}
            ),
        }
    ),
    max_size=2,
)
MESSAGES = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["system", "developer", "user"]), "content": TEXTS}
        ),
        st.fixed_dictionaries(
            {"role": st.just("assistant"), "content": TEXTS},
            optional={"tool_calls": CALLS, "refusal": st.none()},
        ),
        st.fixed_dictionaries(
            {"role": st.just("tool"), "content": TEXTS, "tool_call_id": st.text(max_size=3)}
        ),
    ),
    max_size=8,
)


def raw(value: Any) -> msgspec.Raw:
    """Return a value as a client writes it."""
    return msgspec.Raw(msgspec.json.encode(value))


@given(MESSAGES)
def test_they_come_to_the_same_as_one_by_one(messages: list[dict[str, Any]]) -> None:
    odd = {"role": "user", "content": "the end"}

    found = plain_turns(raw([*messages, odd]))
    # A field that nobody knows has all of them read one by one.
    written = msgspec.json.encode({"messages": [*messages, odd | {"novel": 1}]})
    request = read_request(written)

    assert found == (request.system, request.turns)
    assert request.dropped == ("messages.novel",)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
        {"role": "user", "content": "x", "name": "me"},
        {"role": "user", "content": "x", "tool_call_id": "1"},
        {"role": "tool", "content": "x"},
        {"role": "assistant", "content": "x", "tool_call_id": "1"},
        {"role": "system", "content": "x", "tool_calls": []},
        {"role": "critic", "content": "x"},
        "x",
    ],
    ids=str,
)
def test_what_is_not_so_plain_is_left_to_be_read_one_by_one(message: Any) -> None:
    assert plain_turns(raw([message])) is None


@pytest.mark.parametrize(
    "messages",
    [
        [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": "Hi"},
            {"role": "system", "content": "Now."},
            {"role": "user", "content": None},
        ],
        [
            {
                "role": "assistant",
                "content": "I look.",
                "tool_calls": [
                    {
                        "id": "a",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{}"},
                    }
                ],
            },
            {"role": "tool", "content": "42", "tool_call_id": "a"},
        ],
    ],
    ids=["words", "calls"],
)
def test_what_clients_mostly_send_is_plain(messages: list[dict[str, Any]]) -> None:
    found = plain_turns(raw(messages))

    request = read_request(
        msgspec.json.encode({"messages": [*messages[:-1], messages[-1] | {"novel": 1}]})
    )
    assert found == (request.system, request.turns)


SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}


@pytest.mark.parametrize(
    "function",
    [
        {"name": "read"},
        {"name": "read", "description": "Reads.", "parameters": SCHEMA, "strict": True},
        {"name": "read", "description": None, "parameters": None, "strict": None},
    ],
    ids=str,
)
def test_functions_come_to_the_same_as_one_by_one(function: dict[str, Any]) -> None:
    offered = [{"type": "function", "function": function}]
    # A field that nobody knows has all of them read one by one.
    marked = [offered[0] | {"cache_control": {"type": "ephemeral"}}]
    request = read_request(msgspec.json.encode({"messages": [], "tools": marked}))

    assert plain_tools(raw(offered)) == request.tools
    assert request.dropped == ("tools.cache_control",)


@pytest.mark.parametrize(
    "tool", [{"type": "custom", "custom": {"name": "patch"}}, {"function": {"name": "read"}}, "x"]
)
def test_tools_that_are_no_plain_functions_are_left_to_be_read_one_by_one(tool: Any) -> None:
    assert plain_tools(raw([tool])) is None
