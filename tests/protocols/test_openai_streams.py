"""Reading streamed answers, event by event."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.evidence import Evidence, Shape, TransportFault
from spillover.core.failures import classify
from spillover.core.values import FailureClass, Usage
from spillover.protocols.openai_streams import Seen, StreamReader

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
READ = Usage(requests=1, input_tokens=10, output_tokens=5)
DONE = b"data: [DONE]\n\n"


def an_event(value: object) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def a_chunk(
    delta: object = None, *, finish: str | None = None, index: int = 0, **fields: Any
) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return an_event({"object": "chat.completion.chunk", "choices": [choice], **fields})


def feed(*events: bytes, choices: int = 1) -> tuple[StreamReader, list[Seen]]:
    reader = StreamReader(provider="somebody", choices=choices)
    return reader, [reader.feed(event) for event in events]


def failure_of(evidence: Evidence | None) -> FailureClass:
    assert evidence is not None
    return classify(evidence, now=0.0).failure


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "hi"},
        {"content": [{"type": "text", "text": "hi"}]},
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"refusal": "I can't"},
        {"audio": {"id": "a", "data": "AAAA"}},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
        {"function_call": {"name": "f"}},
    ],
)
def test_content_of_any_kind_is_seen(delta: object) -> None:
    reader, seen = feed(a_chunk(delta))

    assert seen == [Seen(content=True)]
    assert reader.has_content
    assert reader.chars > 0


@pytest.mark.parametrize(
    "event",
    [
        a_chunk({"role": "assistant", "content": ""}),
        a_chunk({"role": "assistant", "content": None, "tool_calls": []}),
        a_chunk({}),
        a_chunk(None),
        an_event({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
        an_event({"choices": [{"index": 0, "text": ""}]}),
        an_event({"choices": [], "usage": None}),
        an_event({"something": "else"}),
        a_chunk({"content": ""}, usage={"strange": True}),
    ],
)
def test_an_event_without_content_is_nothing_to_commit_to(event: bytes) -> None:
    reader, seen = feed(event)

    assert seen == [Seen()]
    assert not reader.has_content


@pytest.mark.parametrize(
    "event",
    [
        b": OPENROUTER PROCESSING\n\n",
        b"event: ping\n\n",
        b"\n\n",
        b"id: 3\n\n",
        b"data: \n\n",
        b"data:\n\n",
        b"event: ping\ndata: {}\n\n",
        b'data: {"type": "ping"}\n\n',
    ],
)
def test_what_is_for_nobody_is_ignored(event: bytes) -> None:
    _, seen = feed(event)

    assert [s.ignorable for s in seen] == [True]


@pytest.mark.parametrize(
    ("event", "is_empty"),
    [
        (b": comment\n\n", False),
        (b": one\r\n:two\r\n\r\n", False),
        (b"\n\n", False),
        (b"event: ping\ndata: {}\n\n", False),
        (b"data: \n\n", True),
        (b"data\n\n", True),
        (b"event: ping\n\n", True),
        (b": comment\nid: 3\n\n", True),
        (b"retry: 10\n\n", True),
    ],
)
def test_what_is_neither_data_nor_comment_is_empty(event: bytes, *, is_empty: bool) -> None:
    _, seen = feed(event)

    assert [s.empty for s in seen] == [is_empty]


@pytest.mark.parametrize(
    "event",
    [
        b"data: {\n\n",
        b"data: hello\n\n",
        b'data: {"choices": [{]}\n\n',
        b"data: [1, 2]\n\n",
        b'data: "text"\n\n',
        b'data: {"\xff": 1}\n\n',
        b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n',
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"data: {} {}\n\n",
    ],
)
def test_what_is_no_json_object_is_garbage(event: bytes) -> None:
    _, seen = feed(event)

    assert seen == [Seen(garbage=True)]


@pytest.mark.parametrize("event", [DONE, b"data:[DONE]\n\n", b"data: [DONE] \r\n\r\n"])
def test_the_sentinel_is_known(event: bytes) -> None:
    reader, seen = feed(event)

    assert seen == [Seen(done=True)]
    assert reader.done


def test_text_of_a_legacy_completion_is_content() -> None:
    reader, seen = feed(an_event({"choices": [{"text": "hi", "index": 0}]}))

    assert seen == [Seen(content=True)]
    assert reader.chars == 2


def test_relayed_characters_are_counted_the_wide_ones_apart() -> None:
    reader, _ = feed(a_chunk({"content": "hello"}), a_chunk({"content": "你好", "reasoning": "a"}))

    assert (reader.chars, reader.wide_chars) == (6, 2)


# --- usage ---


def test_usage_in_a_chunk_of_its_own_is_for_those_who_asked() -> None:
    reader, seen = feed(an_event({"choices": [], "usage": USAGE}))

    assert seen == [Seen(usage=READ, usage_only=True)]
    assert reader.usage == READ


def test_usage_without_any_choices_field_is_read_too() -> None:
    reader, seen = feed(an_event({"usage": USAGE}))

    assert seen == [Seen(usage=READ, usage_only=True)]
    assert reader.usage == READ


def test_usage_beside_content_is_not_to_be_dropped() -> None:
    _, seen = feed(a_chunk({"content": "hi"}, usage=USAGE))

    assert seen == [Seen(content=True, usage=READ)]


def test_usage_after_the_end_is_read() -> None:
    reader, _ = feed(
        a_chunk({"content": "hi"}), a_chunk({}, finish="stop"), an_event({"usage": USAGE}), DONE
    )

    assert reader.usage == READ


def test_the_last_of_cumulative_usage_wins() -> None:
    first = {"prompt_tokens": 10, "completion_tokens": 1}

    reader, _ = feed(
        a_chunk({"content": "h"}, usage=first),
        a_chunk({"content": "i"}, usage=USAGE),
        a_chunk({"content": "!"}, usage=None),
    )

    assert reader.usage == READ


def test_usage_where_groq_and_moonshot_put_it_is_read() -> None:
    groq, seen = feed(a_chunk({}, finish="stop", x_groq={"id": "1", "usage": USAGE}))
    choice = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}
    moonshot, _ = feed(an_event({"choices": [choice]}))

    assert groq.usage == READ
    assert seen == [Seen()]
    assert moonshot.usage == READ


@pytest.mark.parametrize("x_groq", [{"id": "1"}, "odd", ["odd"]])
def test_groqs_field_may_hold_no_usage(x_groq: object) -> None:
    reader, seen = feed(a_chunk({"content": "hi"}, x_groq=x_groq))

    assert reader.usage is None
    assert seen == [Seen(content=True)]


def test_usage_of_no_known_kind_is_none() -> None:
    reader, seen = feed(an_event({"usage": {"strange": 1}}))

    assert reader.usage is None
    assert seen == [Seen()]


# --- errors ---


@pytest.mark.parametrize(
    ("event", "failure"),
    [
        (an_event({"error": {"message": "no", "code": 429}}), FailureClass.RATE_LIMITED),
        (an_event({"choices": [], "error": {"code": 503}}), FailureClass.OVERLOADED),
        (
            a_chunk({"content": ""}, finish="error", error={"code": "server_error"}),
            FailureClass.SERVER_ERROR,
        ),
        (a_chunk({"content": ""}, finish="error"), FailureClass.SERVER_ERROR),
        (an_event({"error": "server busy"}), FailureClass.OVERLOADED),
        (an_event({"message": "Too many requests", "code": "1300"}), FailureClass.RATE_LIMITED),
        (an_event({"detail": "prompt is too long"}), FailureClass.CONTEXT_LENGTH),
        (a_chunk({}, x_groq={"error": "rate limit exceeded"}), FailureClass.RATE_LIMITED),
        (
            b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error"}}\n\n',
            FailureClass.OVERLOADED,
        ),
        (
            b'data: {"error":{"code":503,"status":"UNAVAILABLE"}}\r\n\r\n',
            FailureClass.OVERLOADED,
        ),
        (an_event({"choices": 7, "error": {"code": 402}}), FailureClass.PAYMENT_REQUIRED),
    ],
)
def test_an_error_in_a_stream_is_an_error(event: bytes, failure: FailureClass) -> None:
    _, seen = feed(event)

    assert failure_of(seen[0].error) is failure


def test_an_error_says_whether_content_went_before() -> None:
    error = an_event({"error": {"message": "no"}})

    _, early = feed(error)
    _, late = feed(a_chunk({"content": "hi"}), error)

    assert early[0].error is not None
    assert early[0].error.after_content is False
    assert late[1].error is not None
    assert late[1].error.after_content is True


@pytest.mark.parametrize("error", [None, "", {}, []])
def test_an_empty_error_is_none(error: object) -> None:
    _, seen = feed(a_chunk({"content": "hi"}, error=error))

    assert seen == [Seen(content=True)]


# --- the end ---


def test_an_answer_is_finished_when_its_reason_came() -> None:
    begun, _ = feed(a_chunk({"content": "hi"}))
    reader, _ = feed(a_chunk({"content": "hi"}), a_chunk({}, finish="stop"))

    assert not begun.finished
    assert reader.finished
    assert reader.finish_reason == "stop"
    assert reader.end() is None


def test_several_answers_are_finished_when_the_last_one_is() -> None:
    events = (
        a_chunk({"content": "a"}, index=0),
        a_chunk({"content": "b"}, index=1),
        a_chunk({}, finish="stop", index=1),
        a_chunk({}, finish="stop", index=1),
        a_chunk({}, finish="stop", index=0),
    )

    finished = [feed(*events[:n], choices=2)[0].finished for n in range(1, 6)]

    assert finished == [False, False, False, False, True]
    assert feed(*events, choices=2)[0].end() is None


def test_an_empty_finish_reason_is_none() -> None:
    reader, _ = feed(a_chunk({"content": "hi"}, finish=""))

    assert not reader.finished


def test_the_sentinel_alone_ends_an_answer_too() -> None:
    reader, _ = feed(a_chunk({"content": "hi"}), DONE)

    assert reader.end() is None


@pytest.mark.parametrize("events", [(), (a_chunk({"role": "assistant"}),)])
def test_a_stream_without_an_end_was_cut(events: tuple[bytes, ...]) -> None:
    reader, _ = feed(*events)

    end = reader.end()
    assert end is not None
    assert end.fault is TransportFault.CUT
    assert end.after_content is False
    assert failure_of(end) is FailureClass.NETWORK


def test_a_cut_behind_content_says_so() -> None:
    reader, _ = feed(a_chunk({"content": "Hel"}))

    end = reader.end()
    assert end is not None
    assert end.after_content is True


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 10, "completion_tokens": 0}])
def test_an_answer_of_nothing_is_hollow(usage: object) -> None:
    reader, _ = feed(a_chunk({}, finish="stop", usage=usage), DONE)

    end = reader.end()
    assert end is not None
    assert end.shape is Shape.HOLLOW
    assert failure_of(end) is FailureClass.SERVER_ERROR


def test_an_answer_of_nothing_that_cost_something_is_whole() -> None:
    reader, _ = feed(a_chunk({}, finish="stop", usage=USAGE), DONE)

    assert reader.end() is None


def test_an_answer_emptied_by_a_filter_was_filtered() -> None:
    reader, _ = feed(a_chunk({}, finish="content_filter"), DONE)

    assert failure_of(reader.end()) is FailureClass.CONTENT_FILTER


# --- odd chunks ---


def test_fields_of_unusual_kinds_hide_nothing() -> None:
    choice = {
        "index": "0",
        "delta": {"role": "assistant", "content": "hi", "reasoning_content": {"text": "hm"}},
        "finish_reason": "stop",
    }

    reader, seen = feed(an_event({"choices": [choice], "usage": USAGE}))

    assert seen == [Seen(content=True, usage=READ)]
    assert reader.chars > 0


@pytest.mark.parametrize(
    "choice",
    [
        {"index": 0, "delta": {"role": "assistant", "content": "", "reasoning_content": 0}},
        {"index": None, "delta": "odd", "finish_reason": 7},
        "odd",
    ],
)
def test_unusual_chunks_without_content_stay_so(choice: object) -> None:
    reader, seen = feed(an_event({"choices": [choice]}))

    assert seen == [Seen()]
    assert not reader.finished


def test_the_text_of_an_unusual_chunk_is_content() -> None:
    _, seen = feed(an_event({"choices": [{"index": "0", "text": "hi"}]}))

    assert seen == [Seen(content=True)]


SCRAPS = st.sampled_from(
    [
        a_chunk({"content": "hi"}),
        a_chunk({}, finish="stop"),
        an_event({"choices": [], "usage": USAGE}),
        an_event({"error": {"code": 500}}),
        DONE,
        b": ping\n\n",
        b"data: {\n\n",
    ]
)


@given(st.lists(SCRAPS | st.binary(max_size=40).map(lambda b: b"data: " + b + b"\n\n")))
def test_any_events_are_read_without_harm(events: list[bytes]) -> None:
    reader, seen = feed(*events)

    assert reader.has_content == any(s.content for s in seen)
    assert reader.done == any(s.done for s in seen)
    end = reader.end()
    assert end is None or end.fault is TransportFault.CUT or end.shape is Shape.HOLLOW


def test_a_half_character_is_text_as_any_other() -> None:
    reader = StreamReader()
    event = rb'data: {"choices":[{"index":0,"delta":{"content":"\ud83d"}}]}' + b"\n\n"

    assert reader.feed(event).content


def test_a_half_character_hides_no_error() -> None:
    event = b'data: {"error":\ndata: {"message":"cut \\ud83d"}}\n\n'

    assert StreamReader().feed(event).error is not None
