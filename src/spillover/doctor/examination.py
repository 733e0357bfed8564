"""Examine a set-up: all checks at once, within ten seconds, each judged as soon as its facts are in.

Refuses to know how findings are shown, and sends nothing that is billed.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from spillover import __version__
from spillover.clock import SystemClock
from spillover.doctor.findings import Finding, Level
from spillover.doctor.judge import answers, keys, network, ports, proxies, servers, settings
from spillover.doctor.judge import leftovers as remains
from spillover.doctor.judge import machine as machines
from spillover.doctor.judge import state as states
from spillover.doctor.probe import files, leftovers, machine, managed, providers, state
from spillover.doctor.probe import ports as own_port
from spillover.doctor.probe import servers as local
from spillover.doctor.probe.reach import way_to
from spillover.doctor.probe.subject import Subject, this_system
from spillover.doctor.table import rank
from spillover.events.kinds import iso
from spillover.upstream import HttpUpstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from spillover.doctor.probe.providers import Group
    from spillover.upstream import Upstream

WITHIN_S: Final = 9.0
"""How long a check may take; all run at once."""


class Job(NamedTuple):
    """One group of checks; `check` is the one that did not end, where it takes too long."""

    title: str
    check: str
    work: Awaitable[Iterable[Finding]]


async def examine(subject: Subject, tell: Callable[[str, int, int], None]) -> list[Finding]:
    """Return what was found, in the table's order; `tell` hears of each group that is done."""
    done = 0
    async with _upstream() as upstream:
        jobs = [*_own(subject), *_far(subject, upstream)]

        async def run(job: Job) -> list[Finding]:
            nonlocal done
            found = await bounded(job)
            done += 1
            tell(job.title, done, len(jobs))
            return found

        found = await asyncio.gather(*(run(job) for job in jobs))
    return in_order(each for group in found for each in group)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order of the table, each once."""
    return sorted(dict.fromkeys(findings), key=lambda each: rank(each.check))


async def bounded(job: Job, within_s: float = WITHIN_S) -> list[Finding]:
    """Return what a job found, or that it did not end in time."""
    try:
        async with asyncio.timeout(within_s):
            return list(await job.work)
    except TimeoutError:
        return [
            Finding(
                check=job.check,
                level=Level.PROBLEM,
                about=job.title,
                saw=f"no answer within {within_s:g} s",
                why="what takes so long here holds up requests too",
                remedy="spillover doctor",
            )
        ]


@asynccontextmanager
async def _upstream() -> AsyncIterator[Upstream]:
    upstream = HttpUpstream()
    try:
        yield upstream
    finally:
        await upstream.close()


def _own(subject: Subject) -> list[Job]:
    """Return the checks that look at this machine."""
    return [
        Job("configuration", "config.file", asyncio.to_thread(_settings, subject)),
        Job("keys", "env.key", asyncio.to_thread(_keys, subject)),
        Job("port", "port.gateway", _port(subject)),
        Job("state", "state.file", asyncio.to_thread(_state, subject)),
        Job("machine", "system.loopback", asyncio.to_thread(_machine, subject)),
    ]


def _far(subject: Subject, upstream: Upstream) -> list[Job]:
    """Return the checks of the providers: one for each host, with all that is asked there."""
    hosts: dict[tuple[str, int, bool], list[Group]] = {}
    near: list[Group] = []
    for group in providers.groups(subject):
        if group.far.is_loopback:
            near.append(group)
            continue
        parts = urlsplit(group.far.base_url)
        secure = parts.scheme == "https"
        port_ = parts.port or (443 if secure else 80)
        hosts.setdefault((parts.hostname or "", port_, secure), []).append(group)
    jobs = [
        Job(host[0], "net.tcp", _host(host, groups, subject, upstream))
        for host, groups in hosts.items()
    ]
    return [*jobs, Job("local servers", "server.local", _near(near, subject, upstream))]


def _settings(subject: Subject) -> list[Finding]:
    system, loaded, routing = this_system(), subject.loaded, subject.routing
    found = [*settings.permissions(files.accesses(subject), system, check="config.permissions")]
    if loaded is None or routing is None:
        return [
            *settings.unusable(subject.problems, subject.path, exists=subject.path.exists()),
            *found,
        ]
    return [
        *settings.usable(loaded, subject.path),
        *found,
        *settings.chains(routing),
        *settings.limits(routing, loaded.catalogue),
    ]


def _keys(subject: Subject) -> list[Finding]:
    system, around = this_system(), files.surroundings(subject)
    return [
        *keys.surroundings(around, system),
        *keys.keys(files.keys(subject), around, system),
        *proxies.proxies(files.proxies(subject), system),
    ]


async def _port(subject: Subject) -> list[Finding]:
    found = await own_port.port(subject)
    return [*ports.ports(found, this_system(), __version__)]


def _state(subject: Subject) -> list[Finding]:
    system = this_system()
    private = settings.permissions(files.state_accesses(subject), system, check="state.permissions")
    left = remains.leftovers(leftovers.leftovers(subject))
    return [*states.state(state.state(subject), system), *private, *left]


def _machine(subject: Subject) -> list[Finding]:
    server = None if subject.loaded is None else subject.loaded.config.server
    host, number = ("127.0.0.1", 4400) if server is None else (server.host, server.port)
    return [*machines.machine(machine.machine(subject), host=host, port=number)]


async def _host(
    host: tuple[str, int, bool], groups: list[Group], subject: Subject, upstream: Upstream
) -> list[Finding]:
    """Go the way to a host, and ask there if it leads anywhere."""
    name, number, secure = host
    way = await way_to(name, number, secure=secure, resolver=subject.resolver)
    found = [*network.way(way, this_system(), SystemClock().now())]
    if not way.is_up:
        known = (providers.about(each, subject) for each in groups)
        return [*found, *(each for one in known for each in answers.endings(one, _today()))]
    asked = await asyncio.gather(*(providers.ask(each, subject, upstream) for each in groups))
    skews = [each.listing.skew_s for each in asked if each.listing.skew_s is not None]
    if skews:
        found += network.clock(name, min(skews, key=abs), this_system())
    return [*found, *(each for one in asked for each in answers.answers(one, _today()))]


async def _near(groups: list[Group], subject: Subject, upstream: Upstream) -> list[Finding]:
    """Ask the local servers: those of profiles, and whoever else answers."""
    others, crew, asked = await asyncio.gather(
        local.others(subject),
        managed.crew(subject),
        asyncio.gather(*(providers.ask(each, subject, upstream) for each in groups)),
    )
    told = list(zip(groups, asked, strict=True))
    found = await asyncio.gather(
        *(local.server(group, one, subject, upstream, crew) for group, one in told)
    )
    judged: list[Finding] = []
    for server, one in zip(found, asked, strict=True):
        judged += servers.servers(local.elsewhere(server, others), this_system())
        if not server.error:
            judged += answers.answers(one, _today())
    return [*judged, *(servers.unused(each) for each in local.unused(others, subject))]


def _today() -> str:
    return iso(SystemClock().now())[:10]
