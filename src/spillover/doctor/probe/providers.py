"""Ask providers for their models, with the key and by the way that requests go.

Nothing is asked that is billed or counted as a completion. Refuses to judge; what the answer means is
told by the gateway's own tables.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import msgspec

from spillover import __version__
from spillover.catalogue import Provider
from spillover.clock import SystemClock
from spillover.config.addresses import under
from spillover.config.dialects import VERSIONS
from spillover.config.routing import Endpoint
from spillover.core.evidence import TransportFault
from spillover.doctor.judge.answers import LONGEST, Asked, Reply
from spillover.doctor.probe.reach import skew_of
from spillover.protocols.model_lists import models_in, whole_list
from spillover.protocols.quota_headers import read_quota
from spillover.protocols.records import failure_of
from spillover.upstream import Order, UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.doctor.probe.subject import Subject
    from spillover.upstream import Upstream

CONNECT_S: Final = 3.0
MOST: Final = 8 << 20
"""Bytes of a list of models; OpenRouter's has half a million."""
_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": f"spillover/{__version__}",
}
_ERROR: Final = 400


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Profiles that share an address and a key: one question answers for all of them."""

    far: Endpoint
    entry: Provider | None
    profiles: tuple[str, ...]


def groups(subject: Subject) -> tuple[Group, ...]:
    """Return whom to ask, each once."""
    routing = subject.routing
    if routing is None:
        return ()
    found: dict[tuple[str, str], list[str]] = {}
    for name in subject.profiles:
        far = routing.endpoints[name]
        found.setdefault((far.base_url, far.key_print), []).append(name)
    return tuple(
        Group(
            far=routing.endpoints[names[0]],
            entry=subject.catalogue.provider(routing.profiles[names[0]].provider),
            profiles=tuple(names),
        )
        for names in found.values()
    )


def about(group: Group, subject: Subject) -> Asked:
    """Return what is known of some profiles without asking anyone."""
    if subject.routing is None:
        raise AssertionError("groups come of a routing")
    catalogue, entry = subject.catalogue, group.entry
    profiles = {name: subject.routing.profiles[name] for name in group.profiles}
    facts = {name: catalogue.model_facts(p.provider, p.model) for name, p in profiles.items()}
    return Asked(
        provider=profiles[group.profiles[0]].provider,
        profiles={name: each.model for name, each in profiles.items()},
        alternatives={name: each.alternatives for name, each in profiles.items()},
        retired={
            name: retired
            for name, each in profiles.items()
            if (retired := catalogue.retired(each.provider, each.model)) is not None
        },
        deprecated=tuple(name for name, each in facts.items() if each and each.deprecated),
        proves_key=entry is None or entry.models_prove_key,
        has_key=group.far.secret is not None,
    )


async def ask(group: Group, subject: Subject, upstream: Upstream) -> Asked:
    """Ask a provider for its models, and about the key where that proves nothing."""
    far, entry = group.far, group.entry
    path = entry.models_path if entry is not None else "/models"
    paths = [whole_list(path, far.protocol)]
    if entry is not None and entry.key_check is not None and far.secret is not None:
        paths.append(entry.key_check)
    urls = (under(far.base_url, each) for each in paths)
    listing, *proof = await asyncio.gather(*(fetch(url, far, upstream, subject) for url in urls))
    return msgspec.structs.replace(
        about(group, subject), listing=listing, key_check=proof[0] if proof else None
    )


async def fetch(url: str, far: Endpoint, upstream: Upstream, subject: Subject) -> Reply:
    """GET an address of a profile's origin as its requests go; never raises."""
    order = Order(
        method="GET",
        url=url,
        headers=_HEADERS | VERSIONS.get(far.protocol, {}) | far.headers(),
        body=b"",
        connect_s=CONNECT_S,
        loopback=far.is_loopback,
    )
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(subject.answer_s):
            exchange = await upstream.open(order, _unheard)
            try:
                headers = {name.lower(): value for name, value in exchange.headers.items()}
                body = await exchange.read_all(MOST)
            finally:
                exchange.close()
    except TimeoutError:
        return Reply(url=url, error=f"no answer within {subject.answer_s:g} s")
    except UpstreamBroken as error:
        refused = error.fault is TransportFault.REFUSED
        words = "connection refused" if refused else str(error) or error.fault.value
        return Reply(url=url, error=words)
    except (ValueError, OSError) as error:
        return Reply(url=url, error=str(error) or type(error).__name__)
    took_ms = (time.monotonic() - began_s) * 1_000
    provider = "" if subject.routing is None else subject.routing.profiles[far.profile].provider
    redact = str if subject.loaded is None else subject.loaded.redactor.redact
    reply = read(exchange.status, headers, body, provider=provider)
    return msgspec.structs.replace(
        reply, url=url, took_ms=took_ms, message=redact(reply.message)[:LONGEST]
    )


def read(status: int, headers: Mapping[str, str], body: bytes, *, provider: str) -> Reply:
    """Return what an answer to a question for models says; header names are in lower case."""
    now = SystemClock().now()
    failure = None
    if status >= _ERROR:
        failure = failure_of(
            {"provider": provider, "status": status, "headers": headers, "body": body, "now": now}
        )
    page = headers.get("content-type", "").lower().startswith("text/html")
    return Reply(
        url="",
        status=status,
        failure=None if failure is None else failure.failure,
        message="" if failure is None else " ".join(failure.message.split()),
        models=None if status >= _ERROR else models_in(body),
        is_page=page,
        location=headers.get("location", ""),
        stated=read_quota(provider, headers, now),
        skew_s=skew_of(headers.get("date")),
    )


def _unheard() -> None:
    """Take no notice of the connection."""
