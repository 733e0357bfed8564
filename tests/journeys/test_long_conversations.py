"""A conversation that has grown too long is shortened where its chain says so, and is answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from spillover.protocols.conversation.seals import Dialect
from tests.journeys.dialects import Sent, a_request
from tests.journeys.processes import document, gateway, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.processes import Provider
    from tests.serving import Reply

CONTEXT = 2_000
TURN = "What was said before is repeated here at length. " * 20


def conversation(turns: int) -> list[dict[str, str]]:
    """Return so many turns of about 250 tokens a message, and a last question."""
    said: list[dict[str, str]] = [{"role": "system", "content": "Be brief."}]
    for number in range(turns):
        said.append({"role": "user", "content": f"Question {number}. {TURN}"})
        said.append({"role": "assistant", "content": f"Answer {number}. {TURN}"})
    return [*said, {"role": "user", "content": "The last question."}]


def narrow(config: Path, *providers: Provider, known: bool, **chain: Any) -> None:
    """Write a configuration over providers whose context is small, and known to us or not."""
    written = document(*providers)
    for each in providers:
        model = written["profiles"][each.name]["model"]
        each.change(models={model: {"context_tokens": CONTEXT}})
        if known:
            written["profiles"][each.name]["context_tokens"] = CONTEXT
    written["chains"]["default"] |= chain
    write(config, written)


def headers(reply: Reply) -> dict[str, str]:
    return {name.lower(): value for name, value in reply.headers.items()}


def sent_to(provider: Provider) -> list[str]:
    body = json.loads(provider.last()["body"])
    return [each["content"].split(".")[0] for each in body["messages"]]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("known", [True, False])
def test_middle_turns_go_and_the_answer_says_how_many_messages(
    config: Path, first: Provider, *, known: bool, stream: bool
) -> None:
    narrow(config, first, known=known, truncate="middle")
    asked = {"messages": conversation(10), "max_tokens": 100, "stream": stream}

    with gateway(config) as served:
        explained = served.post("/api/explain", asked).json
        reply = served.chat(**asked)
        kept = sent_to(first)
        short = served.chat(messages=conversation(1), max_tokens=100)

    assert reply.status == 200
    removed = int(headers(reply)["x-spillover-truncated"])
    assert "x-spillover-truncated" not in headers(short)
    assert kept[:3] == ["Be brief", "Question 0", "Answer 0"]
    assert kept[-1] == "The last question"
    assert removed == 22 - len(kept)
    assert removed >= 12
    if known:
        assert explained["truncated"] == removed
        assert headers(reply)["x-spillover-trail"] == "first:ok"
    else:
        assert headers(reply)["x-spillover-trail"].startswith("first:context_length,first:")


def test_what_is_kept_are_rules_first_turn_and_the_latest_turns(
    config: Path, first: Provider
) -> None:
    narrow(config, first, known=True, truncate="middle")

    with gateway(config) as served:
        reply = served.chat(messages=conversation(10), max_tokens=100)
        used = served.used()["input_tokens"]

    kept = sent_to(first)
    assert kept[:3] == ["Be brief", "Question 0", "Answer 0"]
    assert kept[-3:] == ["Question 9", "Answer 9", "The last question"]
    assert int(headers(reply)["x-spillover-truncated"]) == 22 - len(kept)
    assert used <= CONTEXT - 100


def spoken(dialect: Dialect) -> Sent:
    """The same conversation in another dialect."""
    sent = a_request(dialect)
    turns = conversation(10)[1:]
    if dialect is Dialect.GEMINI:
        sides = {"user": "user", "assistant": "model"}
        contents = [{"role": sides[t["role"]], "parts": [{"text": t["content"]}]} for t in turns]
        return Sent(sent.path, {"contents": contents}, sent.headers)
    name = "input" if dialect is Dialect.RESPONSES else "messages"
    return Sent(sent.path, sent.body | {name: turns}, sent.headers)


def test_clients_of_other_dialects_are_helped_alike(config: Path, first: Provider) -> None:
    narrow(config, first, known=True, truncate="middle")
    replies, kept = [], []

    with gateway(config) as served:
        for dialect in (Dialect.RESPONSES, Dialect.ANTHROPIC, Dialect.GEMINI):
            sent = spoken(dialect)
            replies.append(served.ask("POST", sent.path, sent.body, headers=sent.headers))
            kept.append(sent_to(first))

    assert [reply.status for reply in replies] == [200] * 3
    for reply, left in zip(replies, kept, strict=True):
        assert left[:2] == ["Question 0", "Answer 0"]
        assert left[-1] == "The last question"
        assert int(headers(reply)["x-spillover-truncated"]) == 21 - len(left) > 0


def test_without_the_setting_the_request_is_refused_as_it_is(
    config: Path, first: Provider, second: Provider
) -> None:
    narrow(config, first, second, known=True)

    with gateway(config) as served:
        reply = served.chat(messages=conversation(10), max_tokens=100)

    assert (reply.status, reply.error["code"]) == (400, "context_length_exceeded")
    assert (first.accepted, second.accepted) == (0, 0)


def test_who_takes_it_whole_gets_it_whole(config: Path, first: Provider, second: Provider) -> None:
    narrow(config, first, known=True)
    written = document(first, second)
    written["profiles"]["first"]["context_tokens"] = CONTEXT
    written["chains"]["default"]["truncate"] = "middle"
    write(config, written)

    with gateway(config) as served:
        reply = served.chat(messages=conversation(10), max_tokens=100)

    assert headers(reply)["x-spillover-trail"] == "second:ok"
    assert "x-spillover-truncated" not in headers(reply)
    assert len(sent_to(second)) == 22
