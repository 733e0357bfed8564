"""Find what can serve without any configuration: keys in the environment, local servers.

Returns a document as a file would hold it, so that it is checked and assembled like one. Probing
reaches loopback alone. Refuses to send a prompt anywhere, and to use a key that is not there.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from spillover.catalogue import Catalogue, Kind, Provider, TierKind
from spillover.config.addresses import is_loopback
from spillover.config.facts import is_cloud_model
from spillover.config.upstreams import served_at
from spillover.core.values import Metric, Tier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spillover.config.secrets import Secret

_TIERS: Final = (Tier.LOCAL, Tier.FREE, Tier.PAID)
"""The order of the chain."""
_MARKING: Final = frozenset({"llamacpp", "vllm"})
"""Servers on ports that anything may use: they name themselves as the `owned_by` of their models."""
_LARGEST_ANSWER: Final = 1_048_576
_EMBEDDING_WORDS: Final = ("embed", "bge-", "rerank")


class LocalServer(msgspec.Struct, frozen=True, kw_only=True):
    """A local server that answered, with its models in its own order."""

    provider: str
    base_url: str
    models: tuple[str, ...]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A profile that can be made of what is there."""

    name: str
    """The provider's id."""
    profile: dict[str, Any]
    tier: Tier
    variable: str | None = None
    """What holds its key."""
    server: LocalServer | None = None


def discovered(
    environ: Mapping[str, str], servers: Sequence[LocalServer], catalogue: Catalogue
) -> dict[str, Any] | None:
    """Return a configuration document over all keys and servers found, None if there is none.

    Local profiles come first, then free ones, each by the catalogue's rank, and paid ones last,
    behind the spend gate if there is anything before them. Each has the catalogue's default model and free limits.
    """
    return document_of(whatever_is_there(environ, servers, catalogue))


def document_of(found: Sequence[Found]) -> dict[str, Any] | None:
    """Return a configuration document of what was found, None of nothing."""
    if not found:
        return None
    chain: dict[str, Any] = {"profiles": [each.name for each in found]}
    if any(each.tier is not Tier.PAID for each in found):
        chain["spend_gate"] = {"on_quota": "ask"}
    return {
        "profiles": {each.name: each.profile for each in found},
        "chains": {"default": chain},
        "aliases": {"*": "default"},
    }


def whatever_is_there(
    environ: Mapping[str, str], servers: Sequence[LocalServer], catalogue: Catalogue
) -> list[Found]:
    """Return a profile for each key and server found: local ones, free ones, paid ones."""
    found = [each for server in servers if (each := _of_server(server)) is not None]
    for entry in catalogue.providers.values():
        variable = _key_variable(entry, environ, catalogue)
        if variable is not None and entry.default_model.id is not None:
            found.append(_of_key(entry, variable, entry.default_model.id, catalogue))
    return sorted(found, key=lambda each: (_TIERS.index(each.tier), _place(each, catalogue)))


def _of_server(server: LocalServer) -> Found | None:
    usable = [name for name in server.models if _is_chat_model(name)]
    if not usable:
        return None
    profile = {"provider": server.provider, "base_url": server.base_url, "model": usable[0]}
    return Found(name=server.provider, profile=profile, tier=Tier.LOCAL, server=server)


def _is_chat_model(name: str) -> bool:
    embeds = any(word in name.lower() for word in _EMBEDDING_WORDS)
    return not embeds and not is_cloud_model(name)


def _of_key(entry: Provider, variable: str, model: str, catalogue: Catalogue) -> Found:
    profile = {"provider": entry.id, "api_key": f"${{{variable}}}", "model": model}
    free = catalogue.is_free(entry.id, model)
    if free and can_count_free(entry, model, catalogue):
        profile["limits"] = "free"
    tier = Tier.FREE if free else Tier.PAID
    return Found(name=entry.id, profile=profile, tier=tier, variable=variable)


