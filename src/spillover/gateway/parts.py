"""Answer the parts of pages that are loaded by themselves: drawers, the wizard's steps, lists.

Each shows what `/api` answers. Refuses to change anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from spillover.catalogue.clients import Link, advice, started, written
from spillover.catalogue.clients import load as load_clients
from spillover.core.values import Operation
from spillover.dashboard import forms
from spillover.dashboard.sentences import sentences
from spillover.engine.engine import unknown
from spillover.errors import RequestError
from spillover.gateway import admin, offers, past, steering
from spillover.gateway.bodies import read_body
from spillover.gateway.overheard import overhear
from spillover.gateway.pages import is_demo, look_of, part
from spillover.gateway.proxy import read_call
from spillover.gateway.queries import asked
from spillover.gateway.routes import SMALL_BODY

if TYPE_CHECKING:
    from spillover.gateway.routes import Inquiry

_SMALL: Final = {"role": "user", "content": "hi"}
_BELL: Final = 50
"""Notices that a page lists."""


class Texts(msgspec.Struct, forbid_unknown_fields=True):
    """Sentences that a page got from `/api`."""

    texts: list[str]


async def why(inquiry: Inquiry) -> None:
    """Answer who would serve a small request of a chain now, and why not the others."""
    body = msgspec.json.encode({"model": inquiry.names["chain"], "messages": [_SMALL]})
    call = read_call(body, Operation.CHAT, {}, request_id=inquiry.visit.request_id)
    await part(inquiry, "part_why.html", {"why": inquiry.engine.explain(call)})


async def profile(inquiry: Inquiry) -> None:
    """Answer a profile's drawer: how it stands, what can be done about it, its settings."""
    name, chain = inquiry.names["profile"], asked(inquiry.visit).get("chain")
    document = await overhear(admin.profile, inquiry, names={"profile": name})
    chains = inquiry.engine.status()["chains"]
    config = await configuration(inquiry)
    settings = config["profiles"].get(name)
    members = chains[chain]["profiles"] if chain in chains else []
    context = {
        "name": name,
        "profile": document,
        "config": settings,
        "rows": [] if settings is None else forms.limit_rows(settings["limits"]),
        "chain": chain if chain in chains else None,
        "members": members,
        "revision": config["chains"].get(chain, {}).get("revision", ""),
        "pinned": chain in chains and chains[chain]["pinned"] == name,
    }
    await part(inquiry, "part_profile.html", context)


async def chain(inquiry: Inquiry) -> None:
    """Answer a chain's drawer: how it routes, and whom it could take in."""
    name = inquiry.names["chain"]
    document = await overhear(admin.chain, inquiry, names={"chain": name})
    config = await configuration(inquiry)
    if name not in config["chains"]:
        raise unknown("chain", name, config["chains"])
    settings = config["chains"][name]
    context = {
        "name": name,
        "config": settings,
        "after": forms.wait_of(settings["failback"], "after"),
        "wait": forms.wait_of(settings["when_exhausted"], "wait"),
        "members": document["profiles"],
        "missing": forms.missing_members(config, name),
        "pinned": document["pinned"],
    }
    await part(inquiry, "part_chain.html", context)


async def begin(inquiry: Inquiry) -> None:
    """Answer what begins a chain."""
    config = await configuration(inquiry)
    await part(inquiry, "part_begin.html", {"profiles": list(config["profiles"])})


async def add(inquiry: Inquiry) -> None:
    """Answer the wizard's first step: which provider."""
    found = await overhear(admin.catalogue, inquiry)
    context = {
        "providers": forms.providers(found),
        "chain": _joined(inquiry),
        "begins": str(inquiry.gateway.editing.path) if is_demo(inquiry) else None,
    }
    await part(inquiry, "part_add.html", context)


def _joined(inquiry: Inquiry) -> str:
    """Return the chain that a new profile joins; the demo's own is not kept in any file."""
    return "default" if is_demo(inquiry) else asked(inquiry.visit).get("chain", "")


async def key(inquiry: Inquiry) -> None:
    """Answer the wizard's second step: its key, its models and their limits."""
    found = await overhear(admin.provider, inquiry, names=inquiry.names)
    context = {"provider": found, "chain": _joined(inquiry)}
    await part(inquiry, "part_key.html", context)


async def models(inquiry: Inquiry) -> None:
    """Answer the models that a provider lists for the key that the wizard holds."""
    visit = inquiry.visit
    body = await read_body(visit.receive, visit.headers, most=SMALL_BODY)
    form = dict(parse_qsl(body.decode("utf-8", "replace")))
    try:
        given = msgspec.json.decode(form.get("key", "{}"))
    except msgspec.DecodeError:
        raise RequestError("the key's fields can't be read") from None
    sent = {"key": given} if given else {}
    found = await overhear(offers.models, inquiry, names=inquiry.names, body=sent)
    await part(inquiry, "part_models.html", {"found": found})


async def client(inquiry: Inquiry) -> None:
    """Answer what points a client at this gateway."""
    name, known = inquiry.names["client"], load_clients()
    entry = known.find(name)
    if entry is None:
        near = known.nearest(name)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise RequestError(f"no client is called {name[:80]!r}{hint}", code="not_found", status=404)
    link = _link(inquiry)
    context = {
        "client": entry,
        "texts": [(each.into, written(each, link)) for each in entry.parts],
        "start": started(entry, link),
        "advice": list(advice(entry, link)),
    }
    await part(inquiry, "part_client.html", context)


def _link(inquiry: Inquiry) -> Link:
    """Return what clients are told: the address that the page itself was asked at."""
    scheme = inquiry.visit.scope.get("scheme", "http")
    host = inquiry.visit.headers[b"host"].decode("latin-1")
    key = None if inquiry.gateway.settings.client_keys else Link().key
    return Link(address=f"{scheme}://{host}", model=inquiry.engine.routing.default, key=key)


async def fallbacks(inquiry: Inquiry) -> None:
    """Answer the table of the latest fallbacks."""
    query = asked(inquiry.visit)
    found = await overhear(past.fallbacks, inquiry, query={"limit": "50", **query})
    kept = urlencode({name: value for name, value in query.items() if name != "before"})
    await part(inquiry, "part_fallbacks.html", {"found": found, "query": kept})


async def requests(inquiry: Inquiry) -> None:
    """Answer the table of the latest requests."""
    found = await overhear(past.requests, inquiry, query=asked(inquiry.visit))
    await part(inquiry, "part_requests.html", {"found": found})


async def notices(inquiry: Inquiry) -> None:
    """Answer the latest notices, newest first."""
    found = await overhear(admin.notices, inquiry, query={"limit": str(_BELL)})
    await part(inquiry, "part_notices.html", found)


async def places(inquiry: Inquiry) -> None:
    """Answer how sending notices goes, by place."""
    found = await overhear(admin.notices, inquiry, query={"limit": "1"})
    await part(inquiry, "part_places.html", found)


async def said(inquiry: Inquiry) -> None:
    """Answer sentences of the gateway in the reader's language: its errors speak English."""
    asked_for = await inquiry.fields(Texts)
    retold = sentences(look_of(inquiry.visit).language)
    await inquiry.visit.answer_json(200, {"texts": [retold(each) for each in asked_for.texts]})


async def configuration(inquiry: Inquiry) -> dict[str, Any]:
    """Return what the configuration's file says."""
    found: dict[str, Any] = await overhear(steering.config, inquiry)
    return found
