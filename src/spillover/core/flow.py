"""Walk one request through its ladder: the loop of reserve, send, relay, settle and fall back.

`serve` is a generator. It yields *what to do* and is sent *what happened*, each outcome stamped with
its time; whoever drives it (engine, simulator, test) performs the actions against its own world.
A client's leaving is an outcome, `Cancelled`, sent in like any other; the generator is never closed.

Rules of this file:
- Every send holds a reservation of its own, and every reservation is settled or released once.
- A profile is tried at most once per request, its retries and alternative models aside; one whose
  own word was to wait may be tried again once the chain has waited for it.
- Behind the commit point nothing is sent again: a broken relay ends the request.

Refuses to know how anything is performed: no clock, network, storage or client protocol.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from spillover.core.actions import (
    Action,
    Barred,
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
    Shortened,
    Sight,
    Stick,
    Unable,
    Unrecorded,
    Wait,
)
from spillover.core.benching import FailedCall, refused
from spillover.core.chains import Chain, Strategy
from spillover.core.closing import closing, leaving
from spillover.core.failures import Then, backoff_s, sends_of, treatment_of
from spillover.core.health import standing, succeeded
from spillover.core.ladder import Ask, Ladder, Sticky, build
from spillover.core.limits import Block, Blocked, Candidate, Granted
from spillover.core.refusals import UNABLE, Code, Ending, EndKind, Refusal, Step, refusal
from spillover.core.remedies import plight
from spillover.core.truncation import MOST_TIMES, shortening
from spillover.core.values import Demand, Failure, FailureClass, SkipReason
from spillover.core.waits import Bounds, back, bounds_of, worth_waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

Flow: TypeAlias = Generator[Action, Outcome, Ending]
_Part: TypeAlias = Generator[Action, Outcome, Ending | None]
_Telling: TypeAlias = Generator[Action, Outcome, Cancelled | None]


class _Walk(msgspec.Struct, kw_only=True):
    """What a request has met so far."""

    chain: Chain
    demand: Demand
    space: str | None
    bounds: Bounds
    sends: int = 0
    trail: list[Step] = []
    tried: dict[str, FailureClass] = {}
    missing: frozenset[tuple[str, str]] = frozenset()
    """(profile, upstream model) pairs that a provider said it does not have."""
    blocked: dict[str, Block] = {}
    left: FellBack | None = None
    """The profile last left, while it is not known who follows it."""
    too_long: Ending | None = None
    """The end that the first word of a too long request leads to, if no other model takes it."""
    rejected: Ending | None = None
    """The same, for a request that one provider would not take."""
    unable: dict[str, str] = {}
    """Profiles whose protocol has no words for the request, and for what of it."""
    too_small: frozenset[str] = frozenset()
    larger_than: int = 0
    shortened: int = 0
    """How often messages were left out."""
    gone: Cancelled | None = None
    """The client left while something was recorded or told."""


def serve(chain: Chain, demand: Demand, space: str | None = None) -> Flow:
    """Serve one request from `chain`; the return value says how it ended.

    `space` is the embedding space of the chain, for embeddings alone.
    """
    sight = yield Look()
    bounds = bounds_of(chain, sight.now)
    walk = _Walk(chain=chain, demand=demand, space=space, bounds=bounds)
    while isinstance(sight, Sight):
        if sight.now >= bounds.deadline_at:
            return _too_late(walk)
        ladder = _ladder(walk, sight)
        wait = worth_waiting(bounds, ladder, sight.now)
        if wait is not None:
            woken = yield wait
            if isinstance(woken, Cancelled):
                return _stopped(walk, woken)
            walk.blocked = {name: block for name, block in walk.blocked.items() if block.never}
            for name in back(ladder, woken.now):
                walk.tried.pop(name, None)
        else:
            part = _reserve_and_send if ladder.candidates else _give_up
            ending = yield from part(walk, sight, ladder)
            if ending is not None:
                return ending
        sight = walk.gone or (yield Look())
    return _stopped(walk, sight)


def _tell(walk: _Walk, action: Action) -> _Telling:
    """Have something recorded or told: it is done even if the client leaves meanwhile.

    Return the client's leaving, if it has left.
    """
    outcome = yield action
    if isinstance(outcome, Cancelled):
        walk.gone = outcome
    return walk.gone


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
    if sight.private and not walk.chain.privacy:
        walk.chain = replace(walk.chain, privacy=True)
    return build(_ask(walk, sight), sight.profiles, sight.view, sight.now)


def _ask(walk: _Walk, sight: Sight) -> Ask:
    return Ask(
        chain=walk.chain,
        demand=walk.demand,
        draw=sight.draw,
        turn=sight.turn,
        affinity=sight.affinity,
        tried=walk.tried,
        blocked=walk.blocked,
        # Whose own time in line is over takes what there is, rather than be dropped.
        awaited=sight.awaited if sight.now < walk.bounds.queue_until else frozenset(),
        space=walk.space,
        larger_than=walk.larger_than,
        too_small=walk.too_small,
        missing=walk.missing,
        unable=walk.unable,
        as_needed=True,
    )


def _give_up(walk: _Walk, sight: Sight, ladder: Ladder) -> _Part:
    """End a request that nobody can serve, unless a shorter one could be served."""
    if walk.chain.truncate and walk.shortened < MOST_TIMES:
        outcome = yield from _shorten(walk, sight, ladder)
        if isinstance(outcome, Cancelled):
            return _stopped(walk, outcome)
        if outcome is not None:
            return None
    if walk.left is not None:
        yield from _tell(walk, walk.left)
    found = plight(_ask(walk, sight), ladder.skipped, sight.profiles, sight.view, sight.now)
    reason = refusal(found, sight.now)
    ending = walk.too_long
    if ending is None and reason.code in UNABLE:
        ending = walk.rejected
    if ending is None:
        return Ending(kind=EndKind.REFUSED, trail=tuple(walk.trail), refusal=reason)
    return replace(ending, trail=tuple(walk.trail))


def _shorten(
    walk: _Walk, sight: Sight, ladder: Ladder
) -> Generator[Action, Outcome, Shortened | Cancelled | None]:
    """Have the conversation shortened, and forget who found it too long; None: that can't help."""
    refused = walk.too_long is not None
    wanted = shortening(walk.demand, ladder.skipped, sight.profiles, sight.view, refused=refused)
    outcome = None if wanted is None else (yield wanted)
    if isinstance(outcome, Cancelled):
        return outcome
    if not isinstance(outcome, Shortened) or outcome.demand is None:
        return None
    walk.shortened += 1
    walk.demand = outcome.demand
    walk.too_long, walk.too_small, walk.larger_than = None, frozenset(), 0
    walk.blocked.clear()
    too_long = FailureClass.CONTEXT_LENGTH
    walk.tried = {name: cause for name, cause in walk.tried.items() if cause is not too_long}
    return outcome


