"""Decide where a profile's requests go and with which credential.

A credential found in the environment goes to its own provider's address alone: a configuration that
names another address must name the key for it too. Refuses to know limits, tiers and chains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import msgspec

from spillover.catalogue import Catalogue, Provider
from spillover.config.addresses import WILDCARDS, origin
from spillover.config.dialects import address_of, protocol_of
from spillover.config.routing import UsageEndpoint
from spillover.config.secrets import MissingSecret, Secret
from spillover.core.values import CUSTOM_PROVIDER, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.config.schema import Account, Config, Profile


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """The far end of a profile."""

    provider: str
    entry: Provider | None
    """The catalogue's entry; None for an address the catalogue doesn't know."""
    base_url: str
    account: str | None
    """Name of the account as written; None: it follows from provider, address and key."""
    secret: Secret | None
    missing: str | None
    """What is missing to make a request: `GROQ_API_KEY is not set`."""
    headers: tuple[tuple[str, Secret], ...]
    protocol: Protocol = Protocol.OPENAI

    @property
    def home(self) -> str:
        """The address that accounts go by: a provider is one, whatever dialect it is spoken to in."""
        if self.entry is not None and self.base_url == address_of(self.protocol, self.entry):
            return self.entry.base_url
        return self.base_url


def upstream_of(
    profile: Profile, config: Config, *, catalogue: Catalogue, environ: Mapping[str, str]
) -> Upstream:
    """Return where a profile's requests go; its names must have been checked."""
    account = config.accounts.get(profile.account) if profile.account else None
    source: Profile | Account = account or profile
    entry = catalogue.provider(source.provider) if source.provider else None
    protocol = protocol_of(source, entry)
    written = source.base_url or address_of(protocol, entry)
    base_url, unset = _base_url(written, entry, environ)
    secret, wanted = _credential(source, entry, environ, base_url=base_url)
    headers = {**(account.headers if account else {}), **profile.headers}
    return Upstream(
        provider=entry.id if entry else CUSTOM_PROVIDER,
        entry=entry,
        protocol=protocol,
        base_url=base_url,
        account=profile.account,
        secret=secret,
        missing=wanted or unset,
        headers=tuple(
            (name, value) for name, value in headers.items() if isinstance(value, Secret)
        ),
    )


def _base_url(
    written: str | None, entry: Provider | None, environ: Mapping[str, str]
) -> tuple[str, str | None]:
    """The address, and which variable is missing to complete it."""
    if written is not None or entry is None:
        return written or "", None
    for variable in entry.address_env:
        if environ.get(variable):
            return served_at(environ[variable], entry.base_url), None
    unset = [name for name in entry.places if not environ.get(name)]
    if unset:
        verb = "is" if len(unset) == 1 else "are"
        return entry.base_url, f"{' and '.join(unset)} {verb} not set"
    return entry.base_url.format_map(environ), None


def usage_of(upstream: Upstream) -> UsageEndpoint | None:
    """Return where what is left of an upstream's account is asked, with its key.

    None where the catalogue knows no such place, there is no key, or the address is not the
    provider's own: what stands elsewhere under the same path is not known.
    """
    entry = upstream.entry
    if entry is None or entry.quota_endpoint is None or upstream.secret is None:
        return None
    place = entry.quota_endpoint
    if place.answer is None or not _is_own(upstream.base_url, entry):
        return None
    parts = urlsplit(upstream.base_url)
    url = urlunsplit((parts.scheme, parts.netloc, place.path, "", ""))
    return UsageEndpoint(url=url, form=place.answer)


def served_at(address: str, usual: str) -> str:
    """Return the base URL for a server's address as its own variable writes it (`host:port`).

    What the address leaves out (scheme, port, path) is taken from the usual base URL.
    """
    default = urlsplit(usual)
    parts = urlsplit(address if "//" in address else f"//{address}")
    try:
        port = parts.port
    except ValueError:
        port = None
    host = WILDCARDS.get(parts.hostname or "", parts.hostname) or default.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    if port is None and not parts.scheme:
        port = default.port
    netloc = shown if port is None else f"{shown}:{port}"
    path = parts.path.rstrip("/") or default.path
    return urlunsplit((parts.scheme or default.scheme, netloc, path, "", ""))


def _credential(
    source: Profile | Account,
    entry: Provider | None,
    environ: Mapping[str, str],
    *,
    base_url: str,
) -> tuple[Secret | None, str | None]:
    """The key, and what is missing where there should be one."""
    match source.api_key:
        case MissingSecret(wanted=wanted):
            return None, wanted
        case Secret() as secret:
            return secret, None
        case None:
            pass
    if entry is None or (source.base_url is not None and not _is_own(base_url, entry)):
        return None, None
    for variable in entry.key_env:
        if environ.get(variable):
            return Secret(environ[variable].strip()), None
    if entry.auth.optional:
        return None, None
    if not entry.key_env:
        return None, "api_key is not given"
    return None, f"{' or '.join(entry.key_env)} is not set"


def _is_own(base_url: str, entry: Provider) -> bool:
    """Whether an address is the provider's own origin."""
    return origin(base_url) == origin(entry.base_url)
