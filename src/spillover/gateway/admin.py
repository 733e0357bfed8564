"""Answer `/api`: how things stand, and what users change by hand.

Every change is answered with how what was changed stands now. Refuses to decide anything: the
engine does, and its words are handed on.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from spillover.catalogue.documents import document, whole
from spillover.core.values import Operation
from spillover.engine.engine import unknown
from spillover.errors import RequestError
from spillover.gateway.bodies import read_body
from spillover.gateway.notices import KEPT
from spillover.gateway.proxy import read_call
from spillover.gateway.queries import Query

if TYPE_CHECKING:
    from datetime import date

    from spillover.catalogue import Catalogue
    from spillover.engine import Engine
    from spillover.gateway.routes import Inquiry


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a change that takes no settings."""


class Clearing(msgspec.Struct, forbid_unknown_fields=True):
    """Whose usage is to be zeroed."""

    profile: str | None = None
    """None: everyone's."""


class Pinning(msgspec.Struct, forbid_unknown_fields=True):
    """Which profile is to come first in a chain."""

    profile: str | None
    """None: undo it."""
    strict: bool = False
    """It alone may serve."""


async def openapi(inquiry: Inquiry) -> None:
    """Answer what routes there are."""
    from spillover.gateway.openapi import description  # noqa: PLC0415 - seldom needed

    await inquiry.visit.answer_json(200, description(inquiry.engine.status()["version"]))


async def status(inquiry: Inquiry) -> None:
    """Answer how every chain and profile stands."""
    await inquiry.visit.answer_json(200, inquiry.engine.status())


async def profiles(inquiry: Inquiry) -> None:
    """Answer how every profile stands."""
    await inquiry.visit.answer_json(200, {"profiles": inquiry.engine.status()["profiles"]})


async def profile(inquiry: Inquiry) -> None:
    """Answer how one profile stands."""
    await inquiry.visit.answer_json(200, _profile(inquiry.engine, inquiry.names["profile"]))


async def chains(inquiry: Inquiry) -> None:
    """Answer how every chain stands."""
    await inquiry.visit.answer_json(200, {"chains": inquiry.engine.status()["chains"]})


async def chain(inquiry: Inquiry) -> None:
    """Answer how one chain stands."""
    await inquiry.visit.answer_json(200, _chain(inquiry.engine, inquiry.names["chain"]))


async def enable(inquiry: Inquiry) -> None:
    """Let a profile serve again, whatever kept it from it."""
    await _switch(inquiry, disabled=False)


async def disable(inquiry: Inquiry) -> None:
    """Keep a profile from serving."""
    await _switch(inquiry, disabled=True)


async def _switch(inquiry: Inquiry, *, disabled: bool) -> None:
    await inquiry.fields(Nothing)
    name = inquiry.names["profile"]
    await inquiry.engine.set_disabled(name, disabled=disabled)
    await inquiry.visit.answer_json(200, _profile(inquiry.engine, name))


async def probe(inquiry: Inquiry) -> None:
    """Send a profile one completion of one token, and answer what came of it."""
    await inquiry.fields(Nothing)
    name = inquiry.names["profile"]
    found = await inquiry.engine.probe(name)
    await inquiry.visit.answer_json(200, {**_profile(inquiry.engine, name), "probe": found})


async def clear_cooldown(inquiry: Inquiry) -> None:
    """End a profile's cooldown and spent quota."""
    await inquiry.fields(Nothing)
    name = inquiry.names["profile"]
    await inquiry.engine.clear_cooldown(name)
    await inquiry.visit.answer_json(200, _profile(inquiry.engine, name))


async def pin(inquiry: Inquiry) -> None:
    """Put a profile first in a chain, or undo that."""
    wanted = await inquiry.fields(Pinning)
    name = inquiry.names["chain"]
    await inquiry.engine.pin(name, wanted.profile, strict=wanted.strict)
    await inquiry.visit.answer_json(200, _chain(inquiry.engine, name))


async def clear_usage(inquiry: Inquiry) -> None:
    """Zero the usage of one profile, or of all."""
    wanted = await inquiry.fields(Clearing)
    await inquiry.engine.clear_usage(wanted.profile)
    cleared = list(inquiry.engine.routing.profiles) if wanted.profile is None else [wanted.profile]
    await inquiry.visit.answer_json(200, {"cleared": cleared})


async def restart_upstreams(inquiry: Inquiry) -> None:
    """Start the local servers that the gateway runs anew."""
    await inquiry.fields(Nothing)
    await inquiry.visit.answer_json(202, {"restarting": inquiry.engine.restart_upstreams()})


async def explain(inquiry: Inquiry) -> None:
    """Answer who would serve a chat request now, and why the others would not."""
    visit = inquiry.visit
    most = inquiry.gateway.settings.max_body
    body = await read_body(visit.receive, visit.headers, most=most)
    call = read_call(body, Operation.CHAT, visit.headers, request_id=visit.request_id)
    await visit.answer_json(200, inquiry.engine.explain(call))


async def notices(inquiry: Inquiry) -> None:
    """Answer the latest notices, and how the sending goes."""
    limit = Query(inquiry.visit, ("limit",)).number("limit", KEPT, KEPT)
    told = inquiry.gateway.notices
    answer = {"notices": told.latest(limit), "targets": told.status()}
    await inquiry.visit.answer_json(200, answer)


async def try_notices(inquiry: Inquiry) -> None:
    """Send a test to every place that is told, and answer which those are."""
    await inquiry.fields(Nothing)
    told = inquiry.gateway.notices
    told.test()
    await inquiry.visit.answer_json(200, {"targets": told.status()})


async def catalogue(inquiry: Inquiry) -> None:
    """Answer every provider that is known, with its free tier."""
    known, today = inquiry.engine.catalogue, _today(inquiry.engine)
    # Some tens of milliseconds for a thousand models: requests must not wait for it.
    await inquiry.visit.answer_json(200, await asyncio.to_thread(whole, known, today))


async def provider(inquiry: Inquiry) -> None:
    """Answer one provider, with its models."""
    known, name = inquiry.engine.catalogue, inquiry.names["provider"]
    entry = known.provider(name)
    if entry is None:
        raise RequestError(no_provider(known, name), code="not_found", status=404)
    await inquiry.visit.answer_json(200, document(entry, known, _today(inquiry.engine)))


def no_provider(known: Catalogue, name: str) -> str:
    """Say that the catalogue has no such provider, and which ones are named much like it."""
    near = known.nearest(name)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"the catalogue has no provider {name[:80]!r}{hint}"


def _today(engine: Engine) -> date:
    return datetime.fromtimestamp(engine.clock.now(), UTC).date()


def _profile(engine: Engine, name: str) -> dict[str, Any]:
    return _named("profile", name, engine.status()["profiles"])


def _chain(engine: Engine, name: str) -> dict[str, Any]:
    return _named("chain", name, engine.status()["chains"])


def _named(kind: str, name: str, documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    if name not in documents:
        raise unknown(kind, name, documents)
    return {"name": name, **documents[name]}
