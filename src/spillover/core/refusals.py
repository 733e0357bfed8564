"""Decide how a request that nobody serves ends: status, code, a message to act on, when to retry.

Refuses to know the client's protocol: the shape of an error body is made elsewhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING, Final

from spillover.core.ladder import Skipped
from spillover.core.remedies import BY_WILL, Plight, remedies
from spillover.core.spend_gate import SPENT_CAUSES, SPENT_REASONS
from spillover.core.values import Failure, FailureClass, SkipReason, Value
from spillover.errors import Obstacle

if TYPE_CHECKING:
    from collections.abc import Sequence


class Code(StrEnum):
    """Spillover's own error codes."""

    ALL_EXHAUSTED = "all_exhausted"
    ALL_FAILED = "all_failed"
    CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"
    NO_CAPABLE_PROFILE = "no_capable_profile"
    POLICY_ABSTAINED = "policy_abstained"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    LEDGER_UNAVAILABLE = "ledger_unavailable"
    INVALID_CLIENT_KEY = "invalid_client_key"
    MODEL_NOT_FOUND = "model_not_found"
    BODY_TOO_LARGE = "body_too_large"
    INVALID_REQUEST = "invalid_request"
    STREAM_INTERRUPTED = "stream_interrupted"


STATUS_OF: Final[dict[Code, int]] = {
    Code.ALL_EXHAUSTED: 429,
    Code.ALL_FAILED: 503,
    Code.CONTEXT_LENGTH_EXCEEDED: 400,
    Code.NO_CAPABLE_PROFILE: 400,
    Code.POLICY_ABSTAINED: 403,
    Code.DEADLINE_EXCEEDED: 504,
    Code.LEDGER_UNAVAILABLE: 503,
    Code.INVALID_CLIENT_KEY: 401,
    Code.MODEL_NOT_FOUND: 404,
    Code.BODY_TOO_LARGE: 413,
    Code.INVALID_REQUEST: 400,
    Code.STREAM_INTERRUPTED: 502,
}


class Refusal(Value, frozen=True, kw_only=True):
    """Why a request was not served."""

    code: Code
    message: str
    profiles: tuple[Skipped, ...] = ()
    retry_at: float | None = None
    """The soonest instant at which some profile may serve."""
    remedies: tuple[str, ...] = ()
    """What a person can do, the best first; the message has them too."""

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return STATUS_OF[self.code]

    @property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """What keeps each profile from serving, as clients see it."""
        return tuple(
            Obstacle(
                profile=each.profile,
                reason=each.reason.value,
                available_at=each.available_at,
                detail=each.detail,
            )
            for each in self.profiles
        )

    def retry_after_s(self, now: float) -> int | None:
        """Return whole seconds until `retry_at`, rounded up and at least 1; None if unknown."""
        return None if self.retry_at is None else max(1, ceil(self.retry_at - now))

    @property
    def is_vain_to_retry(self) -> bool:
        """Whether time alone mends nothing, though the status says that it might."""
        return self.code in _MENDED_BY_TIME and all(
            each.available_at is None and (each.never or each.reason in _LASTS)
            for each in self.profiles
        )


class EndKind(StrEnum):
    """How a request ended."""

    SERVED = "served"
    BROKEN = "broken"
    """Cut behind the commit point."""
    CANCELLED = "cancelled"
    """The client left."""
    PROVIDER_ERROR = "provider_error"
    """A provider refused the request itself, and no other would take it."""
    REFUSED = "refused"
    """Spillover's own answer."""


class Step(Value, frozen=True, kw_only=True):
    """One entry of a trail: a send and how it ended."""

    profile: str
    result: str
    """A failure class, `ok`, or `cancelled`."""


class Ending(Value, frozen=True, kw_only=True):
    """How a request ended, and the sends that led there."""

    kind: EndKind
    trail: tuple[Step, ...] = ()
    profile: str | None = None
    """Who served it, or whose error is relayed."""
    refusal: Refusal | None = None
    failure: Failure | None = None


_LASTS: Final = (BY_WILL - {SkipReason.HOURS}) | {SkipReason.FAILED}
"""What stands in the way until a person changes it, where no time is stated."""

