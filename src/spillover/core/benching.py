"""Decide what a failed call says against a profile, its account or its provider, and until when.

Rules of this file:
- *Authoritative* is the absolute reset of a spent metric, a window with a known calendar, or a stated
  wait within the named window and at most a day; all else is a guess that is tested early.
- A window that turned without an end to the refusals is believed no more until a call succeeds.
- A later, shorter cooldown never shortens a longer one, and calls that were sent before a refusal was
  known do not escalate it by failing too.

Refuses to know requests, ladders, storage and the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from msgspec.structs import replace

from spillover.core.chains import CooldownRule
from spillover.core.doubting import is_doubted
from spillover.core.failures import Treatment, treatment_of
from spillover.core.health import (
    HEALTHY,
    Cooldown,
    Health,
    LastError,
    subject_of_account,
    subject_of_model,
    subject_of_profile,
    subject_of_provider,
)
from spillover.core.values import (
    UNIT_S,
    Calendar,
    CalendarUnit,
    Confidence,
    Failure,
    FailureClass,
    FaultScope,
    Profile,
    Source,
    Status,
    Value,
)
from spillover.core.windows import period

if TYPE_CHECKING:
    from collections.abc import Callable

DAY_S: Final = 86_400.0
PROBE_AFTER_S: Final = 900.0
"""A guess is tested at the latest this long after the last refusal."""
SIBLINGS_WITHIN_S: Final = 60.0
"""Two profiles of a provider that fail alike within this span bench the provider's others too."""
SHORTEST_WAIT_S: Final = 0.5
"""Providers state waits of 0; coming back at once would hammer them."""


class FailedCall(Value, frozen=True, kw_only=True):
    """A failed call to a profile, as evidence."""

    profile: Profile
    failure: Failure
    sent_at: float
    now: float
    rule: CooldownRule | None = None
    """The user's own wait for this class."""


def refused(call: FailedCall, health_of: Callable[[str], Health | None]) -> dict[str, Health]:
    """Return the health of every subject that a failed call changes."""
    failure, profile = call.failure, call.profile
    own = subject_of_profile(profile.name)
    changed = {own: _noted(health_of(own) or HEALTHY, call)}
    treatment = treatment_of(failure)
    target = _target(call, changed[own])
    if target is None:
        return changed
    health = changed.get(target) or _noted(health_of(target) or HEALTHY, call)
    changed[target] = _benched(health, call, treatment, certain=target != own)
    if failure.scope is FaultScope.PROVIDER and target == own:
        changed |= _provider(call, health_of, treatment)
    return changed


def _noted(health: Health, call: FailedCall) -> Health:
    failure = call.failure
    error = LastError(
        failure=failure.failure,
        status=failure.status,
        message=failure.message,
        at=call.now,
        profile=call.profile.name,
    )
    bare = failure.failure is FailureClass.AUTH_INVALID and not failure.names_key
    if bare and health.bare_refusals and health.failed_since(call.sent_at):
        bare = False  # sent before the first one was known: it says nothing new
    return replace(health, bare_refusals=health.bare_refusals + bare, last_error=error)


def _target(call: FailedCall, own: Health) -> str | None:
    """Return the subject to bench; None when the fault is the request's alone."""
    profile, failure = call.profile, call.failure
    match failure.failure:
        case FailureClass.CONTEXT_LENGTH | FailureClass.BAD_REQUEST | FailureClass.CONTENT_FILTER:
            return None
        case FailureClass.AUTH_INVALID:
            # A bare refusal may be a model gate under a good key: the second in a row is not.
            if failure.names_key or own.bare_refusals > 1:
                return subject_of_account(profile.account)
            return subject_of_profile(profile.name)
        case FailureClass.MODEL_NOT_FOUND:
            return subject_of_model(profile.name, profile.model)
        case _:
            match failure.scope:
                case FaultScope.REQUEST:
                    return None
                case FaultScope.ACCOUNT:
                    return subject_of_account(profile.account)
                case FaultScope.PROFILE | FaultScope.PROVIDER:
                    return subject_of_profile(profile.name)
                case _:
                    assert_never(failure.scope)


def _benched(health: Health, call: FailedCall, treatment: Treatment, *, certain: bool) -> Health:
    failure, now = call.failure, call.now
    status = treatment.status
    if failure.failure is FailureClass.AUTH_INVALID and not certain:
        status = Status.COOLDOWN
    slot = {
        Status.COOLDOWN: health.cooldown,
        Status.EXHAUSTED: health.exhausted,
        Status.FAILED: health.failed,
    }[status]
    fresh = _evidence(call, treatment, status=status, before=slot)
    if slot is not None:
        fresh = _longer(slot, fresh, now)
    return replace(health, **{status.value: fresh})


def _longer(old: Cooldown, fresh: Cooldown, now: float) -> Cooldown:
    """Return `fresh`, or the `old` cooldown that outlasts it with the newer refusal noted on it."""
    if old.until is None or fresh.until is None or old.until <= fresh.until:
        return fresh
    probe_at = old.probe_at
    if probe_at is not None:
        probe_at = min(old.until, max(probe_at, now + PROBE_AFTER_S))
    return replace(
        old,
        since=now,
        probe_at=probe_at,
        strikes=fresh.strikes,
        http_status=fresh.http_status,
        message=fresh.message,
    )


