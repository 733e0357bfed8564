"""Say how an answer is to be spoiled, and which of the coming requests it hits.

Refuses to know sockets: `plays` turns a fault into bytes, times and endings.
A fault never depends on chance: the same script gives the same answers.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Final, Literal

import msgspec

from spillover.simulator.replies import Complaint


class Break(StrEnum):
    """How a connection fails an answer."""

    CLOSE = "close"
    """TCP is closed in order (FIN), the answer unfinished."""
    RESET = "reset"
    """TCP is reset (RST)."""
    STALL = "stall"
    """Nothing more is sent; the connection stays open until the client leaves."""


class Part(StrEnum):
    """A part of a stream that can be left out."""

    ROLE = "role"
    CONTENT = "content"
    FINISH = "finish"
    """The event that carries `finish_reason`."""
    USAGE = "usage"
    DONE = "done"
    """The sentinel `[DONE]`."""
    ERROR = "error"
    """An error told inside the stream."""


class Fault(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One way to spoil an answer; fields combine, and none set spoils nothing.

    A request that a fault hits has passed the key, the model and the limits, and counts as used.
    """

    delay_s: float | None = None
    """Before the status line."""
    first_token_s: float | None = None
    """Between a stream's head and its first content."""
    events_per_s: float | None = None
    events: int | None = None
    """Content events of a stream."""
    keepalive_s: float | None = None
    """A comment is sent this often while a stream waits or stalls."""

    error: Complaint | None = None
    """The flavour's own error. With `after`: inside a 200, as a stream's event or as the body."""
    status: int | None = None
    """Replaces the status line's; alone, with an empty body."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Added to the answer's, or replacing those of the same name."""
    body: str | None = None
    """Replaces the body of an answer, streamed or not."""
    raw: str | None = None
    """Sent (as Latin-1) instead of any HTTP, then the connection is closed."""

    break_: Break | None = msgspec.field(default=None, name="break")
    after: int | None = None
    """Content events that come before a break, an error or an insertion; None: a break comes
    before the status line, an error replaces the answer. An unstreamed answer breaks half-way
    through its body whatever the number."""
    insert: str | None = None
    """Put into a stream after `after` content events (0 when None): an event that is no JSON."""
    omit: frozenset[Part] = frozenset()
    malformed: bool = False
    """The JSON body of an unstreamed answer ends half-way, its length being right."""

    encoding: Literal["gzip", "deflate"] | None = None
    """Compresses the answer, asked for or not."""
    split: int | None = None
    """Bytes of each HTTP chunk and each write, wherever the borders fall."""
    line_end: Literal["\n", "\r\n", "\r"] | None = None
    """Of a stream's lines."""
    reject_stream_options: Literal[400, 422] | None = None
    """Refuses requests that have the field; others are answered as if there were no fault."""

    @property
    def spoils(self) -> bool:
        """Whether the client gets something else than the whole answer, late or odd as it be."""
        replaced = (self.error, self.status, self.body, self.raw, self.break_, self.insert)
        return self.malformed or bool(self.omit) or any(one is not None for one in replaced)


_HTML: Final = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
_HTML_TYPE: Final = {"content-type": "text/html; charset=UTF-8"}


def html_page(status: int, title: str) -> Fault:
    """Return the fault of a proxy that answers an HTML error page of its own."""
    body = _HTML.format(f"{status} {title}")
    return Fault(status=status, headers=_HTML_TYPE, body=body)


FAULTS: Final[dict[str, Fault]] = {
    "close_before_head": Fault(break_=Break.CLOSE),
    "reset_before_head": Fault(break_=Break.RESET),
    "silence": Fault(break_=Break.STALL),
    "cut": Fault(break_=Break.CLOSE, after=3),
    "cut_before_content": Fault(break_=Break.CLOSE, after=0),
    "reset": Fault(break_=Break.RESET, after=3),
    "stall": Fault(break_=Break.STALL, after=3),
    "stall_before_content": Fault(break_=Break.STALL, after=0),
    "keepalive_only": Fault(break_=Break.STALL, after=0, keepalive_s=0.05),
    "not_http": Fault(raw="\x00\xff\x16\x03 this is not HTTP\r\n\r\n"),
    "malformed_json": Fault(malformed=True),
    "html_502": html_page(502, "Bad Gateway"),
    "html_520": html_page(520, "Web server is returning an unknown error"),
    "html_200": html_page(200, "Welcome"),
    "empty_200": Fault(status=200, body=""),
    "no_choices": Fault(body='{"id":"x","object":"chat.completion","choices":[]}'),
    "error_in_200": Fault(error=Complaint.RATE_LIMITED, after=0),
    "error_before_content": Fault(error=Complaint.OVERLOADED, after=0),
    "error_after_content": Fault(error=Complaint.SERVER_ERROR, after=3),
    "no_done": Fault(omit=frozenset({Part.DONE})),
    "no_finish_reason": Fault(omit=frozenset({Part.FINISH, Part.DONE})),
    "no_usage": Fault(omit=frozenset({Part.USAGE})),
    "empty_stream": Fault(omit=frozenset({Part.CONTENT, Part.USAGE})),
    "gzip": Fault(encoding="gzip"),
    "deflate": Fault(encoding="deflate"),
    "one_byte_chunks": Fault(split=1),
    "odd_chunks": Fault(split=7),
    "crlf": Fault(line_end="\r\n"),
    "event_not_json": Fault(insert="data: {this is not JSON\n\n", after=1),
    "no_stream_options_400": Fault(reject_stream_options=400),
    "no_stream_options_422": Fault(reject_stream_options=422),
} | {str(complaint): Fault(error=complaint) for complaint in Complaint}
"""Ready-made faults by name, for `script` and for the control interface."""


class Scripted(msgspec.Struct, kw_only=True):
    """A fault and the requests that it is to hit."""

    fault: Fault
    times: int | None
    """How many requests are left; None: all until the script is cleared."""
    model: str | None = None
    """Only requests for this model; None: any."""
    carrying: str | None = None
    """Only requests whose body holds this text as it stands there; None: any."""

    def hits(self, model: str, body: bytes) -> bool:
        """Return whether it is meant for a request."""
        aimed = self.model is None or self.model == model
        return aimed and (self.carrying is None or self.carrying.encode() in body)


class Script:
    """The faults to come, in order: each request takes the first one that fits it."""

    def __init__(self) -> None:
        """Start without faults."""
        self._entries: deque[Scripted] = deque()

    def add(self, scripted: Scripted) -> None:
        """Append a fault; one for no request is none."""
        if scripted.times is None or scripted.times > 0:
            self._entries.append(scripted)

    def take(self, model: str, body: bytes) -> Fault | None:
        """Return the fault that hits a request for `model`, and use it up by one."""
        for entry in self._entries:
            if entry.hits(model, body):
                if entry.times is not None:
                    entry.times -= 1
                    if not entry.times:
                        self._entries.remove(entry)
                return entry.fault
        return None

    def clear(self) -> None:
        """Forget every fault."""
        self._entries.clear()

    @property
    def entries(self) -> tuple[Scripted, ...]:
        """What is still to come."""
        return tuple(self._entries)
