"""Say what a day is: how the provider fares, what its answers are, and by which rule it is left alone.

Refuses to know how a day is run and what comes of it. Instants are seconds since the day began.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from spillover.simulator.faults import Fault
from spillover.simulator.flavours import flavour_of
from spillover.simulator.spec import ProviderSpec

DAY_S: Final = 86_400.0
_SERVERS_FAULT: Final = 500
FRIDAY: Final = 1_795_132_800.0
"""2026-11-20T00:00:00Z, when every day begins that says nothing else."""


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """A span in which the provider serves nobody, whatever it says."""

    from_s: float
    until_s: float
    fault: Fault | None = None
    """Its answer; None: it refuses connections."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """24 hours of a provider."""

    name: str
    title: str
    tells: str
    """What happens, in words."""
    spec: ProviderSpec
    settings: dict[str, Any]
    """Of the profile that goes to it, beside its address and key."""
    outages: tuple[Outage, ...] = ()
    resets_s: tuple[float, ...] = ()
    """When a quota of the spec is whole again."""
    clock: tuple[tuple[float, float], ...] = ()
    """(when, how far ahead of the truth) the machine's wall clock is set."""
    every_s: float = 30.0
    """Between two requests of the steady traffic of all clients together; it divides a minute."""
    processes: int = 1
    """Gateways that share one ledger, and the traffic."""
    is_known: bool = False
    """The end of its trouble is stated or stands in the catalogue."""

    @property
    def is_outage(self) -> bool:
        """Whether the provider is down, rather than refusing to do more."""
        faults = [outage.fault for outage in self.outages]
        return any(each is None or (each.status or 0) >= _SERVERS_FAULT for each in faults)

    @property
    def path(self) -> str:
        """Where the provider has its routes."""
        return flavour_of(self.spec.flavour).base_path.lstrip("/")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A rule for how long a profile rests."""

    name: str
    cooldown: dict[str, str] | None = None
    """The chain's setting of that name; None: by evidence, as Spillover does it unasked."""


BY_EVIDENCE: Final = Policy(name="evidence")
FLAT_10_S: Final = Policy(name="flat 10 s", cooldown={"fixed": "10s"})
FLAT_10_MIN: Final = Policy(name="flat 10 min", cooldown={"fixed": "10m"})
POLICIES: Final = (BY_EVIDENCE, FLAT_10_S, FLAT_10_MIN)
