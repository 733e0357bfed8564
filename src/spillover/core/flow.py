"""Walk one request through its ladder: the loop of reserve, send, relay, settle and fall back.

`serve` is a generator. It yields *what to do* and is sent *what happened*, each outcome stamped with
its time; whoever drives it (engine, simulator, test) performs the actions against its own world.
A client's leaving is an outcome, `Cancelled`, sent in like any other; the generator is never closed.

Rules of this file:
- Every send holds a reservation of its own, and every reservation is settled or released once.
- A profile is tried at most once per request, its retries and alternative models aside.
- Behind the commit point nothing is sent again: a broken relay ends the request.

Refuses to know how anything is performed: no clock, network, storage or client protocol.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from spillover.core.actions import (
    Action,
    Broken,
    Cancelled,
    Committed,
    Failed,
    FellBack,
    Held,
    Learn,
    Look,
    Outcome,
    Relay,
    Relayed,
    Release,
    Reserve,
    Send,
    Settle,
    Sight,
    Stick,
    Unrecorded,
    Wait,
)
from spillover.core.failures import Then, backoff_s, treatment_of
from spillover.core.health import Refusal as Refused
from spillover.core.health import refused, succeeded
from spillover.core.ladder import Ask, Ladder, Sticky, build
from spillover.core.limits import Block, Candidate, Granted
from spillover.core.refusals import Code, Ending, EndKind, Refusal, Step, refusal
from spillover.core.values import (
    Chain,
    Demand,
    Failure,
    FailureClass,
    SkipReason,
    Strategy,
    Usage,
)

Flow: TypeAlias = Generator[Action, Outcome, Ending]
_Part: TypeAlias = Generator[Action, Outcome, Ending | None]

RECHECK_S: Final = 0.25
"""How soon to look again while another call tests the only profile that could serve."""


@dataclass(slots=True, kw_only=True)
class _Walk:
    """What a request has met so far."""

    chain: Chain
    demand: Demand
    space: str | None
    deadline_at: float
    queue_until: float
    patience_until: float
    sends: int = 0
    trail: list[Step] = field(default_factory=list)
    tried: dict[str, FailureClass] = field(default_factory=dict)
    models: set[tuple[str, str]] = field(default_factory=set)
    """(profile, upstream model) pairs that were sent to."""
    blocked: dict[str, Block] = field(default_factory=dict)
    left: FellBack | None = None
    """The profile last left, while it is not known who follows it."""
    too_long: Failure | None = None
    """The first provider's word that the request is too long for its model."""
    too_small: frozenset[str] = frozenset()
    larger_than: int = 0


def serve(chain: Chain, demand: Demand, space: str | None = None) -> Flow:
    """Serve one request from `chain`; the return value says how it ended.

    `space` is the embedding space of the chain, for embeddings alone.
    """
    sight = yield Look()
    start = sight.now
    deadline_at = start + chain.time_limits.deadline_s
    walk = _Walk(
        chain=chain,
        demand=demand,
        space=space,
        deadline_at=deadline_at,
        queue_until=min(deadline_at, start + chain.wait_s),
        patience_until=min(deadline_at, start + chain.patience_s),
    )
    while True:
        if not isinstance(sight, Sight):
            return _stopped(walk, sight)
        if sight.now >= walk.deadline_at:
            return _too_late(walk)
        ladder = _ladder(walk, sight)
        pause = _pause(walk, sight, ladder)
        if pause is not None:
            woken = yield pause
            if isinstance(woken, Cancelled):
                return _stopped(walk, woken)
            # What was denied before the wait may have room now; what can never fit stays out.
            walk.blocked = {name: b for name, b in walk.blocked.items() if b.never}
        else:
            part = _give_up if not ladder.candidates else _reserve_and_send
            ending = yield from part(walk, sight, ladder)
            if ending is not None:
                return ending
        sight = yield Look()


def _stopped(walk: _Walk, outcome: Outcome) -> Ending:
    """End a request that the client left, or whose use can't be recorded."""
    if isinstance(outcome, Unrecorded):
        reason = Refusal(code=Code.LEDGER_UNAVAILABLE, message=outcome.message)
        return Ending(kind=EndKind.REFUSED, trail=tuple(walk.trail), refusal=reason)
    if isinstance(outcome, Cancelled):
        return Ending(kind=EndKind.CANCELLED, trail=tuple(walk.trail))
    raise TypeError(outcome)


