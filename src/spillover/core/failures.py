"""Decide what a failed attempt teaches, and what is done about each kind of failure.

Rules of this file:
- `Evidence` is what is known of a failure, read from the wire by a dialect; `classify` names it by
  the tables of `failure_signs`; `TREATMENTS` says what each class costs whom.
- The body is believed before the status, and the most specific sign first.
- A wait never decides a class: spent days come with waits of seconds.

Refuses to know bytes, headers, JSON, profiles and the clock.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from spillover.core.values import (
    Failure,
    FailureClass,
    Source,
    Status,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MESSAGE_CHARS: Final = 300
"""How much of a provider's message is kept."""
LONGEST_STATED_WAIT_S: Final = 86_400.0
"""A rate limit's stated wait is believed up to this; longer ones are broken or hostile."""
LONGEST_STATED_RESET_S: Final = 31 * 86_400.0
"""A spent quota's stated wait is believed up to this."""


class TransportFault(StrEnum):
    """How an exchange broke below the level of answers."""

    REFUSED = "refused"
    DNS = "dns"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect_timeout"
    POOL = "pool"
    """No connection of ours was free in time."""
    RESET = "reset"
    BROKEN_PIPE = "broken_pipe"
    CLOSED_BEFORE_HEAD = "closed_before_head"
    """The connection ended without an answer, as an idle one does that the server had dropped."""
    MALFORMED_HTTP = "malformed_http"
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"
    STALL = "stall"
    TOTAL_TIMEOUT = "total_timeout"
    CUT = "cut"
    """The body ended before it was whole."""


class Shape(StrEnum):
    """What kind of body a failed attempt left."""

    STRUCTURED = "structured"
    """JSON that speaks of an error."""
    HTML = "html"
    PLAIN = "plain"
    NOTHING = "nothing"
    """No body at all."""
    HOLLOW = "hollow"
    """A well-formed answer with no content, no calls and no output counted."""
    GARBAGE = "garbage"
    """What should have been an answer and can't be read as one."""


class Evidence(Value, frozen=True, kw_only=True):
    """All that is known of one failed attempt."""

    provider: str = ""
    """The catalogue's id of the provider, or empty."""
    fault: TransportFault | None = None
    """Set when no complete answer was read; the other fields may still tell more."""
    status: int | None = None
    """HTTP status; the one stated inside the body when the answer itself came as 2xx."""
    shape: Shape = Shape.NOTHING
    codes: tuple[str, ...] = ()
    """Every code, type and reason the body states, lower case, outermost first."""
    code: str | None = None
    """The most telling of them, as written."""
    message: str = ""
    """The provider's own words, unredacted: never to be shown or kept as they are."""
    text: str = ""
    """All its words in lower case, for patterns to look at."""
    stated_wait_s: float | None = None
    reset_at: float | None = None
    source: Source = Source.DEFAULT
    """Where the wait or the reset was read."""
    after_content: bool = False
    """It happened behind the commit point."""


class Then(StrEnum):
    """What the request does after a failure whose sends are used up."""

    FALLBACK = "fallback"
    ERROR = "error"
    """The client gets the provider's error, unless another provider may accept the same request."""
    LARGER_CONTEXT = "larger_context"
    """Only a profile of another model, whose context is larger or unknown, is tried."""


class Treatment(Value, frozen=True, kw_only=True):
    """What a failure class costs the profile and the request."""

    sends: int = 1
    """Sends in all to one profile within one request."""
    sends_when_reset: int = 1
    """The same, when the connection broke while in use."""
    status: Status = Status.COOLDOWN
    """What the profile (or its account) becomes; `active`: it stays as it is."""
    wait_s: float = 30.0
    """How long it is benched when nobody states a time."""
    longest_wait_s: float = 30.0
    """Up to where that doubles at each refusal in a row."""
    probe_every_s: float | None = None
    """How often one real request may test a failed profile."""
    then: Then = Then.FALLBACK


TREATMENTS: Final[Mapping[FailureClass, Treatment]] = {
    FailureClass.RATE_LIMITED: Treatment(wait_s=60.0, longest_wait_s=600.0),
    FailureClass.QUOTA_EXHAUSTED: Treatment(
        status=Status.EXHAUSTED, wait_s=3_600.0, longest_wait_s=3_600.0
    ),
    FailureClass.PAYMENT_REQUIRED: Treatment(status=Status.FAILED, probe_every_s=3_600.0),
    FailureClass.AUTH_INVALID: Treatment(
        status=Status.FAILED, wait_s=600.0, longest_wait_s=600.0, probe_every_s=None
    ),
    FailureClass.MODEL_NOT_FOUND: Treatment(status=Status.FAILED, probe_every_s=86_400.0),
    FailureClass.CONTEXT_LENGTH: Treatment(
        status=Status.ACTIVE, wait_s=0.0, longest_wait_s=0.0, then=Then.LARGER_CONTEXT
    ),
    FailureClass.BAD_REQUEST: Treatment(
        status=Status.ACTIVE, wait_s=0.0, longest_wait_s=0.0, then=Then.ERROR
    ),
    FailureClass.CONTENT_FILTER: Treatment(
        status=Status.ACTIVE, wait_s=0.0, longest_wait_s=0.0, then=Then.ERROR
    ),
    FailureClass.OVERLOADED: Treatment(),
    FailureClass.SERVER_ERROR: Treatment(sends=3, sends_when_reset=3),
    FailureClass.BAD_GATEWAY: Treatment(sends=2, sends_when_reset=2),
    FailureClass.TIMEOUT: Treatment(wait_s=60.0, longest_wait_s=60.0),
    FailureClass.NETWORK: Treatment(sends_when_reset=2),
}
"""What is done about each class."""

TOO_MANY_AT_ONCE: Final = Treatment(wait_s=2.0, longest_wait_s=2.0)
"""A rate limit on concurrency: it frees as soon as a call ends."""


def treatment_of(failure: Failure) -> Treatment:
    """Return what is done about `failure`: its class's treatment, or the one for concurrency."""
    if failure.concurrency and failure.failure is FailureClass.RATE_LIMITED:
        return TOO_MANY_AT_ONCE
    return TREATMENTS[failure.failure]


def backoff_s(sends: int, draw: float) -> float:
    """Return the seconds to wait after `sends` sends (at least 1) before the next one.

    0.5 s, doubling, give or take half of it; `draw` is chance in [0, 1).
    """
    return float(0.5 * 2 ** (sends - 1) * (0.5 + draw))