def _evidence(
    call: FailedCall, treatment: Treatment, *, status: Status, before: Cooldown | None
) -> Cooldown:
    failure, now = call.failure, call.now
    same_burst = before is not None and call.sent_at <= before.since
    strikes = 1 if before is None else before.strikes + (not same_burst)
    until: float | None
    if status is Status.FAILED:
        until, source, confidence = None, Source.DEFAULT, Confidence.GUESSED
        every = treatment.probe_every_s
        probe_at = None if every is None else now + every
    else:
        until, source, confidence, authoritative = _end(call, treatment, strikes, before)
        probe_at = None if authoritative else min(until, now + PROBE_AFTER_S)
    return Cooldown(
        status=status,
        reason=failure.failure.value,
        since=now,
        until=until,
        probe_at=probe_at,
        source=source,
        confidence=confidence,
        strikes=strikes,
        http_status=failure.status,
        message=failure.message,
    )


def _end(
    call: FailedCall, treatment: Treatment, strikes: int, before: Cooldown | None
) -> tuple[float, Source, Confidence, bool]:
    """Return (until, source, confidence, authoritative) of a wait."""
    failure, now, rule = call.failure, call.now, call.rule
    if rule is not None and rule.fixed:
        return now + rule.wait_s, Source.CONFIG, Confidence.STATED, True
    if failure.reset_at is not None and failure.reset_at > now:
        believable = failure.reset_at - now <= UNIT_S[CalendarUnit.MONTH]
        return failure.reset_at, failure.source, Confidence.STATED, believable
    boundary = _boundary(call)
    believed = before is None or not is_doubted(before, call.sent_at)
    quota = failure.failure is FailureClass.QUOTA_EXHAUSTED
    if quota and boundary is not None:
        # Providers attach a wait of seconds to a spent day: the window named in the answer decides.
        confidence = Confidence.KNOWN if believed else Confidence.GUESSED
        return boundary, Source.CATALOGUE, confidence, believed
    if failure.stated_wait_s is not None:
        # A stated wait that proved too short was not the whole truth: it grows.
        wait = max(SHORTEST_WAIT_S, failure.stated_wait_s) * 2 ** min(strikes - 1, 10)
        wait = min(wait, max(failure.stated_wait_s, treatment.longest_wait_s), DAY_S)
        named = failure.quota_window
        within = named is not None and failure.stated_wait_s <= UNIT_S[named]
        authoritative = within and failure.stated_wait_s <= DAY_S and strikes == 1
        return now + wait, failure.source, Confidence.STATED, authoritative
    if rule is not None:
        return now + rule.wait_s, Source.CONFIG, Confidence.GUESSED, False
    if boundary is not None and believed:
        return boundary, Source.CATALOGUE, Confidence.KNOWN, True
    expected = _expected(call, treatment, strikes)
    if expected is not None:
        return expected, Source.CATALOGUE, Confidence.GUESSED, False
    if quota and failure.quota_window is not None:
        ends_at = period(failure.quota_window, "UTC", now)[1]
        return ends_at, Source.DEFAULT, Confidence.GUESSED, False
    doublings = strikes - 1 if boundary is None else max(strikes - 2, 0)  # one was the boundary's
    wait = min(treatment.wait_s * 2 ** min(doublings, 20), treatment.longest_wait_s)
    return now + wait, Source.DEFAULT, Confidence.GUESSED, False


def _boundary(call: FailedCall) -> float | None:
    """Return the end of the window that is spent, where the provider's calendar is known."""
    failure, profile = call.failure, call.profile
    unit = failure.quota_window
    if unit is None and failure.failure is FailureClass.RATE_LIMITED and not failure.concurrency:
        unit = CalendarUnit.MINUTE
    window = None
    if unit is CalendarUnit.MINUTE:
        window = profile.minute_window
    elif unit is CalendarUnit.DAY:
        window = profile.day_window
    if isinstance(window, Calendar):
        return period(window.unit, window.zone, call.now)[1]
    return None


def _expected(call: FailedCall, treatment: Treatment, strikes: int) -> float | None:
    """Return when the limit that is spent has room again by experience, where the catalogue has some."""
    failure, now = call.failure, call.now
    unit = failure.quota_window
    if unit is None and failure.metric is not None:
        unit = CalendarUnit.MINUTE  # what is counted is named, and no longer window
    if unit is None:
        return None
    named = f"_per_{unit.value}"
    spent = {f"{failure.metric.value}{named}"} if failure.metric is not None else None
    waits = [
        wait
        for name, wait in call.profile.guessed_waits
        if (name in spent if spent is not None else name.endswith(named))
    ]
    if None in waits:
        ends_at: float = period(unit, "UTC", now)[1]
        return ends_at
    longest = max((wait for wait in waits if wait is not None), default=None)
    if longest is None:
        return None
    wait: float = longest * 2 ** min(strikes - 1, 20)
    return now + min(wait, max(longest, treatment.longest_wait_s))


def _provider(
    call: FailedCall, health_of: Callable[[str], Health | None], treatment: Treatment
) -> dict[str, Health]:
    """Note a provider's fault, and bench all of it when a second profile failed alike."""
    subject = subject_of_provider(call.profile)
    before = health_of(subject) or HEALTHY
    after = _noted(before, call)
    earlier = before.last_error
    alike = (
        earlier is not None
        and earlier.failure is call.failure.failure
        and earlier.profile != call.profile.name
        and call.now - earlier.at <= SIBLINGS_WITHIN_S
    )
    return {subject: _benched(after, call, treatment, certain=True) if alike else after}
