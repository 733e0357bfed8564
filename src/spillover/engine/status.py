"""Say how every chain and profile stands: the document of `/api/status` and `spillover status`.

Pure: a record, the configuration's values and an instant in, plain data out.
Refuses to know who asks, and decides nothing that serving does not decide by the same functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spillover.core.health import Standing, standing, subject_of_model, subject_of_profile
from spillover.core.ladder import Ask, with_model
from spillover.core.limits import Gauge, admit, reading, room_of
from spillover.core.pace import UNKNOWN
from spillover.core.reliability import condition, reliability
from spillover.core.stated import in_written_units, owner_of
from spillover.core.values import (
    METRIC_SCALE,
    Calendar,
    Confidence,
    Demand,
    Lifetime,
    Metric,
    Profile,
    Refill,
    Source,
    Status,
    Value,
    Window,
)
from spillover.engine.prospects import prospect, skipped_document
from spillover.events.kinds import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spillover.core.chains import Chain
    from spillover.ledger.book import Book
    from spillover.ledger.entries import Heard
    from spillover.ledger.learned import Learned

_ONE: Final = (1, 1, 1, 1, 1, 1)
"""One request and the least of everything else: what an exhausted profile has no room for."""
_SMALLEST: Final = Demand(chars=1, max_output_tokens=1)


class Situation(Value, frozen=True, kw_only=True):
    """A profile's status with its evidence."""

    status: Status
    reason: str | None = None
    until: float | None = None
    probe_at: float | None = None
    """From when one request may test a guess; None: nothing is tested, or nothing needs to be."""
    source: Source | None = None
    confidence: Confidence | None = None


def situation(profile: Profile, book: Book, now: float) -> Situation:
    """Return how a profile stands: by hand, by evidence, or by its own limits."""
    if book.is_disabled(profile.name):
        return Situation(status=Status.DISABLED, reason="by_hand")
    if profile.key_missing:
        return Situation(status=Status.FAILED, reason="key_missing", source=Source.CONFIG)
    stand = _standing(profile, book, now)
    if stand.status in {Status.FAILED, Status.EXHAUSTED}:
        return _by_evidence(stand)
    counted = [each for each in book.gauges(profile) if each.limit.window is not None]
    block = admit(counted, _ONE, now)
    # A refusal that is known says more than the word that came with it.
    if block is not None and not (block.stated and stand.status is not Status.ACTIVE):
        return Situation(
            status=Status.EXHAUSTED,
            reason="limit",
            until=block.available_at,
            source=Source.HEADER if block.stated else Source.LEDGER,
            confidence=Confidence.STATED if block.stated else Confidence.KNOWN,
        )
    return _by_evidence(stand)


def _standing(profile: Profile, book: Book, now: float) -> Standing:
    """Return how a profile stands with the first of its models that may serve."""
    stand = standing(profile, book.health, now)
    if stand.may_serve or stand.subject != subject_of_model(profile.name, profile.model):
        return stand
    others = (standing(with_model(profile, m), book.health, now) for m in profile.alternatives)
    return next((other for other in others if other.may_serve), stand)


def _by_evidence(stand: Standing) -> Situation:
    evidence = stand.evidence
    if stand.status is Status.ACTIVE or evidence is None:
        return Situation(status=Status.ACTIVE)
    return Situation(
        status=stand.status,
        reason=evidence.reason,
        until=evidence.until,
        probe_at=evidence.probe_at,
        source=evidence.source,
        confidence=evidence.confidence,
    )


def chain_document(
    chain: Chain, profiles: Mapping[str, Profile], *, book: Book, turn: int, now: float
) -> dict[str, Any]:
    """Return one chain's part of the status; `turn` is the number of its next request."""
    # Who would be admitted now for the smallest of requests.
    ask = Ask(chain=chain, demand=_SMALLEST, turn=turn)
    ladder = prospect(ask, profiles, book, now)
    ready = ladder.candidates
    pin = book.pin(chain.name)
    return {
        "title": chain.title or chain.name,
        "strategy": chain.strategy.value,
        "routing_policy": chain.routing_policy.value,
        "serving": ready[0].profile.name if ready else None,
        "pinned": None if pin is None else pin.profile,
        "pinned_strictly": pin is not None and pin.strict,
        "profiles": [member.profile for member in chain.members],
        "skipped": [skipped_document(each) for each in ladder.skipped],
    }


def profile_document(profile: Profile, book: Book, now: float) -> dict[str, Any]:
    """Return one profile's part of the status."""
    found = situation(profile, book, now)
    health = book.health(subject_of_profile(profile.name))
    error = None if health is None else health.last_error
    learned = book.learned.get(profile.name)
    return {
        "title": profile.title or profile.name,
        "provider": profile.provider,
        "account": profile.account_name or profile.account,
        "model": profile.model,
        "tier": profile.tier.value,
        "status": found.status.value,
        "reason": found.reason,
        "until": _iso(found.until),
        "probe_at": _iso(found.probe_at),
        "source": None if found.source is None else found.source.value,
        "confidence": None if found.confidence is None else found.confidence.value,
        "usage": {
            shown: _usage(profile.name, shown, book, now) for shown in ("minute", "hour", "day")
        },
        "limits": _limits(profile, book, now),
        "provider_limits": [_stated(each, book, profile, now) for each in said(profile, book)],
        "latency_ms": _percentiles([] if learned is None else learned.took_ms),
        "ttft_ms": _percentiles([] if learned is None else learned.ttft_ms),
        "pace": _pace(learned),
        "health": _health(learned, found.status),
        "estimated_calls": 0 if learned is None else learned.estimated,
        "presumed_calls": 0 if learned is None else learned.presumed,
        "last_error": None
        if error is None
        else {
            "class": error.failure.value,
            "status": error.status,
            "message": error.message,
            "at": iso(error.at),
        },
    }


