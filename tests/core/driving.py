"""Drive a request's flow against a small world of the test's own making, and keep a transcript.

Looking, reserving and recording answer by themselves; what sends, relays and waits come to is told
by a script, in order. Time goes by as the script says: a send takes a second, a wait its time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spillover.core.actions import (
    Action,
    Broken,
    Cancelled,
    Committed,
    Done,
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
    Shorten,
    Shortened,
    Sight,
    Stick,
    Unrecorded,
    Wait,
)
from spillover.core.flow import serve
from spillover.core.limits import Block, Blocked, Denied, Granted
from spillover.core.values import Demand, FailureClass, Usage
from tests.core.making import NOON, Record, by_name, failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.core.chains import Chain
    from spillover.core.refusals import Ending
    from spillover.core.values import Profile

USED = Usage(requests=1, input_tokens=90, output_tokens=30)
SEND_S = 1.0


def answers() -> Callable[[float], Outcome]:
    """The first content came after a second."""
    return lambda now: Committed(now=now + SEND_S, sent_at=now)


def fails(
    kind: FailureClass | str, *, usage: Usage | None = None, **fields: Any
) -> Callable[[float], Outcome]:
    """The send failed after a second."""
    by_deadline = bool(fields.pop("by_deadline", False))
    what = failure(FailureClass(kind), **fields)
    return lambda now: Failed(
        now=now + SEND_S, sent_at=now, failure=what, usage=usage, by_deadline=by_deadline
    )


def ends() -> Callable[[float], Outcome]:
    """The whole answer was relayed."""
    return lambda now: Relayed(now=now + SEND_S, usage=USED, reported=True, ttft_ms=9.0)


def breaks(kind: str = "network") -> Callable[[float], Outcome]:
    """The answer broke off behind its first content."""
    what = failure(FailureClass(kind), after_content=True)
    return lambda now: Broken(now=now + SEND_S, failure=what, usage=USED, reported=False)


def leaves(*, sent: bool = True, usage: Usage | None = None) -> Callable[[float], Outcome]:
    """The client left, after the request was sent or before."""
    return lambda now: Cancelled(
        now=now + SEND_S, sent_at=now if sent else None, usage=usage, reported=usage is not None
    )


def woken(after: float) -> Callable[[float], Outcome]:
    """A wait ended sooner than asked for."""
    return lambda now: Done(now=now + after)


OK = (answers(), ends())


@dataclass(slots=True)
class World:
    """Profiles, a record, and what the ledger will deny."""

    profiles: dict[str, Profile]
    record: Record = field(default_factory=Record)
    now: float = NOON
    denials: dict[str, list[Block | None]] = field(default_factory=dict)
    """What stands in a profile's way at each attempt to reserve it, None: nothing; then nothing."""
    unrecorded: str | None = None
    """Why the ledger can't record."""
    unrecorded_from: int = 0
    """The reservation from which on it can't, counted from 0."""
    sight: dict[str, Any] = field(default_factory=dict)
    """Further fields of what the flow sees."""
    forgetful: bool = False
    """The record learns nothing while the request is under way."""
    log: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    script: list[Callable[[float], Outcome]] = field(default_factory=list)
    scripted: bool = True
    """Every outcome of the script must be used; otherwise sends succeed once it has been told."""
    relaying: Callable[[float], Outcome] | None = None
    """What every relay comes to, where the script doesn't say."""
    naps: list[Callable[[float], Outcome]] = field(default_factory=list)
    """What waits come to; those that are not told of last as long as asked for."""
    shorter: list[Demand | None] = field(default_factory=list)
    """What the conversation is once it is shortened, None: it can't be; the same from then on."""
    told: list[Outcome] = field(default_factory=list)
    cancel_at: int | None = None
    """The action that the client leaves during, counted from 0; from there on it is gone."""
    open: dict[str, str] = field(default_factory=dict)
    closings: Counter[str] = field(default_factory=Counter)
    sent: list[tuple[str, str]] = field(default_factory=list)

    def run(self, chain: Chain, *script: Callable[[float], Outcome], **fields: Any) -> Ending:
        """Serve one request; `script` says what its sends and relays come to."""
        self.script = list(script)
        demand = fields.pop("demand", Demand(chars=400))
        flow = serve(chain, demand, **fields)
        try:
            action = next(flow)
            while True:
                self.actions.append(action)
                action = flow.send(self.answer(action))
        except StopIteration as stop:
            assert not (self.scripted and self.script), (
                f"{len(self.script)} outcomes were not asked for"
            )
            ending: Ending = stop.value
            return ending

    def answer(self, action: Action) -> Outcome:
        """What an action comes to, the client's leaving included."""
        left = self.cancel_at is not None and len(self.actions) > self.cancel_at
        if left and isinstance(action, Look | Reserve | Wait | Relay | Send | Shorten):
            self._note(action)
            sent_at = self.now if isinstance(action, Send | Relay) else None
            return Cancelled(now=self.now, sent_at=sent_at)
        outcome = self._done(action)
        self.now = outcome.now
        self.told.append(outcome)
        return Cancelled(now=self.now) if left else outcome

    def _done(self, action: Action) -> Outcome:
        self._note(action)
        match action:
            case Look():
                return Sight(now=self.now, view=self.record, profiles=self.profiles, **self.sight)
            case Reserve():
                return self._reserve(action)
            case Send():
                profile = action.candidate.profile
                self.sent.append((profile.name, profile.model))
                if self.script or self.scripted:
                    return self.script.pop(0)(self.now)
                return answers()(self.now)
            case Relay():
                if self.relaying is not None:
                    return self.relaying(self.now)
                return self.script.pop(0)(self.now)
            case Shorten():
                demand = self.shorter.pop(0) if self.shorter else None
                return Shortened(now=self.now, demand=demand)
            case Wait():
                if self.naps:
                    return self.naps.pop(0)(self.now)
                return Done(now=max(action.until, self.now))
            case _:
                self._record(action)
        return Done(now=self.now)

    def _record(self, action: Action) -> None:
        match action:
            case Settle() | Release():
                self.closings[action.reservation] += 1
                del self.open[action.reservation]
            case Learn() if not self.forgetful:
                self.record.learn(action.health)
            case Stick():
                self.record.stickies[action.chain] = action.sticky
            case _:
                pass

    def _reserve(self, action: Reserve) -> Outcome:
        if self.unrecorded is not None and self.closings.total() >= self.unrecorded_from:
            return Unrecorded(now=self.now, message=self.unrecorded)
        passed: list[Blocked] = []
        for candidate in action.candidates:
            name = candidate.profile.name
            denials = self.denials.get(name)
            block = denials.pop(0) if denials else None
            if block is not None:
                passed.append(Blocked(profile=name, block=block))
                continue
            reservation = f"r{len(self.closings) + len(self.open)}"
            self.open[reservation] = name
            granted = Granted(
                reservation=reservation, profile=name, at=self.now, passed=tuple(passed)
            )
            return Held(now=self.now, reservation=granted)
        return Held(now=self.now, reservation=Denied(passed=tuple(passed)))

    def _note(self, action: Action) -> None:
        match action:
            case Look():
                pass
            case Reserve():
                self.log.append("reserve " + " ".join(c.profile.name for c in action.candidates))
            case Send():
                self.log.append(f"send {action.candidate.profile.model.removesuffix('-model')}")
            case Relay():
                self.log.append("relay")
            case Settle():
                self.log.append("settle" if action.ok else "settle failed")
            case Release():
                self.log.append("release tokens" if action.keep_request else "release all")
            case Learn():
                self.log.append(f"learn {action.profile}")
            case Stick():
                self.log.append(f"stick {action.sticky.profile}")
            case Wait():
                how = "queue" if action.awaited else "wait"
                self.log.append(f"{how} {action.until - self.now:g}")
            case Shorten():
                self.log.append(f"shorten for {action.profile.name} to {action.most_tokens}")
            case FellBack():
                self.log.append(f"{action.source} > {action.to}: {action.cause}")

    def last(self, kind: type[Any]) -> Any:
        """The last action of a kind."""
        return [action for action in self.actions if isinstance(action, kind)][-1]


def world(*profiles: Profile, **fields: Any) -> World:
    """A world of these profiles."""
    return World(profiles=by_name(*profiles), **fields)
