"""Perform one request's flow against the world, and hand its answer to whoever asked.

The flow decides; this file awaits. A cancelled task is a client that left: the flow is told so, what
it asks for then is performed without waiting, and the cancellation goes on its way.
Refuses to know HTTP servers, routes and other requests.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from spillover.core.actions import (
    Action,
    Barred,
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
    Release,
    Reserve,
    Send,
    Settle,
    Shorten,
    Shortened,
    Sight,
    Stick,
    Unable,
    Unrecorded,
    Wait,
)
from spillover.core.flow import Flow, serve
from spillover.core.ladder import embedding_space
from spillover.core.limits import Granted
from spillover.core.refusals import EndKind
from spillover.core.tokens import counted
from spillover.core.values import Operation, Tier
from spillover.engine.attempt import Attempt
from spillover.engine.call import Answer
from spillover.engine.explaining import shortened
from spillover.engine.traces import Sent, Trace
from spillover.errors import LedgerError
from spillover.events import RequestDone, RequestFallback
from spillover.ledger.entries import HealthChanged, Released, Settled, Stuck
from spillover.protocols.openai_chat import error_body, relayed_error, relayed_status
from spillover.protocols.translate import redressed

if TYPE_CHECKING:
    from spillover.core.chains import Chain
    from spillover.core.refusals import Ending, Step
    from spillover.core.values import Usage
    from spillover.engine.call import Call, Give
    from spillover.engine.world import World

LONG_WAIT_S: Final = 60
"""Above this a client's SDK is told not to wait and try again by itself."""

_JSON: Final = "application/json"
_STREAM: Final = "text/event-stream; charset=utf-8"


