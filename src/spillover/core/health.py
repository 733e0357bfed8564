"""Say from the evidence there is whether a profile may serve, and what ends that evidence.

Rules of this file:
- A cooldown is evidence: its cause, where its end was read, and how far that can be trusted.
- *Authoritative* evidence has no `probe_at`: it is waited out, then traffic is full again. All else is
  a guess: from `probe_at` on one real request tests it while the others still skip.
- A success ends only evidence that is older than the call that succeeded.

Refuses to know how evidence comes about (benching), requests, ladders, storage and the clock.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from spillover.core.values import (
    CUSTOM_PROVIDER,
    Confidence,
    FailureClass,
    Profile,
    Source,
    Status,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Cooldown(Value, frozen=True, kw_only=True):
    """Evidence for skipping a profile."""

    status: Status
    """`cooldown`, `exhausted` or `failed`."""
    reason: str
    """The failure class, or `key_missing`."""
    since: float
    until: float | None
    """None: until it is mended (enable, a successful probe, another key or config)."""
    probe_at: float | None
    """From when one real request may test it; None: no early probe."""
    source: Source
    confidence: Confidence
    strikes: int = 1
    """Refusals in a row that this evidence stands on."""
    http_status: int | None = None
    message: str = ""


class LastError(Value, frozen=True, kw_only=True):
    """The latest failure, as shown to users."""

    failure: FailureClass
    status: int | None
    message: str
    at: float
    profile: str
    """Who met it: of an account's or provider's profiles."""


class Health(Value, frozen=True, kw_only=True):
    """All evidence against one subject: a profile, one of its models, an account, a provider."""

    cooldown: Cooldown | None = None
    exhausted: Cooldown | None = None
    failed: Cooldown | None = None
    bare_refusals: int = 0
    """401 or 403 in a row whose text did not name the key, with no success between."""
    last_error: LastError | None = None

    def failed_since(self, sent_at: float) -> bool:
        """Return whether the latest failure came after a call was sent at `sent_at`."""
        return self.last_error is not None and self.last_error.at >= sent_at


HEALTHY: Final = Health()


class Standing(Value, frozen=True, kw_only=True):
    """Whether a profile may serve now, and the strongest evidence against it."""

    status: Status
    evidence: Cooldown | None = None
    subject: str = ""
    """Whose evidence it is."""
    may_serve: bool = True
    probe: bool = False
    """It may serve only as the one call that tests the evidence."""
    available_at: float | None = None
    """When it may serve again, as far as the evidence goes; None: it may, or nobody knows."""


ACTIVE: Final = Standing(status=Status.ACTIVE)


def subject_of_profile(name: str) -> str:
    """Return the health key of a profile."""
    return f"profile:{name}"


def subject_of_model(profile: str, model: str) -> str:
    """Return the health key of one of a profile's upstream models."""
    return f"model:{profile}|{model}"


def subject_of_account(account: str) -> str:
    """Return the health key of an account."""
    return f"account:{account}"


def subject_of_provider(profile: Profile) -> str:
    """Return the health key of a profile's provider; one that nobody knows is its account alone."""
    return subjects(profile)[-1]


def subjects(profile: Profile) -> tuple[str, str, str, str]:
    """Return the health keys that bear on a call to `profile` with its present model."""
    return _subjects(profile.name, profile.model, profile.account, profile.provider)


@lru_cache(maxsize=4_096)
def _subjects(name: str, model: str, account: str, provider: str) -> tuple[str, str, str, str]:
    known = provider not in {"", CUSTOM_PROVIDER}
    return (
        subject_of_profile(name),
        subject_of_model(name, model),
        subject_of_account(account),
        f"provider:{provider}" if known else f"provider:{CUSTOM_PROVIDER}|{account}",
    )


def standing(profile: Profile, health_of: Callable[[str], Health | None], now: float) -> Standing:
    """Return how `profile` (with the model it holds) stands at `now`; disabling is not looked at."""
    worst = ACTIVE
    for subject in subjects(profile):
        health = health_of(subject)
        if health is None:
            continue
        for evidence in (health.failed, health.exhausted, health.cooldown):
            if evidence is not None:
                worst = _both(worst, _weigh(evidence, subject, now))
    return worst


def _weigh(evidence: Cooldown, subject: str, now: float) -> Standing:
    over = evidence.until is not None and now >= evidence.until
    testable = evidence.probe_at is not None and now >= evidence.probe_at
    if over and not testable:
        return ACTIVE
    ends = [at for at in (evidence.until, evidence.probe_at) if at is not None]
    return Standing(
        # A guess whose time is up counts as over, but the first call back still goes alone.
        status=Status.ACTIVE if over else evidence.status,
        evidence=evidence,
        subject=subject,
        may_serve=testable,
        probe=testable,
        available_at=min(ends) if ends and not testable else None,
    )


_ORDER: Final = tuple(Status)


def _both(one: Standing, other: Standing) -> Standing:
    """Return the stronger of two standings, and when neither is in the way any more."""
    worse = max(one, other, key=lambda s: (not s.may_serve, _ORDER.index(s.status), s.probe))
    if one.may_serve or other.may_serve:
        return worse
    known = one.available_at is not None and other.available_at is not None
    at = max(one.available_at or 0.0, other.available_at or 0.0) if known else None
    return worse if worse.available_at == at else replace(worse, available_at=at)


def succeeded(
    profile: Profile, health_of: Callable[[str], Health | None], sent_at: float
) -> dict[str, Health]:
    """Return the health of every subject that a successful call sent at `sent_at` changes."""
    changed: dict[str, Health] = {}
    for subject in subjects(profile):
        health = health_of(subject)
        if health is None:
            continue
        mended = Health(
            cooldown=_still(health.cooldown, sent_at),
            exhausted=_still(health.exhausted, sent_at),
            failed=_still(health.failed, sent_at),
            bare_refusals=health.bare_refusals if health.failed_since(sent_at) else 0,
            last_error=health.last_error,
        )
        if mended != health:
            changed[subject] = mended
    return changed


def _still(evidence: Cooldown | None, sent_at: float) -> Cooldown | None:
    """Return evidence that a success does not refute: a refusal newer than the call."""
    return evidence if evidence is not None and evidence.since >= sent_at else None


def cleared(health: Health) -> Health:
    """Return the health after a user cleared usage: cooldown and exhausted end, failed stays."""
    return Health(failed=health.failed, last_error=health.last_error)


def shifted(health: Health, seconds: float) -> Health:
    """Return the health after the clock jumped by `seconds`; ends by the calendar stay."""
    return replace(
        health,
        cooldown=_shifted(health.cooldown, seconds),
        exhausted=_shifted(health.exhausted, seconds),
        failed=_shifted(health.failed, seconds),
    )


def _shifted(evidence: Cooldown | None, seconds: float) -> Cooldown | None:
    if evidence is None or evidence.confidence is Confidence.KNOWN:
        return evidence
    return replace(
        evidence,
        since=evidence.since + seconds,
        until=None if evidence.until is None else evidence.until + seconds,
        probe_at=None if evidence.probe_at is None else evidence.probe_at + seconds,
    )
