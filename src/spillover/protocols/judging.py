"""Read an upstream's answer in any dialect, whole or streamed, and judge what it is.

An error, a cut or nothing at all is evidence, as it is in `openai_answers` and `openai_streams`, which
do the same for OpenAI's chat where the client speaks it too. Refuses to know who reads the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import field
from msgspec.structs import replace

from spillover.core.values import Protocol, Value
from spillover.protocols.anthropic import answers as anthropic_answers
from spillover.protocols.anthropic import streams_in as anthropic_streams_in
from spillover.protocols.chat import answers as chat_answers
from spillover.protocols.chat import streams_in as chat_streams_in
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
    TextDelta,
    ThinkingDelta,
)
from spillover.protocols.conversation.calls import Calls, with_calls_put_right
from spillover.protocols.conversation.fields import Malformed
from spillover.protocols.conversation.requests import ToolCall
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.gemini import answers as gemini_answers
from spillover.protocols.gemini import streams_in as gemini_streams_in
from spillover.protocols.hints import read_error
from spillover.protocols.measure import measure
from spillover.protocols.native import Kind, read_native
from spillover.protocols.openai_answers import OK, WholeAnswer, cut, hollow
from spillover.protocols.openai_streams import Seen
from spillover.protocols.responses import answers as responses_answers
from spillover.protocols.responses import streams_in as responses_streams_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spillover.core.evidence import Evidence
    from spillover.core.values import Usage

SPOKEN: Final = {
    Protocol.OPENAI: Dialect.CHAT,
    Protocol.RESPONSES: Dialect.RESPONSES,
    Protocol.ANTHROPIC: Dialect.ANTHROPIC,
    Protocol.GEMINI: Dialect.GEMINI,
}
"""What an upstream speaks, by its configured protocol."""

READ_ANSWER: Final[Mapping[Dialect, Callable[[bytes], Answer]]] = {
    Dialect.CHAT: chat_answers.read_answer,
    Dialect.RESPONSES: responses_answers.read_answer,
    Dialect.ANTHROPIC: anthropic_answers.read_answer,
    Dialect.GEMINI: gemini_answers.read_answer,
}
"""Read a whole answer; raises `Malformed`."""
STREAM_READERS: Final[Mapping[Dialect, Callable[[str], Any]]] = {
    Dialect.CHAT: chat_streams_in.StreamReader,
    Dialect.RESPONSES: responses_streams_in.StreamReader,
    Dialect.ANTHROPIC: anthropic_streams_in.StreamReader,
    Dialect.GEMINI: gemini_streams_in.StreamReader,
}
"""Read a stream's events into deltas; what ids are made from is the argument."""


class Upstream(Value, frozen=True, kw_only=True):
    """Whose answer is read."""

    dialect: Dialect
    provider: str = ""
    """The catalogue's id, for evidence."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of the answer, by lower-case names."""


class Judged(Value, frozen=True, kw_only=True):
    """A whole answer and what it is."""

    whole: WholeAnswer
    answer: Answer | None = None
    """None: there is evidence against it."""


def judge_answer(body: bytes, upstream: Upstream, *, seed: str = "") -> Judged:
    """Return what the body of a 2xx answer is; ids that it lacks are made from `seed`."""
    try:
        if read_native(body) is Kind.ERROR:
            return _refused(body, upstream)
        answer = _read(body, upstream, seed)
    except Malformed:
        return _refused(body, upstream)
    answer = with_calls_put_right(answer, seed)
    usage = None if answer.tokens is None else answer.tokens.usage()
    parts = [part for choice in answer.choices for part in choice.parts]
    if not parts and not (usage is not None and usage.output_tokens):
        stop = answer.choices[0].stop if answer.choices else None
        reason = None if stop is None else chat_answers.STOPS_OUT[stop]
        return Judged(whole=WholeAnswer(evidence=hollow(upstream.provider, reason), usage=usage))
    sizes = [measure(part.arguments if isinstance(part, ToolCall) else part.text) for part in parts]
    whole = WholeAnswer(
        usage=usage, chars=sum(size[0] for size in sizes), wide_chars=sum(size[1] for size in sizes)
    )
    return Judged(whole=whole, answer=answer)


def _read(body: bytes, upstream: Upstream, seed: str) -> Answer:
    if upstream.dialect is Dialect.GEMINI:
        return gemini_answers.read_answer(body, seed=seed)
    return READ_ANSWER[upstream.dialect](body)


def _refused(body: bytes, upstream: Upstream) -> Judged:
    evidence = read_error(
        provider=upstream.provider, status=OK, headers=upstream.headers, body=body
    )
    return Judged(whole=WholeAnswer(evidence=evidence))


class StreamJudge:
    """Reads and judges one streamed answer; it shows what `openai_streams.StreamReader` shows."""

    __slots__ = (
        "_calls",
        "_choices",
        "_finished",
        "_provider",
        "_reader",
        "chars",
        "done",
        "finish_reason",
        "has_content",
        "usage",
        "wide_chars",
    )

    def __init__(self, upstream: Upstream, *, seed: str = "", choices: int = 1) -> None:
        """Expect `choices` answers; ids that they lack are made from `seed`."""
        self._provider = upstream.provider
        self._choices = choices
        self._reader = STREAM_READERS[upstream.dialect](seed)
        self._calls = Calls(seed)
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

    def read(self, event: bytes) -> tuple[Seen, list[Delta]]:
        """Return what a whole event brought, and its deltas up to an error.

        One whose data are no JSON object is garbage; one with an oddity inside brings nothing.
        """
        try:
            deltas: list[Delta] = self._reader.feed(event)
        except Malformed as error:
            return Seen(garbage=not error.at), []
        if not deltas:
            return Seen(ignorable=True), []
        content, usage = False, None
        for place, delta in enumerate(deltas):
            if isinstance(delta, TextDelta):  # as mostly
                content = self._count(delta.text) or content
                continue
            if isinstance(delta, Fault):
                return self._error(delta), deltas[:place]
            if isinstance(delta, CallBegin):
                deltas[place] = delta = self._calls.begun(delta)  # noqa: PLW2901 - the same, put right
            elif isinstance(delta, Finish):
                deltas[place] = delta = self._calls.finished(delta)  # noqa: PLW2901 - likewise
            content = self._take(delta) or content
            if isinstance(delta, Spent):
                usage = self.usage
        return Seen(content=content, usage=usage, done=self.done), deltas

    def _take(self, delta: Delta) -> bool:
        """Note what a delta tells; return whether it is content."""
        match delta:
            case RefusalDelta() | ThinkingDelta():
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


class Step(Value, frozen=True, kw_only=True):
    """What one event of an upstream's stream brought, and what the client gets for it."""

    seen: Seen
    out: bytes = b""
