"""Tell transitions apart from what happens all the time: events in, a notice where people want one.

Rules of this file:
- A chain's fallback is told once, until it is served by the profile again that it had left; requests
  that fall back alike meanwhile tell nothing new.
- Who begins to serve, or is as it should be, is not told of. Coming back is.
- What a profile's status says is left out where the fallback has said it.
- A request that only one profile would not take, or that found no free place among the calls in flight,
  changed nothing for the next one.

Refuses to know the clock, and whom notices go to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from spillover.core.notices import NoticeKind
from spillover.core.refusals import EndKind, span
from spillover.core.values import FailureClass, Status
from spillover.events.kinds import (
    BudgetReached,
    ConfigRejected,
    ConfigReloaded,
    LedgerTrouble,
    Notice,
    ProfileStatus,
    RequestDone,
    RequestFallback,
)

if TYPE_CHECKING:
    from spillover.events.kinds import Event

BRIEF_S: Final = 300.0
"""A limit that frees within it is no more than a pause."""

_REQUESTS_OWN: Final = frozenset(
    {FailureClass.CONTEXT_LENGTH, FailureClass.BAD_REQUEST, FailureClass.CONTENT_FILTER}
)
_LIMIT: Final = "limit"
_SERVED: Final = EndKind.SERVED.value
_KINDS: Final = {
    Status.COOLDOWN: NoticeKind.COOLDOWN,
    Status.EXHAUSTED: NoticeKind.EXHAUSTED,
    Status.FAILED: NoticeKind.FAILED,
}
_VERBS: Final = {
    NoticeKind.COOLDOWN: "rests",
    NoticeKind.EXHAUSTED: "is exhausted",
    NoticeKind.FAILED: "failed",
}


class _Away(NamedTuple):
    """A chain has left a profile."""

    source: str
    to: str | None
    """Who serves instead; None: nobody."""
    at: float


class Transitions:
    """What was told of each chain and profile, and is not to be told again."""

    def __init__(self) -> None:
        """Begin with everything as it should be."""
        self._away: dict[str, _Away] = {}
        self._told: dict[str, NoticeKind] = {}
        """Profiles that are not as they should be."""

    def hear(self, event: Event) -> Notice | None:
        """Return what people are told of an event; None: nothing, or it was told."""
        if isinstance(event, RequestDone):  # by far the most
            return self._done(event) if self._away else None
        if isinstance(event, RequestFallback):
            return self._fell(event)
        if isinstance(event, ProfileStatus):
            return self._status(event)
        if isinstance(event, ConfigReloaded):
            self._away.clear()  # who left whom may not be in it any more
            return None
        return _plain(event)

    def _done(self, event: RequestDone) -> Notice | None:
        away = self._away.get(event.chain)
        if away is None or event.outcome != _SERVED or event.profile is None:
            return None
        began_at = event.at - event.took_ms / 1_000
        if began_at <= away.at or (away.to is not None and event.profile != away.source):
            return None
        del self._away[event.chain]
        self._told.pop(event.profile, None)
        return Notice(
            at=event.at,
            kind=NoticeKind.RECOVERED,
            text=f"{event.chain}: {event.profile} serves again",
            chain=event.chain,
            profile=event.profile,
            source=away.to,
            to=event.profile,
        )

    def _fell(self, event: RequestFallback) -> Notice | None:
        if event.cause in _REQUESTS_OWN or (event.cause == _LIMIT and event.until is None):
            return None
        away = self._away.get(event.chain)
        if away is not None and away.to == event.to:
            return None
        first = event.source if away is None else away.source
        self._away[event.chain] = _Away(first, event.to, event.at)
        cause = _words(event.cause)
        if event.to is None:
            kind, text = NoticeKind.UNSERVED, f"{event.chain}: nobody can serve"
            text += f" ({event.source}: {cause})"
        else:
            kind, text = (
                NoticeKind.FALLBACK,
                f"{event.chain}: {event.source} → {event.to} ({cause})",
            )
        back = _back(event.until, event.at)
        return Notice(
            at=event.at,
            kind=kind,
            text=f"{text}, {event.source} {back}" if back else text,
            chain=event.chain,
            profile=event.source,
            source=event.source,
            to=event.to,
            cause=event.cause,
            until=event.until,
        )

    def _status(self, event: ProfileStatus) -> Notice | None:
        name, kind = event.profile, _KINDS.get(Status(event.to))
        left_by = [chain for chain, away in self._away.items() if away.source == name]
        if kind is None:
            told = self._told.pop(name, None)
            came_back = event.to == Status.ACTIVE and event.source in {
                Status.EXHAUSTED,
                Status.FAILED,
            }
            # A cooldown that is over is a guess that a request has yet to prove.
            if not came_back or (told is None and not left_by):
                return None
            for chain in left_by:
                del self._away[chain]
            return _of_profile(event, NoticeKind.RECOVERED, f"{name} is back")
        brief = event.until is not None and event.until - event.at < BRIEF_S
        if kind is NoticeKind.EXHAUSTED and brief:
            kind = NoticeKind.COOLDOWN
        told_before, self._told[name] = self._told.get(name), kind
        if left_by or told_before is kind:
            return None
        text = f"{name} {_VERBS[kind]}"
        if event.reason:
            text += f" ({_words(event.reason)})"
        back = _back(event.until, event.at)
        return _of_profile(event, kind, f"{text}, {back}" if back else text)


def _of_profile(event: ProfileStatus, kind: NoticeKind, text: str) -> Notice:
    return Notice(
        at=event.at,
        kind=kind,
        text=text,
        profile=event.profile,
        source=event.source,
        to=event.to,
        cause=event.reason,
        until=event.until,
    )


def _plain(event: Event) -> Notice | None:
    """Return the notice of an event that is told as often as it happens."""
    if isinstance(event, BudgetReached):
        whose = event.profile if event.scope == "profile" else f"{event.scope} of {event.profile}"
        used = f"{event.used:g} of {event.amount:g}"
        return Notice(
            at=event.at,
            kind=NoticeKind.BUDGET,
            text=f"{whose} has used {event.percent} % of {_words(event.limit)} ({used})",
            profile=event.profile,
            cause=event.limit,
            until=event.until,
        )
    if isinstance(event, ConfigRejected):
        count = len(event.problems)
        problems = "a problem" if count == 1 else f"{count} problems"
        text = f"the edited configuration has {problems}; the one before stays in force"
        return Notice(at=event.at, kind=NoticeKind.CONFIG_REJECTED, text=text)
    if isinstance(event, LedgerTrouble):
        text = f"usage can't be stored: {event.message}" if event.failing else event.message
        return Notice(at=event.at, kind=NoticeKind.LEDGER, text=text)
    return None


def _words(code: str) -> str:
    return code.replace("_", " ")


def _back(until: float | None, now: float) -> str:
    return "" if until is None or until <= now else f"back in {span(until - now)}"