_MENDED_BY_TIME: Final = frozenset({Code.ALL_EXHAUSTED, Code.ALL_FAILED})
UNABLE: Final = frozenset({Code.CONTEXT_LENGTH_EXCEEDED, Code.NO_CAPABLE_PROFILE})
"""What stands for a request that no profile can serve, whatever time passes."""

_UNFIT: Final = frozenset({SkipReason.LACKS_CAPABILITY, SkipReason.CONTEXT_TOO_SMALL})
_UNFIT_CAUSES: Final = frozenset(
    {FailureClass.CONTEXT_LENGTH, FailureClass.BAD_REQUEST, FailureClass.CONTENT_FILTER}
)
"""A profile that was tried and failed so would fail so again."""
_BACK_BY_TIME: Final = SPENT_CAUSES - {FailureClass.PAYMENT_REQUIRED}
"""A spent quota comes back; money that is missing does not."""


def refusal(plight: Plight, now: float) -> Refusal:
    """Return the refusal of a request that none of its chain's profiles can serve."""
    code = _code(plight.skipped)
    times = [s.available_at for s in plight.skipped if s.available_at is not None]
    retry_at = min(times) if times and code in _MENDED_BY_TIME else None
    what_to_do = tuple(remedies(plight, unable=code in UNABLE))
    return Refusal(
        code=code,
        message="; ".join([*_said(code, plight, now), *what_to_do]),
        profiles=plight.skipped,
        retry_at=retry_at,
        remedies=what_to_do,
    )


def _code(skipped: Sequence[Skipped]) -> Code:
    obstacles = [s for s in skipped if s.reason not in BY_WILL]
    if not obstacles:
        only_disabled = all(s.reason is SkipReason.DISABLED for s in skipped)
        return Code.ALL_FAILED if only_disabled else Code.POLICY_ABSTAINED
    liftable = [s for s in obstacles if s.reason not in _UNFIT and s.cause not in _UNFIT_CAUSES]
    if not liftable:
        too_long = any(s.reason is SkipReason.CONTEXT_TOO_SMALL for s in obstacles)
        return Code.CONTEXT_LENGTH_EXCEEDED if too_long else Code.NO_CAPABLE_PROFILE
    spent = all(s.reason in SPENT_REASONS or s.cause in _BACK_BY_TIME for s in liftable)
    return Code.ALL_EXHAUSTED if spent else Code.ALL_FAILED


_OPENING: Final = {
    Code.ALL_EXHAUSTED: "every profile of {chain!r} is spent",
    Code.ALL_FAILED: "no profile of {chain!r} can serve",
    Code.CONTEXT_LENGTH_EXCEEDED: "the request is too long for every profile of {chain!r}",
    Code.NO_CAPABLE_PROFILE: "no profile of {chain!r} can do what the request asks for",
    Code.POLICY_ABSTAINED: "policy keeps every profile of {chain!r} from serving",
}


def _said(code: Code, plight: Plight, now: float) -> list[str]:
    """What stands in the way of each profile, and who is back first."""
    opening = _OPENING[code].format(chain=plight.chain)
    parts = [f"{s.profile} ({_because(s, now)})" for s in plight.skipped]
    clauses = [f"{opening}: {', '.join(parts)}" if parts else opening]
    timed = [(s.available_at, s.profile) for s in plight.skipped if s.available_at is not None]
    if timed and code not in UNABLE:
        at, first = min(timed)
        clauses.append(f"soonest is {first} in {span(at - now)}, at {_instant(at)}")
    return clauses


def _instant(at: float) -> str:
    """Return an instant as people read it, rounded up to a second."""
    return f"{datetime.fromtimestamp(ceil(at), UTC):%Y-%m-%d %H:%M:%S} UTC"


def _because(skipped: Skipped, now: float) -> str:
    because = skipped.reason.value.replace("_", " ")
    if skipped.detail and skipped.detail != skipped.reason.value:
        because += f": {skipped.detail}"
    if skipped.available_at is not None:
        because += f", back in {span(skipped.available_at - now)}"
    return because


def span(seconds: float) -> str:
    """Return a span as people say it, rounded up: `42 s`, `5 min`, `3 h`, `2 d`."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{ceil(seconds / length)} {unit}"
    return f"{max(1, ceil(seconds))} s"
