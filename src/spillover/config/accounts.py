"""Decide which profiles share an account: one credential, one set of shared counters, one health.

An account's id goes into the ledger, so it is the same in every process and holds no secret. It is
salted with the provider and the address, not with chance that the ledger would keep: a process must
know it before it can open its ledger.
Refuses to know limits and chains.
"""

from __future__ import annotations

import hashlib
import hmac
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.config.upstreams import Upstream

NOTHING_TOLD: Final[Mapping[str, str | None]] = MappingProxyType({})
_PRINT_LENGTH: Final = 16
_ID_LENGTH: Final = 8


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one profile."""

    id: str
    """Ledger identity: the written name, or provider and fingerprint (`groq#1f0c93ab`)."""
    name: str
    """As shown to users: `groq`, `groq-2`."""


def fingerprint(upstream: Upstream, *parts: str, length: int = _PRINT_LENGTH) -> str:
    """Return a digest of some texts in hexadecimal, salted with an upstream's provider and address.

    It is far too short to find a key by.
    """
    salt = f"spillover\0{upstream.provider}\0{upstream.home}"
    message = "\0".join(parts)
    return hmac.new(salt.encode(), message.encode(), hashlib.sha256).hexdigest()[:length]


def accounts_of(
    upstreams: Mapping[str, Upstream],
    written: Mapping[str, Upstream],
    *,
    told: Mapping[str, str | None] = NOTHING_TOLD,
) -> dict[str, Identity]:
    """Return the account of each profile.

    `upstreams` are those of the profiles, `written` those of the accounts in the file. A profile
    that names an account is on it; one with the same provider, address and key as a written
    account is too; the rest share by provider, address and key (where the provider's quota belongs
    to a project or an IP address: by provider and address). `told` are the ids of accounts that are
    known whatever the key is.
    """
    by_credential: dict[tuple[str, ...], str] = {}
    for name, upstream in written.items():
        if upstream.secret is not None:
            by_credential.setdefault(_credential(upstream), name)
    found: dict[str, Identity] = {}
    implicit: dict[str, Identity] = {}
    names = set(written)
    for profile, upstream in upstreams.items():
        named = upstream.account or told.get(profile) or by_credential.get(_credential(upstream))
        id_ = named or _implicit_id(upstream)
        if id_ in written:
            found[profile] = Identity(id=id_, name=id_)
            continue
        if id_ not in implicit:
            shown = _unused(upstream.provider, names)
            names.add(shown)
            implicit[id_] = Identity(id=id_, name=shown)
        found[profile] = implicit[id_]
    return found


def _key(upstream: Upstream) -> str:
    return upstream.secret.reveal() if upstream.secret is not None else ""


def _credential(upstream: Upstream) -> tuple[str, ...]:
    return (upstream.provider, upstream.home, _key(upstream))


def _implicit_id(upstream: Upstream) -> str:
    """Return the id that profiles share by provider, address and, where it matters, key."""
    by_key = upstream.entry is None or not upstream.entry.pool.ignores_keys
    key = (_key(upstream),) if by_key else ()
    print_ = fingerprint(upstream, "account", *key, length=_ID_LENGTH)
    return f"{upstream.provider}#{print_}"


def key_print(upstream: Upstream) -> str:
    """Return the fingerprint of an upstream's key, the empty one's where it has none."""
    return fingerprint(upstream, "key", _key(upstream))


def _unused(provider: str, names: set[str]) -> str:
    number = 1
    name = provider
    while name in names:
        number += 1
        name = f"{provider}-{number}"
    return name
