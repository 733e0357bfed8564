"""Say what Spillover does about a failure, by letting it happen to the core that decides it.

Rules of this file:
- Nothing is written down here that the core knows: who is benched, how long, on what evidence and how
  that grows is read off what `refused` makes of the failure, met again and again.
- A wait that depends on the time of day is one to a window's end.

Refuses to know the user's own configuration: a chain may set retries and cooldowns of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from spillover.core.benching import FailedCall, refused
from spillover.core.failures import Then, sends_of, treatment_of
from spillover.core.refusals import span
from spillover.core.values import (
    Confidence,
    Failure,
    FailureClass,
    FaultScope,
    Profile,
    Source,
    Status,
    Tier,
    Value,
)

if TYPE_CHECKING:
    from spillover.catalogue.lookup import Catalogue
    from spillover.core.health import Cooldown, Health


class Bench(Value, frozen=True, kw_only=True):
    """Who is left out after a failure, and for how long."""

    whom: str
    """`profile`, `model`, `account` or `provider`."""
    status: Status
    wait_s: float | None
    """None: until it is mended."""
    to_window_end: bool
    """The wait lasts until a window of the provider's ends."""
    longest_s: float | None
    """Up to where it grows when the failure repeats."""
    probe_s: float | None
    """After how long one request may test it; None: it is waited out."""
    source: Source
    confidence: Confidence


class Conduct(Value, frozen=True, kw_only=True):
    """What Spillover does about one failure."""

    failure: FailureClass
    scope: FaultScope
    sends: int
    """How often in all the profile is sent to within one request."""
    bench: Bench | None
    """None: the profile stays as it is."""
    second: str | None
    """Who is left out too when a second one follows."""
    then: Then
    retry_elsewhere: bool


NOON: Final = 1_800_014_400.0
"""Some day's, in UTC: the guide is the same at any time."""
_LATER_S: Final = 3_601.0
_STRIKES: Final = 12


def somebody(catalogue: Catalogue, provider: str = "", model: str = "") -> Profile:
    """Return a profile to whom failures may happen, with what is known of its provider."""
    entry = catalogue.provider(provider)
    return Profile(
        name="profile",
        provider=provider if entry is None else entry.id,
        account="account",
        model=model,
        tier=Tier.FREE,
        minute_window=catalogue.window(provider, "minute"),
        day_window=catalogue.window(provider, "day"),
        guessed_waits=catalogue.guessed_waits(provider, model),
    )


def conduct(failure: Failure, profile: Profile, *, now: float = NOON) -> Conduct:
    """Return what is done about `failure` when it happens to `profile` for the first time."""
    met = _Met(failure, profile)
    first = met.again(now)
    second = met.again(now + 1)
    return Conduct(
        failure=failure.failure,
        scope=failure.scope,
        sends=sends_of(failure),
        bench=None if first is None else _bench(first, failure, profile, now),
        second=_whom(second) if second is not None and _whom(second) != _whom(first) else None,
        then=treatment_of(failure).then,
        retry_elsewhere=failure.retry_elsewhere,
    )


class _Met:
    """One failure, met again and again by the same profile."""

    def __init__(self, failure: Failure, profile: Profile) -> None:
        self._failure = failure
        self._profile = profile
        self._health: dict[str, Health] = {}

    def again(self, now: float) -> tuple[str, Cooldown] | None:
        """Let it happen at `now`; return the subject that is benched for it, and the evidence."""
        call = FailedCall(profile=self._profile, failure=self._failure, sent_at=now, now=now)
        changed = refused(call, self._health.get)
        self._health |= changed
        for subject, health in changed.items():
            for evidence in (health.failed, health.exhausted, health.cooldown):
                if evidence is not None and evidence.since == now:
                    return subject, evidence
        return None


def _whom(met: tuple[str, Cooldown] | None) -> str | None:
    return None if met is None else met[0].partition(":")[0]


def _bench(met: tuple[str, Cooldown], failure: Failure, profile: Profile, now: float) -> Bench:
    subject, evidence = met
    wait = None if evidence.until is None else evidence.until - now
    return Bench(
        whom=subject.partition(":")[0],
        status=evidence.status,
        wait_s=wait,
        to_window_end=failure.reset_at is None and _wait(failure, profile, now + _LATER_S) != wait,
        longest_s=_longest(failure, profile, now),
        probe_s=None if evidence.probe_at is None else evidence.probe_at - now,
        source=evidence.source,
        confidence=evidence.confidence,
    )


def _wait(failure: Failure, profile: Profile, now: float) -> float | None:
    met = _Met(failure, profile).again(now)
    return None if met is None or met[1].until is None else met[1].until - now


def _longest(failure: Failure, profile: Profile, now: float) -> float | None:
    """Return the wait after many refusals in a row, each as soon as the one before is waited out."""
    met, evidence = _Met(failure, profile), None
    for _ in range(_STRIKES):
        found = met.again(now)
        if found is None or found[1].until is None:
            return None
        evidence, now = found[1], found[1].until
    return None if evidence is None or evidence.until is None else evidence.until - evidence.since


_HELD: Final = {
    "profile": "the profile is",
    "model": "this profile's model is",
    "account": "the account, with all its profiles, is",
    "provider": "every profile of the provider is",
}
_LEARNED: Final = {
    Source.HEADER: "the answer's headers say so",
    Source.BODY: "the answer says so",
    Source.CATALOGUE: "so the catalogue has it",
    Source.DEFAULT: "nobody says how long",
}


def told(what: Conduct) -> tuple[str, ...]:
    """Return what is done as sentences."""
    return tuple(part for part in (_sends(what), _benched(what.bench), _second(what)) if part)


def _sends(what: Conduct) -> str:
    times = "once" if what.sends == 1 else f"up to {what.sends} times"
    match what.then:
        case Then.FALLBACK:
            ending = "the next profile of the chain is asked"
        case Then.LARGER_CONTEXT:
            ending = "only a profile whose context is larger, or not known, is asked"
        case Then.ERROR if what.retry_elsewhere:
            ending = "the next profile is asked, for this one alone may object"
        case Then.ERROR:
            ending = "the client gets the provider's error"
        case _:
            assert_never(what.then)
    return f"The request is sent {times}, then {ending}."


def _benched(bench: Bench | None) -> str:
    if bench is None:
        return "Nobody is left out: the next request may go to the same profile."
    whom = _HELD[bench.whom].capitalize()
    if bench.wait_s is None:
        tested = (
            "" if bench.probe_s is None else f"; one request tests it every {span(bench.probe_s)}"
        )
        return f"{whom} left out until it is mended ({bench.status.value}){tested}."
    until = f"for {span(bench.wait_s)}"
    if bench.to_window_end:
        until = "until the window ends"
    elif bench.longest_s is not None and bench.longest_s > bench.wait_s + 1:
        until += f", growing to {span(bench.longest_s)} when it repeats"
    tested = ""
    if bench.probe_s is not None and bench.probe_s < bench.wait_s:
        tested = f"; one request tests it every {span(bench.probe_s)}"
    return f"{whom} left out {until} ({bench.status.value}; {_LEARNED[bench.source]}){tested}."


def _second(what: Conduct) -> str:
    return (
        "" if what.second is None else f"After a second one in a row {_HELD[what.second]} left out."
    )
