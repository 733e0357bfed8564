"""Keep what happened in the latest requests: who was looked at, what was sent and when, how it ended.

A trace refers to values that the request made anyway; `retelling` puts it into words.
Refuses to know what was said: it holds no body, no header and no text of a conversation.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from spillover.core.limits import Candidate
from spillover.core.refusals import Ending, EndKind
from spillover.core.values import Demand, Failure, Usage
from spillover.events import RequestDone, RequestFallback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.core.ladder import Skipped
    from spillover.core.limits import Reservation
    from spillover.engine.attempt import Attempt

KEPT: Final = 500
"""Requests that are kept, the latest: about a megabyte."""
PACES_KEPT: Final = 60
"""Answers of each profile whose pace is kept."""

Pace: TypeAlias = tuple[float, float | None, float | None]
"""Of one answer: when it ended, its milliseconds to the first content, its tokens a second."""


class Sent(msgspec.Struct, kw_only=True):
    """One send, as far as it has come."""

    candidate: Candidate
    began_at: float = 0.0
    connected_at: float | None = None
    """When the request left; None: it never did."""
    first_at: float | None = None
    """When the first content, or the whole unstreamed answer, was there."""
    ended_at: float | None = None
    failure: Failure | None = None
    usage: Usage | None = None
    """What was settled for it; None: nothing but the request, or not even that."""
    reported: bool = False

    def ended(self, attempt: Attempt, at: float, failure: Failure | None) -> None:
        """Take over what is known of the send when it has ended."""
        self.began_at, self.connected_at = attempt.began_at, attempt.sent_at
        self.first_at = attempt.committed_at or None
        self.ended_at, self.failure = at, failure


Look: TypeAlias = "tuple[float, tuple[Skipped, ...], Reservation]"
"""When the ladder was looked at, whom it left out, and what the ledger said to the rest."""


class Trace(msgspec.Struct, kw_only=True):
    """One request, from its arrival on."""

    request_id: str
    chain: str
    model: str | None
    """What the client asked for; None: nothing."""
    dialect: str
    began_at: float
    demand: Demand
    looks: list[Look] = []
    sends: list[Sent] = []
    fallbacks: list[RequestFallback] = []
    ending: Ending | None = None
    done: RequestDone | None = None

    def settled(self, usage: Usage, *, reported: bool) -> None:
        """Note what the last send used."""
        if self.sends:
            last = self.sends[-1]
            last.usage, last.reported = usage, reported

    def end(self, ending: Ending, done: RequestDone, attempt: Attempt | None) -> None:
        """Note how it ended, and with it the send that was open."""
        self.ending, self.done = ending, done
        if attempt is not None and self.sends and self.sends[-1].ended_at is None:
            self.sends[-1].ended(attempt, done.at, ending.failure)


class Traces:
    """The latest requests of one process, and each profile's latest pace."""

    def __init__(self) -> None:
        """Begin without any."""
        self._kept: deque[Trace] = deque(maxlen=KEPT)
        self._paces: dict[str, deque[Pace]] = {}

    def add(self, trace: Trace) -> None:
        """Keep a request that has ended."""
        self._kept.append(trace)
        ending = trace.ending
        if ending is not None and ending.kind is EndKind.SERVED and trace.sends:
            last = trace.sends[-1]
            name = last.candidate.profile.name
            paces = self._paces.get(name)
            if paces is None:
                paces = self._paces[name] = deque(maxlen=PACES_KEPT)
            paces.append(_pace(trace, last))

    def latest(self) -> Iterator[Trace]:
        """Iterate over the kept requests, newest first."""
        return reversed(self._kept)

    def get(self, request_id: str) -> Trace | None:
        """Return the latest request of that id, None if it is not kept (any more)."""
        return next((each for each in self.latest() if each.request_id == request_id), None)

    def __len__(self) -> int:
        """Return how many requests are kept."""
        return len(self._kept)

    def pace(self, profile: str) -> dict[str, list[float | None]]:
        """Return a profile's latest answers as arrays for a plot, oldest first."""
        seen = self._paces.get(profile, ())
        return {
            "at": [round(at, 3) for at, _, _ in seen],
            "ttft_ms": [rounded(ttft_ms) for _, ttft_ms, _ in seen],
            "tokens_per_s": [rounded(rate) for _, _, rate in seen],
        }


def _pace(trace: Trace, last: Sent) -> Pace:
    done, ended_at = trace.done, last.ended_at or 0.0
    began_at = last.connected_at or last.began_at
    if trace.demand.stream:
        began_at = last.first_at or began_at
    tokens = 0 if last.usage is None else last.usage.output_tokens
    took_s = ended_at - began_at
    rate = tokens / took_s if tokens and took_s > 0 else None
    return ended_at, None if done is None else done.ttft_ms, rate


def rounded(value: float | None) -> float | None:
    """Return milliseconds or a rate as they are told."""
    return None if value is None else round(value, 1)
