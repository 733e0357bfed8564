"""The door to all translations: what a client asks and gets, in one dialect, by what another says.

Rules of this file:
- One table for each piece of a dialect; a new dialect is a new row in each (`judging` has those that
  read what upstreams answer).
- Where both sides speak one dialect nothing is translated: bytes pass untouched (`relay`). The one
  exception is a request with a marked seal (`carries_marks`), which must be read and written anew.

Refuses to know profiles, chains and who may call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from spillover.core.values import Value
from spillover.protocols.anthropic import answers as anthropic_answers
from spillover.protocols.anthropic import errors as anthropic_errors
from spillover.protocols.anthropic import requests_in as anthropic_in
from spillover.protocols.anthropic import requests_out as anthropic_out
from spillover.protocols.anthropic import streams_out as anthropic_streams_out
from spillover.protocols.chat import answers as chat_answers
from spillover.protocols.chat import requests_in as chat_in
from spillover.protocols.chat import requests_out as chat_out
from spillover.protocols.chat import streams_out as chat_streams_out
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.gemini import answers as gemini_answers
from spillover.protocols.gemini import errors as gemini_errors
from spillover.protocols.gemini import requests_in as gemini_in
from spillover.protocols.gemini import requests_out as gemini_out
from spillover.protocols.gemini import streams_out as gemini_streams_out
from spillover.protocols.judging import Step, StreamJudge, Upstream, judge_answer
from spillover.protocols.openai_answers import WholeAnswer
from spillover.protocols.openai_errors import stream_error_event
from spillover.protocols.responses import answers as responses_answers
from spillover.protocols.responses import requests_in as responses_in
from spillover.protocols.responses import requests_out as responses_out
from spillover.protocols.responses import streams_out as responses_streams_out
from spillover.protocols.responses.errors import stream_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spillover.protocols.conversation.answers import Answer, Stamp
    from spillover.protocols.conversation.requests import Request, Target, Written

READ_REQUEST: Final[Mapping[Dialect, Callable[[bytes], Request]]] = {
    Dialect.CHAT: chat_in.read_request,
    Dialect.RESPONSES: responses_in.read_request,
    Dialect.ANTHROPIC: anthropic_in.read_request,
    Dialect.GEMINI: gemini_in.read_request,
}
"""Read what a client asks; raises `InvalidRequest`. Gemini's address says the model and whether to stream."""

WRITE_REQUEST: Final[Mapping[Dialect, Callable[[Request, Target], Written]]] = {
    Dialect.CHAT: chat_out.write_request,
    Dialect.RESPONSES: responses_out.write_request,
    Dialect.ANTHROPIC: anthropic_out.write_request,
    Dialect.GEMINI: gemini_out.write_request,
}
"""Write it for an upstream; where `lacks` is not empty, the profile lacks a capability."""

WRITE_ANSWER: Final[Mapping[Dialect, Callable[[Answer, Stamp], bytes]]] = {
    Dialect.CHAT: chat_answers.write_answer,
    Dialect.RESPONSES: responses_answers.write_answer,
    Dialect.ANTHROPIC: anthropic_answers.write_answer,
    Dialect.GEMINI: gemini_answers.write_answer,
}
"""Write a whole answer for a client."""

STREAM_WRITERS: Final[Mapping[Dialect, Callable[[Stamp], Any]]] = {
    Dialect.CHAT: chat_streams_out.StreamWriter,
    Dialect.RESPONSES: responses_streams_out.StreamWriter,
    Dialect.ANTHROPIC: anthropic_streams_out.StreamWriter,
    Dialect.GEMINI: gemini_streams_out.StreamWriter,
}
"""Write deltas as a client's stream."""


def redressed(body: bytes, status: int, dialect: Dialect) -> bytes:
    """Return the body of one of Spillover's own errors (`openai_errors`) in a client's dialect."""
    if dialect is Dialect.ANTHROPIC:
        return anthropic_errors.redressed(body, status)
    if dialect is Dialect.GEMINI:
        return gemini_errors.redressed(body, status)
    return body


def broken_off(body: bytes, status: int, dialect: Dialect, *, number: int = 0) -> bytes:
    """Return the event that ends a broken stream in a client's dialect.

    `body` is Spillover's own error, `number` how many events the stream had before.
    """
    match dialect:
        case Dialect.ANTHROPIC:
            return anthropic_errors.stream_error(body, status)
        case Dialect.GEMINI:
            return b"data: " + gemini_errors.redressed(body, status) + b"\r\n\r\n"
        case Dialect.RESPONSES:
            return stream_error(body, number)
        case Dialect.CHAT:
            return stream_error_event(body)
        case _:
            assert_never(dialect)


class Translated(Value, frozen=True, kw_only=True):
    """A whole answer for a client, and what it is."""

    judged: WholeAnswer
    body: bytes = b""
    """Empty where there is evidence against it."""


def translate_answer(body: bytes, upstream: Upstream, client: Dialect, stamp: Stamp) -> Translated:
    """Return what the body of a 2xx answer is, and says in the client's dialect."""
    judged = judge_answer(body, upstream, seed=stamp.id)
    if judged.answer is None:
        return Translated(judged=judged.whole)
    return Translated(judged=judged.whole, body=WRITE_ANSWER[client](judged.answer, stamp))


class StreamTranslation(StreamJudge):
    """Translates and judges one streamed answer."""

    __slots__ = ("_writer",)

    def __init__(
        self, upstream: Upstream, client: Dialect, stamp: Stamp, *, choices: int = 1
    ) -> None:
        """Expect `choices` answers."""
        super().__init__(upstream, seed=stamp.id, choices=choices)
        self._writer = STREAM_WRITERS[client](stamp)

    def feed(self, event: bytes) -> Step:
        """Return what a whole event brought; the events for the client are whole too."""
        seen, deltas = self.read(event)
        return Step(seen=seen, out=b"".join([self._writer.feed(delta) for delta in deltas]))

    def tail(self) -> bytes:
        """Return what ends a whole answer for the client; asked for once, after all else."""
        found: bytes = self._writer.end()
        return found

    def error(self, body: bytes, status: int) -> bytes:
        """Return what ends a broken answer for the client; `body` is Spillover's own error."""
        found: bytes = self._writer.error(body, status)
        return found
