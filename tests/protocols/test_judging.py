"""What an upstream of any dialect answers is judged alike, whole or streamed."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from spillover.core.evidence import TransportFault
from spillover.core.values import Protocol, Usage
from spillover.protocols.conversation.answers import CallBegin, Finish, Stop
from spillover.protocols.conversation.requests import Text
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.judging import SPOKEN, StreamJudge, Upstream, judge_answer
from spillover.protocols.translate import STREAM_WRITERS, WRITE_ANSWER
from tests.protocols.conversations import ANSWERS, STAMP, events, in_pieces, streamed

TEXT = ANSWERS["text"]


def source(dialect: Dialect) -> list[bytes]:
    """The events of an upstream that gives an answer."""
    return events(streamed(STREAM_WRITERS[dialect](STAMP), in_pieces(TEXT)).replace(b"\r", b""))


def test_no_two_protocols_are_one_dialect() -> None:
    assert set(SPOKEN) == set(Protocol)
    assert set(SPOKEN.values()) == set(Dialect)


@pytest.mark.parametrize("dialect", Dialect)
def test_a_whole_answer_tells_its_use_and_size(dialect: Dialect) -> None:
    judged = judge_answer(WRITE_ANSWER[dialect](TEXT, STAMP), Upstream(dialect=dialect))

    assert judged.answer is not None
    assert judged.answer.choices == TEXT.choices
    assert judged.whole.usage == Usage(
        requests=1, input_tokens=20, output_tokens=6, cached_tokens=8
    )
    assert (judged.whole.evidence, judged.whole.chars) == (None, 12)


def test_ids_that_an_answer_lacks_are_made_from_the_seed() -> None:
    body = b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]}}]}'

    judged = judge_answer(body, Upstream(dialect=Dialect.GEMINI), seed="abc")

    assert judged.answer is not None
    (call,) = judged.answer.choices[0].parts
    assert getattr(call, "id", None) == "call_abc_0"


def test_calls_are_put_right_whole_and_streamed() -> None:
    call = {"id": "a", "function": {"name": "f", "arguments": "{}"}}
    calls = [{**call, "index": 0}, {**call, "index": 1}]
    whole = {"choices": [{"message": {"tool_calls": calls}, "finish_reason": "stop"}]}
    piece = {"choices": [{"index": 0, "delta": {"tool_calls": calls}, "finish_reason": "stop"}]}
    upstream = Upstream(dialect=Dialect.CHAT)

    judged = judge_answer(json.dumps(whole).encode(), upstream)
    _, deltas = StreamJudge(upstream).read(b"data: " + json.dumps(piece).encode() + b"\n\n")

    assert judged.answer is not None
    (choice,) = judged.answer.choices
    assert [getattr(part, "id", None) for part in choice.parts] == ["a", "a_1"]
    assert [delta.id for delta in deltas if isinstance(delta, CallBegin)] == ["a", "a_1"]
    assert [delta.stop for delta in deltas if isinstance(delta, Finish)] == [choice.stop]
    assert choice.stop is Stop.TOOLS


def test_half_characters_spoil_no_answer() -> None:
    body = rb'{"choices":[{"message":{"content":"cut \ud83d"}}]}'

    judged = judge_answer(body, Upstream(dialect=Dialect.CHAT))

    assert judged.answer is not None
    assert judged.answer.choices[0].parts == (Text(text="cut \ufffd"),)


@pytest.mark.parametrize("body", [b"<html>", b'{"error":{"message":"no"}}'])
def test_what_is_no_answer_is_evidence(body: bytes) -> None:
    judged = judge_answer(body, Upstream(dialect=Dialect.ANTHROPIC, provider="anthropic"))

    assert judged.answer is None
    assert judged.whole.evidence is not None
    assert judged.whole.evidence.provider == "anthropic"


@pytest.mark.parametrize("dialect", Dialect)
def test_a_stream_is_whole_at_its_end_and_cut_before_it(dialect: Dialect) -> None:
    whole, cut = StreamJudge(Upstream(dialect=dialect)), StreamJudge(Upstream(dialect=dialect))
    told = source(dialect)

    for event in told:
        whole.read(event)
    while not cut.has_content:
        cut.read(told.pop(0))

    evidence = cut.end()
    assert whole.end() is None
    assert evidence is not None
    assert (evidence.fault, evidence.after_content) == (TransportFault.CUT, True)


def test_garbage_is_what_is_no_json_object_and_an_oddity_inside_is_none() -> None:
    judge = StreamJudge(Upstream(dialect=Dialect.ANTHROPIC))
    odd = b'data: {"type":"content_block_delta","delta":{"type":"text_delta"}}\n\n'

    assert judge.read(b"data: <html>\n\n")[0].garbage
    assert judge.read(b"data: [1]\n\n")[0].garbage
    assert not judge.read(odd)[0].garbage
    assert not judge.has_content


@pytest.mark.parametrize("dialect", Dialect)
def test_an_error_is_one_whether_or_not_its_event_says_so(dialect: Dialect) -> None:
    judge = StreamJudge(Upstream(dialect=dialect))

    seen, _ = judge.read(b'data: {"error":{"message":"Overloaded","code":529}}\n\n')

    assert seen.error is not None
    assert replace(seen.error, text="").message == "Overloaded"
