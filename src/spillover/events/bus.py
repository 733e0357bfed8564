"""Hand each event to everyone who listens, without ever holding up who tells it.

A subscriber that reads too slowly loses its oldest events, counted, and nobody else notices.
Refuses to know what events mean.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from spillover.events.kinds import Event

RECENT: Final = 1_000
"""How many events are kept for those who come late."""
BUFFER: Final = 1_000
"""How many unread events a subscriber may have."""

log = logging.getLogger(__name__)


class Subscription:
    """One subscriber's events, in order: an asynchronous iterator that ends by `close`."""

    def __init__(self, bus: Bus) -> None:
        """Begin without events."""
        self.dropped = 0
        """Events lost because they were not read in time."""
        self._bus = bus
        self._waiting: deque[tuple[int, Event]] = deque()
        self._ready = asyncio.Event()
        self._closed = False

    def put(self, number: int, event: Event) -> None:
        """Add an event; the oldest unread one makes room when there is none."""
        if len(self._waiting) >= BUFFER:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append((number, event))
        self._ready.set()

    def __aiter__(self) -> AsyncIterator[tuple[int, Event]]:
        """Iterate over (number, event); numbers rise by one."""
        return self

    async def __anext__(self) -> tuple[int, Event]:
        """Return the next event, waiting for it."""
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._waiting.popleft()

    def drained(self) -> list[Event]:
        """Return the events that wait, without waiting for more."""
        found = [event for _, event in self._waiting]
        self._waiting.clear()
        return found

    def close(self) -> None:
        """End the iteration after what is waiting."""
        self._closed = True
        self._bus.leave(self)
        self._ready.set()


class Bus:
    """The one place where events are told."""

    def __init__(self) -> None:
        """Begin without events and listeners."""
        self._number = 0
        self._recent: deque[tuple[int, Event]] = deque(maxlen=RECENT)
        self._subscribers: list[Subscription] = []
        self._listeners: list[Callable[[Event], None]] = []

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens at the moment."""
        return bool(self._listeners or self._subscribers)

    def publish(self, event: Event) -> None:
        """Hand `event` to every listener and subscriber."""
        self._number += 1
        self._recent.append((self._number, event))
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed on %s", type(event).__name__)
        for subscriber in self._subscribers:
            subscriber.put(self._number, event)

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with each event from now on; it must be quick."""
        self._listeners.append(listener)

    def subscribe(self, *, after: int | None = None) -> Subscription:
        """Return the events from now on, preceded by the kept ones numbered above `after`."""
        subscription = Subscription(self)
        if after is not None:
            for number, event in self._recent:
                if number > after:
                    subscription.put(number, event)
        self._subscribers.append(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Forget a subscriber."""
        if subscription in self._subscribers:
            self._subscribers.remove(subscription)

    def recent(self, limit: int = 100) -> list[tuple[int, Event]]:
        """Return the latest events with their numbers, oldest first."""
        kept = len(self._recent)
        return list(islice(self._recent, max(0, kept - limit), kept))
