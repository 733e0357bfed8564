"""Decide about a local server that Spillover runs: when it comes back, is renewed, and may serve.

Rules of this file:
- A server that ends is started again after a pause that doubles while it keeps ending.
- While it is away its profiles rest, so that no request is sent to a port where nobody listens.
- Its return ends that rest, and what its absence taught; a spent quota or a bad key stays.

Refuses to know processes, ports, files and the clock.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from spillover.core.health import HEALTHY, Cooldown, Health
from spillover.core.values import Confidence, FailureClass, Source, Status, Value

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
STEADY_S: Final = 60.0
"""A server that served this long has recovered: the next pause is the first one again."""
UNHEALTHY_AFTER: Final = 3
"""Failed health checks in a row that show a server hung."""
RESTARTING: Final = "restarting"
"""Reason of the rest of profiles whose server is away."""

_OF_ABSENCE: Final = frozenset(
    {RESTARTING, FailureClass.NETWORK, FailureClass.BAD_GATEWAY, FailureClass.TIMEOUT}
)
"""Reasons that end when the server is back."""
_BRINGS_A_START: Final = frozenset({FailureClass.NETWORK, FailureClass.BAD_GATEWAY})
"""Failures that a server is looked at for, and started anew if it is gone."""


def is_away(reason: str, *, restarts: bool) -> bool:
    """Return whether a profile that rests, or failed, for `reason` is back when its server is."""
    return reason == RESTARTING or (restarts and reason in _BRINGS_A_START)


class Restart(StrEnum):
    """When a server that ended is started again."""

    ON_FAILURE = "on_failure"
    """Not after a clean exit, unless requests then fail for want of it."""
    ALWAYS = "always"
    NEVER = "never"


class ManagedState(StrEnum):
    """What a server is doing."""

    STARTING = "starting"
    RUNNING = "running"
    RECYCLING = "recycling"
    """Ends as soon as no request is in flight to it, and starts anew."""
    WAITING = "waiting"
    """Ended; starts again when its pause is over."""
    STOPPED = "stopped"


class Managed(Value, frozen=True, kw_only=True):
    """A local server to run."""

    name: str
    """Of the account or profile that has it first."""
    command: tuple[str, ...]
    folder: str
    """Where it is run."""
    host: str
    port: int
    health: str | None
    """Path of its health check; None: it is healthy when its port is open."""
    restart: Restart = Restart.ON_FAILURE
    max_memory: int | None = None
    """Bytes resident, of all its processes."""
    max_age_s: float | None = None
    start_within_s: float = 60.0
    health_every_s: float = 10.0
    log: str = ""
    """Path of the file that its output goes to."""


def pause_s(failures: int) -> float:
    """Return how long to wait before the start that follows so many failures in a row."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (min(failures, 16) - 1))


def failures_after(failures: int, served_s: float) -> int:
    """Return the failures in a row when a server failed that had served for so long."""
    return 1 if served_s >= STEADY_S else failures + 1


def comes_back(restart: Restart, *, failed: bool) -> bool:
    """Return whether a server that ended is started again without being asked."""
    return restart is Restart.ALWAYS or (failed and restart is Restart.ON_FAILURE)


def due(server: Managed, *, age_s: float, memory: int | None) -> str | None:
    """Return why a server is to be renewed, None when it is not; memory None: not known."""
    if server.max_age_s is not None and age_s >= server.max_age_s:
        return f"it is older than max_age ({server.max_age_s:g} s)"
    if server.max_memory is not None and memory is not None and memory > server.max_memory:
        return f"it uses {memory >> 20} MiB, over max_memory ({server.max_memory >> 20} MiB)"
    return None


def resting(health: Health | None, *, now: float, until: float, message: str) -> Health:
    """Return a profile's health while its server is away; a longer cooldown stays."""
    health = health or HEALTHY
    old = health.cooldown
    if old is not None and old.reason != RESTARTING and (old.until is None or old.until >= until):
        return health
    rest = Cooldown(
        status=Status.COOLDOWN,
        reason=RESTARTING,
        since=now,
        until=until,
        probe_at=None,
        source=Source.DEFAULT,
        confidence=Confidence.GUESSED,
        message=message,
    )
    return replace(health, cooldown=rest)


def rested(health: Health | None) -> Health | None:
    """Return a profile's health when its server is back; None when that changes nothing."""
    if health is None or health.cooldown is None or health.cooldown.reason not in _OF_ABSENCE:
        return None
    return replace(health, cooldown=None)


def trouble(health: Health) -> FailureClass | None:
    """Return the failure that a server is to be looked at for, of a profile's latest health."""
    error = health.last_error
    if health.cooldown is None or error is None:
        return None
    if error.failure in _BRINGS_A_START:
        return error.failure
    return None