def _usage(profile: str, shown: str, book: Book, now: float) -> dict[str, Any]:
    requests, tokens, input_tokens, output_tokens, cost, neurons = book.used(profile, shown, now)
    return {
        "requests": requests,
        "tokens": tokens,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cost_usd": cost / METRIC_SCALE[Metric.COST],
        "neurons": neurons / METRIC_SCALE[Metric.NEURONS],
    }


def said(profile: Profile, book: Book) -> list[Heard]:
    """Return what the provider last said of each of its limits."""
    return list(book.counters.heard.get(owner_of(profile), {}).values())


def _stated(heard: Heard, book: Book, profile: Profile, now: float) -> dict[str, Any]:
    """Return what a provider said of one limit, and what that leaves by now."""
    stated = heard.stated
    left, resets_at = _left_by_word(stated.metric, stated.per, book.gauges(profile), now)
    return {
        "metric": stated.metric.value,
        "per": stated.per,
        "amount": None if stated.limit is None else in_written_units(stated.metric, stated.limit),
        "remaining": left,
        "resets_at": resets_at,
        "stated_at": iso(heard.at),
    }


def _left_by_word(
    metric: Metric, per: str | None, gauges: Sequence[Gauge], now: float
) -> tuple[float | None, str | None]:
    """Return what is left of a limit by the provider's word, and when that changes of itself."""
    for each in gauges:
        limit = each.limit
        if each.stated and each.until > now and (limit.metric, limit.per) == (metric, per):
            left = max(0, each.capacity - sum(reading(each, now)))
            resets_at = None if each.series is None else each.series.resets_at(each.metric, now)
            return in_written_units(metric, left), _iso(resets_at)
    return None, None


def _limits(profile: Profile, book: Book, now: float) -> list[dict[str, Any]]:
    gauges = book.gauges(profile)
    amounts = {
        (stated.metric, stated.per): in_written_units(stated.metric, stated.limit)
        for stated in (each.stated for each in said(profile, book))
        if stated.limit is not None
    }
    found = []
    for each in gauges:
        limit = each.limit
        if each.stated or each.until <= now:
            continue
        left, resets_at = _left_by_word(limit.metric, limit.per, gauges, now)
        found.append(
            _limit(each, now)
            | {
                "provider_remaining": left,
                "provider_resets_at": resets_at,
                "provider_limit": amounts.get((limit.metric, limit.per or "")),
            }
        )
    return found


def _limit(gauge: Gauge, now: float) -> dict[str, Any]:
    limit = gauge.limit
    used, reserved = reading(gauge, now)
    learned = gauge.learned_at is not None

    def shown(amount: int) -> float:
        return in_written_units(limit.metric, amount)

    resets_at = None if gauge.series is None else gauge.series.resets_at(gauge.metric, now)
    return {
        "metric": limit.metric.value,
        "amount": shown(room_of(gauge, now) if learned else limit.amount),
        "per": limit.per,
        "window": window_name(limit.window),
        "scope": limit.scope.value,
        "used": shown(used),
        "reserved": shown(reserved),
        "remaining": shown(max(0, room_of(gauge, now) - used - reserved)),
        "resets_at": _iso(resets_at),
        "source": "refusals" if learned else "config",
    }


def window_name(window: Window | None) -> str | None:
    """Return the kind of a window as it is told; None: a limit that has none."""
    match window:
        case None:
            return None
        case Calendar():
            return "calendar"
        case Refill():
            return "refill"
        case Lifetime():
            return "lifetime"
        case _:
            return "rolling"


def _percentiles(times: Sequence[float]) -> dict[str, float | None]:
    ordered = sorted(times)
    if not ordered:
        return {"p50": None, "p95": None}
    last = len(ordered) - 1
    return {
        "p50": round(ordered[last // 2], 1),
        "p95": round(ordered[-(-last * 95 // 100)], 1),
    }


def _pace(learned: Learned | None) -> dict[str, float | None]:
    """Return how fast a profile answered lately, the latest calls weighing most."""
    pace = UNKNOWN if learned is None else learned.pace
    ttft_ms, rate = pace.ttft_ms, pace.tokens_per_s
    return {
        "ttft_ms": None if ttft_ms is None else round(ttft_ms, 1),
        "tokens_per_s": None if rate is None else round(rate, 1),
    }


def _health(learned: Learned | None, status: Status) -> dict[str, Any]:
    """Return how far a profile can be relied on, by its latest outcomes."""
    outcomes = () if learned is None else learned.outcomes
    share = reliability(outcomes)
    return {
        "condition": condition(outcomes, failed=status is Status.FAILED).value,
        "reliability": None if share is None else round(share, 3),
        "outcomes": len(outcomes),
    }


def _iso(at: float | None) -> str | None:
    return None if at is None else iso(at)