class Serving:
    """One request on its way."""

    def __init__(self, world: World, call: Call, chain: Chain) -> None:
        """Begin the request's flow; nothing is done before `answer`."""
        self.ending: Ending | None = None
        self.usage: Usage | None = None
        self._world = world
        self._call = call
        self._chain = chain
        self._setup = world.setup  # a reload changes nothing for requests under way
        self._demand = call.demand()
        self._began_s = self._left_s = time.monotonic()
        """When the request came, and when it last left a profile."""
        self._now = 0.0
        """When what was told to the flow last came about."""
        self._reserve_ms = 0.0
        self._reported = True
        self._removed = 0
        """Messages of the conversation that were left out."""
        self._turn = world.next_turn(chain.name)
        self._draw = world.draw()
        self._ticket: int | None = None
        self._attempt: Attempt | None = None
        self._relay: Relay | None = None
        self._task = world.means.rounds.task()
        self._trail: tuple[tuple[Step, ...], str] = ((), "")
        self._dropped: tuple[str, ...] = ()
        """What of the request the upstream that answers had no words for."""
        self._passed: dict[str, str] = {}
        """Headers of the provider that answered last which clients get."""
        space = None
        if self._demand.operation is Operation.EMBEDDINGS:
            space = embedding_space(chain, self._setup.routing.profiles)
        self._trace = Trace(
            request_id=call.request_id,
            chain=chain.name,
            model=call.model or call.asked.model,
            dialect=call.dialect.value,
            began_at=world.clock.now(),
            demand=self._demand,
        )
        self._flow: Flow = serve(chain, self._demand, space)
        world.begun(self)

    async def answer(self) -> Answer:
        """Drive the flow to the commit point of a stream, or to its end."""
        try:
            outcome: Outcome | None = None
            while (action := self._next(outcome)) is not None:
                if isinstance(action, Send):  # first what every request does
                    outcome = await self._send(action)
                elif isinstance(action, Reserve):
                    outcome = await self._reserve(action)
                elif isinstance(action, Relay):
                    self._relay = action
                    if self._call.asked.stream:
                        return Answer(200, self._head(action.trail), serving=self)
                    # The whole answer is here: its settlement is in line before the client has it.
                    outcome = self._open_attempt().relayed()
                else:
                    outcome = self._done_at_once(action) or await self._perform(action)
            return self._closing_answer()
        except BaseException:
            # Cancelled, mostly; whatever else it is, no reservation may stay open.
            self.abandon()
            raise

    async def pour(self, give: Give) -> bool:
        """Give the client the stream's chunks as they come; return whether more follow.

        True: the client is behind, and the rest waits until this is called again. The settlement
        is in line before the last chunk leaves.
        """
        attempt = self._open_attempt()
        try:
            # Who does not read for longer than an answer may take has left, as far as limits go.
            if await attempt.pour(give, self.abandon):
                return True
            action = self._next(attempt.relayed())
            while action is not None:
                action = self._next(self._done_at_once(action) or await self._perform(action))
        except BaseException:
            self.abandon()
            raise
        if attempt.tail:  # Gemini's streams end with their body
            give(attempt.tail)
        return False

    def abandon(self) -> None:
        """Tell a flow that has not ended that the client left."""
        if self.ending is None:
            self._left()

    def leave(self) -> None:
        """End the request from outside: a stream ends in an error, any other wait is cancelled."""
        if self._relay is not None and self._call.asked.stream:
            self.abandon()
        else:
            self._task.cancel()

    def _open_attempt(self) -> Attempt:
        if self._attempt is None:
            raise AssertionError(self._call.request_id)
        return self._attempt

    def _next(self, outcome: Outcome | None) -> Action | None:
        """Tell the flow what happened; return what it asks for, None when it has ended."""
        if self.ending is not None:
            return None
        try:
            if outcome is None:
                return next(self._flow)
            self._now = outcome.now
            return self._flow.send(outcome)
        except StopIteration as stop:
            self._end(stop.value)
            return None

    def _done_at_once(self, action: Action) -> Outcome | None:
        """Do what needs no waiting for; return None when the action is another."""
        match action:
            case Look():
                return self._look()
            case Settle() | Release():
                # In line for the ledger's next step, before whatever is asked of it from now on.
                self._world.ledger.record_soon(self._closing(action))
                return Done(now=self._now)
            case Stick() | FellBack():
                self._note(action)
                return Done(now=self._now)
            case Shorten():
                return self._shorten(action)
            case _:
                return None

    async def _perform(self, action: Action) -> Outcome:
        match action:
            case Reserve():
                return await self._reserve(action)
            case Send():
                return await self._send(action)
            case Wait():
                return await self._wait(action)
            case Learn():
                # The next look at the ladder must see it: others may share the account.
                await self._world.ledger.record(*self._learned(action))
                self._world.crew.learned(action.health)
                return Done(now=self._world.clock.now())
            case _:
                raise TypeError(action)

    def _left(self) -> None:
        """Tell the flow that the client left, and perform what it asks for without waiting."""
        now = self._world.clock.now()
        attempt = self._attempt
        outcome: Outcome = Cancelled(now=now)
        if attempt is not None:
            attempt.close()
            usage, reported = attempt.spent()
            outcome = Cancelled(now=now, sent_at=attempt.sent_at, usage=usage, reported=reported)
        while (action := self._next(outcome)) is not None:
            match action:
                case Learn():
                    self._world.ledger.record_soon(*self._learned(action))
                    outcome = Done(now=now)
                case Look() | Reserve() | Send() | Wait() | Relay():
                    outcome = Cancelled(now=now)
                case _:
                    outcome = self._done_at_once(action) or Done(now=now)

    def _shorten(self, action: Shorten) -> Shortened:
        """Leave out messages of the request; from here on it is the shorter one."""
        found = shortened(self._call.asked, action)
        if found is not None:
            self._removed += found.removed
            self._call = replace(self._call, asked=found.asked)
            self._demand = self._call.demand()
        demand = None if found is None else self._demand
        return Shortened(now=self._world.clock.now(), demand=demand)

    def _look(self) -> Sight:
        world, session = self._world, self._call.session
        return Sight(
            now=world.clock.now(),
            view=world.ledger.book,
            profiles=self._setup.routing.profiles,
            draw=self._draw,
            turn=self._turn,
            affinity=None if session is None else world.sessions.get((self._chain.name, session)),
            awaited=world.line.before(self._ticket),
            private=self._is_private(),
        )

    async def _reserve(self, action: Reserve) -> Held | Unrecorded:
        world = self._world
        started_s = time.monotonic()
        try:
            reservation = await world.ledger.reserve(action.candidates)
        except LedgerError as error:
            return Unrecorded(now=world.clock.now(), message=str(error))
        self._reserve_ms += (time.monotonic() - started_s) * 1_000
        if reservation.passed:
            world.watch.blocked(reservation.passed)
        if action.skipped is not None:
            self._trace.looks.append((self._now, action.skipped, reservation))
        if isinstance(reservation, Granted):
            self._leave_line()
            return Held(now=reservation.at, reservation=reservation)
        return Held(now=world.clock.now(), reservation=reservation)

    def _is_private(self) -> bool:
        """Whether an edit since the request began says that nothing may leave this machine."""
        setup = self._world.setup
        return setup is not self._setup and setup.routing.is_private(self._chain.name)

    async def _send(self, action: Send) -> Committed | Failed | Barred | Unable:
        world, profile = self._world, action.candidate.profile
        if self._is_private() and profile.tier is not Tier.LOCAL:
            return Barred(now=world.clock.now())
        shipment = self._setup.shipment(
            self._call,
            self._chain,
            candidate=action.candidate,
            calibration=world.ledger.book.calibration(profile.name),
        )
        if isinstance(shipment, tuple):
            return Unable(now=world.clock.now(), lacks=shipment)
        self._attempt = attempt = Attempt(world.means, shipment)
        self._trace.sends.append(sent := Sent(candidate=action.candidate))
        outcome = await attempt.send(action.deadline_at, self._task)
        self._passed = attempt.passed_headers()
        if isinstance(outcome, Failed):
            self._attempt = None
            sent.ended(attempt, outcome.now, outcome.failure)
            world.second_opinion.hear_refusal(profile, attempt.headers, outcome)
            world.inquiries.failed(profile, outcome.failure)
            return replace(outcome, failure=self._setup.mended(outcome.failure, shipment))
        world.second_opinion.hear(profile, attempt.headers, outcome.now)
        self._dropped = shipment.dropped
        world.last_served[self._chain.name] = profile.name
        if self._call.session is not None:
            world.sessions.put((self._chain.name, self._call.session), profile.name)
        return outcome

    async def _wait(self, action: Wait) -> Done:
        seconds = max(0.0, action.until - self._world.clock.now())
        line = self._world.line
        if action.awaited and self._ticket is None:
            self._ticket = line.join()
        if self._ticket is None:
            await asyncio.sleep(seconds)
        else:  # one that waits for no profile meanwhile keeps its place, and is in nobody's way
            await line.wait(self._ticket, action.awaited, seconds)
        return Done(now=self._world.clock.now())

    def _leave_line(self) -> None:
        if self._ticket is not None:
            self._world.line.leave(self._ticket)
            self._ticket = None

    def _closing(self, action: Settle | Release) -> Settled | Released:
        """Return the ledger's entry that closes a reservation."""
        if isinstance(action, Release):
            return Released(action.reservation, self._now, action.keep_request, action.failure)
        profile, demand = action.candidate.profile, self._demand
        self.usage, self._reported = action.usage, action.reported
        usage = counted(profile, action.usage)
        self._trace.settled(usage, reported=action.reported)
        return Settled(
            id=action.reservation,
            at=self._now,
            profile=profile.name,
            model=profile.model,
            account=profile.account,
            usage=usage,
            reported=action.reported,
            sent_at=action.sent_at,
            input_tokens=action.usage.input_tokens if action.reported and action.ok else 0,
            chars=demand.chars,
            wide_chars=demand.wide_chars,
            images=demand.images,
            took_ms=action.took_ms,
            ttft_ms=action.ttft_ms,
            failure=action.failure,
        )

    def _learned(self, action: Learn) -> list[HealthChanged]:
        """Return the ledger's entries for what a call taught."""
        self._world.watch.look_soon()
        return [HealthChanged(subject, health) for subject, health in action.health.items()]

    def _note(self, action: Stick | FellBack) -> None:
        """Record or tell what nobody waits for."""
        world = self._world
        if isinstance(action, Stick):
            world.ledger.record_soon(Stuck(action.chain, action.sticky))
            return
        since_s, self._left_s = self._left_s, time.monotonic()
        event = RequestFallback(
            at=self._now,
            request_id=self._call.request_id,
            chain=self._chain.name,
            source=action.source,
            to=action.to,
            cause=action.cause,
            until=action.until,
            waited_ms=(self._left_s - since_s) * 1_000,
        )
        self._trace.fallbacks.append(event)
        world.history.fell(event)
        world.events.publish(event)

    def _end(self, ending: Ending) -> None:
        self.ending = ending
        self._leave_line()
        world, attempt, usage = self._world, self._attempt, self.usage
        world.ended(self)
        done = RequestDone(
            at=self._now,
            request_id=self._call.request_id,
            chain=self._chain.name,
            profile=ending.profile,
            outcome=ending.kind.value,
            code=None if ending.refusal is None else ending.refusal.code.value,
            trail=self._told(ending.trail),
            took_ms=(time.monotonic() - self._began_s) * 1_000,
            ttft_ms=None if attempt is None else attempt.ttft_ms,
            reserve_ms=self._reserve_ms,
            input_tokens=0 if usage is None else usage.input_tokens,
            output_tokens=0 if usage is None else usage.output_tokens,
            reported=self._reported,
            garbage_events=0 if attempt is None else attempt.garbage,
        )
        self._trace.end(ending, done, attempt)
        world.traces.add(self._trace)
        world.history.ended(self._trace)
        world.events.publish(done)

    def _head(self, trail: tuple[Step, ...], profile: str | None = None) -> dict[str, str]:
        """Return the headers of an answer, ours and those that pass from the provider."""
        asked = self._call.asked
        headers = {
            "content-type": _STREAM if asked.stream and not asked.array else _JSON,
            "x-spillover-request-id": self._call.request_id,
            "x-spillover-chain": self._chain.name,
            "x-spillover-attempts": str(len(trail)),
        }
        if trail:
            headers["x-spillover-trail"] = self._told(trail)
            headers["x-spillover-profile"] = trail[-1].profile
        if profile is not None:
            headers["x-spillover-profile"] = profile
        if self._removed:
            headers["x-spillover-truncated"] = str(self._removed)
        if self._dropped:
            headers["x-spillover-dropped"] = ", ".join(self._dropped)
        headers |= self._passed
        return headers

    def _told(self, trail: tuple[Step, ...]) -> str:
        """Return a trail as headers and events tell it; both tell the last one."""
        if trail is not self._trail[0]:
            self._trail = trail, ",".join([f"{step.profile}:{step.result}" for step in trail])
        return self._trail[1]

    def _closing_answer(self) -> Answer:
        """Return the answer of a request that has ended: what was served whole, or an error."""
        ending = self.ending
        if ending is None:
            raise AssertionError(self._call.request_id)
        headers = self._head(ending.trail, ending.profile)
        if ending.kind is EndKind.SERVED:
            attempt = self._open_attempt()
            return Answer(200, headers, body=attempt.body, serving=self)
        headers["content-type"] = _JSON
        now = self._world.clock.now()
        request_id = self._call.request_id
        if ending.failure is not None:
            status = relayed_status(ending.failure)
            body = relayed_error(ending.failure, request_id=request_id)
        elif ending.refusal is not None:
            refusal = ending.refusal
            status, wait_s = refusal.status, refusal.retry_after_s(now)
            body = error_body(
                refusal.code.value,
                refusal.message,
                profiles=refusal.obstacles,
                request_id=request_id,
            )
            if wait_s is not None:
                headers["retry-after"] = str(wait_s)
            if (wait_s or 0) > LONG_WAIT_S or refusal.is_vain_to_retry:
                headers["x-should-retry"] = "false"
        else:
            raise AssertionError(ending)
        body = redressed(body, status, self._call.dialect)
        return Answer(status, headers, body=body, serving=self)
