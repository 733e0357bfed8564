"""Splitting a byte stream into events, whatever its line ends and chunk borders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.protocols.sse import (
    MOST_EVENT_BYTES,
    EventTooLarge,
    Payload,
    Splitter,
    data_of,
    payload,
)

EVENTS = [
    b": OPENROUTER PROCESSING\n\n",
    b'data: {"a": 1}\n\n',
    b"event: error\ndata: one\ndata: two\n\n",
    b"data: [DONE]\n\n",
]
LINE_ENDS = [b"\n", b"\r\n", b"\r"]


def fed_in_pieces(stream: bytes, size: int) -> tuple[list[bytes], bytes]:
    splitter = Splitter()
    events = [
        event
        for start in range(0, len(stream), size)
        for event in splitter.feed(stream[start : start + size])
    ]
    return events, splitter.rest


@pytest.mark.parametrize("end", LINE_ENDS, ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1_000])
def test_events_come_whole_with_any_line_end_and_any_chunk(end: bytes, size: int) -> None:
    written = [event.replace(b"\n", end) for event in EVENTS]

    events, rest = fed_in_pieces(b"".join(written), size)

    assert events == written
    assert rest == b""


def test_one_event_in_one_chunk_comes_as_it_is() -> None:
    event = b'data: {"a": 1}\n\n'

    assert Splitter().feed(event) == [event]


def test_a_single_byte_is_no_event() -> None:
    splitter = Splitter()

    assert splitter.feed(b"\n") == []
    assert splitter.feed(b"") == []
    assert splitter.feed(b"\n") == [b"\n\n"]


def test_several_events_and_the_start_of_one_are_told_apart() -> None:
    splitter = Splitter()

    assert splitter.feed(b"data: 1\n\ndata: 2\n\ndata: 3") == [b"data: 1\n\n", b"data: 2\n\n"]
    assert splitter.rest == b"data: 3"
    assert splitter.feed(b"\n\ndata: 4\n\n") == [b"data: 3\n\n", b"data: 4\n\n"]


def test_a_mixture_of_line_ends_is_read() -> None:
    stream = b"data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\ndata: 4\n\n"

    events, rest = fed_in_pieces(stream, 1_000)

    assert [payload(event).data for event in events] == [b"1", b"2", b"3", b"4"]
    assert rest == b""


def test_an_event_of_bare_carriage_returns_does_not_wait_for_the_next() -> None:
    assert Splitter().feed(b"data: 1\r\r") == [b"data: 1\r\r"]


def test_a_line_feed_after_such_an_event_leads_the_next_one() -> None:
    splitter = Splitter()

    first = splitter.feed(b"data: 1\r\r")
    second = splitter.feed(b"\ndata: 2\r\r\n")

    assert first == [b"data: 1\r\r"]
    assert [payload(event).data for event in second] == [b"2"]


def test_a_carriage_return_after_crlf_waits_for_its_line_feed() -> None:
    splitter = Splitter()

    assert splitter.feed(b"data: 1\r\n\r") == []
    assert splitter.feed(b"\ndata: 2") == [b"data: 1\r\n\r\n"]


@given(
    st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"data: x", b":", b"\n\n"])),
    st.integers(1, 9),
)
def test_no_byte_is_ever_lost_or_changed(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)

    events, rest = fed_in_pieces(stream, size)

    assert b"".join(events) + rest == stream


@given(
    st.lists(st.binary(max_size=20).filter(lambda b: not {10, 13} & set(b)), max_size=8),
    st.sampled_from(LINE_ENDS),
    st.integers(1, 9),
)
def test_chunk_borders_change_nothing(lines: list[bytes], end: bytes, size: int) -> None:
    stream = end.join([*lines, b"data: last", b"", b""])

    pieces, rest = fed_in_pieces(stream, size)
    whole, whole_rest = fed_in_pieces(stream, len(stream))

    assert [payload(e) for e in pieces] == [payload(e) for e in whole]
    assert rest == whole_rest == b""


def test_an_event_that_never_ends_is_refused() -> None:
    splitter = Splitter()
    block = b"x" * (MOST_EVENT_BYTES // 4)
    for _ in range(4):
        splitter.feed(block)

    with pytest.raises(EventTooLarge, match=str(MOST_EVENT_BYTES)):
        splitter.feed(b"x")

    assert splitter.rest == b""


def test_an_event_may_be_as_long_as_the_bound() -> None:
    event = b"x" * (MOST_EVENT_BYTES - 2) + b"\n\n"

    assert Splitter().feed(event) == [event]
    assert Splitter().feed(event + b"data: 1\n\n") == [event, b"data: 1\n\n"]


def test_a_longer_event_is_refused_in_one_chunk_too() -> None:
    event = b"x" * (MOST_EVENT_BYTES - 1) + b"\n\n"

    for chunk in (event, event + b"data: 1\n\n", event.replace(b"\n", b"\r\n")):
        with pytest.raises(EventTooLarge):
            Splitter().feed(chunk)


def test_a_longer_event_is_refused_when_its_end_comes_later() -> None:
    splitter = Splitter()
    splitter.feed(b"x" * MOST_EVENT_BYTES)

    with pytest.raises(EventTooLarge):
        splitter.feed(b"x\n\n")


@pytest.mark.parametrize(
    ("event", "data", "name"),
    [
        (b'data: {"a": 1}\n\n', b'{"a": 1}', ""),
        (b"data:no space\n\n", b"no space", ""),
        (b"data:  two spaces\n\n", b" two spaces", ""),
        (b"data: one\r\ndata: two\r\n\r\n", b"one\ntwo", ""),
        (b"event: error\ndata: x\n\n", b"x", "error"),
        (b"event: ping\n\n", None, "ping"),
        (b": comment\n\n", None, ""),
        (b"id: 7\nretry: 3000\n\n", None, ""),
        (b"data\n\n", b"", ""),
        (b"data: \n\n", b"", ""),
        (b"\xef\xbb\xbfdata: x\n\n", b"x", ""),
        (b"\ndata: x\n\n", b"x", ""),
        (b"data: unfinished", b"unfinished", ""),
        (b"data: a\rdata: b\n\n", b"a\nb", ""),
        (b"event: \xff\ndata: x\n\n", b"x", "\N{REPLACEMENT CHARACTER}"),
        (b"\n\n", None, ""),
    ],
)
def test_an_event_is_read_as_the_standard_says(event: bytes, data: bytes | None, name: str) -> None:
    assert payload(event) == Payload(data=data, name=name)


def test_a_comment_carries_nothing() -> None:
    assert payload(b": keep-alive\n\n") == Payload()


def test_only_a_lone_data_line_is_read_the_short_way() -> None:
    assert data_of(b"data: x\n\n") == b"x"
    assert data_of(b"data: x\ndata: y\n\n") is None
    assert data_of(b"data: x\r\n\r\n") is None
    assert data_of(b": x\n\n") is None
