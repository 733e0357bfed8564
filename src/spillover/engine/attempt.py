"""Perform one send up to its commit point: open the exchange, judge what comes, see how it ends.

An attempt says what happened in the core's words (`Committed`, `Failed`, …); it decides nothing.
`reading` knows how an answer is judged, `relaying` what happens behind the commit point.
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
from spillover.core.evidence import Evidence, TransportFault
from spillover.core.failures import classify
from spillover.core.limits import Candidate
from spillover.core.refusals import Code
from spillover.core.tokens import Calibration, presumed
from spillover.core.values import Value
from spillover.engine.alarm import Alarm
from spillover.engine.reading import Passage, PassingReading, PlainReading, Reading
from spillover.engine.relaying import Relaying
from spillover.engine.rounds import Rounds
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.hints import read_error
from spillover.protocols.openai_chat import Asked, error_body
from spillover.protocols.spoken import Spoken
from spillover.protocols.spoken_errors import spoken_in, spoken_in_stream
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

    asked: Asked | Spoken
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
    passage: Passage | None = None
    """None: OpenAI's chat on both sides."""
    dropped: tuple[str, ...] = ()
    """What of the request its upstream has no words for and the answer does not need."""


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
        self._means = means
        self._exchange: Exchange | None = None
        self._reading = _reading_of(shipment, means.clock)
        self._relaying: Relaying | None = None
        self._held: list[bytes] = []
        self._failure: Failure | None = None
        self._limits: tuple[Stated, ...] = ()
        self.began_at = 0.0
        self.committed_at = 0.0
        """When the first content, or the whole unstreamed answer, was there; 0 before."""
        self._ends_s = 0.0

    @property
    def tail(self) -> bytes:
        """What ends the stream: the sentinel, or an error in the client's dialect."""
        return self._reading.tail

    @property
    def garbage(self) -> int:
        """Events that were not JSON and were dropped."""
        return self._reading.garbage

    @property
    def _provider(self) -> str:
        return self.shipment.candidate.profile.provider

    @property
    def _client(self) -> Dialect:
        """What the answer is written in, as far as it has been read."""
        passage = self.shipment.passage
        return Dialect.CHAT if passage is None else passage.client

    # Up to the commit point.

    async def send(self, deadline_at: float, task: asyncio.Task[Any]) -> Committed | Failed:
        """Send, and wait for the first content of a stream or for the whole unstreamed answer.

        `task` is the running one, to be woken when its time is up.
        """
        clock, shipment = self._means.clock, self.shipment
        self.began_at = now = clock.now()
        started_s = time.monotonic()
        is_stream = shipment.asked.stream
        own = shipment.time_limits.total_s
        self._ends_s = task.get_loop().time() + own
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
            evidence = self._reading.stumble(error)
        except BaseException:
            self.close()
            raise
        finally:
            alarm.put_off()
        if evidence is not None:
            return self._failed(self._classified(evidence))
        if is_stream:
            self.ttft_ms = (time.monotonic() - started_s) * 1_000
        self.committed_at = clock.now()
        return Committed(now=self.committed_at, sent_at=self.sent_at or now)

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
        body = await exchange.read_all(ANSWER_MOST)
        exchange.close()
        evidence, self.body = self._reading.take_whole(body, exchange.headers)
        if evidence is None and self.shipment.errors_in_text:
            return spoken_in(self.body, self._client, provider=self._provider, headers=self.headers)
        return evidence

    async def _first_content(self, exchange: Exchange) -> Evidence | None:
        """Hold events until one has content; return what is wrong if none has."""
        reading = self._reading
        seen: list[bytes] = []
        size = 0
        while not (reading.judge.has_content or reading.has_ended):
            chunk = await exchange.read()
            if not chunk:
                reading.feed_rest(self._held)
                break
            seen.append(chunk)
            size += len(chunk)
            if size > HELD_MOST:
                return self._fault(TransportFault.MALFORMED_HTTP, "no content in 1 MiB")
            reading.take(chunk, self._held)
        if reading.evidence is not None:
            # It may have come in the same breath as the first content: nothing has left yet.
            return replace(reading.evidence, after_content=False)
        if reading.judge.has_content:
            if not self.shipment.errors_in_text:
                return None
            return spoken_in_stream(
                self._held, self._client, provider=self._provider, headers=self.headers
            )
        if not reading.is_stream:
            return self._read_error(b"".join(seen))  # a page, or an error inside 200
        return reading.judge.end()

    # Behind the commit point.

    async def pour(self, give: Give, stuck: Callable[[], None]) -> bool:
        """Give the client the stream's events as they come; return whether more may follow.

        True: the client is behind, and the rest waits until this is called again. False: it has
        ended, and `relayed` says how. An error after content ends the events; `tail` is what the
        client gets last. `stuck` is called when the total time is up while the client is behind.
        """
        if self._relaying is None:
            self._relaying = Relaying(
                self._opened(),
                self._reading,
                self._held,
                stall_s=self.shipment.time_limits.stall_s,
                ends_s=self._ends_s,
            )
        if await self._relaying.pour(give, stuck):
            return True
        self._judge()
        return False

    def _judge(self) -> None:
        """Decide whether the relayed stream is whole, and what ends it for the client."""
        evidence = self._reading.evidence or self._reading.judge.end()
        if evidence is None:
            self._reading.finish()
            return
        self._failure = failure = self._classified(replace(evidence, after_content=True))
        message = f"{self.shipment.candidate.profile.name} broke off its answer: {failure.message}"
        self._reading.break_off(error_body(Code.STREAM_INTERRUPTED.value, message))

    def relayed(self) -> Relayed | Broken:
        """Return how the answer ended, and what it used."""
        usage, reported = self.spent()
        # A whole answer has been read and given in the very moment of its commit point.
        now = self._means.clock.now() if self.shipment.asked.stream else self.committed_at
        if self._failure is not None:
            return Broken(now=now, failure=self._failure, usage=usage, reported=reported)
        return Relayed(now=now, usage=usage, reported=reported, ttft_ms=self.ttft_ms)

    def spent(self) -> tuple[Usage, bool]:
        """Return what the call has used so far, and whether the provider said so."""
        reported = self._reading.usage
        if reported is not None:
            return reported, True
        shipment = self.shipment
        chars, wide_chars = self._reading.sizes
        estimate = presumed(
            shipment.candidate.need,
            shipment.candidate.profile,
            shipment.calibration,
            chars=chars,
            wide_chars=wide_chars,
        )
        return estimate, False

    def passed_headers(self) -> dict[str, str]:
        """Return the provider's headers that clients get.

        An id that repeats a key is none, nor is one that can't stand in a header.
        """
        headers = self.headers
        found = headers.get("x-request-id") or headers.get("request-id")
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

    def _fault(self, fault: TransportFault, message: str = "") -> Evidence:
        status = None if self._exchange is None else self._exchange.status
        return Evidence(provider=self._provider, fault=fault, status=status, message=message)

    def _classified(self, evidence: Evidence) -> Failure:
        self._limits = evidence.limits
        return classify(evidence, now=self._means.clock.now(), redact=self.shipment.redact)

    def _failed(self, failure: Failure, *, by_deadline: bool = False) -> Failed:
        self.close()
        return Failed(
            now=self._means.clock.now(),
            sent_at=self.sent_at or self.began_at,
            failure=failure,
            usage=self._reading.usage,
            limits=self._limits,
            by_deadline=by_deadline,
        )

    def close(self) -> None:
        """Let go of the connection; an answer that is not read to its end closes it."""
        if self._relaying is not None:
            self._relaying.close()
        if self._exchange is not None:
            self._exchange.close()


def _reading_of(shipment: Shipment, clock: Clock) -> Reading:
    """Return what reads the answer to a shipment."""
    provider = shipment.candidate.profile.provider
    if shipment.passage is None:
        return PlainReading(shipment.asked, provider)
    now = int(clock.now())
    return PassingReading(shipment.asked, provider, shipment.passage, created_at=now)


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
