"""Decide which dialect an upstream is spoken to in, at which address, and how its key is presented.

Refuses to know what any dialect says: `spillover.protocols` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from spillover.config.addresses import origin
from spillover.config.findings import Finding
from spillover.core.values import Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.catalogue import Provider
    from spillover.config.findings import KeyPath
    from spillover.config.schema import Account, Profile

NATIVE: Final = {
    # https://platform.claude.com/docs/en/api/overview
    ("anthropic", Protocol.ANTHROPIC): "https://api.anthropic.com/v1",
    # https://ai.google.dev/api
    ("gemini", Protocol.GEMINI): "https://generativelanguage.googleapis.com/v1beta",
}
"""Base addresses where a provider speaks another dialect than at its usual one."""
_PREFERRED: Final = {"anthropic": Protocol.ANTHROPIC}
"""Who is spoken to in its own dialect unless another is written: Anthropic's layer for OpenAI's clients
is for trials alone (https://platform.claude.com/docs/en/api/openai-sdk)."""
_AT_USUAL: Final = {"openai": Protocol.RESPONSES, "azure": Protocol.RESPONSES}
"""Who speaks another dialect at its usual address too."""
PATHS: Final = {
    Protocol.OPENAI: "/chat/completions",
    Protocol.RESPONSES: "/responses",
    Protocol.ANTHROPIC: "/messages",
    Protocol.GEMINI: "/models",
}
"""Where conversations go below the base address; Gemini's name the model behind it."""
_AUTH: Final = {
    Protocol.ANTHROPIC: ("x-api-key", None),
    Protocol.GEMINI: ("x-goog-api-key", None),
}
VERSIONS: Final = {Protocol.ANTHROPIC: {"anthropic-version": "2023-06-01"}}
"""Headers that say which version of a dialect is spoken:
https://platform.claude.com/docs/en/api/versioning; a client of the same protocol says its own."""
_BEARER: Final = ("Authorization", "Bearer")
_CLOSED: Final = {
    "bedrock": "AWS's own protocol signs each request with keys that expire, and streams in binary",
    "vertex": "Google Cloud's own addresses name projects and places, and publishers for each model",
}
"""Whose own protocol is not spoken, and why."""


def protocol_of(source: Profile | Account, entry: Provider | None) -> Protocol:
    """Return the dialect of an upstream: as written, else its provider's at the provider's address."""
    if source.protocol is not None:
        return source.protocol
    if entry is None or entry.id not in _PREFERRED:
        return Protocol.OPENAI
    preferred = _PREFERRED[entry.id]
    own = source.base_url is None or origin(source.base_url) == origin(entry.base_url)
    return preferred if own else Protocol.OPENAI


def spoken_by(entry: Provider) -> tuple[Protocol, ...]:
    """Return the dialects that a provider of the catalogue is spoken to in, the usual one first."""
    usual = _PREFERRED.get(entry.id, Protocol.OPENAI)
    known = {
        Protocol.OPENAI,
        *(protocol for provider, protocol in NATIVE if provider == entry.id),
        *([_AT_USUAL[entry.id]] if entry.id in _AT_USUAL else []),
    }
    return usual, *(protocol for protocol in Protocol if protocol in known - {usual})


def address_of(protocol: Protocol, entry: Provider | None) -> str | None:
    """Return where a provider speaks a dialect, if not at its usual address."""
    return None if entry is None else NATIVE.get((entry.id, protocol))


def auth_of(protocol: Protocol, entry: Provider | None) -> tuple[str, str | None]:
    """Return the header that a key goes in, and the word before it."""
    if protocol in _AUTH:
        return _AUTH[protocol]
    return _BEARER if entry is None else (entry.auth.header, entry.auth.scheme)


def faults(source: Profile | Account, path: KeyPath, entry: Provider | None) -> Iterator[Finding]:
    """Yield what is wrong with an upstream's dialect."""
    closed = _closed(source, entry)
    if closed is not None:
        yield Finding(
            path=(*path, "protocol" if source.protocol is not None else "base_url"),
            found=f"{closed}'s own protocol",
            expected=f"provider: {closed} alone, which goes to its OpenAI-compatible address: "
            f"{_CLOSED[closed]}",
        )
    elif (
        source.protocol not in {None, Protocol.OPENAI}
        and entry is not None
        and source.base_url is None
        and (entry.id, source.protocol) not in NATIVE
        and _AT_USUAL.get(entry.id) is not source.protocol
    ):
        yield Finding(
            path=(*path, "protocol"),
            found=f"{str(source.protocol)!r}, without an address where {entry.id} speaks it",
            expected="base_url: of that address, or openai",
        )


def _closed(source: Profile | Account, entry: Provider | None) -> str | None:
    """Return whose own protocol is asked for, of those that are not spoken."""
    foreign = source.protocol not in {None, Protocol.OPENAI}
    if entry is not None and entry.id in _CLOSED and foreign:
        return entry.id
    parts = urlsplit(source.base_url or "")
    host = parts.hostname or ""
    if host.startswith("bedrock-runtime.") and host.endswith(".amazonaws.com"):
        return None if "/openai" in parts.path and not foreign else "bedrock"
    if host.endswith("aiplatform.googleapis.com"):
        return None if "/endpoints/openapi" in parts.path and not foreign else "vertex"
    return None