def _reserve_and_send(walk: _Walk, sight: Sight, ladder: Ladder) -> _Part:
    """Reserve and send; return how the request ended, or None to look at the ladder again."""
    offered: Sequence[Candidate] = ladder.candidates
    if sight.now < walk.bounds.patience_until:
        # One at a time, so that a wait for the first can be weighed before the second is held.
        offered = offered[:1]
    held = yield Reserve(candidates=offered, skipped=ladder.skipped)
    if not isinstance(held, Held):
        return _stopped(walk, held)
    passed_by = held.reservation.passed  # in the order in which they were offered
    for passed, candidate in zip(passed_by, offered, strict=False):
        walk.blocked[passed.profile] = passed.block
        walk.left = walk.left or _without_room(candidate, passed, sight)
    if not isinstance(held.reservation, Granted):
        return None
    candidate = offered[len(passed_by)]
    left = walk.left or _passed_over(walk, ladder, candidate)
    walk.left = None
    if left is not None and left.source != candidate.profile.name:
        gone = yield from _tell(walk, replace(left, to=candidate.profile.name))
        if gone is not None:
            yield Release(reservation=held.reservation.reservation, keep_request=False)
            return _stopped(walk, gone)
    return (yield from _sends(walk, sight, candidate, held.reservation))


def _without_room(candidate: Candidate, passed: Blocked, sight: Sight) -> FellBack:
    """Return how a profile was left that the ledger denied."""
    cause = "limit"
    if passed.block.limit is None:  # another call is testing the evidence against it
        evidence = standing(candidate.profile, sight.view.health, sight.now).evidence
        cause = SkipReason.COOLDOWN.value if evidence is None else evidence.reason
    return FellBack(source=passed.profile, to=None, cause=cause, until=passed.block.available_at)


def _passed_over(walk: _Walk, ladder: Ladder, candidate: Candidate) -> FellBack | None:
    """Return the benched profile that the chain prefers to the one that serves."""
    by_order = walk.chain.strategy is Strategy.PRIORITY
    if not by_order or ladder.kept == candidate.profile.name:
        return None
    names = [member.profile for member in walk.chain.members]
    if names[0] == candidate.profile.name:
        return None
    before = names[: names.index(candidate.profile.name)]
    skip = next((s for s in ladder.skipped if s.profile in before and s.reason in _BENCHED), None)
    if skip is None:
        return None
    cause = skip.cause.value if skip.cause is not None else skip.detail
    return FellBack(source=skip.profile, to=None, cause=cause, until=skip.available_at)


_BENCHED: Final = frozenset({SkipReason.COOLDOWN, SkipReason.EXHAUSTED, SkipReason.FAILED})


