"""The door to all translations: what a client asks and gets, in one dialect, by what another says.

Rules of this file:
- One table for each piece of a dialect; a new dialect is a new row in each.
- Where both sides speak one dialect nothing is translated: bytes pass untouched. The one exception is
  a request with a marked seal (`carries_marks`), which must be read and written anew.
- An answer is judged as it is read: an error, a cut or nothing at all is evidence, as it is in
  `openai_answers` and `openai_streams`.

Refuses to know profiles, chains and who may call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import field
from msgspec.structs import replace

from spillover.core.values import Protocol, Value
from spillover.protocols.anthropic import answers as anthropic_answers
from spillover.protocols.anthropic import errors as anthropic_errors
from spillover.protocols.anthropic import requests_in as anthropic_in
from spillover.protocols.anthropic import requests_out as anthropic_out
from spillover.protocols.anthropic import streams_in as anthropic_streams_in
from spillover.protocols.anthropic import streams_out as anthropic_streams_out
from spillover.protocols.chat import answers as chat_answers
from spillover.protocols.chat import requests_in as chat_in
from spillover.protocols.chat import requests_out as chat_out
from spillover.protocols.chat import streams_in as chat_streams_in
from spillover.protocols.chat import streams_out as chat_streams_out
from spillover.protocols.conversation.answers import (
    Answer,
    CallBegin,
    CallDelta,
    Delta,
    End,
    Fault,
    Finish,
    RefusalDelta,
    Spent,
    Stamp,
    TextDelta,
    ThinkingDelta,
)
from spillover.protocols.conversation.fields import Malformed
from spillover.protocols.conversation.requests import ToolCall
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.gemini import answers as gemini_answers
from spillover.protocols.gemini import errors as gemini_errors
from spillover.protocols.gemini import requests_in as gemini_in
from spillover.protocols.gemini import requests_out as gemini_out
from spillover.protocols.gemini import streams_in as gemini_streams_in
from spillover.protocols.gemini import streams_out as gemini_streams_out
from spillover.protocols.hints import read_error
from spillover.protocols.measure import measure
from spillover.protocols.native import Kind, read_native
from spillover.protocols.openai_answers import OK, WholeAnswer, cut, hollow
from spillover.protocols.openai_streams import Seen
from spillover.protocols.responses import answers as responses_answers
from spillover.protocols.responses import requests_in as responses_in
from spillover.protocols.responses import requests_out as responses_out
from spillover.protocols.responses import streams_in as responses_streams_in
from spillover.protocols.responses import streams_out as responses_streams_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spillover.core.evidence import Evidence
    from spillover.core.values import Usage
    from spillover.protocols.conversation.requests import Request, Target, Written

SPOKEN: Final = {
    Protocol.OPENAI: Dialect.CHAT,
    Protocol.ANTHROPIC: Dialect.ANTHROPIC,
    Protocol.GEMINI: Dialect.GEMINI,
}
"""What an upstream speaks, by its configured protocol."""

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

_READ_ANSWER: Final[Mapping[Dialect, Callable[[bytes], Answer]]] = {
    Dialect.CHAT: chat_answers.read_answer,
    Dialect.RESPONSES: responses_answers.read_answer,
    Dialect.ANTHROPIC: anthropic_answers.read_answer,
    Dialect.GEMINI: gemini_answers.read_answer,
}
WRITE_ANSWER: Final[Mapping[Dialect, Callable[[Answer, Stamp], bytes]]] = {
    Dialect.CHAT: chat_answers.write_answer,
    Dialect.RESPONSES: responses_answers.write_answer,
    Dialect.ANTHROPIC: anthropic_answers.write_answer,
    Dialect.GEMINI: gemini_answers.write_answer,
}
"""Write a whole answer for a client."""

STREAM_READERS: Final[Mapping[Dialect, Callable[[str], Any]]] = {
    Dialect.CHAT: chat_streams_in.StreamReader,
    Dialect.RESPONSES: responses_streams_in.StreamReader,
    Dialect.ANTHROPIC: anthropic_streams_in.StreamReader,
    Dialect.GEMINI: gemini_streams_in.StreamReader,
}
"""Read a stream's events into deltas; what ids are made from is the argument."""
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


class Upstream(Value, frozen=True, kw_only=True):
    """Whose answer is translated."""

    dialect: Dialect
    provider: str = ""
    """The catalogue's id, for evidence."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of the answer, by lower-case names."""


class Translated(Value, frozen=True, kw_only=True):
    """A whole answer for a client, and what it is."""

    judged: WholeAnswer
    body: bytes = b""
    """Empty where there is evidence against it."""


