"""What any client asks and gets is translated by what any upstream says, and judged on the way."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from spillover.core.evidence import Shape, TransportFault
from spillover.core.failures import classify
from spillover.core.values import FailureClass, Protocol, Usage
from spillover.protocols.conversation.answers import Answer, Choice, Stop, Tokens
from spillover.protocols.conversation.requests import (
    Choosing,
    Media,
    Medium,
    OutputFormat,
    Reasoning,
    Request,
    Role,
    Sampling,
    Target,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.conversation.weight import demand_of
from spillover.protocols.judging import READ_ANSWER, SPOKEN, STREAM_READERS, Upstream
from spillover.protocols.openai_chat import InvalidRequest
from spillover.protocols.openai_errors import DONE, error_body
from spillover.protocols.sse import payload
from spillover.protocols.translate import (
    READ_REQUEST,
    STREAM_WRITERS,
    WRITE_ANSWER,
    WRITE_REQUEST,
    StreamTranslation,
    redressed,
    translate_answer,
)
from tests.protocols.conversations import (
    ANSWERS,
    PIXEL,
    SCHEMA,
    STAMP,
    events,
    gathered,
    in_pieces,
    meaning,
    read_all,
    streamed,
)
from tests.protocols.strategies import mutations

if TYPE_CHECKING:
    from spillover.protocols.openai_streams import Seen

TEXT = ANSWERS["text"]
PAIRS = list(product(Dialect, Dialect))
GEMINI = Upstream(dialect=Dialect.GEMINI, provider="gemini")
ANTHROPIC = Upstream(dialect=Dialect.ANTHROPIC, provider="anthropic")
HELLO = Request(turns=(Turn(role=Role.USER, parts=(Text(text="Hi"),)),))


def source(dialect: Dialect, answer: Answer = TEXT) -> list[bytes]:
    """The events of an upstream that gives an answer."""
    return events(streamed(STREAM_WRITERS[dialect](STAMP), in_pieces(answer)).replace(b"\r", b""))


def given_events(
    upstream: Upstream, *told: bytes, client: Dialect = Dialect.CHAT
) -> tuple[StreamTranslation, list[Seen]]:
    translation = StreamTranslation(upstream, client, STAMP)
    return translation, [translation.feed(event).seen for event in told]


IMAGE = Media(medium=Medium.IMAGE, mime="image/png", data=PIXEL)
RICH = replace(
    HELLO,
    turns=(
        *HELLO.turns,
        Turn(role=Role.ASSISTANT, parts=ANSWERS["thinking and calls"].choices[0].parts),
        Turn(role=Role.USER, parts=(ToolResult(id="call_a", content=(Text(text="x"),)), IMAGE)),
    ),
    tools=(Tool(name="weather", schema=SCHEMA),),
    tool_choice=ToolChoice(mode=Choosing.NAMED, names=("weather",)),
    format=OutputFormat(schema=SCHEMA),
    reasoning=Reasoning(effort="low"),
    sampling=Sampling(max_tokens=9, temperature=1, logprobs=2),
)


@given(st.data(), st.sampled_from(Dialect))
def test_any_request_is_read_and_written_or_refused(data: st.DataObject, client: Dialect) -> None:
    body = WRITE_REQUEST[client](RICH, Target(model="m", provider="openrouter")).body
    try:
        asked = READ_REQUEST[client](data.draw(mutations(body)))
    except InvalidRequest:
        return

    for upstream in Dialect:
        assert json.loads(WRITE_REQUEST[upstream](asked, Target(model="m")).body) is not None
    assert demand_of(asked).chars >= 0


@given(st.data(), st.sampled_from(Dialect), st.sampled_from(list(ANSWERS.values())))
def test_any_answer_is_read_or_is_evidence(
    data: st.DataObject, upstream: Dialect, answer: Answer
) -> None:
    body = data.draw(mutations(WRITE_ANSWER[upstream](answer, STAMP)))

    found = translate_answer(body, Upstream(dialect=upstream), Dialect.CHAT, STAMP)

    assert (found.judged.evidence is None) is bool(found.body)


@given(st.data(), st.sampled_from(PAIRS), st.sampled_from(list(ANSWERS.values())))
def test_any_event_is_read_or_is_garbage(
    data: st.DataObject, pair: tuple[Dialect, Dialect], answer: Answer
) -> None:
    client, upstream = pair
    translation = StreamTranslation(Upstream(dialect=upstream), client, STAMP)
    told = source(upstream, answer)
    place = data.draw(st.integers(0, len(told) - 1))
    carried = payload(told[place]).data or b"{}"
    if carried != b"[DONE]":
        told[place] = b"data: " + data.draw(mutations(carried)) + b"\n\n"

    for event in told:
        translation.feed(event)

    assert translation.tail()


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep = '{"contents":' + '[{"a":' * 400 + "1" + "}]" * 400 + "}"
    schema: dict[str, Any] = {}
    for _ in range(900):
        schema = {"items": schema}

    with pytest.raises(InvalidRequest, match="deep"):
        READ_REQUEST[Dialect.GEMINI](deep.encode())
    asked = replace(HELLO, format=OutputFormat(schema=schema))
    sent = WRITE_REQUEST[Dialect.ANTHROPIC](asked, Target(model="claude-opus-4-6"))
    assert sent.lacks == ("json_schema",)


@pytest.mark.parametrize("protocol", Protocol)
def test_every_protocol_of_an_upstream_is_spoken(protocol: Protocol) -> None:
    assert SPOKEN[protocol] in WRITE_REQUEST


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_a_request_reaches_any_upstream_in_its_own_dialect(
    client: Dialect, upstream: Dialect
) -> None:
    asked = READ_REQUEST[client](WRITE_REQUEST[client](HELLO, Target(model="m")).body)

    sent = WRITE_REQUEST[upstream](asked, Target(model="m"))

    assert sent.lacks == ()
    assert meaning(READ_REQUEST[upstream](sent.body)).turns == HELLO.turns


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_an_answer_reaches_any_client_in_its_own_dialect(
    client: Dialect, upstream: Dialect
) -> None:
    body = WRITE_ANSWER[upstream](ANSWERS["thinking and calls"], STAMP)

    found = translate_answer(body, Upstream(dialect=upstream), client, STAMP)

    back = translate_answer(found.body, Upstream(dialect=client), upstream, STAMP)
    assert json.loads(back.body)
    assert found.judged.evidence is None
    assert found.judged.usage == Usage(requests=1, input_tokens=9, output_tokens=40)
    assert back.judged == found.judged


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_a_stream_reaches_any_client_in_its_own_dialect(client: Dialect, upstream: Dialect) -> None:
    translation = StreamTranslation(Upstream(dialect=upstream), client, STAMP)

    out = b"".join(translation.feed(event).out for event in source(upstream))
    out += translation.tail()

    found = gathered(read_all(STREAM_READERS[client]("").feed, out))
    assert found.choices == TEXT.choices
    assert (translation.end(), translation.finished) == (None, True)
    assert (translation.has_content, translation.finish_reason) == (True, "stop")
    assert translation.usage is not None
    assert (translation.usage.input_tokens, translation.usage.output_tokens) == (20, 6)
    assert (translation.chars, translation.wide_chars) == (12, 0)
    assert translation.done is (upstream is not Dialect.GEMINI)


def test_each_event_says_what_it_brought() -> None:
    told = source(Dialect.ANTHROPIC)

    _, seen = given_events(ANTHROPIC, *told, b": comment\n\n", b"data: <html>\n\n")

    assert not seen[0].content
    assert any(step.content for step in seen)
    assert [step.done for step in seen[-3:]] == [True, False, False]
    assert (seen[-2].ignorable, seen[-1].garbage) == (True, True)
    assert any(step.usage is not None for step in seen)


def test_calls_are_content() -> None:
    translation, seen = given_events(
        ANTHROPIC, *source(Dialect.ANTHROPIC, ANSWERS["thinking and calls"])
    )

    assert any(step.content for step in seen)
    assert translation.finish_reason == "tool_calls"


def test_an_error_in_a_stream_is_evidence() -> None:
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'

    _, early = given_events(ANTHROPIC, error)
    _, late = given_events(ANTHROPIC, *source(Dialect.ANTHROPIC)[:3], error)

    assert early[0].error is not None
    assert late[-1].error is not None
    assert (early[0].error.after_content, late[-1].error.after_content) == (False, True)
    assert classify(early[0].error, now=0).failure is FailureClass.OVERLOADED


def test_a_stream_without_its_end_is_cut() -> None:
    translation, _ = given_events(GEMINI, *source(Dialect.GEMINI)[:1])

    evidence = translation.end()

    assert evidence is not None
    assert (evidence.fault, evidence.after_content) == (TransportFault.CUT, True)


def test_a_stream_with_nothing_in_it_is_hollow() -> None:
    blocked = b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n'

    translation, _ = given_events(GEMINI, blocked)

    evidence = translation.end()
    assert evidence is not None
    assert evidence.shape is Shape.HOLLOW
    assert classify(evidence, now=0).failure is FailureClass.CONTENT_FILTER


def test_what_counts_as_output_is_an_answer() -> None:
    silent = Answer(choices=(Choice(),), tokens=Tokens(input=1, output=5))

    translation, _ = given_events(ANTHROPIC, *source(Dialect.ANTHROPIC, silent))
    whole = translate_answer(
        WRITE_ANSWER[Dialect.ANTHROPIC](silent, STAMP), ANTHROPIC, Dialect.CHAT, STAMP
    )

    assert translation.end() is None
    assert whole.judged.evidence is None


def test_a_broken_stream_ends_with_an_error_in_the_clients_dialect() -> None:
    body = error_body("stream_interrupted", "cut")

    for dialect in Dialect:
        translation = StreamTranslation(GEMINI, dialect, STAMP)
        assert b"cut" in translation.error(body, 502)
    assert StreamTranslation(GEMINI, Dialect.CHAT, STAMP).tail() == DONE


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
        b"<html>",
        b"[]",
        b'{"content": 7}',
    ],
)
def test_what_is_no_answer_is_evidence(body: bytes) -> None:
    found = translate_answer(body, ANTHROPIC, Dialect.CHAT, STAMP)

    assert found.judged.evidence is not None
    assert found.body == b""


@pytest.mark.parametrize("answer", [Answer(), Answer(choices=(Choice(stop=Stop.FILTERED),))])
def test_an_answer_with_nothing_in_it_is_hollow(answer: Answer) -> None:
    body = WRITE_ANSWER[Dialect.CHAT](answer, STAMP)

    found = translate_answer(body, Upstream(dialect=Dialect.CHAT), Dialect.GEMINI, STAMP)

    evidence = found.judged.evidence
    assert evidence is not None
    assert evidence.shape is Shape.HOLLOW
    assert evidence.code == ("content_filter" if answer.choices else None)


def test_an_answer_without_usage_is_measured() -> None:
    body = WRITE_ANSWER[Dialect.CHAT](replace(TEXT, tokens=None), STAMP)

    found = translate_answer(body, Upstream(dialect=Dialect.CHAT), Dialect.GEMINI, STAMP)

    assert (found.judged.usage, found.judged.chars) == (None, 12)


def test_calls_without_ids_get_some() -> None:
    parts = [{"functionCall": {"name": "f", "args": {}}}]
    body = json.dumps({"candidates": [{"content": {"parts": parts}}]}).encode()

    found = json.loads(translate_answer(body, GEMINI, Dialect.CHAT, STAMP).body)

    assert found["choices"][0]["message"]["tool_calls"][0]["id"] == "call_abc123_0"


def test_errors_are_written_in_the_clients_dialect() -> None:
    body = error_body("some_code", "What happened.")

    assert redressed(body, 429, Dialect.CHAT) == redressed(body, 429, Dialect.RESPONSES) == body
    assert json.loads(redressed(body, 429, Dialect.ANTHROPIC))["type"] == "error"
    assert json.loads(redressed(body, 429, Dialect.GEMINI))["error"]["code"] == 429


# What the field's providers send, in the shapes that their documentation and SDKs show.

LINES = Path(__file__).with_name("recorded_answers.jsonl").read_text("utf-8").splitlines()
RECORDED = {record["id"]: record for record in map(json.loads, LINES)}


def said(answer: Answer) -> dict[str, Any]:
    """What an answer comes to, as the records have it."""
    (choice,) = answer.choices
    tokens = answer.tokens or Tokens()
    parts = choice.parts
    calls = [part for part in parts if isinstance(part, ToolCall)]
    return {
        "text": "".join(part.text for part in parts if isinstance(part, Text)),
        "thinking": "".join(part.text for part in parts if isinstance(part, Thinking)),
        "calls": [[call.name, json.loads(call.arguments or "{}")] for call in calls],
        "stop": choice.stop.value,
        "input": tokens.input,
        "output": tokens.output,
        "cached": tokens.cached,
    }


def passed_on(record: dict[str, Any], client: Dialect) -> Answer:
    """What a client makes of a record that was translated for it."""
    upstream, body = Upstream(dialect=Dialect(record["dialect"])), record["body"].encode()
    if not record["stream"]:
        found = translate_answer(body, upstream, client, STAMP)
        assert found.judged.evidence is None
        return READ_ANSWER[client](found.body)
    translation = StreamTranslation(upstream, client, STAMP)
    out = b"".join([translation.feed(event).out for event in events(body)]) + translation.tail()
    assert translation.end() is None
    return gathered(read_all(STREAM_READERS[client]("").feed, out))


@pytest.mark.parametrize("client", Dialect)
@pytest.mark.parametrize("name", RECORDED)
def test_what_providers_send_means_the_same_to_clients_of_every_dialect(
    name: str, client: Dialect
) -> None:
    record = RECORDED[name]

    assert said(passed_on(record, client)) == record["says"]


@pytest.mark.parametrize("dialect", Dialect)
def test_every_dialect_is_recorded_whole_and_streamed(dialect: Dialect) -> None:
    kinds = {each["stream"] for each in RECORDED.values() if each["dialect"] == dialect}

    assert kinds == {True, False}


def test_a_price_that_a_provider_states_is_counted_whoever_asks() -> None:
    record = RECORDED["openrouter-chat"]
    translation = StreamTranslation(Upstream(dialect=Dialect.CHAT), Dialect.ANTHROPIC, STAMP)

    for event in events(record["body"].encode()):
        translation.feed(event)

    assert translation.usage is not None
    assert translation.usage.cost_nanousd == 500_000


def test_groqs_own_way_to_tell_an_error_is_read() -> None:
    event = b'data: {"id":"c","choices":[],"x_groq":{"error":"over capacity"}}\n\n'
    translation = StreamTranslation(
        Upstream(dialect=Dialect.CHAT, provider="groq"), Dialect.ANTHROPIC, STAMP
    )

    assert translation.feed(event).seen.error is not None
