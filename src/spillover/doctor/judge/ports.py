"""Judge the gateway's port: is it free, who has it, and what runs there.

Refuses to know sockets and processes; reads what `lsof`, `netstat` and `netsh` print.
"""

from __future__ import annotations

import csv
import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spillover.core.values import Value
from spillover.doctor.findings import Finding, Level, OtherPort
from spillover.doctor.systems import Act, System, command

if TYPE_CHECKING:
    from collections.abc import Iterator

_RANGE: Final = re.compile(r"^\s*(\d+)\s+(\d+)\s*\*?\s*$", re.MULTILINE)
_NETSTAT: Final = re.compile(
    r"^\s*TCP\s+\S+:(?P<port>\d+)\s+\S+\s+LISTENING\s+(?P<pid>\d+)", re.MULTILINE
)
_PID: Final = re.compile(r"\(pid (\d+)\)$")


class Bind(StrEnum):
    """What came of taking a port."""

    FREE = "free"
    TAKEN = "taken"
    DENIED = "denied"
    """The system forbids it: a low port, or one that Windows keeps for Hyper-V."""
    NO_ADDRESS = "no_address"
    """The host is no address of this machine."""


class Port(Value, frozen=True, kw_only=True):
    """The gateway's port."""

    host: str
    port: int
    bind: Bind
    holder: str = ""
    """`name (pid 12)`; empty: the system does not tell."""
    free: int | None = None
    """The next one that is free."""
    gateway: str = ""
    """How the gateway of ours stands that answers there; empty: none does."""
    version: str = ""
    """Its version, where it tells."""
    excluded: tuple[tuple[int, int], ...] = ()
    """Ranges that Windows keeps for others."""
    config: Path | None = None
    """The file that the port can be changed in."""


def excluded_ranges(printed: str) -> tuple[tuple[int, int], ...]:
    """Read what `netsh int ipv4 show excludedportrange protocol=tcp` prints, in any language."""
    return tuple((int(first), int(last)) for first, last in _RANGE.findall(printed))


def lsof_holder(printed: str) -> str:
    """Read what `lsof -nP -iTCP:PORT -sTCP:LISTEN -Fpc` prints."""
    fields = {line[:1]: line[1:] for line in reversed(printed.splitlines()) if line}
    return f"{fields.get('c', 'a process')} (pid {fields['p']})" if "p" in fields else ""


def netstat_pid(printed: str, port: int) -> str:
    """Read from what `netstat -ano -p TCP` prints who listens on a port."""
    found = (m["pid"] for m in _NETSTAT.finditer(printed) if int(m["port"]) == port)
    return next(found, "")


def tasklist_holder(printed: str) -> str:
    """Read what `tasklist /FI "PID eq N" /FO CSV /NH` prints."""
    row = next(iter(csv.reader(printed.strip().splitlines())), [])
    return f"{row[0]} (pid {row[1]})" if len(row) > 1 else ""


def pid_of(who: str) -> int | None:
    """Return the process that `name (pid 12)` means; None where none is named."""
    found = _PID.search(who)
    return None if found is None else int(found[1])


def ports(found: Port, system: System, version: str) -> Iterator[Finding]:
    """Yield how the gateway's port is; `version` is ours."""
    about = f"{found.host}:{found.port}"
    if found.gateway:
        yield Finding(check="port.gateway", about=about, saw="a gateway of Spillover serves there")
        yield _running(found, about, version)
        return
    match found.bind:
        case Bind.FREE:
            yield Finding(check="port.gateway", about=about, saw="it is free: no gateway runs")
        case Bind.TAKEN:
            yield _taken(found, about, system)
        case Bind.DENIED:
            yield _denied(found, about, system)
        case Bind.NO_ADDRESS:
            yield Finding(
                check="port.gateway",
                level=Level.PROBLEM,
                about=about,
                saw=f"{found.host} is no address of this machine",
                why="the gateway can't listen on it",
                remedy="server: {host: 127.0.0.1}",
            )


def _running(found: Port, about: str, version: str) -> Finding:
    if found.version and found.version != version:
        return Finding(
            check="port.running",
            level=Level.WARNING,
            about=about,
            saw=f"the gateway is of version {found.version}, this is {version}",
            why="it was started before the upgrade",
            remedy="stop it, then: spillover serve",
        )
    level = {"healthy": Level.OK, "degraded": Level.NOTE}.get(found.gateway, Level.PROBLEM)
    return Finding(
        check="port.running",
        level=level,
        about=about,
        saw=f"it says that it is {found.gateway}",
        why="" if level is Level.OK else "a profile or a chain can't serve now",
        remedy="" if level is Level.OK else "spillover status",
    )


def _taken(found: Port, about: str, system: System) -> Finding:
    who = found.holder or "another process"
    pid = pid_of(who)
    steps = [] if pid is None else [command(system, Act.END_PROCESS, pid=pid)]
    if not found.holder:
        steps.append(command(system, Act.WHO_HAS_PORT, port=found.port))
    if found.free is not None:
        steps.append(f"or another port: spillover serve --port {found.free}")
    return Finding(
        check="port.gateway",
        level=Level.PROBLEM,
        about=about,
        saw=f"{who} has it, and is no gateway of ours"
        + (f"; the next free one is {found.free}" if found.free else ""),
        why="spillover serve can't start there",
        remedy="\n".join(steps),
        fix=None
        if found.free is None or found.config is None
        else OtherPort(path=found.config, port=found.free),
    )


def _denied(found: Port, about: str, system: System) -> Finding:
    inside = next((each for each in found.excluded if each[0] <= found.port <= each[1]), None)
    why = "the system lets only administrators take it"
    steps = []
    if system is System.WINDOWS:
        why = "Windows keeps ranges of ports for Hyper-V, WSL and Docker, anew at each start"
        if inside is not None:
            why = f"Windows keeps the ports {inside[0]}–{inside[1]} for Hyper-V, WSL or Docker"
        steps = [
            "netsh int ipv4 show excludedportrange protocol=tcp",
            "net stop winnat",
            f"netsh int ipv4 add excludedportrange protocol=tcp startport={found.port} numberofports=1",
            "net start winnat",
        ]
    if found.free is not None:
        steps.append(f"or another port: spillover serve --port {found.free}")
    return Finding(
        check="port.gateway",
        level=Level.PROBLEM,
        about=about,
        saw="the system forbids to listen there",
        why=why,
        remedy="\n".join(steps) or "server: {port: 4400}",
        fix=None
        if found.free is None or found.config is None
        else OtherPort(path=found.config, port=found.free),
    )
