"""Perform one send: open the exchange, find the commit point, relay the answer, see how it ends.

An attempt says what happened in the core's words (`Committed`, `Failed`, …); it decides nothing.
Refuses to know ladders, reservations and other attempts of the same request.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from spillover.clock import Clock
from spillover.core.actions import Broken, Committed, Failed, Relayed
from spillover.core.chains import TimeLimits
from spillover.core.evidence import Evidence, Shape, TransportFault
from spillover.core.failures import classify
from spillover.core.limits import Candidate
from spillover.core.refusals import Code
from spillover.core.tokens import Calibration, presumed
from spillover.core.values import Value
from spillover.engine.alarm import Alarm
from spillover.engine.faults import log_fault
from spillover.engine.rounds import Rounds
from spillover.protocols.hints import read_error
from spillover.protocols.openai_chat import (
    DONE,
    Asked,
    StreamReader,
    error_body,
    read_answer,
    stream_error_event,
)
from spillover.protocols.spoken_errors import documents_of, spoken_in
from spillover.protocols.sse import EventTooLarge, Splitter, payload
from spillover.upstream import Order, Upstream, UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.core.stated import Stated
    from spillover.core.values import Failure, Usage
    from spillover.engine.call import Give
    from spillover.upstream import Exchange

ERROR_MOST: Final = 1 << 20
"""Bytes of an error's body that are read."""
ERROR_WITHIN_S: Final = 2.0
"""How long the body of an error may take once its head is there."""
ANSWER_MOST: Final = 1 << 28
"""Bytes of an unstreamed answer that are held."""
HELD_MOST: Final = 1 << 20
"""Bytes of a stream that are held before its first content."""
AFTER_DONE_S: Final = 0.25
"""How long the end of a body is waited for behind the sentinel, to keep the connection."""
SHORTEST_SECRET: Final = 6
"""Characters; what is shorter stands in ordinary ids by chance."""
_SANE_ID: Final = re.compile(r"[!-~]{1,200}")


class Means(Value, frozen=True, kw_only=True):
    """What every attempt is made with."""

    upstream: Upstream
    clock: Clock
    rounds: Rounds
    """Looks after the attempts' time limits."""


class Shipment(Value, frozen=True, kw_only=True):
    """What one attempt sends, where to, and how long it may take."""

    asked: Asked
    order: Order
    candidate: Candidate
    calibration: Calibration
    time_limits: TimeLimits
    first_token_s: float
    redact: Callable[[str], str]
    asks_usage: bool
    """`stream_options.include_usage` is set."""
    errors_in_text: bool = False
    """An answer whose text is an error, whole, is taken as one."""


