"""Tell requests that were traced: in short, as rows of a list, and whole.

Refuses to know how traces come about.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from spillover.core.ladder import Skipped
from spillover.core.refusals import EndKind
from spillover.core.savings import spent_nanousd
from spillover.core.values import METRIC_SCALE, Metric, SkipReason, Value
from spillover.engine.prospects import skipped_document
from spillover.engine.traces import rounded
from spillover.events.kinds import iso
from spillover.protocols.openai_chat import relayed_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spillover.core.limits import Blocked
    from spillover.engine.traces import Look, Sent, Trace


class Wanted(Value, frozen=True, kw_only=True):
    """Which requests somebody asks for; None: any."""

    profile: str | None = None
    """It answered, or was sent to."""
    chain: str | None = None
    outcome: str | None = None
    before: str | None = None
    """The id of a kept request: older ones alone."""


def rows(latest: Iterable[Trace], wanted: Wanted, *, limit: int) -> list[dict[str, Any]]:
    """Return in short the first `limit` of those requests that are wanted."""
    found = _older(iter(latest), wanted.before)
    return [row(each) for each in islice((t for t in found if _is(t, wanted)), limit)]


def _older(latest: Iterator[Trace], before: str | None) -> Iterator[Trace]:
    if before is not None:
        for each in latest:
            if each.request_id == before:
                break
    return latest


def _is(trace: Trace, wanted: Wanted) -> bool:
    done = trace.done
    if done is None or wanted.chain not in {None, trace.chain}:
        return False
    if wanted.outcome not in {None, done.outcome}:
        return False
    names = {done.profile, *(sent.candidate.profile.name for sent in trace.sends)}
    return wanted.profile is None or wanted.profile in names


def row(trace: Trace) -> dict[str, Any]:
    """Return a request in short."""
    done, demand = trace.done, trace.demand
    cost = sum(_spent(sent) for sent in trace.sends)
    found: dict[str, Any] = {
        "request_id": trace.request_id,
        "at": iso(trace.began_at),
        "chain": trace.chain,
        "model": trace.model,
        "dialect": trace.dialect,
        "operation": demand.operation.value,
        "stream": demand.stream,
    }
    if done is not None:
        found |= {
            "outcome": done.outcome,
            "status": _status(trace),
            "code": done.code,
            "profile": done.profile,
            "trail": done.trail,
            "sends": len(trace.sends),
            "took_ms": rounded(done.took_ms),
            "ttft_ms": rounded(done.ttft_ms),
            "input_tokens": done.input_tokens,
            "output_tokens": done.output_tokens,
            "reported": done.reported,
            "cost_usd": cost / METRIC_SCALE[Metric.COST],
        }
    return found


def document(trace: Trace) -> dict[str, Any]:
    """Return all that is known of a request."""
    ending, demand = trace.ending, trace.demand
    refusal = None if ending is None else ending.refusal
    ladder = [_look(trace, look) for look in trace.looks]
    if refusal is not None and trace.done is not None:
        left_out = [skipped_document(each) for each in refusal.profiles]
        at_ms = _since(trace, trace.done.at)
        ladder.append({"at_ms": at_ms, "skipped": left_out, "candidates": []})
    return {
        **row(trace),
        "ladder": ladder,
        "attempts": [_attempt(trace, sent) for sent in trace.sends],
        "fallbacks": [
            {
                "at_ms": _since(trace, each.at),
                "from": each.source,
                "to": each.to,
                "cause": each.cause,
                "until": None if each.until is None else iso(each.until),
                "waited_ms": rounded(each.waited_ms),
            }
            for each in trace.fallbacks
        ],
        "refusal": None
        if refusal is None
        else {"code": refusal.code.value, "message": refusal.message, "status": refusal.status},
        "chars": demand.chars + demand.wide_chars,
        "max_output_tokens": demand.max_output_tokens,
        "session": demand.session is not None,
        "reserve_ms": None if trace.done is None else rounded(trace.done.reserve_ms),
    }


def _look(trace: Trace, look: Look) -> dict[str, Any]:
    at, skipped, reservation = look
    offered = [each.profile for each in reservation.passed]
    granted = getattr(reservation, "profile", None)
    return {
        "at_ms": _since(trace, at),
        "skipped": [skipped_document(each) for each in skipped]
        + [_without_room(each) for each in reservation.passed],
        "candidates": offered if granted is None else [*offered, granted],
    }


def _without_room(passed: Blocked) -> dict[str, Any]:
    """Return a candidate that the ledger had no room for, as one that the ladder left out."""
    limit, block = passed.block.limit, passed.block
    return skipped_document(
        Skipped(
            profile=passed.profile,
            reason=SkipReason.COOLDOWN if limit is None else SkipReason.LIMIT,
            detail="being probed by another request" if limit is None else limit.name,
            available_at=block.available_at,
            never=block.never,
        )
    )


def _attempt(trace: Trace, sent: Sent) -> dict[str, Any]:
    failure, usage, need = sent.failure, sent.usage, sent.candidate.need
    profile = sent.candidate.profile
    return {
        "profile": profile.name,
        "model": profile.model,
        "result": _result(trace, sent),
        "start_ms": _since(trace, sent.began_at),
        "connected_ms": _since(trace, sent.connected_at),
        "first_token_ms": _since(trace, sent.first_at),
        "end_ms": _since(trace, sent.ended_at),
        "status": None if failure is None else failure.status,
        "code": None if failure is None else failure.code,
        "message": None if failure is None else failure.message,
        "stated_wait_s": None if failure is None else failure.stated_wait_s,
        "estimated": {"input_tokens": need.input_tokens, "output_tokens": need.output_tokens},
        "used": None
        if usage is None
        else {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens,
            "cost_usd": _spent(sent) / METRIC_SCALE[Metric.COST],
            "reported": sent.reported,
        },
    }


def _result(trace: Trace, sent: Sent) -> str:
    if sent.failure is not None:
        return sent.failure.failure.value
    ending = trace.ending
    cancelled = ending is not None and ending.kind is EndKind.CANCELLED
    return "cancelled" if cancelled else "ok"


def _spent(sent: Sent) -> int:
    """Return what a send cost, in nano-dollars: free and local profiles cost nothing."""
    return 0 if sent.usage is None else spent_nanousd(sent.candidate.profile, sent.usage)


def _status(trace: Trace) -> int | None:
    """Return the HTTP status that the client had; None: it left before."""
    ending = trace.ending
    if ending is None or ending.kind is EndKind.CANCELLED:
        return None
    if ending.refusal is not None:
        return ending.refusal.status
    if ending.kind is EndKind.PROVIDER_ERROR and ending.failure is not None:
        return relayed_status(ending.failure)
    return 200


def _since(trace: Trace, at: float | None) -> float | None:
    """Return milliseconds from the request's arrival; the clock may have been set back since."""
    return None if at is None else max(0.0, round((at - trace.began_at) * 1_000, 1))
