"""Decide which profiles share an account: one credential, one set of shared counters, one health.

An account's id goes into the ledger, so it is stable over restarts and holds no secret.
Refuses to know limits and chains.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.config.upstreams import Upstream

_PRINT_LENGTH: Final = 16
_ID_LENGTH: Final = 8


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one profile."""

    id: str
    """Ledger identity: the written name, or provider and salted fingerprint (`groq#1f0c93ab`)."""
    name: str
    """As shown to users: `groq`, `groq-2`."""


def fingerprint(salt: bytes, *parts: str, length: int = _PRINT_LENGTH) -> str:
    """Return a salted digest of some texts, in hexadecimal; without the salt it tells nothing."""
    message = "\0".join(parts).encode()
    return hmac.new(salt, message, hashlib.sha256).hexdigest()[:length]


def accounts_of(
    upstreams: Mapping[str, Upstream], written: Mapping[str, Upstream], *, salt: bytes
) -> dict[str, Identity]:
    """Return the account of each profile.

    `upstreams` are those of the profiles, `written` those of the accounts in the file. A profile
    that names an account is on it; one with the same provider, address and key as a written
    account is too; the rest share by provider, address and key (where the provider's quota belongs
    to a project or an IP address: by provider and address).
    """
    by_credential: dict[tuple[str, ...], str] = {}
    for name, upstream in written.items():
        if upstream.secret is not None:
            by_credential.setdefault(_credential(upstream), name)
    found: dict[str, Identity] = {}
    implicit: dict[tuple[str, ...], Identity] = {}
    names = set(written)
    for profile, upstream in upstreams.items():
        named = upstream.account or by_credential.get(_credential(upstream))
        if named is not None:
            found[profile] = Identity(id=named, name=named)
            continue
        shared = _shared(upstream)
        if shared not in implicit:
            print_ = fingerprint(salt, "account", *shared, length=_ID_LENGTH)
            shown = _unused(upstream.provider, names)
            names.add(shown)
            implicit[shared] = Identity(id=f"{upstream.provider}#{print_}", name=shown)
        found[profile] = implicit[shared]
    return found


def _credential(upstream: Upstream) -> tuple[str, ...]:
    key = upstream.secret.reveal() if upstream.secret is not None else ""
    return (upstream.provider, upstream.base_url, key)


def _shared(upstream: Upstream) -> tuple[str, ...]:
    """What profiles must have in common to share an account."""
    if upstream.entry is not None and upstream.entry.pool.ignores_keys:
        return (upstream.provider, upstream.base_url)
    return _credential(upstream)


def _unused(provider: str, names: set[str]) -> str:
    number = 1
    name = provider
    while name in names:
        number += 1
        name = f"{provider}-{number}"
    return name
