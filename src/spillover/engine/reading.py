"""Judge one answer as it comes, and say what of it the client gets.

OpenAI's chat has a reader of its own for clients of OpenAI's chat, the leanest; every other pair of
dialects is relayed or translated by `protocols`. Refuses to know sockets, time limits and what a
failure leads to.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

from spillover.core.evidence import Evidence, Shape, TransportFault
from spillover.core.values import Value
from spillover.engine.faults import log_fault
from spillover.errors import StreamInterrupted
from spillover.protocols.conversation.answers import Stamp
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.judging import Upstream, judge_answer
from spillover.protocols.openai_answers import OK
from spillover.protocols.openai_chat import DONE, StreamReader, read_answer, stream_error_event
from spillover.protocols.relay import StreamRelay
from spillover.protocols.spoken import Spoken
from spillover.protocols.sse import EventTooLarge, Splitter, payload
from spillover.protocols.translate import StreamTranslation, translate_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.core.values import Usage
    from spillover.protocols.openai_chat import Asked, WholeAnswer

_ID_BYTES: Final = 12


class Passage(Value, frozen=True, kw_only=True):
    """From which dialect into which an answer passes."""

    upstream: Dialect
    client: Dialect
    model: str
    """What an answer is said to come from where the upstream does not say it."""
    array: bool = False
    """A client of Gemini's gets one JSON array."""


class _Judge(Protocol):
    """What every reader of a stream shows."""

    chars: int
    wide_chars: int
    done: bool
    has_content: bool
    usage: Usage | None

    def end(self) -> Evidence | None: ...


class Reading(ABC):
    """Reads one answer, whole or streamed."""

    def __init__(self, provider: str) -> None:
        """Expect an answer of `provider`, as the catalogue calls it."""
        self.tail = DONE
        """What ends the stream: what its dialect ends with, or an error in the client's."""
        self.garbage = 0
        """Events that were not JSON and were dropped."""
        self.evidence: Evidence | None = None
        """What went wrong within a stream."""
        self.is_stream = False
        """An event of a stream was seen, not just something in its place."""
        self._provider = provider
        self._whole: WholeAnswer | None = None

    @property
    @abstractmethod
    def judge(self) -> _Judge:
        """What a stream is judged by."""

    @cached_property
    def _splitter(self) -> Splitter:
        return Splitter()  # for streams alone

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is to be read of a stream."""
        return self.judge.done or self.evidence is not None

    @property
    def usage(self) -> Usage | None:
        """The last that was reported."""
        return self.judge.usage if self._whole is None else self._whole.usage

    @property
    def sizes(self) -> tuple[int, int]:
        """Ordinary and wide characters of content so far."""
        counted = self._whole or self.judge
        return counted.chars, counted.wide_chars

    @abstractmethod
    def take_whole(self, body: bytes, headers: Mapping[str, str]) -> tuple[Evidence | None, bytes]:
        """Return what is wrong with a whole answer, and what the client gets of it."""

    def take(self, chunk: bytes, out: list[bytes]) -> None:
        """Do what `feed` does; what can't be read, for a fault of ours, has broken off here."""
        try:
            self.feed(chunk, out)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with this, others may answer
            self.stumble(error)

    def stumble(self, error: Exception) -> Evidence:
        """Log a fault of our own, and return what it comes to: an answer that can't be read."""
        log_fault(self._provider, error)
        message = f"its answer could not be read ({type(error).__name__}); the log has more"
        self.evidence = evidence = Evidence(
            provider=self._provider, status=OK, shape=Shape.GARBAGE, message=message
        )
        return evidence

    @abstractmethod
    def feed(self, chunk: bytes, out: list[bytes]) -> None:
        """Append to `out` what the client gets for the events of `chunk`; stop at an error."""

    @abstractmethod
    def finish(self) -> None:
        """Say how a whole stream ends for the client."""

    @abstractmethod
    def break_off(self, body: bytes) -> None:
        """Say how a broken stream ends for the client; `body` is Spillover's own error."""

    def feed_rest(self, out: list[bytes]) -> None:
        """Take what the body ended with as an event, though no empty line follows it.

        The beginning of a line that was cut off is none, and would be a riddle to clients.
        """
        if payload(self._splitter.rest).data:
            self.take(b"\n\n", out)

    def fail(self, fault: TransportFault, message: str = "") -> None:
        """Note that a stream's connection failed it."""
        self.evidence = Evidence(provider=self._provider, fault=fault, status=OK, message=message)


