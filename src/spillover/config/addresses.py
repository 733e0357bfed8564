"""Say of hosts and URLs whether they can only mean this machine, and what a URL's origin is.

Refuses to resolve names: what a name means elsewhere is not asked.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, never bound
"""Addresses that mean all of a machine's, and the one to call each of them by from there."""


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is written as; a mapped one as what it maps to."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback_host(host: str) -> bool:
    """Return whether an address or name to listen on can be reached from this machine alone."""
    if host.lower().rstrip(".") == "localhost":
        return True
    address = address_of(host)
    return address is not None and address.is_loopback


def is_loopback(url: str) -> bool:
    """Return whether a URL can only mean this machine."""
    host = urlsplit(url).hostname or ""
    return host.endswith(".localhost") or is_loopback_host(host)


def origin(url: str) -> str:
    """Return scheme, host and port of a URL: what a credential is bound to."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname or ''}:{port}"


def under(base_url: str, path: str) -> str:
    """Return a path below a base URL; the queries that either has (`?api-version=…`) are joined."""
    base, _, query = base_url.partition("?")
    path, _, more = path.partition("?")
    queries = "&".join(filter(None, (query, more)))
    return f"{base.rstrip('/')}{path}{'?' if queries else ''}{queries}"
