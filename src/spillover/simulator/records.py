"""Remember what reached a simulated provider: one record a request, and sums that never forget.

Refuses to know HTTP and limits. Records are bounded; the times and tokens of accepted calls are
all kept, so that the most in any span can be asked for afterwards.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter, deque
from enum import StrEnum
from typing import Final

import msgspec

from spillover.simulator.replies import Headers, mask

KEPT_BYTES: Final = 64 * 1024 * 1024
"""Bodies kept in all: beyond it the oldest records go, however few there are."""
_SECRET_HEADERS: Final = frozenset({"authorization", "x-api-key", "x-goog-api-key", "api-key"})


class Outcome(StrEnum):
    """What became of a request."""

    IN_FLIGHT = "in_flight"
    ANSWERED = "answered"
    """In full, and as it should be."""
    FAULTED = "faulted"
    """A scripted fault spoiled the answer."""
    ABANDONED = "abandoned"
    """The client left before the end."""
    REFUSED = "refused"
    """By a limit."""
    UNAUTHORIZED = "unauthorized"
    REJECTED = "rejected"
    """Unknown model or path, malformed body, too long, a field that is not accepted."""


class Record(msgspec.Struct, kw_only=True):
    """One request as the provider saw it."""

    at: float
    """Epoch seconds, by the provider's clock."""
    method: str
    path: str
    """With the query."""
    raw_headers: Headers
    """As they came, secrets too, names in lower case."""
    body: bytes
    model: str = ""
    stream: bool = False
    key: str = ""
    """The API key it carried."""
    status: int = 0
    """Of the answer; 0: none was begun."""
    outcome: Outcome = Outcome.IN_FLIGHT
    input_tokens: int = 0
    output_tokens: int = 0
    """As counted against limits: of an abandoned stream what had been sent."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers by lower-case name, with every secret masked."""
        return {
            name: mask(value.removeprefix("Bearer ")) if name in _SECRET_HEADERS else value
            for name, value in self.raw_headers
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the body, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()

    def carries(self, text: str) -> bool:
        """Return whether the text stands anywhere in path, headers or body."""
        return (
            text in self.path
            or any(text in name or text in value for name, value in self.raw_headers)
            or text.encode() in self.body
        )


class RecordView(msgspec.Struct, frozen=True, kw_only=True):
    """A record as the control interface shows it: keys masked, the body as text."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    key: str
    model: str
    stream: bool
    status: int
    outcome: Outcome
    input_tokens: int
    output_tokens: int
    body: str
    digest: str


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """Sums since the start or the last reset."""

    received: int
    """Requests of every kind, those to `/_control` aside."""
    accepted: int
    """Those that passed key, model and limits: what a provider counts."""
    refused: int
    """Those that a limit had no room for."""
    outcomes: dict[str, int]
    input_tokens: int
    output_tokens: int
    by_model: dict[str, int]
    """Accepted requests."""
    by_key: dict[str, int]
    """Accepted requests, by masked key."""
    in_flight: int
    concurrent_peak: int
    """The most accepted calls in flight at once."""

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


class Log:
    """Everything that happened, as records and sums."""

    def __init__(self, keep: int, keep_bytes: int = KEPT_BYTES) -> None:
        """Keep at most that many records, and bytes of their bodies."""
        self._keep = keep
        self._keep_bytes = keep_bytes
        self.clear()

    def clear(self) -> None:
        """Forget everything but the calls that are in flight."""
        self._records: deque[Record] = deque()
        self._kept_bytes = 0
        self._received = 0
        self._outcomes: Counter[str] = Counter()
        self._by_model: Counter[str] = Counter()
        self._by_key: Counter[str] = Counter()
        self._tokens = [0, 0]
        self._accepted_at = array("d")
        self._settled_at = array("d")
        self._settled_tokens = array("q")
        self._in_flight: int = getattr(self, "_in_flight", 0)
        self._peak = self._in_flight

    def receive(self, record: Record) -> None:
        """Take a request in."""
        self._received += 1
        if not self._keep:
            return
        self._records.append(record)
        self._kept_bytes += len(record.body)
        while len(self._records) > self._keep or (
            self._kept_bytes > self._keep_bytes and len(self._records) > 1
        ):
            self._kept_bytes -= len(self._records.popleft().body)

    def accept(self, record: Record) -> None:
        """Count a request that passed key, model and limits."""
        self._accepted_at.append(record.at)
        self._by_model[record.model] += 1
        self._by_key[mask(record.key)] += 1
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)

    def settle(self, record: Record, now: float) -> None:
        """Take an accepted request's end in: outcome and tokens are in the record."""
        self._in_flight -= 1
        self._outcomes[record.outcome] += 1
        self._tokens[0] += record.input_tokens
        self._tokens[1] += record.output_tokens
        self._settled_at.append(now)
        self._settled_tokens.append(record.input_tokens + record.output_tokens)

    def turn_away(self, record: Record) -> None:
        """Count a request that was not accepted."""
        self._outcomes[record.outcome] += 1

    @property
    def records(self) -> tuple[Record, ...]:
        """The records kept, oldest first."""
        return tuple(self._records)

    def counters(self) -> Counters:
        """Return the sums."""
        return Counters(
            received=self._received,
            accepted=len(self._accepted_at),
            refused=self._outcomes[Outcome.REFUSED],
            outcomes=dict(self._outcomes),
            input_tokens=self._tokens[0],
            output_tokens=self._tokens[1],
            by_model=dict(self._by_model),
            by_key=dict(self._by_key),
            in_flight=self._in_flight,
            concurrent_peak=self._peak,
        )

    def most_requests(self, seconds: float) -> int:
        """Return the most requests accepted within any span of that length."""
        return _most(self._accepted_at, [1] * len(self._accepted_at), seconds)

    def most_tokens(self, seconds: float) -> int:
        """Return the most tokens of calls that ended within any span of that length."""
        return _most(self._settled_at, self._settled_tokens, seconds)


def view(record: Record) -> RecordView:
    """Return a record as it may be shown."""
    return RecordView(
        at=record.at,
        method=record.method,
        path=record.path,
        headers=record.headers,
        key=mask(record.key) if record.key else "",
        model=record.model,
        stream=record.stream,
        status=record.status,
        outcome=record.outcome,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        body=record.body.decode(errors="replace"),
        digest=record.digest,
    )


def _most(times: array[float], amounts: array[int] | list[int], seconds: float) -> int:
    """Return the largest sum of amounts whose times lie less than `seconds` apart."""
    best = held = first = 0
    for at, amount in zip(times, amounts, strict=True):
        held += amount
        while at - times[first] >= seconds:
            held -= amounts[first]
            first += 1
        best = max(best, held)
    return best