def _too_late(walk: _Walk) -> Ending:
    limit = walk.chain.time_limits.deadline_s
    reason = Refusal(
        code=Code.DEADLINE_EXCEEDED,
        message=f"no answer began within the deadline of {limit:g} s of {walk.chain.name!r}",
    )
    return Ending(kind=EndKind.REFUSED, trail=tuple(walk.trail), refusal=reason)


def _ladder(walk: _Walk, sight: Sight) -> Ladder:
    ask = Ask(
        chain=walk.chain,
        demand=walk.demand,
        draw=sight.draw,
        turn=sight.turn,
        affinity=sight.affinity,
        tried=walk.tried,
        blocked=walk.blocked,
        space=walk.space,
        larger_than=walk.larger_than,
        too_small=walk.too_small,
    )
    return build(ask, sight.profiles, sight.view, sight.now)


def _pause(walk: _Walk, sight: Sight, ladder: Ladder) -> Wait | None:
    """Return what to wait for before anything is sent; None when nothing is worth a wait."""
    now = sight.now
    if ladder.candidates:
        if sight.queued and now < walk.queue_until:
            return Wait(until=walk.queue_until, queue=True)
        return _patience(walk, ladder, now)
    if now < walk.queue_until:
        times = [s.available_at for s in ladder.skipped if s.available_at is not None]
        if times and min(times) <= walk.queue_until:
            return Wait(until=max(min(times), now), queue=True)
        if any(s.available_at is None and _may_lift(s.reason) and not s.never for s in ladder.skipped):
            return Wait(until=walk.queue_until, queue=True)
    if any(s.probed for s in ladder.skipped):
        return Wait(until=min(now + RECHECK_S, walk.deadline_at))
    return None


def _may_lift(reason: SkipReason) -> bool:
    """Whether room may come about at a time that nobody can know, as when a call in flight ends."""
    return reason is SkipReason.LIMIT


def _patience(walk: _Walk, ladder: Ladder, now: float) -> Wait | None:
    """Wait for a preferred profile that is back within the chain's patience."""
    if now >= walk.patience_until or walk.chain.strategy is not Strategy.PRIORITY:
        return None
    names = [member.profile for member in walk.chain.members]
    better = set(names[: names.index(ladder.candidates[0].profile.name)])
    times = [
        s.available_at
        for s in ladder.skipped
        if s.profile in better
        and s.reason in _PATIENCE_REASONS
        and s.available_at is not None
        and s.available_at <= walk.patience_until
    ]
    return Wait(until=max(min(times), now)) if times else None


_PATIENCE_REASONS: Final = frozenset(
    {SkipReason.LIMIT, SkipReason.COOLDOWN, SkipReason.EXHAUSTED}
)


def _give_up(walk: _Walk, sight: Sight, ladder: Ladder) -> _Part:
    """End a request that nobody can serve."""
    if walk.left is not None:
        yield walk.left
    trail = tuple(walk.trail)
    if walk.too_long is not None:
        return Ending(kind=EndKind.PROVIDER_ERROR, trail=trail, failure=walk.too_long)
    reason = refusal(walk.chain.name, ladder.skipped, sight.now)
    return Ending(kind=EndKind.REFUSED, trail=trail, refusal=reason)


def _reserve_and_send(walk: _Walk, sight: Sight, ladder: Ladder) -> _Part:
    """Reserve and send; return how the request ended, or None to look at the ladder again."""
    offered: Sequence[Candidate] = ladder.candidates
    if sight.now < walk.patience_until:
        # One at a time, so that a wait for the first can be weighed before the second is held.
        offered = offered[:1]
    held = yield Reserve(candidates=offered)
    if not isinstance(held, Held):
        return _stopped(walk, held)
    for passed in held.reservation.passed:
        walk.blocked[passed.profile] = passed.block
        if walk.left is None:
            until = passed.block.available_at
            walk.left = FellBack(source=passed.profile, to=None, cause="limit", until=until)
    if not isinstance(held.reservation, Granted):
        return None
    granted = held.reservation
    candidate = next(c for c in offered if c.profile.name == granted.profile)
    left = walk.left or _passed_over(walk, ladder, candidate)
    if left is not None and left.source != candidate.profile.name:
        yield FellBack(
            source=left.source, to=candidate.profile.name, cause=left.cause, until=left.until
        )
    walk.left = None
    return (yield from _sends(walk, sight, candidate, granted))


