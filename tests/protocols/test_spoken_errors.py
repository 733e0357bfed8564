"""Errors that are told as the assistant's words: the whole of them, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from spillover.core.failures import classify
from spillover.core.values import FailureClass
from spillover.protocols.conversation.answers import (
    Answer,
    Begin,
    CallBegin,
    Choice,
    Delta,
    Finish,
    Said,
    Stamp,
    Stop,
    TextDelta,
    ThinkingDelta,
    Tokens,
)
from spillover.protocols.conversation.requests import Text, ToolCall
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.spoken_errors import (
    MOST_CHARS,
    read_spoken,
    spoken_in,
    spoken_in_stream,
)
from spillover.protocols.translate import STREAM_WRITERS, WRITE_ANSWER

if TYPE_CHECKING:
    from spillover.core.evidence import Evidence

NOW = 1_790_000_000.0


def read(text: str) -> Evidence | None:
    return read_spoken(text, provider="somebody", headers={})


def answer(**message: Any) -> bytes:
    return msgspec.json.encode({"choices": [{"index": 0, "message": message}]})


def inside(*documents: Any) -> Evidence | None:
    """What documents, or their bytes, tell as text: an answer, or the events of a stream."""
    written = [each if isinstance(each, bytes) else msgspec.json.encode(each) for each in documents]
    if len(written) == 1:
        return spoken_in(written[0], Dialect.CHAT, provider="somebody", headers={})
    return streamed(Dialect.CHAT, *[b"data: %b\n\n" % each for each in written])


def streamed(dialect: Dialect, *events: bytes) -> Evidence | None:
    return spoken_in_stream(events, dialect, provider="somebody", headers={})


@pytest.mark.parametrize(
    ("text", "failure", "status"),
    [
        ("Rate limit exceeded", FailureClass.RATE_LIMITED, 429),
        (" Rate limit exceeded. Please try again later.\n", FailureClass.RATE_LIMITED, 429),
        ("Error: rate limit reached, retry after 20s", FailureClass.RATE_LIMITED, 429),
        (
            (
                "Rate limit reached for model `m` in organization `o` on tokens per minute (TPM):"
                " Limit 6000, Used 5990, Requested 100. Please try again in 20s."
            ),
            FailureClass.RATE_LIMITED,
            429,
        ),
        (
            "You have exceeded your daily quota, please upgrade your plan.",
            FailureClass.QUOTA_EXHAUSTED,
            429,
        ),
        (
            "Error code: 401 - {'error': {'message': 'Incorrect API key provided'}}",
            FailureClass.AUTH_INVALID,
            401,
        ),
        ("Error: Request failed with status code 503", FailureClass.OVERLOADED, 503),
        ("Error: API request failed (500)", FailureClass.SERVER_ERROR, 500),
        ("The model is overloaded. Please try again later.", FailureClass.OVERLOADED, 503),
        ("[ERROR] upstream timed out", FailureClass.BAD_GATEWAY, 502),
        ("[ERROR] something went wrong", FailureClass.SERVER_ERROR, 500),
    ],
)
def test_text_that_is_an_error_is_taken_as_it(
    text: str, failure: FailureClass, status: int
) -> None:
    found = read(text)

    assert found is not None
    assert (classify(found, now=NOW).failure, found.status) == (failure, status)


def test_recorded_one_is_recognised_with_its_wait() -> None:
    lines = Path(__file__).with_name("recorded_errors.jsonl").read_bytes().splitlines()
    recorded = next(
        each for each in map(msgspec.json.decode, lines) if each["id"] == "429-inside-200-content"
    )

    found = inside(recorded["body"].encode())

    assert found is not None
    failure = classify(found, now=NOW)
    assert failure.failure == recorded["failure"]
    assert failure.stated_wait_s == recorded["wait_s"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello.",
        "Rate",
        "rate limits exceeded",
        "Rate limit exceeded is what a server says when you send too many requests.",
        "Rate limit exceeded\n\nThis error means that you have sent too many requests.",
        "Rate limit exceeded. This error means that you have sent too many requests.",
        "Rate limit exceeded. Wait, that is not what I meant.",
        "A rate limit exceeded error (429) means that you should wait.",
        "Error 429: Too many requests. It means that you should wait.",
        "Error: the variable `x` is not defined in line 3.",
        "Error code: 429 means Too Many Requests.",
        "Here is the log:\n[ERROR] upstream timed out",
        "[ERROR] one line\nand then a second one",
        "[error] a line of a log",
        "The server is overloaded with meaning in this poem.",
        "You have exceeded your expectations, please celebrate.",
        "Upstream error handling is a pattern.",
        '{"error": {"message": "Rate limit exceeded", "code": 429}}',
        "[ERROR] " + "x" * MOST_CHARS,
    ],
)
def test_text_that_speaks_of_errors_is_an_answer(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    "message",
    [
        {"content": "Rate limit exceeded.", "tool_calls": [{"id": "1"}]},
        {"content": "Rate limit exceeded.", "function_call": {"name": "f"}},
        {"content": "Rate limit exceeded.", "reasoning": "hm"},
        {"content": "Rate limit exceeded.", "reasoning_content": "hm"},
        {"content": None},
        {"content": [{"type": "text", "text": "Rate limit exceeded."}]},
    ],
)
def test_answer_with_anything_beside_its_text_is_one(message: dict[str, Any]) -> None:
    assert inside(answer(**message)) is None


@pytest.mark.parametrize(
    "document",
    [
        {"choices": []},
        {"data": []},
        {"choices": [{"index": 1, "text": "Rate limit exceeded."}]},
        {"choices": [{"text": "Rate limit exceeded."}, {"text": "Rate limit exceeded."}]},
        {"choices": [{"index": 0}]},
        b"nothing to read",
        b"\xff",
    ],
)
def test_what_is_no_single_answer_tells_nothing(document: Any) -> None:
    assert inside(document) is None


def test_completions_and_pieces_of_a_stream_are_read_too() -> None:
    role = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
    pieces = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in ("Rate ", "")]
    rest = {"choices": [{"index": 0, "delta": {"content": "limit exceeded!"}}]}

    assert inside({"choices": [{"text": "Rate limit exceeded."}]}) is not None
    assert inside(role, *pieces, rest, {"choices": [], "usage": {}}) is not None
    assert inside(role, *pieces) is None


def test_pings_tell_nothing() -> None:
    event = b"data: %b\n\n" % answer(content="Rate limit exceeded.")

    assert streamed(Dialect.CHAT, b": ping\n\n", event, b"data:\n\n") is not None


STAMP = Stamp(id="a1", model="m", created_at=1)
TOLD = "Error: API request failed (429): Rate limit exceeded"
OTHERS = [each for each in Dialect if each is not Dialect.CHAT]


def whole(dialect: Dialect, *parts: Said) -> bytes:
    """Return an answer as a client of a dialect gets it."""
    return WRITE_ANSWER[dialect](Answer(choices=(Choice(parts=parts),), tokens=Tokens()), STAMP)


def pieces(dialect: Dialect, *deltas: Delta, array: bool = False) -> list[bytes]:
    """Return the beginning of a stream likewise."""
    writer = STREAM_WRITERS[dialect](replace(STAMP, array=array))
    return [writer.feed(delta) for delta in (Begin(), *deltas)]


@pytest.mark.parametrize("dialect", OTHERS)
def test_clients_of_every_dialect_are_spared_them(dialect: Dialect) -> None:
    call = ToolCall(id="c1", name="f", arguments="{}")

    def found(*parts: Said) -> Evidence | None:
        return spoken_in(whole(dialect, *parts), dialect, provider="somebody", headers={})

    error = found(Text(text=TOLD))

    assert error is not None
    assert error.status == 429
    assert found(Text(text="Hello.")) is None
    assert found(Text(text=TOLD), call) is None
    assert spoken_in(b"[]", dialect, provider="somebody", headers={}) is None


@pytest.mark.parametrize("dialect", OTHERS)
def test_so_they_are_in_streams(dialect: Dialect) -> None:
    words = [TextDelta(text=word) for word in ("Rate ", "limit ", "exceeded")]
    call = CallBegin(call=0, id="c1", name="f")

    assert streamed(dialect, *pieces(dialect, *words)) is not None
    assert streamed(dialect, *pieces(dialect, *words[:1])) is None
    assert streamed(dialect, *pieces(dialect, *words, call, Finish(stop=Stop.TOOLS))) is None
    assert streamed(dialect, *pieces(dialect, ThinkingDelta(text="hm"), *words)) is None
    assert streamed(dialect, b"data: no JSON\n\n") is None


def test_so_they_are_in_the_array_of_geminis_clients() -> None:
    words = [TextDelta(text=word) for word in ("Rate ", "limit ", "exceeded")]

    assert streamed(Dialect.GEMINI, *pieces(Dialect.GEMINI, *words, array=True)) is not None


@given(st.text())
def test_no_ordinary_text_is_an_error(text: str) -> None:
    assert read(text) is None


@given(st.text(alphabet="ERO[]: rateimxcd.(42)\n", max_size=60))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    found = read(text)

    assert found is None or (found.status or 0) >= 400
