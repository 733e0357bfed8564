"""Turn an answer and a fault into a play: the bytes of a connection, their times, and an ending.

Refuses to know sockets, clocks and flavours: times are seconds since the request was whole, and
everything that can go wrong on a connection is decided here, so that `wire` only performs it.
"""

from __future__ import annotations

import gzip
import zlib
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from spillover.simulator.faults import Break, Fault, Part
from spillover.simulator.speech import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spillover.simulator.replies import Headers, Reply

_REASONS: Final = {200: "OK", 400: "Bad Request", 429: "Too Many Requests", 503: "Unavailable"}
_TAIL: Final = frozenset({Part.FINISH, Part.USAGE, Part.DONE})
"""What a fault comes before, however few content events there were."""
NO_FAULT: Final = Fault()


class Ending(StrEnum):
    """What happens to the connection after the last byte."""

    KEEP = "keep"
    CLOSE = "close"
    RESET = "reset"
    STALL = "stall"


class Step(NamedTuple):
    """Bytes that are written at once."""

    at_s: float
    data: bytes
    chars: int = 0
    """Characters of content in them."""


class Play(NamedTuple):
    """All that a connection does for one request."""

    steps: Iterable[Step]
    ending: Ending
    whole: bool = True
    """Performed to its end, the client got what was asked for."""


class Tempo(msgspec.Struct, frozen=True, kw_only=True):
    """When the parts of an answer are sent, and what fills the silence."""

    delay_s: float = 0.0
    first_token_s: float = 0.0
    events_per_s: float | None = None
    comment: bytes = b""
    """Opens a stream; empty: nothing does."""
    comment_every_s: float | None = None
    """Repeats a comment while a stream waits or stalls."""


class Framing(msgspec.Struct, frozen=True, kw_only=True):
    """What the request and the moment decide of the HTTP around an answer."""

    chunked: bool = True
    """False for a client of HTTP/1.0: bodies of unknown length end with the connection."""
    keep: bool = True
    """The connection may serve another request."""
    date: str = ""


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self, mode: int = ..., /) -> bytes: ...


def broken_play(fault: Fault, tempo: Tempo) -> Play | None:
    """Return the play of a fault that allows no HTTP answer at all, None for other faults."""
    if fault.raw is not None:
        steps = (Step(tempo.delay_s, fault.raw.encode("latin-1")),)
        return Play(steps, Ending.CLOSE, whole=False)
    if fault.break_ is not None and fault.after is None:
        return Play((Step(tempo.delay_s, b""),), _ending(fault), whole=False)
    return None