def translate_answer(body: bytes, upstream: Upstream, client: Dialect, stamp: Stamp) -> Translated:
    """Return what the body of a 2xx answer is, and says in the client's dialect."""
    try:
        if read_native(body) is Kind.ERROR:
            return _refused(body, upstream)
        answer = _read(body, upstream, stamp)
    except Malformed:
        return _refused(body, upstream)
    usage = None if answer.tokens is None else answer.tokens.usage()
    parts = [part for choice in answer.choices for part in choice.parts]
    if not parts and not (usage is not None and usage.output_tokens):
        stop = answer.choices[0].stop if answer.choices else None
        reason = None if stop is None else chat_answers.STOPS_OUT[stop]
        judged = WholeAnswer(evidence=hollow(upstream.provider, reason), usage=usage)
        return Translated(judged=judged)
    sizes = [measure(part.arguments if isinstance(part, ToolCall) else part.text) for part in parts]
    judged = WholeAnswer(
        usage=usage, chars=sum(size[0] for size in sizes), wide_chars=sum(size[1] for size in sizes)
    )
    return Translated(judged=judged, body=WRITE_ANSWER[client](answer, stamp))


def _read(body: bytes, upstream: Upstream, stamp: Stamp) -> Answer:
    if upstream.dialect is Dialect.GEMINI:
        return gemini_answers.read_answer(body, seed=stamp.id)
    return _READ_ANSWER[upstream.dialect](body)


def _refused(body: bytes, upstream: Upstream) -> Translated:
    evidence = read_error(
        provider=upstream.provider, status=OK, headers=upstream.headers, body=body
    )
    return Translated(judged=WholeAnswer(evidence=evidence))


class Step(Value, frozen=True, kw_only=True):
    """What one event of an upstream's stream brought, and what the client gets for it."""

    seen: Seen
    out: bytes = b""


class StreamTranslation:
    """Translates and judges one streamed answer; it shows what `openai_streams.StreamReader` shows."""

    __slots__ = (
        "_choices",
        "_finished",
        "_provider",
        "_reader",
        "_writer",
        "chars",
        "done",
        "finish_reason",
        "has_content",
        "usage",
        "wide_chars",
    )

    def __init__(
        self, upstream: Upstream, client: Dialect, stamp: Stamp, *, choices: int = 1
    ) -> None:
        """Expect `choices` answers."""
        self._provider = upstream.provider
        self._choices = choices
        self._reader = STREAM_READERS[upstream.dialect](stamp.id)
        self._writer = STREAM_WRITERS[client](stamp)
        self._finished: set[int] = set()
        self.chars = 0
        """Ordinary characters of content so far."""
        self.wide_chars = 0
        self.done = False
        """The upstream's own sign of the end came."""
        self.finish_reason: str | None = None
        self.has_content = False
        self.usage: Usage | None = None
        """The last that was reported."""

    @property
    def finished(self) -> bool:
        """Whether every answer has given its reason to finish."""
        return len(self._finished) >= self._choices

    def feed(self, event: bytes) -> Step:
        """Return what a whole event brought; the events for the client are whole too."""
        try:
            deltas: list[Delta] = self._reader.feed(event)
        except Malformed:
            return Step(seen=Seen(garbage=True))
        if not deltas:
            return Step(seen=Seen(ignorable=True))
        content, usage = False, None
        out: list[bytes] = []
        for delta in deltas:
            if isinstance(delta, Fault):
                return Step(seen=self._error(delta), out=b"".join(out))
            content = self._take(delta) or content
            if isinstance(delta, Spent):
                usage = self.usage
            out.append(self._writer.feed(delta))
        seen = Seen(content=content, usage=usage, done=self.done)
        return Step(seen=seen, out=b"".join(out))

    def _take(self, delta: Delta) -> bool:
        """Note what a delta tells; return whether it is content."""
        match delta:
            case TextDelta() | RefusalDelta() | ThinkingDelta():
                return self._count(delta.text)
            case CallBegin():
                return self._count(delta.name or delta.id)
            case CallDelta():
                return self._count(delta.arguments)
            case Finish():
                self._finished.add(delta.choice)
                self.finish_reason = chat_answers.STOPS_OUT[delta.stop]
            case Spent():
                self.usage = delta.tokens.usage()
            case End():
                self.done = True
            case _:
                pass
        return False

    def _count(self, text: str) -> bool:
        chars, wide_chars = measure(text)
        self.chars += chars
        self.wide_chars += wide_chars
        self.has_content = self.has_content or bool(text)
        return bool(text)

    def _error(self, fault: Fault) -> Seen:
        evidence = read_error(provider=self._provider, status=OK, headers={}, body=fault.body)
        if self.has_content:
            evidence = replace(evidence, after_content=True)
        return Seen(error=evidence)

    def end(self) -> Evidence | None:
        """Return what is wrong with the answer now that its body ended cleanly; None: it is whole."""
        if not self.finished and not self.done:
            return cut(self._provider, after_content=self.has_content)
        if self.has_content or (self.usage is not None and self.usage.output_tokens):
            return None
        return hollow(self._provider, self.finish_reason)

    def tail(self) -> bytes:
        """Return what ends a whole answer for the client; asked for once, after all else."""
        found: bytes = self._writer.end()
        return found

    def error(self, body: bytes, status: int) -> bytes:
        """Return what ends a broken answer for the client; `body` is Spillover's own error."""
        found: bytes = self._writer.error(body, status)
        return found
