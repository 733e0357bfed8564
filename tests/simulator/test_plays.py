"""The bytes, times and endings of answers and faults."""

from __future__ import annotations

import gzip
import zlib
from itertools import islice
from typing import Any

import pytest

from spillover.simulator.faults import FAULTS, Break, Fault, Part
from spillover.simulator.plays import (
    NO_FAULT,
    Ending,
    Framing,
    Play,
    Tempo,
    broken_play,
    reply_play,
    stream_play,
)
from spillover.simulator.replies import Reply
from spillover.simulator.speech import Event
from tests.simulator.asking import Got, dechunked, taken_apart

REPLY = Reply(status=200, body=b'{"a": 1}', headers=(("x-a", "1"),))
HEAD = Reply(status=200, body=b"", content_type="text/event-stream")
EVENTS = [
    Event(Part.ROLE, b"data: r\n\n"),
    Event(Part.CONTENT, b"data: 1\n\n", 4),
    Event(Part.CONTENT, b"data: 2\n\n", 4),
    Event(Part.CONTENT, b"data: 3\n\n", 4),
    Event(Part.FINISH, b"data: f\n\n"),
    Event(Part.USAGE, b"data: u\n\n"),
    Event(Part.DONE, b"data: [DONE]\n\n"),
]


def raw(play: Play) -> bytes:
    return b"".join(step.data for step in play.steps)


def whole(fault: Fault = NO_FAULT, framing: Framing | None = None) -> tuple[Play, Got]:
    play = reply_play(REPLY, framing or Framing(), fault=fault)
    return play, taken_apart(raw(play))


def stream(fault: Fault = NO_FAULT, framing: Framing | None = None, **tempo: Any) -> Play:
    return stream_play(HEAD, EVENTS, framing or Framing(), fault=fault, tempo=Tempo(**tempo))


def data(play: Play) -> str:
    """The events of a stream, shortened to their letters."""
    body = taken_apart(raw(play)).body.decode()
    return body.replace("data: ", "").replace("\n\n", " ").strip()


def test_a_reply_says_its_length_and_keeps_the_connection() -> None:
    play, got = whole(framing=Framing(date="Fri"))

    assert (got.status, got.body, play.ending) == (200, REPLY.body, Ending.KEEP)
    assert got.headers["content-length"] == "8"
    assert (got.headers["x-a"], got.headers["date"]) == ("1", "Fri")
    assert "connection" not in got.headers


def test_a_client_that_leaves_is_let_go() -> None:
    play, got = whole(framing=Framing(keep=False))

    assert (play.ending, got.headers["connection"]) == (Ending.CLOSE, "close")


def test_a_malformed_body_ends_half_way_and_says_so_as_its_length() -> None:
    _, got = whole(Fault(malformed=True))

    assert (got.body, got.headers["content-length"]) == (b'{"a"', "4")


@pytest.mark.parametrize(("encoding", "decode"), [("gzip", gzip), ("deflate", zlib)])
def test_a_reply_can_be_compressed(encoding: Any, decode: Any) -> None:
    _, got = whole(Fault(encoding=encoding))

    assert got.headers["content-encoding"] == encoding
    assert decode.decompress(got.body) == REPLY.body


def test_a_split_reply_comes_in_chunks_of_that_size() -> None:
    play = reply_play(REPLY, Framing(), fault=Fault(split=3), chars=5)
    steps = list(play.steps)

    assert [step.data for step in steps[1:]] == [
        b'3\r\n{"a\r\n',
        b'3\r\n": \r\n',
        b"2\r\n1}\r\n",
        b"0\r\n\r\n",
    ]
    assert sum(step.chars for step in steps) == 5
    assert taken_apart(b"".join(step.data for step in steps)).body == REPLY.body


def test_a_reply_is_not_split_for_a_client_that_reads_no_chunks() -> None:
    _, got = whole(Fault(split=3), Framing(chunked=False, keep=False))

    assert got.headers["content-length"] == "8"


def test_a_reply_that_breaks_sends_half_of_what_it_promised() -> None:
    play, got = whole(Fault(break_=Break.CLOSE, after=0))

    assert (got.body, got.headers["content-length"]) == (b'{"a"', "8")
    assert (play.ending, play.whole) == (Ending.CLOSE, False)


@pytest.mark.parametrize("ending", list(Break))
def test_a_break_before_the_head_sends_nothing(ending: Break) -> None:
    play = broken_play(Fault(break_=ending), Tempo(delay_s=2))

    assert play is not None
    assert [(step.at_s, step.data) for step in play.steps] == [(2, b"")]
    assert play.ending == ending.value


def test_what_is_no_http_is_sent_as_it_is() -> None:
    play = broken_play(FAULTS["not_http"], Tempo())

    assert play is not None
    assert raw(play).startswith(b"\x00\xff")
    assert play.ending is Ending.CLOSE


@pytest.mark.parametrize("fault", [NO_FAULT, FAULTS["cut"], FAULTS["gzip"], FAULTS["html_502"]])
def test_other_faults_leave_the_head_to_be_sent(fault: Fault) -> None:
    assert broken_play(fault, Tempo()) is None


