"""Decide what a failed attempt teaches, and what is done about each kind of failure.

Rules of this file:
- `classify` names a failure by the tables of `failure_signs`; `TREATMENTS` says what each class
  costs the profile and the request.
- A wait never decides a class: spent days come with waits of seconds. The window that the text
  names does: a rate limit on an hour or more is a spent quota.

Refuses to know bytes, headers, JSON, profiles and the clock.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

from spillover.core.evidence import Evidence, TransportFault
from spillover.core.failure_signs import (
    METRICS,
    NAMES_ACCOUNT,
    NAMES_MODEL,
    PER_MODEL_QUOTAS,
    SIGNS,
    WINDOWS,
)
from spillover.core.openings import openings
from spillover.core.signs import Sign
from spillover.core.values import (
    CalendarUnit,
    Confidence,
    Failure,
    FailureClass,
    FaultScope,
    Source,
    Status,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spillover.core.signs import Phrases

_T = TypeVar("_T")

MESSAGE_CHARS: Final = 300
"""How much of a provider's message is kept."""
LONGEST_WAIT_S: Final = 86_400.0
"""A stated wait is believed up to this; longer ones are broken or hostile."""
LONGEST_QUOTA_WAIT_S: Final = 31 * 86_400.0
"""The same, where a quota is spent."""
RESET_PASSED_S: Final = 60.0
"""A reset that passed no longer ago is over; an older one is broken and states nothing."""


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
    FailureClass.AUTH_INVALID: Treatment(status=Status.FAILED, wait_s=600.0, longest_wait_s=600.0),
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


def sends_of(failure: Failure) -> int:
    """Return how often in all a profile is sent to when it fails like this, unless a chain says so."""
    treatment = treatment_of(failure)
    return treatment.sends_when_reset if failure.reset_mid_send else treatment.sends


def backoff_s(sends: int, draw: float) -> float:
    """Return the seconds to wait after `sends` sends (at least 1) before the next one.

    0.5 s, doubling, give or take half of it; `draw` is chance in [0, 1).
    """
    return float(0.5 * 2 ** (sends - 1) * (0.5 + draw))


def classify(evidence: Evidence, *, now: float, redact: Callable[[str], str] = str) -> Failure:
    """Return what `evidence` means.

    `redact` is applied to the provider's words before they are cut to 300 characters, so that no
    half of a secret is left at the cut.
    """
    if evidence.fault is not None:
        return _transport_failure(evidence, evidence.fault, redact)
    words = openings(evidence.text)
    sign = _sign_of(evidence, words)
    failure, window = sign.failure, sign.window
    if window is None and failure in _HAS_WINDOW:
        window = _told(WINDOWS, evidence.text, words)
    if failure is FailureClass.RATE_LIMITED and window in _QUOTA_WINDOWS:
        failure = FailureClass.QUOTA_EXHAUSTED
    elsewhere = sign.elsewhere
    counted = failure in _HAS_WINDOW and not sign.concurrency
    wait, reset_at = (None, None) if sign.permanent else _believable(evidence, failure, now)
    stated = wait is not None or reset_at is not None
    return Failure(
        failure=failure,
        scope=sign.scope or _quota_scope(evidence, words),
        status=evidence.status,
        code=None if evidence.code is None else _shown(evidence.code, redact),
        message=_shown(evidence.message, redact),
        stated_wait_s=wait,
        reset_at=reset_at,
        source=evidence.source if stated else Source.DEFAULT,
        confidence=Confidence.STATED if stated else Confidence.GUESSED,
        quota_window=window,
        metric=_told(METRICS, evidence.text, words) if counted else None,
        retry_elsewhere=failure not in _REQUESTS_OWN if elsewhere is None else elsewhere,
        permanent=sign.permanent,
        names_key=sign.names_key,
        concurrency=sign.concurrency,
        after_content=evidence.after_content,
    )


def is_named(evidence: Evidence) -> bool:
    """Return whether a fault, a code or words tell what failed, not just a status or a shape."""
    if evidence.fault is not None:
        return True
    sign = _sign_of(evidence, openings(evidence.text))
    return bool(sign.words or sign.codes)