def _passed_over(walk: _Walk, ladder: Ladder, candidate: Candidate) -> FellBack | None:
    """Return the benched profile that the chain prefers to the one that serves."""
    if walk.chain.strategy is not Strategy.PRIORITY:
        return None
    benched = {s.profile: s for s in ladder.skipped if s.reason in _BENCHED}
    for member in walk.chain.members:
        if member.profile == candidate.profile.name:
            return None
        skip = benched.get(member.profile)
        if skip is not None:
            cause = skip.cause.value if skip.cause is not None else skip.detail
            return FellBack(source=skip.profile, to=None, cause=cause, until=skip.available_at)
    return None


_BENCHED: Final = frozenset({SkipReason.COOLDOWN, SkipReason.EXHAUSTED, SkipReason.FAILED})


def _sends(walk: _Walk, sight: Sight, candidate: Candidate, granted: Granted) -> _Part:
    """Send to one profile, again where its failure is worth it, until it answers or is left."""
    profile = candidate.profile
    walk.models.add((profile.name, profile.model))
    reservation = granted.reservation
    sends = 0
    while True:
        sends += 1
        walk.sends += 1
        outcome = yield Send(
            candidate=candidate, attempt=walk.sends, deadline_at=walk.deadline_at
        )
        match outcome:
            case Committed():
                return (yield from _relay(walk, sight, candidate, reservation, outcome))
            case Cancelled():
                walk.trail.append(Step(profile=profile.name, result="cancelled"))
                yield from _settle_left(candidate, reservation, outcome)
                return _stopped(walk, outcome)
            case Failed():
                pass
            case _:
                raise TypeError(outcome)
        failure = outcome.failure
        walk.trail.append(Step(profile=profile.name, result=failure.failure.value))
        yield _closing(candidate, reservation, outcome)
        if outcome.by_deadline:
            return _too_late(walk)
        if not failure.mended:
            again_at = outcome.now + backoff_s(sends, sight.draw)
            if sends >= _sends_allowed(walk.chain, failure) or again_at >= walk.deadline_at:
                break
            woken = yield Wait(until=again_at)
            if isinstance(woken, Cancelled):
                return _stopped(walk, woken)
        held = yield Reserve(candidates=(candidate,))
        if not isinstance(held, Held):
            return _stopped(walk, held)
        if not isinstance(held.reservation, Granted):
            walk.blocked[profile.name] = held.reservation.passed[0].block
            break
        reservation = held.reservation.reservation
    return (yield from _leave(walk, sight, candidate, outcome))


def _sends_allowed(chain: Chain, failure: Failure) -> int:
    """Return how often in all a profile may be sent to when it fails like this."""
    retries = chain.retries.get(failure.failure)
    if retries is not None:
        return 1 + retries
    treatment = treatment_of(failure)
    return treatment.sends_when_reset if failure.reset_mid_send else treatment.sends


def _closing(candidate: Candidate, reservation: str, outcome: Failed) -> Settle | Release:
    """Return how a failed send's reservation is closed."""
    if outcome.usage is None:
        return Release(
            reservation=reservation, keep_request=not outcome.failure.never_sent
        )
    return Settle(
        reservation=reservation,
        candidate=candidate,
        usage=outcome.usage,
        reported=True,
        ok=False,
        sent_at=outcome.sent_at,
    )


def _settle_left(candidate: Candidate, reservation: str, outcome: Cancelled) -> _Part:
    """Close the reservation of a call whose client left."""
    if outcome.sent_at is None:
        yield Release(reservation=reservation, keep_request=False)
        return None
    usage = outcome.usage
    yield Settle(
        reservation=reservation,
        candidate=candidate,
        usage=usage or Usage(requests=1, input_tokens=candidate.need.input_tokens),
        reported=outcome.reported and usage is not None,
        ok=False,
        sent_at=outcome.sent_at,
    )
    return None