def test_a_stream_is_chunked_event_by_event() -> None:
    play = stream()
    steps = list(play.steps)

    assert steps[1].data == b"9\r\ndata: r\n\n\r\n"
    assert steps[-1].data == b"0\r\n\r\n"
    assert (play.ending, play.whole) == (Ending.KEEP, True)
    assert sum(step.chars for step in steps) == 12


def test_a_stream_for_http_1_0_ends_with_its_connection() -> None:
    play = stream(framing=Framing(chunked=False))
    got = taken_apart(raw(play))

    assert got.headers["connection"] == "close"
    assert got.body.endswith(b"data: [DONE]\n\n")
    assert play.ending is Ending.CLOSE


def test_content_comes_on_an_absolute_schedule() -> None:
    play = stream(delay_s=1, first_token_s=2, events_per_s=4)

    times = [step.at_s for step in play.steps]

    assert times == [1, 1, 3, 3.25, 3.5, 3.5, 3.5, 3.5, 3.5]


def test_comments_open_a_stream_and_fill_its_silence() -> None:
    play = stream(comment=b": P\n\n", comment_every_s=1, first_token_s=2.5)

    comments = [step.at_s for step in play.steps if b": P" in step.data]

    assert comments == [0, 1, 2]


def test_a_silent_stream_without_comments_stays_silent() -> None:
    assert len(list(stream(first_token_s=5).steps)) == len(EVENTS) + 2


@pytest.mark.parametrize(
    ("name", "sent", "ending"),
    [
        ("cut", "r 1 2 3", Ending.CLOSE),
        ("cut_before_content", "r", Ending.CLOSE),
        ("reset", "r 1 2 3", Ending.RESET),
        ("stall", "r 1 2 3", Ending.STALL),
        ("no_done", "r 1 2 3 f u", Ending.KEEP),
        ("no_finish_reason", "r 1 2 3 u", Ending.KEEP),
        ("no_usage", "r 1 2 3 f [DONE]", Ending.KEEP),
        ("empty_stream", "r f [DONE]", Ending.KEEP),
        ("event_not_json", "r 1 {this is not JSON 2 3 f u [DONE]", Ending.KEEP),
    ],
)
def test_a_stream_is_spoiled_as_its_fault_says(name: str, sent: str, ending: Ending) -> None:
    play = stream(FAULTS[name])

    assert (data(play), play.ending) == (sent, ending)
    assert play.whole is (ending is Ending.KEEP)


def test_a_break_comes_before_the_finish_of_a_stream_that_is_too_short_for_it() -> None:
    assert data(stream(Fault(break_=Break.CLOSE, after=50))) == "r 1 2 3"


def test_a_cut_stream_lacks_its_last_chunk() -> None:
    assert not raw(stream(FAULTS["cut"])).endswith(b"0\r\n\r\n")


def test_a_stalled_stream_can_be_kept_alive_by_comments_for_ever() -> None:
    play = stream(FAULTS["keepalive_only"])

    steps = list(islice(play.steps, 6))

    assert [round(step.at_s, 2) for step in steps] == [0, 0, 0.05, 0.1, 0.15, 0.2]
    assert all(b": keep-alive" in step.data for step in steps[2:])
    assert play.ending is Ending.STALL


def test_an_event_can_be_put_before_the_first_content() -> None:
    assert data(stream(Fault(insert="data: X\n\n"))) == "r X 1 2 3 f u [DONE]"


def test_lines_can_end_otherwise() -> None:
    assert b"data: 1\r\n\r\n" in raw(stream(FAULTS["crlf"]))


@pytest.mark.parametrize("bits", [("gzip", 16 + zlib.MAX_WBITS), ("deflate", zlib.MAX_WBITS)])
def test_a_compressed_stream_can_be_read_event_by_event(bits: tuple[Any, int]) -> None:
    encoding, window = bits
    steps = list(stream(Fault(encoding=encoding)).steps)
    decoder = zlib.decompressobj(wbits=window)

    read = [decoder.decompress(dechunked(step.data)) for step in steps[1:-1]]

    assert read[:2] == [EVENTS[0].data, EVENTS[1].data]
    assert b"".join(read).endswith(b"[DONE]\n\n")
    assert decoder.eof


def test_a_stream_cut_while_compressed_is_left_open() -> None:
    body = taken_apart(raw(stream(Fault(encoding="gzip", break_=Break.CLOSE, after=1)))).body
    decoder = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    assert decoder.decompress(body) == EVENTS[0].data + EVENTS[1].data
    assert not decoder.eof


def test_a_split_stream_has_its_borders_anywhere_and_counts_alike() -> None:
    steps = list(stream(FAULTS["one_byte_chunks"]).steps)

    got = taken_apart(b"".join(step.data for step in steps))

    assert got.body == b"".join(event.data for event in EVENTS)
    assert all(step.data.startswith(b"1\r\n") for step in steps[1:-1])
    assert sum(step.chars for step in steps) == 12
