"""Read OpenAI's streamed answers, event by event: content, usage, errors, the end.

Rules of this file:
- Bytes are looked at, never changed. An event is parsed no further than it must be, but it must be
  JSON.
- Usage is taken wherever it shows up (last chunk with choices, chunk without, after the end,
  `x_groq`, every chunk), and the last one wins.

Refuses to know what a failure is called, and who reads the stream.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from spillover.core.evidence import Evidence
from spillover.core.values import Usage, Value
from spillover.protocols.hints import read_error
from spillover.protocols.measure import measure
from spillover.protocols.openai_answers import NULL, OK, cut, holds, hollow
from spillover.protocols.openai_usage import read_usage
from spillover.protocols.sse import data_of, payload
from spillover.protocols.surrogates import whole_characters


class Seen(Value, frozen=True, kw_only=True):
    """What one event of a stream brought."""

    content: bool = False
    """Something to commit to: text, reasoning, a refusal, audio or a part of a tool call."""
    usage: Usage | None = None
    usage_only: bool = False
    """It carries usage and no choices: for clients who asked for it alone."""
    error: Evidence | None = None
    done: bool = False
    """It is the sentinel."""
    ignorable: bool = False
    """A comment, a ping, an empty event."""
    empty: bool = False
    """It has no data and is more than comments: official clients break over it."""
    garbage: bool = False
    """Its data are not JSON: never to be relayed."""


_PLAIN: Final = Seen()
_CONTENT: Final = Seen(content=True)
_DONE: Final = Seen(done=True)
_IGNORABLE: Final = Seen(ignorable=True)
_EMPTY: Final = Seen(ignorable=True, empty=True)
_GARBAGE: Final = Seen(garbage=True)


class _Delta(msgspec.Struct):
    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    audio: msgspec.Raw = NULL
    tool_calls: msgspec.Raw = NULL
    function_call: msgspec.Raw = NULL


class _Piece(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    usage: msgspec.Raw = NULL


class _Chunk(msgspec.Struct):
    choices: list[_Piece] | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL
    x_groq: msgspec.Raw = NULL


class _XGroq(msgspec.Struct):
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_chunk: Final = msgspec.json.Decoder(_Chunk)
_x_groq: Final = msgspec.json.Decoder(_XGroq)
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_anything: Final = msgspec.json.Decoder()
_encode: Final = msgspec.json.Encoder().encode
_NULL_SIZE: Final = 4
_PING: Final = msgspec.Raw(b'"ping"')
_ERROR_FIELDS: Final = frozenset({"message", "detail", "errors", "code", "base_resp"})
"""Fields that make an event without choices an error."""


class StreamReader:
    """Reads the events of one streamed answer in order; one for each attempt."""

    __slots__ = (
        "_choices",
        "_finished",
        "_provider",
        "chars",
        "done",
        "finish_reason",
        "has_content",
        "usage",
        "wide_chars",
    )

    def __init__(self, *, provider: str = "", choices: int = 1) -> None:
        """Expect `choices` answers; `provider` is the catalogue's id, for evidence."""
        self._provider = provider
        self._choices = choices
        self._finished: set[int] = set()
        self.chars = 0
        """Ordinary characters of content so far."""
        self.wide_chars = 0
        self.done = False
        """The sentinel came."""
        self.finish_reason: str | None = None
        self.has_content = False
        self.usage: Usage | None = None
        """The last that was reported."""

    @property
    def finished(self) -> bool:
        """Whether every answer has given its finish reason."""
        return len(self._finished) >= self._choices

    def end(self) -> Evidence | None:
        """Return what is wrong with the answer now that its body ended cleanly; None: it is whole.

        Whole is what has its finish reasons or the sentinel, and content or counted output.
        """
        if not self.finished and not self.done:
            return cut(self._provider, after_content=self.has_content)
        if self.has_content or (self.usage is not None and self.usage.output_tokens):
            return None
        return hollow(self._provider, self.finish_reason)

    def feed(self, event: bytes) -> Seen:
        """Return what a whole event brought."""
        data = data_of(event)
        if data is None:
            data = payload(event).data
            if data is None:
                return _IGNORABLE if _is_comment(event) else _EMPTY
        try:
            chunk = _chunk.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if data.strip() == b"[DONE]":
                self.done = True
                return _DONE
            mended = whole_characters(data)
            if mended is not None:  # within JSON a line's end is but space
                return self.feed(b"data: %b\n\n" % mended.replace(b"\n", b" "))
            tamed = _tamed(data)
            if tamed is None:
                return _GARBAGE if data.strip() else _EMPTY
            chunk = tamed
        if chunk.choices is None or holds(chunk.error) or len(chunk.x_groq) > _NULL_SIZE:
            seen = self._without_choices(data, chunk)
            if seen is not None:
                return seen
        return self._read(data, chunk, chunk.choices or [])

    def _read(self, data: bytes, chunk: _Chunk, pieces: list[_Piece]) -> Seen:
        """Return what a chunk with choices, or with usage and none, brought."""
        content = False
        for piece in pieces:
            if self._take(piece):
                content = self.has_content = True
            if piece.finish_reason:
                if piece.finish_reason == "error":
                    return self._error(data)
                self.finish_reason = piece.finish_reason
                self._finished.add(piece.index)
            if len(piece.usage) > _NULL_SIZE:
                self.usage = read_usage(piece.usage) or self.usage
        usage = read_usage(chunk.usage) if len(chunk.usage) > _NULL_SIZE else None
        if usage is None:
            return _CONTENT if content else _PLAIN
        self.usage = usage
        return Seen(content=content, usage=usage, usage_only=not pieces)

    def _take(self, piece: _Piece) -> bool:
        """Count the content of one choice; return whether there is any."""
        delta = piece.delta
        if delta is None:
            return self._count(piece.text)
        found = self._count(delta.content)
        if delta.reasoning_content or delta.reasoning or delta.refusal:
            for text in (delta.reasoning_content, delta.reasoning, delta.refusal):
                self._count(text)
            found = True
        if delta.tool_calls is NULL and delta.audio is NULL and delta.function_call is NULL:
            return found  # as mostly
        for raw in (delta.audio, delta.tool_calls, delta.function_call):
            if holds(raw):
                self.chars += len(raw)
                found = True
        return found

    def _count(self, text: str | list[Any] | None) -> bool:
        if not text:
            return False
        if isinstance(text, list):
            text = _encode(text).decode()
        chars, wide_chars = measure(text)
        self.chars += chars
        self.wide_chars += wide_chars
        return True

    def _without_choices(self, data: bytes, chunk: _Chunk) -> Seen | None:
        """Return what a chunk is that is an error or nothing; None: it is to be read."""
        if holds(chunk.error):
            return self._error(data)
        if len(chunk.x_groq) > _NULL_SIZE:
            own = _groq(chunk.x_groq)
            if holds(own.error):
                return self._error(data)
            self.usage = read_usage(own.usage) or self.usage
        if chunk.choices is not None or len(chunk.usage) > _NULL_SIZE:
            return None
        try:
            fields = _fields.decode(data)
        except UnicodeDecodeError:
            return _GARBAGE
        if any(holds(fields.get(name, NULL)) for name in _ERROR_FIELDS):
            return self._error(data)
        return _PLAIN if fields and fields.get("type") != _PING else _IGNORABLE

    def _error(self, data: bytes) -> Seen:
        evidence = read_error(provider=self._provider, status=OK, headers={}, body=data)
        if self.has_content:
            evidence = msgspec.structs.replace(evidence, after_content=True)
        return Seen(error=evidence)


def _is_comment(event: bytes) -> bool:
    return all(line[:1] in {b"", b":"} for line in event.splitlines())


def _groq(raw: msgspec.Raw) -> _XGroq:
    try:
        return _x_groq.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _XGroq()


def _tamed(data: bytes) -> _Chunk | None:
    """Return a chunk whose fields are not of the usual kinds; None if it is no JSON object."""
    try:
        fields = _anything.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    choices = fields.get("choices")
    return _Chunk(
        choices=[_tamed_piece(c) for c in choices if isinstance(c, dict)]
        if isinstance(choices, list)
        else None,
        usage=_raw(fields.get("usage")),
        error=_raw(fields.get("error")),
    )


def _tamed_piece(fields: dict[str, Any]) -> _Piece:
    index, reason, delta = fields.get("index"), fields.get("finish_reason"), fields.get("delta")
    text = fields.get("text")
    return _Piece(
        index=index if isinstance(index, int) else 0,
        delta=_Delta(content=[value for name, value in delta.items() if value and name != "role"])
        if isinstance(delta, dict)
        else None,
        text=text if isinstance(text, str) else None,
        finish_reason=reason if isinstance(reason, str) else None,
    )


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))