def reply_play(
    reply: Reply,
    framing: Framing,
    *,
    fault: Fault = NO_FAULT,
    delay_s: float = 0.0,
    chars: int = 0,
) -> Play:
    """Return the play of a whole reply, which says its length unless it is split.

    `chars` of content are sent with the first byte: it was all made by then.
    """
    body, headers = reply.body, reply.headers
    if fault.malformed:
        body = body[: len(body) // 2]
    if fault.encoding is not None:
        body = gzip.compress(body) if fault.encoding == "gzip" else zlib.compress(body)
        headers = (*headers, ("content-encoding", fault.encoding))
    head = _head(reply, (*headers, ("content-length", str(len(body)))), framing)
    if fault.break_ is not None:
        half = body[: len(body) // 2]
        return Play((Step(delay_s, head + half, chars),), _ending(fault), whole=False)
    ending = Ending.KEEP if framing.keep else Ending.CLOSE
    if fault.split is not None and framing.chunked:
        head = _head(reply, (*headers, ("transfer-encoding", "chunked")), framing)
        framed = (_chunk(piece) for piece in _pieces(body, fault.split))
        rest = (Step(delay_s, data) for data in chain(framed, (b"0\r\n\r\n",)))
        return Play(chain((Step(delay_s, head, chars),), rest), ending)
    return Play((Step(delay_s, head + body, chars),), ending)


def stream_play(
    reply: Reply, events: Iterable[Event], framing: Framing, *, fault: Fault, tempo: Tempo
) -> Play:
    """Return the play of a stream under a reply's status and headers.

    `events` come without comments; an error in the stream is among them already.
    """
    keeps = framing.keep and framing.chunked
    headers = reply.headers
    if fault.encoding is not None:
        headers = (*headers, ("content-encoding", fault.encoding))
    if framing.chunked:
        headers = (*headers, ("transfer-encoding", "chunked"))
    head = _head(reply, headers, msgspec.structs.replace(framing, keep=keeps))
    steps = _spoiled(_timed(events, tempo), fault, tempo)
    if fault.line_end is not None:
        steps = _ended(steps, fault.line_end.encode())
    if fault.encoding is not None:
        steps = _compressed(steps, fault.encoding, whole=fault.break_ is None)
    if fault.split is not None:
        steps = _split(steps, fault.split)
    if framing.chunked:
        steps = _framed(steps, whole=fault.break_ is None)
    opening = (Step(tempo.delay_s, head),)
    if fault.break_ is not None:
        return Play(chain(opening, steps), _ending(fault), whole=False)
    return Play(chain(opening, steps), Ending.KEEP if keeps else Ending.CLOSE)


def _ending(fault: Fault) -> Ending:
    return Ending(fault.break_) if fault.break_ is not None else Ending.KEEP


def _timed(events: Iterable[Event], tempo: Tempo) -> Iterator[tuple[float, Event]]:
    """Give each event its time: all that precede the content come with the head."""
    at_s = tempo.delay_s
    if tempo.comment:
        yield at_s, Event(Part.ROLE, tempo.comment)
    started_s = at_s + tempo.first_token_s
    gap_s = 0.0 if tempo.events_per_s is None else 1.0 / tempo.events_per_s
    contents = 0
    for event in events:
        if not contents and event.part is not Part.ROLE:
            yield from _waiting(at_s, started_s, tempo)
        if event.part is Part.CONTENT:
            at_s = started_s + contents * gap_s
            contents += 1
        elif event.part is not Part.ROLE:
            at_s = max(at_s, started_s)
        yield at_s, event


def _waiting(from_s: float, until_s: float, tempo: Tempo) -> Iterator[tuple[float, Event]]:
    if tempo.comment_every_s is None:
        return
    comment = Event(Part.ROLE, tempo.comment or b": keep-alive\n\n")
    at_s = from_s + tempo.comment_every_s
    while at_s < until_s:
        yield at_s, comment
        at_s += tempo.comment_every_s


def _spoiled(timed: Iterable[tuple[float, Event]], fault: Fault, tempo: Tempo) -> Iterator[Step]:
    """Apply what a fault leaves out, puts in and breaks off."""
    after = fault.after or 0
    breaks, inserts = fault.break_ is not None, fault.insert
    contents, at_s = 0, tempo.delay_s
    for at_s, event in timed:
        due = contents >= after or event.part in _TAIL
        if due and event.part is not Part.ROLE:
            if inserts is not None:
                yield Step(at_s, inserts.encode())
                inserts = None
            if breaks:
                break
        contents += event.part is Part.CONTENT
        if event.part not in fault.omit:
            yield Step(at_s, event.data, event.chars)
    if fault.break_ is Break.STALL and fault.keepalive_s is not None:
        comment = tempo.comment or b": keep-alive\n\n"
        while True:
            at_s += fault.keepalive_s
            yield Step(at_s, comment)


def _ended(steps: Iterable[Step], line_end: bytes) -> Iterator[Step]:
    for step in steps:
        yield Step(step.at_s, step.data.replace(b"\n", line_end), step.chars)


def _compressed(steps: Iterable[Step], encoding: str, *, whole: bool) -> Iterator[Step]:
    """Compress event by event, so that each can be read when it arrives."""
    gzip_bits = 16 + zlib.MAX_WBITS if encoding == "gzip" else zlib.MAX_WBITS
    compressor: _Compressor = zlib.compressobj(wbits=gzip_bits)
    at_s = 0.0
    for step in steps:
        at_s = step.at_s
        data = compressor.compress(step.data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        yield Step(at_s, data, step.chars)
    if whole:
        yield Step(at_s, compressor.flush(zlib.Z_FINISH))


def _split(steps: Iterable[Step], size: int) -> Iterator[Step]:
    for step in steps:
        pieces = _pieces(step.data, size)
        for number, piece in enumerate(pieces, 1):
            yield Step(step.at_s, piece, step.chars if number == len(pieces) else 0)


def _framed(steps: Iterable[Step], *, whole: bool) -> Iterator[Step]:
    at_s = 0.0
    for step in steps:
        at_s = step.at_s
        yield Step(at_s, _chunk(step.data), step.chars)
    if whole:
        yield Step(at_s, b"0\r\n\r\n")


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def _chunk(data: bytes) -> bytes:
    # An empty chunk would end the body.
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _head(reply: Reply, headers: Headers, framing: Framing) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Simulated')}"]
    if not any(name == "content-type" for name, _ in headers):
        lines.append(f"content-type: {reply.content_type}")
    if framing.date:
        lines.append(f"date: {framing.date}")
    if not framing.keep:
        lines.append("connection: close")
    lines.extend(f"{name}: {value}" for name, value in headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