class PlainReading(Reading):
    """Reads OpenAI's answer for a client of OpenAI's, whose bytes pass as they are."""

    def __init__(self, asked: Asked | Spoken, provider: str) -> None:
        """Expect the answer to `asked`."""
        super().__init__(provider)
        self._asked = asked

    @cached_property
    def judge(self) -> StreamReader:
        """What a stream is judged by; an answer that comes whole needs none."""
        return StreamReader(provider=self._provider, choices=self._asked.choices)

    def take_whole(self, body: bytes, headers: Mapping[str, str]) -> tuple[Evidence | None, bytes]:
        """Return what is wrong with a whole answer, and the answer itself."""
        self._whole = whole = read_answer(
            body, self._asked.operation, provider=self._provider, headers=headers
        )
        return whole.evidence, body

    def feed(self, chunk: bytes, out: list[bytes]) -> None:
        """Append to `out` the events of `chunk` that the client gets; stop at an error."""
        wants_usage = self._asked.client_wants_usage
        try:
            events = self._splitter.feed(chunk)
        except EventTooLarge as error:
            self.fail(TransportFault.MALFORMED_HTTP, str(error))
            return
        read = self.judge.feed
        for event in events:
            seen = read(event)
            if not (seen.garbage or seen.ignorable):
                self.is_stream = True
            if seen.error is not None:
                self.evidence = seen.error
                return
            if seen.done:
                self.tail = event
                return
            if seen.garbage:
                self.garbage += 1
            elif not seen.empty and (wants_usage or not seen.usage_only):
                out.append(event)

    def finish(self) -> None:
        """Leave the sentinel as it came, or is added."""

    def break_off(self, body: bytes) -> None:
        """Say how a broken stream ends for the client; `body` is Spillover's own error."""
        self.tail = stream_error_event(body)


class PassingReading(Reading):
    """Reads an answer of any dialect for a client of any: relayed if they are the same, else translated."""

    def __init__(
        self, asked: Asked | Spoken, provider: str, passage: Passage, *, created_at: int
    ) -> None:
        """Expect the answer to `asked`, which passes so; `created_at` is in epoch seconds."""
        upstream = Upstream(dialect=passage.upstream, provider=provider)
        self._passage = passage
        self._stamp = stamp = Stamp(
            id=secrets.token_hex(_ID_BYTES),
            model=passage.model,
            created_at=created_at,
            wants_usage=asked.client_wants_usage,
            array=passage.array,
            spellings=asked.request.spellings if isinstance(asked, Spoken) else {},
        )
        choices, client = asked.choices, passage.client
        self._passer = (
            StreamRelay(upstream, choices=choices, array=passage.array)
            if passage.upstream is client
            else StreamTranslation(upstream, client, stamp, choices=choices)
        )
        super().__init__(provider)

    @property
    def judge(self) -> StreamRelay | StreamTranslation:
        """What a stream is judged by."""
        return self._passer

    def take_whole(self, body: bytes, headers: Mapping[str, str]) -> tuple[Evidence | None, bytes]:
        """Return what is wrong with a whole answer, and what the client gets of it."""
        client = self._passage.client
        upstream = Upstream(
            dialect=self._passage.upstream, provider=self._provider, headers=dict(headers)
        )
        if upstream.dialect is client:
            self._whole = judge_answer(body, upstream).whole
        else:
            found = translate_answer(body, upstream, client, self._stamp)
            self._whole, body = found.judged, found.body
        return self._whole.evidence, body

    def feed(self, chunk: bytes, out: list[bytes]) -> None:
        """Append to `out` what the client gets for the events of `chunk`; stop at an error."""
        try:
            events = self._splitter.feed(chunk)
        except EventTooLarge as error:
            self.fail(TransportFault.MALFORMED_HTTP, str(error))
            return
        for event in events:
            step = self._passer.feed(event)
            seen = step.seen
            if not (seen.garbage or seen.ignorable):
                self.is_stream = True
            if step.out:
                out.append(step.out)
            if seen.error is not None:
                self.evidence = seen.error
                return
            if seen.done:
                return
            self.garbage += seen.garbage

    def finish(self) -> None:
        """Say how a whole stream ends for the client."""
        self.tail = self._passer.tail()

    def break_off(self, body: bytes) -> None:
        """Say how a broken stream ends for the client; `body` is Spillover's own error."""
        self.tail = self._passer.error(body, StreamInterrupted.status)
