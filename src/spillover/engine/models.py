"""Ask a provider which models a key opens, at the provider's own address alone.

Refuses to know what is known of the models, and to follow anybody elsewhere.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec

from spillover import __version__
from spillover.config.addresses import is_loopback, under
from spillover.config.dialects import VERSIONS, auth_of
from spillover.config.schema import Config, Profile
from spillover.config.upstreams import Upstream, upstream_of
from spillover.protocols.model_lists import models_in, whole_list
from spillover.upstream import Order, UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.catalogue import Catalogue, Provider
    from spillover.config.secrets import Secret
    from spillover.upstream.exchange import Upstream as Way

WITHIN_S: Final = 10.0
CONNECT_S: Final = 5.0
MOST_BYTES: Final = 8_388_608
_LONGEST: Final = 300
_OK: Final = 200
_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": f"spillover/{__version__}",
}
_MODELS: Final = "/models"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider said."""

    url: str
    models: tuple[str, ...] = ()
    status: int | None = None
    """Of an answer that was no list."""
    problem: str | None = None
    """Why there is no list; not yet cleared of secrets."""


def own_upstream(provider: Provider, catalogue: Catalogue, environ: Mapping[str, str]) -> Upstream:
    """Return a provider's own far end, with the key that its usual variable holds."""
    profile = Profile(provider=provider.id)
    return upstream_of(profile, Config(), catalogue=catalogue, environ=environ)


async def list_models(way: Way, far: Upstream, secret: Secret | None) -> Listed:
    """Return the models that the provider lists for a key, or why it does not."""
    path = _MODELS if far.entry is None else far.entry.models_path
    url = under(far.base_url, whole_list(path, far.protocol))
    try:
        async with asyncio.timeout(WITHIN_S):
            status, body = await _answer(way, far, url, secret)
    except TimeoutError:
        return Listed(url=url, problem=f"no answer within {WITHIN_S:g} s")
    except (UpstreamBroken, ValueError) as error:
        return Listed(url=url, problem=str(error))
    if status != _OK:
        return Listed(url=url, status=status, problem=_said(body) or f"answered {status}")
    models = models_in(body)
    if models is None:
        return Listed(url=url, status=status, problem="the answer is no list of models")
    return Listed(url=url, models=models)


async def _answer(way: Way, far: Upstream, url: str, secret: Secret | None) -> tuple[int, bytes]:
    headers = _HEADERS | VERSIONS.get(far.protocol, {})
    if secret is not None:
        name, scheme = auth_of(far.protocol, far.entry)
        key = secret.reveal()
        headers[name] = f"{scheme} {key}" if scheme else key
    order = Order(
        method="GET",
        url=url,
        headers=headers,
        body=b"",
        connect_s=CONNECT_S,
        loopback=is_loopback(url),
    )
    exchange = await way.open(order, _nobody_waits)
    try:
        return exchange.status, await exchange.read_all(MOST_BYTES)
    finally:
        exchange.close()


def _nobody_waits() -> None:
    """Hear that the connection is up."""


def _said(body: bytes) -> str:
    """What an error's body says, in one line."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    if said is None and isinstance(answer, dict):
        said = answer.get("message")
    return " ".join(said.split())[:_LONGEST] if isinstance(said, str) else ""
