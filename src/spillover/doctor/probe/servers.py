"""Look at the local servers of a set-up: up or not, healthy, which models, how large, how old.

Asks loopback addresses alone. Refuses to judge.
"""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from spillover.config.discovery import fetched, local_servers
from spillover.doctor.judge.ports import pid_of
from spillover.doctor.judge.servers import KINDS, Server, Unused, kind_of_program
from spillover.doctor.probe.managed import post
from spillover.doctor.probe.processes import holder_of, memory_and_age
from spillover.doctor.probe.providers import fetch
from spillover.doctor.probe.subject import this_system

if TYPE_CHECKING:
    from spillover.config.discovery import LocalServer
    from spillover.config.routing import ManagedServer
    from spillover.doctor.judge.answers import Asked
    from spillover.doctor.probe.managed import Crew
    from spillover.doctor.probe.providers import Group
    from spillover.doctor.probe.subject import Subject
    from spillover.upstream import Upstream

_READINESS: Final = "/health/readiness"
"""Where LiteLLM's proxy tells its version."""
_USUAL: Final = 80


async def server(
    group: Group, asked: Asked, subject: Subject, upstream: Upstream, found_crew: Crew
) -> Server:
    """Return how the local server of some profiles is; `asked` is what it answered."""
    parts = urlsplit(group.far.base_url)
    port = parts.port or _USUAL
    managed = managed_of(group, subject)
    kind = _kind(group, port, managed)
    found = Server(
        kind=kind,
        address=f"{parts.hostname}:{port}",
        profiles=dict(asked.profiles),
        error=asked.listing.error,
        models=asked.listing.models,
    )
    if managed is not None:
        found = msgspec.structs.replace(found, post=await post(managed, kind, found_crew))
    root = f"{parts.scheme}://{parts.netloc}"
    path = managed.spec.health if managed is not None else None
    path = path or (KINDS[kind].health if kind in KINDS else None)
    if path is not None and not found.error:
        health = await fetch(root + path, group.far, upstream, subject)
        found = msgspec.structs.replace(found, health=health.status or None)
    if kind == "litellm" and not found.error:
        found = msgspec.structs.replace(found, version=await _version(root))
    holder = await asyncio.to_thread(holder_of, port, this_system())
    measured = None
    pid = pid_of(holder)
    if pid is not None and not found.error and (managed is not None or kind == "litellm"):
        measured = await asyncio.to_thread(memory_and_age, pid)
    memory, age_s = measured or (None, None)
    return msgspec.structs.replace(found, holder=holder, memory=memory, age_s=age_s)


def _kind(group: Group, port: int, managed: ManagedServer | None) -> str:
    """Return which program it is: by the provider, its command, or the port that only one uses."""
    if group.entry is not None:
        return group.entry.id if group.entry.id in KINDS else ""
    if managed is not None:
        return kind_of_program(PurePath(managed.spec.command[0]).stem)
    return next((name for name, kind in KINDS.items() if kind.port == port), "")


def managed_of(group: Group, subject: Subject) -> ManagedServer | None:
    """Return the server of some profiles, if the gateway is to run one."""
    servers = () if subject.routing is None else subject.routing.managed
    return next((each for each in servers if group.far.profile in each.profiles), None)


async def _version(root: str) -> str:
    """Return LiteLLM's version, empty where it does not tell."""
    try:
        async with asyncio.timeout(1.0):
            told = msgspec.json.decode(await fetched(root + _READINESS))
    except (OSError, TimeoutError, ValueError):
        return ""
    return str(told.get("litellm_version") or "") if isinstance(told, dict) else ""


async def others(subject: Subject) -> tuple[LocalServer, ...]:
    """Return the local servers that answer at their usual addresses."""
    known = subject.environ if subject.loaded is None else subject.loaded.environ
    return await local_servers(subject.catalogue, known)


def unused(found: tuple[LocalServer, ...], subject: Subject) -> tuple[Unused, ...]:
    """Return those that no profile uses."""
    endpoints = () if subject.routing is None else subject.routing.endpoints.values()
    used = {at(far.base_url) for far in endpoints}
    return tuple(
        Unused(kind=each.provider, address=at(each.base_url), models=each.models)
        for each in found
        if at(each.base_url) not in used
    )


def elsewhere(server_: Server, found: tuple[LocalServer, ...]) -> Server:
    """Return a server that is down with the address at which one of its kind answers."""
    address = next((at(each.base_url) for each in found if each.provider == server_.kind), "")
    if not server_.error or not address or address == server_.address:
        return server_
    return msgspec.structs.replace(server_, elsewhere=address)


def at(url: str) -> str:
    """Return host and port of an address; this machine's name as its number."""
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return f"{host}:{parts.port or _USUAL}"