class Attempt:
    """One send to one provider."""

    def __init__(self, means: Means, shipment: Shipment) -> None:
        """Prepare; nothing is sent before `send`."""
        self.shipment = shipment
        self.sent_at: float | None = None
        """Epoch seconds of the send; None while the provider can't know of it."""
        self.ttft_ms: float | None = None
        self.body = b""
        """The whole unstreamed answer."""
        self.tail = DONE
        """What ends the stream: the sentinel, or an error in the client's dialect."""
        self.garbage = 0
        """Events that were not JSON and were dropped."""
        self._means = means
        self._exchange: Exchange | None = None
        self._splitter = Splitter()
        asked = shipment.asked
        self._reader = StreamReader(provider=self._provider, choices=asked.choices)
        self._held: list[bytes] = []
        self._whole_usage: Usage | None = None
        self._relayed_chars = (0, 0)
        self._evidence: Evidence | None = None
        self._is_stream = False
        """An event of a stream was seen, not just something in its place."""
        self._failure: Failure | None = None
        self._limits: tuple[Stated, ...] = ()
        self._began_at = 0.0
        self._committed_at = 0.0
        self._time = means.rounds.time
        """The event loop's time, by which the watch rings too."""
        self._ends_s = 0.0
        self._progress_s = 0.0
        self._is_reading = False
        self._is_behind = False
        self._give: Give = _nobody
        self._expired: TransportFault | None = None
        self._stuck: Callable[[], None] | None = None
        self._watch: asyncio.TimerHandle | None = None

    @property
    def _provider(self) -> str:
        return self.shipment.candidate.profile.provider

    # Up to the commit point.

    async def send(self, deadline_at: float, task: asyncio.Task[Any]) -> Committed | Failed:
        """Send, and wait for the first content of a stream or for the whole unstreamed answer.

        `task` is the running one, to be woken when its time is up.
        """
        clock, shipment = self._means.clock, self.shipment
        self._began_at = now = clock.now()
        started_s = time.monotonic()
        is_stream = shipment.asked.stream
        own = shipment.time_limits.total_s
        self._time = task.get_loop().time
        self._ends_s = self._time() + own
        if is_stream:
            own = min(own, shipment.first_token_s)
        left = deadline_at - now
        alarm = Alarm(self._means.rounds, task, min(own, left))
        try:
            evidence = await self._receive()
        except asyncio.CancelledError:
            self.close()
            if not alarm.was_it():
                raise
            fault = (
                TransportFault.FIRST_TOKEN_TIMEOUT if is_stream else TransportFault.TOTAL_TIMEOUT
            )
            evidence = self._fault(fault, f"no answer within {min(own, left):g} s")
            failure = replace(self._classified(evidence), never_sent=self.sent_at is None)
            return self._failed(failure, by_deadline=left <= own)
        except UpstreamBroken as broken:
            failure = self._classified(self._fault(broken.fault, str(broken)))
            return self._failed(replace(failure, never_sent=broken.never_sent))
        except Exception as error:  # noqa: BLE001 - another may answer, whatever is wrong with this
            evidence = self._unreadable(error)
        except BaseException:
            self.close()
            raise
        finally:
            alarm.put_off()
        if evidence is not None:
            return self._failed(self._classified(evidence))
        if is_stream:
            self.ttft_ms = (time.monotonic() - started_s) * 1_000
        self._committed_at = clock.now()
        return Committed(now=self._committed_at, sent_at=self.sent_at or now)

    def _connected(self) -> None:
        self.sent_at = self._means.clock.now()

    async def _receive(self) -> Evidence | None:
        """Open the exchange and read up to the commit point; return what went wrong."""
        upstream = self._means.upstream
        self._exchange = exchange = await upstream.open(self.shipment.order, self._connected)
        if not 200 <= exchange.status < 300:  # noqa: PLR2004 - HTTP's class of success
            return self._read_error(await _as_far_as_it_goes(exchange))
        if self.shipment.asked.stream:
            return await self._first_content(exchange)
        return await self._whole_answer(exchange)

    async def _whole_answer(self, exchange: Exchange) -> Evidence | None:
        self.body = await exchange.read_all(ANSWER_MOST)
        exchange.close()
        answer = read_answer(
            self.body,
            self.shipment.asked.operation,
            provider=self._provider,
            headers=exchange.headers,
        )
        self._whole_usage = answer.usage
        self._relayed_chars = (answer.chars, answer.wide_chars)
        if answer.evidence is None and self.shipment.errors_in_text:
            return self._spoken([self.body])
        return answer.evidence

    async def _first_content(self, exchange: Exchange) -> Evidence | None:
        """Hold events until one has content; return what is wrong if none has."""
        seen: list[bytes] = []
        size = 0
        while not self._is_decided():
            chunk = await exchange.read()
            if not chunk:
                self._feed_rest(self._held)
                break
            seen.append(chunk)
            size += len(chunk)
            if size > HELD_MOST:
                return self._fault(TransportFault.MALFORMED_HTTP, "no content in 1 MiB")
            self._feed(chunk, self._held)
        if self._evidence is not None:
            # It may have come in the same breath as the first content: nothing has left yet.
            return replace(self._evidence, after_content=False)
        if self._reader.has_content:
            reads = self.shipment.errors_in_text
            return self._spoken(documents_of(self._held)) if reads else None
        if not self._is_stream:
            return self._read_error(b"".join(seen))  # a page, or an error inside 200
        return self._reader.end()

    def _is_decided(self) -> bool:
        return self._reader.has_content or self._has_ended()

    def _feed(self, chunk: bytes, out: list[bytes]) -> None:
        """Append to `out` the events of `chunk` that the client gets; stop at an error."""
        wants_usage = self.shipment.asked.client_wants_usage
        try:
            for event in self._splitter.feed(chunk):
                seen = self._reader.feed(event)
                if not (seen.garbage or seen.ignorable):
                    self._is_stream = True
                if seen.error is not None:
                    self._evidence = seen.error
                    return
                if seen.done:
                    self.tail = event
                    return
                if seen.garbage:
                    self.garbage += 1
                elif not seen.empty and (wants_usage or not seen.usage_only):
                    out.append(event)
        except EventTooLarge as error:
            self._evidence = self._fault(TransportFault.MALFORMED_HTTP, str(error))
        except Exception as error:  # noqa: BLE001 - what can't be read has broken off here
            self._evidence = self._unreadable(error)

    def _feed_rest(self, out: list[bytes]) -> None:
        """Take what the body ended with as an event, though no empty line follows it.

        The beginning of a line that was cut off is none, and would be a riddle to clients.
        """
        if payload(self._splitter.rest).data:
            self._feed(b"\n\n", out)

    # Behind the commit point.

    async def pour(self, give: Give, stuck: Callable[[], None]) -> bool:
        """Give the client the stream's events as they come; return whether more may follow.

        True: the client is behind, and the rest waits until this is called again. False: it has
        ended, and `relayed` says how. An error after content ends the events; `tail` is what the
        client gets last. `stuck` is called when the total time is up while the client is behind.
        """
        if self._stuck is None:
            self._stuck = stuck
            self._start_watch()
        self._give = give
        try:
            if await self._is_left_behind(self._opened()):
                return True
            await self._end_of_body(self._opened())
        except UpstreamBroken as broken:
            if self._expired is not None:
                self._evidence = self._fault(self._expired)
            else:
                self._evidence = self._fault(broken.fault, str(broken))
        except BaseException:
            self.close()
            raise
        self.close()
        self._judge()
        return False

    async def _is_left_behind(self, exchange: Exchange) -> bool:
        """Relay until the client is behind, or until there are no more events (False)."""
        if self._held:
            held, self._held = self._held, []
            if not self._gave(held):
                return True
        if self._has_ended():
            return False
        # Counted from here: a slow client's time is not the provider's.
        self._progress_s = self._time()
        self._is_reading = True
        self._is_behind = False
        await exchange.pour(self._relay)
        self._is_reading = False
        if self._is_behind:
            return True
        if not self._has_ended():
            rest: list[bytes] = []
            self._feed_rest(rest)
            self._gave(rest)
        return False

    def _relay(self, chunk: bytes) -> bool:
        """Give the client what came; return whether to go on."""
        self._progress_s = self._time()
        out: list[bytes] = []
        self._feed(chunk, out)
        self._is_behind = not self._gave(out)
        return not (self._is_behind or self._has_ended())

    def _has_ended(self) -> bool:
        return self._reader.done or self._evidence is not None

    def _gave(self, events: list[bytes]) -> bool:
        """Give the client events; return whether it keeps up."""
        return not events or self._give(events[0] if len(events) == 1 else b"".join(events))

    async def _end_of_body(self, exchange: Exchange) -> None:
        """Read the end of the body behind the sentinel, so that the connection can be kept."""
        if not self._reader.done:
            return
        try:
            async with asyncio.timeout(AFTER_DONE_S):
                while await exchange.read():
                    pass
        except (TimeoutError, UpstreamBroken):
            pass  # the answer is whole all the same; the connection just can't be kept

    def _judge(self) -> None:
        """Decide whether the relayed stream is whole, and what ends it for the client."""
        evidence = self._evidence or self._reader.end()
        if evidence is None:
            return
        self._failure = failure = self._classified(replace(evidence, after_content=True))
        message = f"{self.shipment.candidate.profile.name} broke off its answer: {failure.message}"
        self.tail = stream_error_event(error_body(Code.STREAM_INTERRUPTED.value, message))

    def relayed(self) -> Relayed | Broken:
        """Return how the answer ended, and what it used."""
        usage, reported = self.spent()
        # A whole answer has been read and given in the very moment of its commit point.
        now = self._means.clock.now() if self.shipment.asked.stream else self._committed_at
        if self._failure is not None:
            return Broken(now=now, failure=self._failure, usage=usage, reported=reported)
        return Relayed(now=now, usage=usage, reported=reported, ttft_ms=self.ttft_ms)

    def spent(self) -> tuple[Usage, bool]:
        """Return what the call has used so far, and whether the provider said so."""
        reported = self._reader.usage or self._whole_usage
        if reported is not None:
            return reported, True
        shipment = self.shipment
        chars, wide_chars = self._relayed_chars
        estimate = presumed(
            shipment.candidate.need,
            shipment.candidate.profile,
            shipment.calibration,
            chars=chars + self._reader.chars,
            wide_chars=wide_chars + self._reader.wide_chars,
        )
        return estimate, False

    def passed_headers(self) -> dict[str, str]:
        """Return the provider's headers that clients get.

        An id that repeats a key is none, nor is one that can't stand in a header.
        """
        found = self.headers.get("x-request-id")
        if found is None or not _SANE_ID.fullmatch(found):
            return {}
        sent = (value.rpartition(" ")[2] for value in self.shipment.order.headers.values())
        if any(len(value) >= SHORTEST_SECRET and value in found for value in sent):
            return {}
        return {"x-upstream-request-id": found}

    @property
    def headers(self) -> Mapping[str, str]:
        """The provider's headers; none while nothing was answered."""
        return {} if self._exchange is None else self._exchange.headers

    # Time limits of a relay.

    def _start_watch(self) -> None:
        """Watch for a stall and for the total time with one timer, moved on only when it rings."""
        self._progress_s = self._time()
        self._watch = asyncio.get_running_loop().call_later(self._next_look(), self._look)

    def _next_look(self) -> float:
        stalls_s = self._progress_s + self.shipment.time_limits.stall_s
        return max(0.0, min(stalls_s, self._ends_s) - self._time())

    def _look(self) -> None:
        now, stall_s = self._time(), self.shipment.time_limits.stall_s
        if now >= self._ends_s:
            self._expire(TransportFault.TOTAL_TIMEOUT)
        elif self._is_reading and now - self._progress_s >= stall_s:
            self._expire(TransportFault.STALL)
        else:
            if not self._is_reading:
                self._progress_s = now
            self._watch = asyncio.get_running_loop().call_later(self._next_look(), self._look)

    def _expire(self, fault: TransportFault) -> None:
        self._expired = fault
        self._opened().close()
        if self._stuck is not None and not self._is_reading:
            self._stuck()

    # What went wrong.

    def _opened(self) -> Exchange:
        if self._exchange is None:
            raise AssertionError(self.shipment.order.url)
        return self._exchange

    def _read_error(self, body: bytes) -> Evidence:
        exchange = self._opened()
        return read_error(
            provider=self._provider,
            status=exchange.status,
            headers=exchange.headers,
            body=body,
            now=self._means.clock.now(),
        )

    def _spoken(self, documents: list[bytes]) -> Evidence | None:
        """Return the error that the answer tells as its text, where that is looked for."""
        return spoken_in(documents, provider=self._provider, headers=self.headers)

    def _fault(self, fault: TransportFault, message: str = "") -> Evidence:
        status = None if self._exchange is None else self._exchange.status
        return Evidence(provider=self._provider, fault=fault, status=status, message=message)

    def _unreadable(self, error: Exception) -> Evidence:
        """Return what a reader's own fault comes to: the answer is one that can't be read."""
        log_fault(self.shipment.candidate.profile.name, error)
        status = None if self._exchange is None else self._exchange.status
        message = f"its answer could not be read ({type(error).__name__}); the log has more"
        return Evidence(
            provider=self._provider, status=status, shape=Shape.GARBAGE, message=message
        )

    def _classified(self, evidence: Evidence) -> Failure:
        self._limits = evidence.limits
        return classify(evidence, now=self._means.clock.now(), redact=self.shipment.redact)

    def _failed(self, failure: Failure, *, by_deadline: bool = False) -> Failed:
        self.close()
        return Failed(
            now=self._means.clock.now(),
            sent_at=self.sent_at or self._began_at,
            failure=failure,
            usage=self._reader.usage or self._whole_usage,
            limits=self._limits,
            by_deadline=by_deadline,
        )

    def close(self) -> None:
        """Let go of the connection; an answer that is not read to its end closes it."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._exchange is not None:
            self._exchange.close()


def _nobody(_: bytes) -> bool:
    return False


async def _as_far_as_it_goes(exchange: Exchange) -> bytes:
    """Return an error's body, or the part of it that came: its status tells enough."""
    seen: list[bytes] = []
    size = 0
    with contextlib.suppress(UpstreamBroken, TimeoutError):
        async with asyncio.timeout(ERROR_WITHIN_S):
            while size < ERROR_MOST and (chunk := await exchange.read()):
                seen.append(chunk)
                size += len(chunk)
    return b"".join(seen)
