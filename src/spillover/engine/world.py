"""What requests share: the configuration in force, the ledger, the way out, and who waits.

Refuses to know any one request.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol

from spillover.config.routing import Routing
from spillover.engine.history import History
from spillover.engine.inquiries import Inquiries
from spillover.engine.line import Line
from spillover.engine.managed import Crew
from spillover.engine.second_opinion import SecondOpinion
from spillover.engine.setup import Setup
from spillover.engine.traces import Traces
from spillover.engine.watch import Watch
from spillover.ledger.history import HistoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.engine.attempt import Means
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


class Leavable(Protocol):
    """A request under way, as far as the world ends it."""

    def leave(self) -> None:
        """End it as if its client had left."""


class World:
    """Everything that outlives a request."""

    def __init__(
        self, *, ledger: Ledger, means: Means, events: Bus, history: HistoryStore | None = None
    ) -> None:
        """Hold what requests are served with; `adopt` says by which configuration.

        `history` is where sums of what happened go; None: in memory.
        """
        self.setup = Setup(Routing(profiles={}, chains={}, endpoints={}, alone={}), str)
        self.ledger = ledger
        self.means = means
        self.events = events
        self.clock = clock = means.clock
        self.sessions = Sessions()
        self.watch = Watch(ledger, clock, events, lambda: self.routing.profiles)
        self.second_opinion = SecondOpinion(ledger, events)
        self.inquiries = Inquiries(ledger, means, self.second_opinion)
        self.crew = Crew(ledger, clock, events)
        self.traces = Traces()
        self.history = History(history or HistoryStore(None), clock, lambda: self.routing)
        self.last_served: dict[str, str] = {}
        self.under_way: set[Leavable] = set()
        """Requests that have begun and not ended."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._turns: dict[str, int] = {}
        self.line = Line()
        ledger.on_change(self.line.nudge)

    @property
    def routing(self) -> Routing:
        """The configuration in force."""
        return self.setup.routing

    def adopt(self, routing: Routing, redact: Callable[[str], str]) -> None:
        """Put another configuration in force, for requests that begin from now on."""
        self.setup = Setup(routing, redact)
        self.inquiries.adopt(routing)
        self.crew.adopt(routing.managed, redact)

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

    # Requests under way.

    def begun(self, request: Leavable) -> None:
        """Count a request that began."""
        self.under_way.add(request)
        self._idle.clear()

    def ended(self, request: Leavable) -> None:
        """Count a request that ended."""
        self.under_way.discard(request)
        if not self.under_way:
            self._idle.set()

    async def wait_idle(self) -> None:
        """Wait until no request is under way."""
        await self._idle.wait()

    def leave_all(self) -> None:
        """End every request that is under way, as if its client had left."""
        for request in tuple(self.under_way):
            request.leave()
