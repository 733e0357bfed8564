"""Requests of every dialect, as they are read and as they go to upstreams."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.core.values import Operation, RoutingPolicy
from spillover.protocols.conversation.requests import Target
from spillover.protocols.conversation.seals import Dialect, Seal, marked
from spillover.protocols.openai_chat import Asked, InvalidRequest, read_request
from spillover.protocols.spoken import (
    Spoken,
    dialect_of,
    read_gemini_request,
    read_spoken_request,
    write_for,
)

UPSTREAM = Target(model="their-name", max_output_tokens=50)
MESSAGE = {"role": "user", "content": "hello"}
CLAUDE: dict[str, Any] = {"model": "ours", "max_tokens": 9, "messages": [MESSAGE], "odd": 2.50}
RESPONSES: dict[str, Any] = {"model": "ours", "input": [MESSAGE], "stream": True}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
CHAT: dict[str, Any] = {"model": "ours", "messages": [MESSAGE], "odd": 2.50}
SEAL = marked(Seal(origin=Dialect.GEMINI, value="c2lnbmF0dXJl"), Dialect.ANTHROPIC)
SEALED = {
    **CLAUDE,
    "messages": [
        MESSAGE,
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "so", "signature": SEAL},
                {"type": "text", "text": "Hi"},
            ],
        },
        MESSAGE,
    ],
}


def chat(body: dict[str, Any], operation: Operation = Operation.CHAT) -> Asked:
    return read_request(json.dumps(body).encode(), operation)


def spoken(dialect: Dialect, body: dict[str, Any]) -> Spoken:
    return read_spoken_request(json.dumps(body).encode(), dialect)


def gemini(*, stream: bool = False, array: bool = False) -> Spoken:
    body = json.dumps(GEMINI).encode()
    return read_gemini_request(body, model="ours", stream=stream, array=array)


def test_a_request_shows_what_the_engine_asks_of_it() -> None:
    asked = spoken(Dialect.RESPONSES, RESPONSES)

    assert (asked.model, asked.stream, asked.choices) == ("ours", True, 1)
    assert (asked.operation, asked.client_wants_usage) == (Operation.CHAT, True)
    demand = asked.demand(session="s", policy=RoutingPolicy.LOCAL_ONLY, spend_allowed=True)
    assert demand.chars >= len("hello")
    assert (demand.session, demand.policy) == ("s", RoutingPolicy.LOCAL_ONLY)
    assert (demand.spend_allowed, demand.stream) == (True, True)


def test_geminis_address_says_the_model_and_the_stream() -> None:
    asked = gemini(stream=True, array=True)

    assert (asked.model, asked.stream, asked.array) == ("ours", True, True)
    assert not gemini(array=True).array


def test_each_client_has_its_dialect() -> None:
    assert dialect_of(chat(CHAT)) is Dialect.CHAT
    assert dialect_of(gemini()) is Dialect.GEMINI


def test_a_request_that_can_not_be_read_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="max_tokens"):
        spoken(Dialect.ANTHROPIC, {"messages": [MESSAGE]})


def test_within_one_dialect_all_but_the_models_name_passes() -> None:
    claude = write_for(spoken(Dialect.ANTHROPIC, CLAUDE), Dialect.ANTHROPIC, UPSTREAM)
    plain = write_for(chat(CHAT), Dialect.CHAT, UPSTREAM)

    assert json.loads(claude.body) == {**CLAUDE, "model": "their-name"}
    assert (claude.dropped, claude.lacks) == ((), ())
    assert json.loads(plain.body) == {**CHAT, "model": "their-name"}
    assert write_for(gemini(), Dialect.GEMINI, UPSTREAM).body == json.dumps(GEMINI).encode()


def test_between_dialects_it_is_translated() -> None:
    there = write_for(chat(CHAT), Dialect.ANTHROPIC, UPSTREAM)
    back = write_for(spoken(Dialect.ANTHROPIC, CLAUDE), Dialect.CHAT, UPSTREAM)

    assert json.loads(there.body)["max_tokens"] == 50
    assert there.dropped == ("odd",)
    assert json.loads(back.body)["messages"] == [MESSAGE]


def test_a_seal_of_somebody_else_is_taken_out_even_within_one_dialect() -> None:
    written = write_for(spoken(Dialect.ANTHROPIC, SEALED), Dialect.ANTHROPIC, UPSTREAM)

    assert SEAL.encode() not in written.body
    assert b'"Hi"' in written.body


@pytest.mark.parametrize(
    ("asked", "lacks"),
    [
        (chat({"prompt": "hello"}, Operation.COMPLETIONS), "completions"),
        (chat({"input": "hello"}, Operation.EMBEDDINGS), "embeddings"),
        (chat({"messages": [{"role": "wizard", "content": "hello"}]}), "messages.wizard"),
        (chat({"messages": [{"role": "user", "content": {"x": 1}}]}), "content"),
    ],
)
def test_what_only_openais_chat_may_understand_lacks_words(asked: Asked, lacks: str) -> None:
    (found,) = write_for(asked, Dialect.ANTHROPIC, UPSTREAM).lacks

    assert lacks in found


HALF = r"\ud83d"


@pytest.mark.parametrize(("dialect", "body"), [(Dialect.ANTHROPIC, CLAUDE), (Dialect.CHAT, CHAT)])
def test_half_characters_reach_nobody(dialect: Dialect, body: dict[str, Any]) -> None:
    written = json.dumps(body).replace("hello", f"hello {HALF}").encode()
    asked = (
        read_request(written, Operation.CHAT)
        if dialect is Dialect.CHAT
        else read_spoken_request(written, dialect)
    )

    for upstream in Dialect:
        sent = write_for(asked, upstream, UPSTREAM).body
        assert HALF.encode() not in sent
        assert "hello \ufffd" in json.dumps(json.loads(sent), ensure_ascii=False)


def test_half_characters_of_geminis_clients_are_replaced_too() -> None:
    body = json.dumps(GEMINI).replace("hello", HALF).encode()

    asked = read_gemini_request(body, model="ours", stream=False, array=False)

    assert json.loads(asked.body)["contents"][0]["parts"] == [{"text": "\ufffd"}]
