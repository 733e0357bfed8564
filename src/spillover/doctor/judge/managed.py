"""Judge the servers that the gateway runs: while none does they rest, and only what would keep them down is wrong.

Refuses to know processes, files and what a gateway is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spillover.core.managed import ManagedState
from spillover.core.values import Value
from spillover.doctor.findings import Finding, Level
from spillover.doctor.judge.ports import pid_of
from spillover.doctor.systems import Act, System, command

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_FOUND: Final = 404
ASKS_MODELS: Final = {"litellm": "/health"}
"""Health paths that send a request to every model: https://docs.litellm.ai/docs/proxy/health"""
_COMES_UP: Final = frozenset({ManagedState.STARTING, ManagedState.RECYCLING})


class Post(Value, frozen=True, kw_only=True):
    """How the gateway is to run a server, and what stands in the way."""

    program: str
    """The first word of its command."""
    health: str | None = None
    """Path of its health check; None: it is healthy when its port is open."""
    lacks: str = ""
    """What the command needs and is not there, as words: `litellm is not found`."""
    install: str = ""
    """What brings it."""
    gateway: bool = False
    """A gateway runs."""
    gateway_at: str = ""
    """Where it is, or would be."""
    state: ManagedState | None = None
    """How the gateway says that the server stands."""
    reason: str = ""
    """Why, in its words."""
    max_memory: int | None = None
    max_age_s: float | None = None
    log: str = ""


class Place(Value, frozen=True, kw_only=True):
    """Which server it is, in words, and who has its port."""

    name: str
    address: str
    about: str
    """Its profiles."""
    error: str = ""
    """It does not answer: why not."""
    holder: str = ""
    health: int | None = None
    """Status of its health path."""


def down(post: Post, place: Place, system: System) -> Finding:
    """Return why a server of the gateway's does not answer."""
    who = f"{place.name} at {place.address}"
    if post.lacks:
        return _problem(
            place,
            f"the gateway can't start {who}: {post.lacks}",
            "its profiles rest, and requests fall back",
            post.install or "upstream: {command: [/path/of/it, …]}",
        )
    if place.holder and not (post.gateway and post.state is ManagedState.RUNNING):
        port = int(place.address.rpartition(":")[2])
        pid = pid_of(place.holder)
        end = Act.WHO_HAS_PORT if pid is None else Act.END_PROCESS
        return _problem(
            place,
            f"{place.holder} has the port of {who}, and answers nothing: {place.error}",
            "the gateway does not start its own server while another has the port",
            command(system, end, port=port, pid=pid),
        )
    if not post.gateway:
        return _found(
            place,
            Level.NOTE,
            saw=f"{who} is not up, for no gateway runs; {post.program} is found, its port is free",
            why="the gateway starts it, and ends it",
            remedy="spillover serve",
        )
    if post.state in _COMES_UP:
        return _found(
            place,
            Level.WARNING,
            saw=f"{who} is not up yet: the gateway says {post.state.value}",
            why="requests fall back until it is healthy",
            remedy="spillover status",
        )
    told = post.reason or place.error
    return _problem(
        place,
        f"{who} does not stay up: {told}",
        "the gateway runs it, and starts it again and again"
        if post.state is ManagedState.WAITING
        else "the gateway runs it, and it does not answer",
        f"tail {post.log}" if post.log else "spillover status",
    )


def up(post: Post, place: Place, system: System) -> Iterator[Finding]:
    """Yield what is wrong with a server that answers where the gateway runs, or is to run, its own."""
    if not post.gateway:
        pid = pid_of(place.holder)
        end = Act.WHO_HAS_PORT if pid is None else Act.END_PROCESS
        port = int(place.address.rpartition(":")[2])
        yield _found(
            place,
            Level.WARNING,
            saw=f"{place.holder or 'a server'} answers at {place.address}, and no gateway runs at "
            + post.gateway_at,
            why="unless a gateway at another port runs it: the next one starts none of its own "
            "while another has the port",
            remedy=command(system, end, port=port, pid=pid),
        )
    if place.health == NOT_FOUND:
        yield _found(
            place,
            Level.WARNING,
            saw=f"its health path {post.health} answered 404",
            why="it counts as healthy whatever happens: any answer below 500 does",
            remedy="upstream: {health: …}",
        )


def health(post: Post, place: Place, kind: str, better: str) -> Iterator[Finding]:
    """Yield what a health path costs, of a server that is up or not."""
    if post.health is not None and post.health == ASKS_MODELS.get(kind):
        yield _found(
            place,
            Level.WARNING,
            saw=f"its health path is {post.health}",
            why=f"{place.name} sends a request to every model each time it is asked there",
            remedy=f"upstream: {{health: {better}}}",
        )


def _problem(place: Place, saw: str, why: str, remedy: str) -> Finding:
    return _found(place, Level.PROBLEM, saw=saw, why=why, remedy=remedy)


def _found(place: Place, level: Level, *, saw: str, why: str, remedy: str) -> Finding:
    return Finding(
        check="server.local", level=level, about=place.about, saw=saw, why=why, remedy=remedy
    )
