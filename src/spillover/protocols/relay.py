"""Relay a stream whose client speaks the upstream's dialect: events pass as they came, and are judged.

Gemini's client that did not ask for `alt=sse` gets the data of the events in one JSON array, each as it
came. OpenAI's chat has a leaner reader (`openai_streams`). Refuses to know who reads the stream.
"""

from __future__ import annotations

from typing import Final

from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.judging import Step, StreamJudge, Upstream
from spillover.protocols.sse import payload
from spillover.protocols.translate import broken_off, redressed

_ENDS: Final = {Dialect.ANTHROPIC: b'event: message_stop\ndata: {"type":"message_stop"}\n\n'}
"""What ends a whole stream that came without its last event; the other dialects need none."""


class StreamRelay(StreamJudge):
    """Judges one streamed answer and hands its events on."""

    __slots__ = ("_array", "_dialect", "_last", "_relayed")

    def __init__(self, upstream: Upstream, *, choices: int = 1, array: bool = False) -> None:
        """Expect `choices` answers; the client gets an `array`, or the events."""
        super().__init__(upstream, choices=choices)
        self._dialect = upstream.dialect
        self._array = array
        self._last = _ENDS.get(upstream.dialect, b"")
        self._relayed = 0

    def feed(self, event: bytes) -> Step:
        """Return what a whole event brought; the one that ends the stream is kept for `tail`."""
        seen, _ = self.read(event)
        if seen.error is not None or seen.garbage:
            return Step(seen=seen)
        if seen.done:
            self._last = event
            return Step(seen=seen)
        return Step(seen=seen, out=self._framed(event) if self._array else self._counted(event))

    def _counted(self, event: bytes) -> bytes:
        self._relayed += 1
        return event

    def _framed(self, event: bytes) -> bytes:
        data = payload(event).data
        return b"" if data is None else self._element(data)

    def _element(self, data: bytes) -> bytes:
        opening = b",\r\n" if self._relayed else b"["
        self._relayed += 1
        return opening + data

    def tail(self) -> bytes:
        """Return what ends a whole answer for the client."""
        if self._array:
            return b"]" if self._relayed else b"[]"
        return self._last

    def error(self, body: bytes, status: int) -> bytes:
        """Return what ends a broken answer for the client; `body` is Spillover's own error."""
        if self._array:
            return self._element(redressed(body, status, self._dialect)) + b"]"
        return broken_off(body, status, self._dialect, number=self._relayed)