def _sends(walk: _Walk, sight: Sight, candidate: Candidate, granted: Granted) -> _Part:
    """Send to one profile, again where its failure is worth it, until it answers or is left."""
    profile = candidate.profile
    reservation = granted.reservation
    sends, mended = 0, False
    while True:
        sends += 1
        walk.sends += 1
        outcome = yield Send(
            candidate=candidate, attempt=walk.sends, deadline_at=walk.bounds.deadline_at
        )
        if isinstance(outcome, Committed):
            return (yield from _relay(walk, sight, candidate, reservation, outcome))
        if not isinstance(outcome, Failed):
            return (yield from _unanswered(walk, candidate, reservation, outcome))
        failure = outcome.failure
        walk.trail.append(Step(profile=profile.name, result=failure.failure.value))
        gone = yield from _tell(walk, closing(candidate, reservation, outcome))
        if outcome.by_deadline:
            return _too_late(walk)
        if gone is not None:  # what the failure taught is not lost with the client
            return (yield from _leave(walk, sight, candidate, outcome)) or _stopped(walk, gone)
        if failure.mended and not mended:
            mended = True
        else:
            again_at = outcome.now + backoff_s(sends, sight.draw)
            if sends >= _sends_allowed(walk.chain, failure) or again_at >= walk.bounds.deadline_at:
                return (yield from _leave(walk, sight, candidate, outcome))
            woken = yield Wait(until=again_at)
            if isinstance(woken, Cancelled):
                return _stopped(walk, woken)
        held = yield Reserve(candidates=(candidate,))
        if not isinstance(held, Held):
            return _stopped(walk, held)
        if not isinstance(held.reservation, Granted):
            walk.blocked[profile.name] = held.reservation.passed[0].block
            return (yield from _leave(walk, sight, candidate, outcome))
        reservation = held.reservation.reservation


def _unanswered(walk: _Walk, candidate: Candidate, reservation: str, outcome: Outcome) -> _Part:
    """Close a send that neither failed nor was answered."""
    if isinstance(outcome, Barred | Unable):  # the next look at the ladder knows why
        if isinstance(outcome, Unable):
            walk.unable[candidate.profile.name] = ", ".join(outcome.lacks)
        yield Release(reservation=reservation, keep_request=False)
        return None
    if isinstance(outcome, Cancelled):
        walk.trail.append(Step(profile=candidate.profile.name, result="cancelled"))
        yield leaving(candidate, reservation, outcome)
    return _stopped(walk, outcome)


def _sends_allowed(chain: Chain, failure: Failure) -> int:
    """Return how often in all a profile may be sent to when it fails like this."""
    retries = chain.retries.get(failure.failure)
    if retries is not None:
        return 1 + retries
    return sends_of(failure)


def _leave(walk: _Walk, sight: Sight, candidate: Candidate, outcome: Failed) -> _Part:
    """Bench the profile as its failure asks, and decide whether the request goes on."""
    profile, failure = candidate.profile, outcome.failure
    changed = refused(
        FailedCall(
            profile=profile,
            failure=failure,
            sent_at=outcome.sent_at,
            now=outcome.now,
            rule=walk.chain.cooldowns.get(failure.failure),
        ),
        sight.view.health,
    )
    yield from _tell(walk, Learn(profile=profile.name, health=changed, failure=failure))
    ending = Ending(
        kind=EndKind.PROVIDER_ERROR,
        trail=tuple(walk.trail),
        profile=profile.name,
        failure=failure,
    )
    match treatment_of(failure).then:
        case Then.ERROR:
            if not failure.retry_elsewhere:
                return ending
            walk.rejected = walk.rejected or ending
        case Then.LARGER_CONTEXT:
            walk.too_long = walk.too_long or ending
            walk.too_small |= {profile.model}
            walk.larger_than = max(walk.larger_than, profile.context_tokens or 0)
        case Then.FALLBACK:
            pass
        case _ as unknown:
            assert_never(unknown)
    if failure.failure is FailureClass.MODEL_NOT_FOUND:
        walk.missing |= {(profile.name, profile.model)}
    if not _has_another_model(walk, sight, profile.name, failure):
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


def _has_another_model(walk: _Walk, sight: Sight, name: str, failure: Failure) -> bool:
    """Return whether a profile whose model is missing has one that was not asked for yet."""
    if failure.failure is not FailureClass.MODEL_NOT_FOUND:
        return False
    profile = sight.profiles[name]
    models = (profile.model, *profile.alternatives)
    return any((name, model) not in walk.missing for model in models)


def _relay(
    walk: _Walk, sight: Sight, candidate: Candidate, reservation: str, committed: Committed
) -> _Part:
    """Give the client the answer; nothing that happens from here on leads to another send."""
    profile, chain = candidate.profile, walk.chain
    walk.trail.append(Step(profile=profile.name, result="ok"))
    trail = tuple(walk.trail)
    mended = succeeded(profile, sight.view.health, committed.sent_at)
    if mended:
        yield from _tell(walk, Learn(profile=profile.name, health=mended))
    stick = _stick(walk, sight, profile.name, committed.now)
    if stick is not None:
        yield from _tell(walk, stick)
    outcome = walk.gone or (yield Relay(candidate=candidate, trail=trail))
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
            sent = replace(outcome, sent_at=outcome.sent_at or committed.sent_at)
            yield leaving(candidate, reservation, sent)
            return Ending(kind=EndKind.CANCELLED, trail=trail, profile=profile.name)
        case Broken():
            yield Settle(
                reservation=reservation,
                candidate=candidate,
                usage=outcome.usage,
                reported=outcome.reported,
                ok=False,
                sent_at=committed.sent_at,
                failure=outcome.failure.failure,
            )
            evidence = FailedCall(
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