_HAS_WINDOW: Final = frozenset({FailureClass.RATE_LIMITED, FailureClass.QUOTA_EXHAUSTED})
_QUOTA_WINDOWS: Final = frozenset(CalendarUnit) - {CalendarUnit.MINUTE}
_REQUESTS_OWN: Final = frozenset({FailureClass.BAD_REQUEST, FailureClass.CONTENT_FILTER})
"""Faults of the request itself: the next provider would say the same."""
_WAITLESS: Final = _REQUESTS_OWN | {FailureClass.CONTEXT_LENGTH}


class _Fault(Value, frozen=True, kw_only=True):
    """What a transport fault means."""

    failure: FailureClass
    scope: FaultScope
    says: str
    never_sent: bool = False
    reset: bool = False


_FAULTS: Final[Mapping[TransportFault, _Fault]] = {
    TransportFault.REFUSED: _Fault(
        failure=FailureClass.NETWORK,
        scope=FaultScope.PROVIDER,
        says="connection refused",
        never_sent=True,
    ),
    TransportFault.DNS: _Fault(
        failure=FailureClass.NETWORK,
        scope=FaultScope.PROVIDER,
        says="host not found",
        never_sent=True,
    ),
    TransportFault.UNREACHABLE: _Fault(
        failure=FailureClass.NETWORK,
        scope=FaultScope.PROVIDER,
        says="host unreachable",
        never_sent=True,
    ),
    TransportFault.TLS: _Fault(
        failure=FailureClass.NETWORK,
        scope=FaultScope.PROVIDER,
        says="TLS handshake failed",
        never_sent=True,
    ),
    TransportFault.CONNECT_TIMEOUT: _Fault(
        failure=FailureClass.TIMEOUT,
        scope=FaultScope.PROVIDER,
        says="connecting timed out",
        never_sent=True,
    ),
    TransportFault.POOL: _Fault(
        failure=FailureClass.TIMEOUT,
        scope=FaultScope.REQUEST,
        says="no connection was free",
        never_sent=True,
    ),
    TransportFault.RESET: _Fault(
        failure=FailureClass.NETWORK, scope=FaultScope.PROVIDER, says="connection reset", reset=True
    ),
    TransportFault.BROKEN_PIPE: _Fault(
        failure=FailureClass.NETWORK, scope=FaultScope.PROVIDER, says="broken pipe", reset=True
    ),
    TransportFault.CLOSED_BEFORE_HEAD: _Fault(
        failure=FailureClass.NETWORK,
        scope=FaultScope.PROVIDER,
        says="closed without an answer",
        reset=True,
    ),
    TransportFault.MALFORMED_HTTP: _Fault(
        failure=FailureClass.SERVER_ERROR, scope=FaultScope.PROVIDER, says="the answer is not HTTP"
    ),
    TransportFault.FIRST_TOKEN_TIMEOUT: _Fault(
        failure=FailureClass.TIMEOUT, scope=FaultScope.PROFILE, says="no first token in time"
    ),
    TransportFault.STALL: _Fault(
        failure=FailureClass.TIMEOUT, scope=FaultScope.PROFILE, says="the stream stalled"
    ),
    TransportFault.TOTAL_TIMEOUT: _Fault(
        failure=FailureClass.TIMEOUT, scope=FaultScope.PROFILE, says="the answer took too long"
    ),
    TransportFault.CUT: _Fault(
        failure=FailureClass.NETWORK, scope=FaultScope.PROVIDER, says="the answer was cut off"
    ),
}


def _shown(words: str, redact: Callable[[str], str]) -> str:
    """Return a provider's words as people may see them: no secrets, nothing that moves a cursor."""
    kept = redact(words)
    if len(kept) > MESSAGE_CHARS:
        kept = kept[: MESSAGE_CHARS - 1] + "…"
    return kept if kept.isprintable() else "".join([c if c.isprintable() else " " for c in kept])