def can_count_free(entry: Provider, model: str, catalogue: Catalogue) -> bool:
    """Whether free figures are known, and what they count in is known per token."""
    limits = catalogue.free_limits(entry.id, model)
    facts = catalogue.model_facts(entry.id, model)
    counted_in_money = {Metric.COST, Metric.NEURONS}
    if limits is None:
        return False
    priced = facts is not None and facts.price_usd is not None
    return priced or not any(limit.metric in counted_in_money for limit in limits)


def _key_variable(entry: Provider, environ: Mapping[str, str], catalogue: Catalogue) -> str | None:
    """The variable that holds the provider's key, with all that its address needs."""
    if entry.tier_kind is TierKind.RETIRED or entry.kind is Kind.LOCAL:
        return None
    if any(not environ.get(name) for name in entry.places):
        return None
    for variable in entry.key_env:
        if environ.get(variable) and _belongs(variable, entry, catalogue):
            return variable
    return None


def _belongs(variable: str, entry: Provider, catalogue: Catalogue) -> bool:
    """A variable that is another provider's first one is not meant for this one."""
    return entry.key_env[0] == variable or not any(
        other.key_env[:1] == (variable,) for other in catalogue.providers.values()
    )


def _place(found: Found, catalogue: Catalogue) -> float:
    """The catalogue's rank; who has none comes after all who have, in the catalogue's order."""
    rank = catalogue.rank(found.name, found.profile["model"])
    return inf if rank is None else rank


async def local_servers(
    catalogue: Catalogue, environ: Mapping[str, str], *, timeout_s: float = 0.3
) -> tuple[LocalServer, ...]:
    """Return the local servers that answer with models; asks loopback addresses alone."""
    local = [entry for entry in catalogue.providers.values() if entry.kind is Kind.LOCAL]
    asked = await asyncio.gather(*(_ask(entry, environ, timeout_s) for entry in local))
    return tuple(server for server in asked if server is not None)


async def _ask(entry: Provider, environ: Mapping[str, str], timeout_s: float) -> LocalServer | None:
    address = next((environ[name] for name in entry.address_env if environ.get(name)), None)
    base_url = served_at(address, entry.base_url) if address else entry.base_url
    if not is_loopback(base_url):
        return None
    try:
        async with asyncio.timeout(timeout_s):
            models = _models(await fetched(f"{base_url}{entry.models_path}"), entry)
    except (OSError, TimeoutError, ValueError):
        return None
    return LocalServer(provider=entry.id, base_url=base_url, models=models) if models else None


async def fetched(url: str, *, key: Secret | None = None) -> bytes:
    """Return the body of a 200 of a plain local server; raises OSError or ValueError.

    In HTTP/1.0, so that it ends with the connection, not in chunks. `key` is the server's own.
    """
    parts = urlsplit(url)
    login = "" if key is None else f"Authorization: Bearer {key.reveal()}\r\n"
    host, port = parts.hostname or "", parts.port or 80
    reader, writer = await asyncio.open_connection(host, port)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        request = f"GET {target} HTTP/1.0\r\nHost: {parts.netloc}\r\nAccept: */*\r\n{login}\r\n"
        writer.write(request.encode())
        answer = bytearray()
        while len(answer) < _LARGEST_ANSWER and (part := await reader.read(65_536)):
            answer += part
    finally:
        writer.close()
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] != [b"200"]:
        raise ValueError("no 200")
    return body


class _Model(msgspec.Struct):
    id: str
    owned_by: str | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


def _models(body: bytes, entry: Provider) -> tuple[str, ...]:
    """The models of a server that is what it should be; msgspec's errors are ValueErrors.

    Stricter than `protocols.model_lists`, on purpose: nobody said that such a server is there, so an
    answer of any other form is taken for another program's.
    """
    listed = msgspec.json.decode(body, type=_Models).data
    if entry.id in _MARKING:
        listed = [model for model in listed if model.owned_by == entry.id]
    return tuple(model.id for model in listed)
