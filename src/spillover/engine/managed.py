"""Tie the local servers that the gateway runs to the profiles they serve.

While a server is away its profiles rest, in the shared record, so that requests of every process
fall back or wait; its return ends that. Decides nothing of processes: `spillover.upstream` does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from spillover.core.health import subject_of_profile
from spillover.core.managed import rested, resting, trouble
from spillover.events import UpstreamStatus
from spillover.ledger.entries import HealthChanged
from spillover.upstream.output import Output
from spillover.upstream.supervisor import Report, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spillover.clock import Clock
    from spillover.config.routing import ManagedServer
    from spillover.core.health import Health
    from spillover.events import Bus
    from spillover.ledger.ledger import Ledger

CHANGED: Final = "its settings changed"
RESET: Final = "a restart was asked for"


class Crew:
    """The local servers that run; none before `start`."""

    def __init__(self, ledger: Ledger, clock: Clock, events: Bus) -> None:
        """Begin without servers."""
        self._ledger = ledger
        self._clock = clock
        self._events = events
        self._wanted: tuple[ManagedServer, ...] = ()
        self._redact: Callable[[str], str] = str
        self._posts: dict[str, _Post] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        """By server: the end of the one before."""
        self._subjects: dict[str, _Post] = {}
        self._runs = False

    def start(self) -> None:
        """Run the servers from now on."""
        self._runs = True
        self.adopt(self._wanted, self._redact)

    def adopt(self, servers: tuple[ManagedServer, ...], redact: Callable[[str], str]) -> None:
        """Run these servers; others end when no request is in flight to them."""
        self._wanted, self._redact = servers, redact
        if not self._runs:
            return
        wanted = {server.spec.name: server for server in servers}
        for name, post in tuple(self._posts.items()):
            if wanted.get(name) != post.server:
                post.supervisor.retire(CHANGED)
                self._leaving[name] = post.task
                del self._posts[name]
        # A new one may want the port of any that leaves.
        before = [task for task in self._leaving.values() if not task.done()]
        for name, server in wanted.items():
            if name not in self._posts:
                self._posts[name] = self._post(server, before)
        self._subjects = {
            subject_of_profile(profile): post
            for post in self._posts.values()
            for profile in post.server.profiles
        }

    def renew(self) -> list[str]:
        """Start every server anew, each when no request is in flight to it; return their names."""
        names = list(self._posts)
        for name, post in self._posts.items():
            post.supervisor.retire(RESET)
            self._leaving[name] = post.task
        self._posts.clear()
        self.adopt(self._wanted, self._redact)
        return names

    def _post(self, server: ManagedServer, before: list[asyncio.Task[None]]) -> _Post:
        ties = _ProfileTies(
            server.profiles, ledger=self._ledger, clock=self._clock, bus=self._events
        )
        supervisor = Supervisor(
            server.spec,
            server.environ(),
            ties=ties,
            output=Output(server.spec.log, self._redacted),
        )

        async def run() -> None:
            if before:
                await asyncio.wait(before)
            await supervisor.run()

        task = asyncio.create_task(run(), name=f"upstream {server.spec.name}")
        return _Post(server, supervisor, task)

    def _redacted(self, text: str) -> str:
        """Mask the secrets of the configuration in force, whichever a server began with."""
        return self._redact(text)

    def learned(self, health: Mapping[str, Health]) -> None:
        """Look at the servers that calls just failed at."""
        if not self._subjects:
            return
        for subject, found in health.items():
            post = self._subjects.get(subject)
            failure = None if post is None else trouble(found)
            if post is not None and failure is not None:
                post.supervisor.failed(failure)

    def status(self) -> dict[str, Any]:
        """Return how each server stands, by name."""
        return {
            name: {
                "state": post.supervisor.report.state.value,
                "reason": post.supervisor.report.reason,
                "pid": post.supervisor.report.pid,
                "starts": post.supervisor.report.starts,
                "failures": post.supervisor.report.failures,
                "profiles": list(post.server.profiles),
                "log": post.server.spec.log,
            }
            for name, post in self._posts.items()
        }

    async def close(self) -> None:
        """End every server, with all its processes."""
        self._runs = False
        tasks = [*self._leaving.values(), *(post.task for post in self._posts.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Post:
    """A server in its place."""

    def __init__(
        self, server: ManagedServer, supervisor: Supervisor, task: asyncio.Task[None]
    ) -> None:
        self.server = server
        self.supervisor = supervisor
        self.task = task


class _ProfileTies:
    """A server's requests are those of its profiles."""

    def __init__(
        self, profiles: tuple[str, ...], *, ledger: Ledger, clock: Clock, bus: Bus
    ) -> None:
        self._profiles = profiles
        self._ledger = ledger
        self._clock = clock
        self._events = bus

    async def keep_away(self, for_s: float, message: str) -> None:
        now = self._clock.now()
        book = self._ledger.book
        await self._record(
            {
                subject: resting(book.health(subject), now=now, until=now + for_s, message=message)
                for subject in map(subject_of_profile, self._profiles)
            }
        )

    async def let_in(self) -> None:
        book = self._ledger.book
        found = {
            subject: rested(book.health(subject))
            for subject in map(subject_of_profile, self._profiles)
        }
        await self._record({subject: health for subject, health in found.items() if health})

    async def _record(self, changed: Mapping[str, Health]) -> None:
        if changed:
            await self._ledger.record(*(HealthChanged(*each) for each in changed.items()))

    def in_flight(self) -> int:
        calls = self._ledger.book.open.values()
        return sum(call.profile in self._profiles for call in calls)

    def changed(self, report: Report) -> None:
        self._events.publish(
            UpstreamStatus(
                at=self._clock.now(),
                upstream=report.name,
                state=report.state.value,
                reason=report.reason,
                pid=report.pid,
            )
        )
