"""Look at all providers, again and again, and at what the ledger and a running gateway know of them.

Only lists of models are asked for: watching costs nothing. Refuses to judge.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spillover.clock import SystemClock
from spillover.config.secrets import Secret
from spillover.core.history import Grain
from spillover.core.values import FailureClass
from spillover.doctor.judge.watch import (
    DAY_S,
    STEP_S,
    Fallback,
    Glance,
    Report,
    counted_uptimes,
    kept_fallbacks,
    latencies,
    recent_fallbacks,
    share,
    uptimes,
)
from spillover.doctor.probe import providers
from spillover.doctor.probe.ports import origin_of, told
from spillover.events.kinds import iso

if TYPE_CHECKING:
    from spillover.doctor.judge.answers import Asked
    from spillover.doctor.probe.subject import Subject
    from spillover.engine import Engine
    from spillover.upstream import Upstream

MOST = 1_000
"""Fallbacks that are told of."""
_SERVER = 500
_REFUSED = frozenset({FailureClass.AUTH_INVALID, FailureClass.PAYMENT_REQUIRED})


class Watch:
    """Remembers what its own checks came to."""

    def __init__(self, subject: Subject, engine: Engine, upstream: Upstream) -> None:
        """Watch over a set-up; `engine` looks at its ledger."""
        self._subject = subject
        self._engine = engine
        self._upstream = upstream
        self._checks: dict[str, list[bool]] = {}

    async def look(self) -> Report:
        """Check everyone once, and return how all stands."""
        now = SystemClock().now()
        groups = providers.groups(self._subject)
        gateway, asked = await asyncio.gather(
            self._gateway(now),
            asyncio.gather(
                *(providers.ask(group, self._subject, self._upstream) for group in groups)
            ),
        )
        state, known, fallbacks, source = gateway
        glances = {
            name: self._glance(name, one, known.get(name)) for one in asked for name in one.profiles
        }
        return Report(
            at=iso(now),
            gateway=state,
            glances=tuple(glances[name] for name in self._subject.profiles),
            fallbacks=fallbacks,
            fallbacks_of=source,
        )

    def _glance(self, name: str, asked: Asked, uptime: float | None) -> Glance:
        reply = asked.listing
        is_up = not reply.error and reply.status < _SERVER and reply.failure not in _REFUSED
        checks = self._checks.setdefault(name, [])
        checks.append(is_up)
        learned = self._engine.ledger.book.learned.get(name)
        outcomes = [] if learned is None else learned.outcomes
        average_ms, p95_ms = latencies([] if learned is None else learned.took_ms)
        stands = self._engine.status()["profiles"][name]
        words = reply.failure.value.replace("_", " ") if reply.failure else f"{reply.status}"
        return Glance(
            profile=name,
            provider=asked.provider,
            is_up=is_up,
            saw=reply.error or (words if reply.failure else "answers"),
            check_ms=reply.took_ms if not reply.error else None,
            status=stands["status"],
            reason=stands["reason"],
            reliability=share(outcomes),
            outcomes=len(outcomes),
            uptime=sum(checks) / len(checks) if uptime is None else uptime,
            uptime_of=f"{len(checks)} check{'s' * (len(checks) != 1)}"
            if uptime is None
            else "24 h of traffic",
            average_ms=average_ms,
            p95_ms=p95_ms,
        )

    async def _gateway(self, now: float) -> tuple[str, dict[str, float], tuple[Fallback, ...], str]:
        """Return how a running gateway stands, uptimes, and the fallbacks of the last day."""
        loaded = self._subject.loaded
        if loaded is None:
            return "none", {}, (), ""
        server = loaded.config.server
        key = server.admin_key if isinstance(server.admin_key, Secret) else None
        origin = origin_of(server)
        if (await told(f"{origin}/health/live") or {}).get("status") != "alive":
            if loaded.config.storage == "memory":
                return "none", {}, (), ""
            return "none", *await self._kept(now), "the history"
        health, history, kept, recent = await asyncio.gather(
            told(f"{origin}/health"),
            told(f"{origin}/api/history?span=day&by=profile", key),
            told(f"{origin}/api/history/fallbacks?span=day&limit={MOST}", key),
            told(f"{origin}/api/events/recent?limit={MOST}", key),
        )
        state = str((health or {"status": "unhealthy"})["status"])
        known = uptimes(history)
        if kept is not None:
            return state, known, kept_fallbacks(kept), "its history"
        if recent is not None:
            found = recent_fallbacks(recent, since=iso(now - DAY_S))
            return state, known, found, "its latest 1,000 events"
        return state, known, (), ""

    async def _kept(self, now: float) -> tuple[dict[str, float], tuple[Fallback, ...]]:
        """Return the same of the history that the ledger's file keeps, whoever wrote it."""
        history = self._engine.history
        sums = await history.sums(Grain.MINUTE, now - DAY_S, step_s=STEP_S)
        kept = await history.fallbacks(since=now - DAY_S, before=None, limit=MOST, wanted={})
        fell = (each.fallback for each in kept)
        found = tuple(
            Fallback(at=iso(at), chain=chain, source=source, to=to, cause=cause)
            for at, chain, source, to, cause, *_ in fell
        )
        return counted_uptimes(sums), found
