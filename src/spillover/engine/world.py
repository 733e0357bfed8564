"""What requests share: the configuration in force, the ledger, the way out, and who waits.

Refuses to know any one request.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from msgspec.structs import replace as with_field

from spillover import __version__
from spillover.config.routing import Routing
from spillover.core.values import FailureClass, Operation, StreamUsage
from spillover.engine.attempt import Attempt, Means, Shipment
from spillover.engine.line import Line
from spillover.engine.watch import Watch
from spillover.upstream import Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.config.routing import Endpoint
    from spillover.core.actions import Failed
    from spillover.core.limits import Candidate
    from spillover.core.values import Chain
    from spillover.engine.call import Call
    from spillover.events import Bus
    from spillover.ledger.ledger import Ledger

SESSIONS_MOST: Final = 10_000


class Sessions:
    """Which profile served a session last; the longest unused are forgotten first."""

    def __init__(self) -> None:
        """Begin without sessions."""
        self._profiles: OrderedDict[tuple[str, str], str] = OrderedDict()

    def get(self, key: tuple[str, str]) -> str | None:
        """Return the profile that served (chain, session) last."""
        return self._profiles.get(key)

    def put(self, key: tuple[str, str], profile: str) -> None:
        """Remember who served (chain, session)."""
        self._profiles[key] = profile
        self._profiles.move_to_end(key)
        if len(self._profiles) > SESSIONS_MOST:
            self._profiles.popitem(last=False)


class World:
    """Everything that outlives a request."""

    def __init__(self, *, ledger: Ledger, means: Means, events: Bus) -> None:
        """Hold what requests are served with; `adopt` says by which configuration."""
        self.routing = Routing(profiles={}, chains={}, endpoints={}, alone={})
        self.ledger = ledger
        self.events = events
        self.clock = clock = means.clock
        self.sessions = Sessions()
        self.watch = Watch(ledger, clock, events, lambda: self.routing.profiles)
        self.last_served: dict[str, str] = {}
        self.redact: Callable[[str], str] = str
        self.in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._head: dict[str, dict[str, str]] = {}
        self._means = means
        self._turns: dict[str, int] = {}
        self._lines: dict[str, Line] = {}
        self._refuses_usage: set[str] = set()
        """Profiles that rejected `stream_options`: they are not asked again."""
        ledger.on_change(self._nudge)

    def next_turn(self, chain: str) -> int:
        """Return how many requests the chain had before this one."""
        turn = self._turns.get(chain, 0)
        self._turns[chain] = turn + 1
        return turn

    def peek_turn(self, chain: str) -> int:
        """Return what `next_turn` would, without counting."""
        return self._turns.get(chain, 0)

    def draw(self) -> float:
        """Return chance in [0, 1)."""
        return random.random()  # noqa: S311 - spreads load, guards nothing

    def line(self, chain: str) -> Line:
        """Return the chain's waiting requests."""
        line = self._lines.get(chain)
        if line is None:
            line = self._lines[chain] = Line()
        return line

    def _nudge(self) -> None:
        for line in self._lines.values():
            line.nudge()

    def attempt(self, call: Call, chain: Chain, candidate: Candidate) -> Attempt:
        """Return one send of `call` to `candidate`, prepared."""
        profile, asked, limits = candidate.profile, call.asked, chain.time_limits
        endpoint = self.routing.endpoints[profile.name]
        asks_usage = (
            asked.stream
            and profile.name not in self._refuses_usage
            and (
                endpoint.stream_usage is StreamUsage.ASK
                or (endpoint.stream_usage is StreamUsage.NATIVE and asked.client_wants_usage)
            )
        )
        order = Order(
            url=_url(endpoint, asked.operation),
            headers=self._headers(endpoint, call),
            body=asked.body_for(profile.model, ask_usage=asks_usage),
            connect_s=limits.connect_s,
            loopback=endpoint.is_loopback,
        )
        shipment = Shipment(
            asked=asked,
            order=order,
            candidate=candidate,
            calibration=self.ledger.book.calibration(profile.name),
            time_limits=limits,
            first_token_s=max(limits.first_token_s, endpoint.first_token_s or 0.0),
            redact=self.redact,
            asks_usage=asks_usage,
        )
        return Attempt(self._means, shipment)

    def _headers(self, endpoint: Endpoint, call: Call) -> dict[str, str]:
        headers = self._head.get(endpoint.profile)
        if headers is None:
            headers = self._head[endpoint.profile] = _FIXED_HEADERS | endpoint.headers()
        return {**headers, **call.passed_headers} if call.passed_headers else headers

    def mended(self, outcome: Failed, attempt: Attempt) -> Failed:
        """Return the outcome, marked when only our wish for the stream's usage was refused."""
        failure, name = outcome.failure, attempt.shipment.candidate.profile.name
        objects = failure.failure is FailureClass.BAD_REQUEST and any(
            word in failure.message for word in ("stream_options", "include_usage")
        )
        if not (objects and attempt.shipment.asks_usage):
            return outcome
        self._refuses_usage.add(name)
        return replace(outcome, failure=with_field(failure, mended=True))

    def adopt(self, routing: Routing, redact: Callable[[str], str]) -> None:
        """Put another configuration in force."""
        self.routing = routing
        self.redact = redact
        self._head.clear()
        self._refuses_usage.clear()

    # Requests under way.

    def begun(self) -> None:
        """Count a request that began."""
        self.in_flight += 1
        self._idle.clear()

    def ended(self) -> None:
        """Count a request that ended."""
        self.in_flight -= 1
        if self.in_flight == 0:
            self._idle.set()

    async def wait_idle(self) -> None:
        """Wait until no request is under way."""
        await self._idle.wait()


_FIXED_HEADERS: Final = {
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
    "accept-encoding": "gzip, deflate",
    "user-agent": f"spillover/{__version__}",
}
"""Some providers' front doors refuse requests without a user agent."""


def _url(endpoint: Endpoint, operation: Operation) -> str:
    match operation:
        case Operation.CHAT:
            return endpoint.chat_url
        case Operation.COMPLETIONS:
            return endpoint.completions_url
        case Operation.EMBEDDINGS:
            return endpoint.embeddings_url
        case _:
            assert_never(operation)