def _transport_failure(
    evidence: Evidence, fault: TransportFault, redact: Callable[[str], str]
) -> Failure:
    meaning = _FAULTS[fault]
    return Failure(
        failure=meaning.failure,
        scope=meaning.scope,
        status=evidence.status,
        code=fault.value,
        message=_shown(evidence.message, redact) or meaning.says,
        never_sent=meaning.never_sent,
        after_content=evidence.after_content,
        reset_mid_send=meaning.reset,
    )


def _sign_of(evidence: Evidence, words: set[bytes]) -> Sign:
    status = evidence.status or _OK
    if _OK < status < _FIRST_REDIRECT:
        status = _OK  # 204 and its kin are answers without an answer too
    for sign, opened in _signs_for(evidence.provider, status):
        if opened is not None and opened.isdisjoint(words):
            continue
        if sign.shapes and evidence.shape not in sign.shapes:
            continue
        if sign.codes and sign.codes.isdisjoint(evidence.codes):
            continue
        if sign.words and not sign.words.found_in(evidence.text, words):
            continue
        return sign
    theirs = status >= _SERVERS_FAULT or status < _OK or _FIRST_REDIRECT <= status < _OURS
    return _UNHEARD_OF_5XX if theirs else _UNHEARD_OF


@lru_cache(maxsize=1_024)
def _signs_for(provider: str, status: int) -> tuple[tuple[Sign, frozenset[bytes] | None], ...]:
    """Return the signs that an answer of `provider` with `status` can bear, in their order.

    With each the words that it asks for by their openings: most signs are passed over by them.
    """
    return tuple(
        (sign, None if sign.words is None else sign.words.openings)
        for sign in SIGNS
        if (not sign.statuses or status in sign.statuses)
        and (not sign.providers or provider in sign.providers)
    )


_OK: Final = 200
_FIRST_REDIRECT: Final = 300
_OURS: Final = 400
_SERVERS_FAULT: Final = 500
_UNHEARD_OF: Final = Sign(
    failure=FailureClass.BAD_REQUEST,
    scope=FaultScope.REQUEST,
    elsewhere=True,
    source="RFC 9110: an unknown 4xx is treated as 400; that it is the request's fault is a guess",
)
_UNHEARD_OF_5XX: Final = Sign(
    failure=FailureClass.SERVER_ERROR,
    scope=FaultScope.PROVIDER,
    source="RFC 9110: an unknown 5xx is treated as 500",
)


def _told(rows: tuple[tuple[_T, Phrases], ...], text: str, words: set[bytes]) -> _T | None:
    """Return what the first row of a table stands for whose phrases the text holds."""
    return next((each for each, phrases in rows if phrases.found_in(text, words)), None)


def _quota_scope(evidence: Evidence, words: set[bytes]) -> FaultScope:
    """Return whose quota is spent, where the sign itself doesn't say."""
    text = evidence.text
    per_model = evidence.provider in PER_MODEL_QUOTAS and not NAMES_ACCOUNT.found_in(text, words)
    if per_model or NAMES_MODEL.found_in(text, words):
        return FaultScope.PROFILE
    return FaultScope.ACCOUNT


def _believable(
    evidence: Evidence, failure: FailureClass, now: float
) -> tuple[float | None, float | None]:
    """Return (wait, reset) as far as they can be true; broken and hostile ones are cut or dropped."""
    if failure in _WAITLESS:
        return None, None
    quota = failure is FailureClass.QUOTA_EXHAUSTED
    longest = LONGEST_QUOTA_WAIT_S if quota else LONGEST_WAIT_S
    wait, reset_at = evidence.stated_wait_s, evidence.reset_at
    if reset_at is not None:
        if evidence.server_at is not None:
            reset_at += now - evidence.server_at  # both were read off the server's clock
        if now - RESET_PASSED_S <= reset_at <= now:
            wait, reset_at = 0.0 if wait is None else wait, None
        elif not now < reset_at <= now + longest:
            reset_at = None
    if wait is not None:
        wait = min(max(0.0, wait), longest)
    return wait, reset_at