def _leave(walk: _Walk, sight: Sight, candidate: Candidate, outcome: Failed) -> _Part:
    """Bench the profile as its failure asks, and decide whether the request goes on."""
    profile, failure = candidate.profile, outcome.failure
    changed = refused(
        Refused(
            profile=profile,
            failure=failure,
            sent_at=outcome.sent_at,
            now=outcome.now,
            rule=walk.chain.cooldowns.get(failure.failure),
        ),
        sight.view.health,
    )
    yield Learn(profile=profile.name, health=changed, failure=failure)
    then = treatment_of(failure).then
    if then is Then.ERROR and not failure.retry_elsewhere:
        return Ending(
            kind=EndKind.PROVIDER_ERROR,
            trail=tuple(walk.trail),
            profile=profile.name,
            failure=failure,
        )
    if then is Then.LARGER_CONTEXT:
        walk.too_long = walk.too_long or failure
        walk.too_small |= {profile.model}
        walk.larger_than = max(walk.larger_than, profile.context_tokens or 0)
    models = (profile.model, *_other_models(sight, profile.name))
    untried = any((profile.name, model) not in walk.models for model in models)
    if failure.failure is not FailureClass.MODEL_NOT_FOUND or not untried:
        walk.tried[profile.name] = failure.failure
    waits = [
        evidence.until
        for health in changed.values()
        for evidence in (health.cooldown, health.exhausted)
        if evidence is not None and evidence.until is not None
    ]
    walk.left = FellBack(
        source=profile.name,
        to=None,
        cause=failure.failure.value,
        until=max(waits) if waits else None,
    )
    return None


def _other_models(sight: Sight, name: str) -> tuple[str, ...]:
    return sight.profiles[name].alternatives


def _relay(
    walk: _Walk, sight: Sight, candidate: Candidate, reservation: str, committed: Committed
) -> _Part:
    """Give the client the answer; nothing that happens from here on leads to another send."""
    profile, chain = candidate.profile, walk.chain
    walk.trail.append(Step(profile=profile.name, result="ok"))
    trail = tuple(walk.trail)
    mended = succeeded(profile, sight.view.health, committed.sent_at)
    if mended:
        yield Learn(profile=profile.name, health=mended)
    stick = _stick(walk, sight, profile.name, committed.now)
    if stick is not None:
        yield stick
    outcome = yield Relay(candidate=candidate, trail=trail)
    match outcome:
        case Relayed():
            yield Settle(
                reservation=reservation,
                candidate=candidate,
                usage=outcome.usage,
                reported=outcome.reported,
                ok=True,
                sent_at=committed.sent_at,
                took_ms=(outcome.now - committed.sent_at) * 1_000,
                ttft_ms=outcome.ttft_ms,
            )
            return Ending(kind=EndKind.SERVED, trail=trail, profile=profile.name)
        case Cancelled():
            yield from _settle_left(candidate, reservation, outcome)
            return Ending(kind=EndKind.CANCELLED, trail=trail, profile=profile.name)
        case Broken():
            yield Settle(
                reservation=reservation,
                candidate=candidate,
                usage=outcome.usage,
                reported=outcome.reported,
                ok=False,
                sent_at=committed.sent_at,
            )
            evidence = Refused(
                profile=profile,
                failure=outcome.failure,
                sent_at=committed.sent_at,
                now=outcome.now,
                rule=chain.cooldowns.get(outcome.failure.failure),
            )
            changed = refused(evidence, sight.view.health)
            yield Learn(profile=profile.name, health=changed, failure=outcome.failure)
            broken = Step(profile=profile.name, result=outcome.failure.failure.value)
            return Ending(
                kind=EndKind.BROKEN,
                trail=(*trail[:-1], broken),
                profile=profile.name,
                failure=outcome.failure,
            )
        case _:
            raise TypeError(outcome)


def _stick(walk: _Walk, sight: Sight, profile: str, now: float) -> Stick | None:
    """Return the chain's new last working profile, where its failback keeps one."""
    failback = walk.chain.failback
    if not failback.sticky and failback.after_s is None:
        return None
    kept = sight.view.sticky(walk.chain.name)
    fell_back = bool(walk.tried or walk.blocked)
    if kept is not None and kept.profile == profile and not (failback.after_s and fell_back):
        return None
    return Stick(chain=walk.chain.name, sticky=Sticky(profile=profile, at=now))
