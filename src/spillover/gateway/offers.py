"""Answer what could be added: keys and servers that are there, and the models of a provider.

Refuses to add anything. What only these routes need is loaded when one is first asked for.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Any, Final

from spillover.config.addresses import origin
from spillover.config.routing import DEFAULT
from spillover.core.values import METRIC_SCALE, Tier
from spillover.engine.status import window_name
from spillover.errors import EditRefused, RequestError
from spillover.gateway.admin import no_provider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.catalogue import Catalogue, Provider
    from spillover.config.discovery import Found
    from spillover.config.loader import LoadedConfig
    from spillover.engine.models import Listed
    from spillover.gateway.routes import Inquiry

_TIERS: Final = (Tier.LOCAL, Tier.FREE, Tier.PAID)


async def discovery(inquiry: Inquiry) -> None:
    """Answer which keys and local servers no profile uses yet."""
    from spillover.config.discovery import local_servers, whatever_is_there

    loaded = inquiry.gateway.editing.loaded
    known = loaded.catalogue
    servers = await local_servers(known, loaded.environ)
    found = whatever_is_there(loaded.environ, servers, known)
    simulated = inquiry.gateway.editing.is_blank
    unused = [each for each in found if simulated or not _is_used(each, loaded)]
    chains = loaded.config.chains
    chain = DEFAULT if simulated or DEFAULT in chains else next(iter(chains), DEFAULT)
    document = {
        "keys": [_key(each, known, chain) for each in unused if each.variable is not None],
        "servers": [_server(each, known, chain) for each in unused if each.server is not None],
    }
    await inquiry.visit.answer_json(200, document)


def _is_used(found: Found, loaded: LoadedConfig) -> bool:
    """Whether a profile goes to the server, or to the provider with this key."""
    from spillover.config.upstreams import upstream_of

    for profile in loaded.config.profiles.values():
        far = upstream_of(
            profile, loaded.config, catalogue=loaded.catalogue, environ=loaded.environ
        )
        if found.server is not None:
            if origin(far.base_url) == origin(found.server.base_url):
                return True
        elif found.variable is not None and far.provider == found.name:
            key = loaded.environ[found.variable].strip()
            if far.secret is not None and far.secret.reveal() == key:
                return True
    return False


def _key(found: Found, known: Catalogue, chain: str) -> dict[str, Any]:
    settings = {name: value for name, value in found.profile.items() if name != "api_key"}
    key = {"key": {"env": found.variable}}
    return {**_offer(found, known), "variable": found.variable} | {
        "add": {"name": found.name, **settings, **key, "chain": chain}
    }


def _server(found: Found, known: Catalogue, chain: str) -> dict[str, Any]:
    server = found.server
    return {
        **_offer(found, known),
        "base_url": found.profile["base_url"],
        "models": [] if server is None else list(server.models),
        "add": {"name": found.name, **found.profile, "chain": chain},
    }


def _offer(found: Found, known: Catalogue) -> dict[str, Any]:
    entry = known.provider(found.name)
    return {
        "provider": found.name,
        "name": found.name if entry is None else entry.name,
        "model": found.profile["model"],
        "tier": found.tier.value,
    }


async def models(inquiry: Inquiry) -> None:
    """Answer the models that a provider lists for a key, with what is known of them."""
    from spillover.config.grants import read_key, secret_of
    from spillover.engine.models import own_upstream

    body: dict[str, Any] = await inquiry.fields(dict[str, Any])
    if body.keys() - {"key"}:
        raise RequestError(f"no field is called {min(body.keys() - {'key'})[:80]!r}; there is: key")
    loaded = inquiry.gateway.editing.loaded
    entry = _provider(loaded.catalogue, inquiry.names["provider"])
    given = read_key(body.get("key"))
    secret = await asyncio.to_thread(secret_of, given, entry, loaded, loaded.environ)
    if given is None:
        secret = own_upstream(entry, loaded.catalogue, loaded.environ).secret
    listed = await inquiry.engine.list_models(entry, secret)
    problem = None
    if listed.problem is not None:
        said = loaded.redactor.redact(listed.problem)
        if secret is not None:
            said = said.replace(secret.reveal(), str(secret))
        problem = {"status": listed.status, "message": said}
    await inquiry.visit.answer_json(200, _listing(entry, loaded.catalogue, listed, problem))


def _provider(known: Catalogue, name: str) -> Provider:
    entry = known.provider(name)
    if entry is None:
        raise EditRefused("not_found", no_provider(known, name), status=404)
    return entry


def _listing(
    entry: Provider, known: Catalogue, listed: Listed, problem: Mapping[str, Any] | None
) -> dict[str, Any]:
    names = listed.models if problem is None else tuple(known.models(entry.id))
    found = [_model(entry, name, known) for name in names]
    found.sort(key=lambda each: (_TIERS.index(Tier(each["tier"])), each["rank"] or inf))
    default = entry.default_model.id
    return {
        "provider": entry.id,
        "asked": listed.url.partition("?")[0],
        "problem": problem,
        "models": found,
        "default": default if default in names else None,
    }


def _model(entry: Provider, name: str, known: Catalogue) -> dict[str, Any]:
    from spillover.catalogue import Kind
    from spillover.config.discovery import can_count_free
    from spillover.config.facts import is_cloud_model

    facts = known.model_facts(entry.id, name)
    free = known.is_free(entry.id, name) or name.endswith(":free")
    own = entry.kind is Kind.LOCAL and not is_cloud_model(name)
    limits = known.free_limits(entry.id, name)
    price = None if facts is None or facts.price_usd is None else facts.price_usd
    countable = limits is not None and can_count_free(entry, name, known)
    return {
        "id": name,
        "known": facts is not None,
        "tier": (Tier.LOCAL if own else Tier.FREE if free else Tier.PAID).value,
        "rank": known.rank(entry.id, name),
        "context_tokens": None if facts is None else facts.context_tokens,
        "max_output_tokens": None if facts is None else facts.max_output_tokens,
        "price": None if price is None else {"input": price[0], "output": price[1]},
        "lacks": [] if facts is None else sorted(each.value for each in facts.lacks),
        "deprecated": facts is not None and facts.deprecated,
        "limits": None if limits is None else [_limit(each) for each in limits],
        "propose": {"limits": "free"} if countable else {},
    }


def _limit(limit: Any) -> dict[str, Any]:
    scale = METRIC_SCALE.get(limit.metric, 1)
    return {
        "metric": limit.metric.value,
        "amount": limit.amount if scale == 1 else limit.amount / scale,
        "per": limit.per,
        "window": window_name(limit.window),
        "scope": limit.scope.value,
    }
