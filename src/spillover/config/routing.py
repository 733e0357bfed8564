"""What a configuration amounts to at run time: profiles, chains, and the far end of each profile.

Secrets stay in the endpoints, each bound to one origin; the core's values hold none.
Refuses to know how a configuration is written: `spillover.config.assemble` turns one into this.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

import msgspec

from spillover.config.findings import nearest
from spillover.config.secrets import Secret
from spillover.core.chains import Chain
from spillover.core.managed import Managed
from spillover.core.values import Profile, Protocol, RoutingPolicy, StreamUsage
from spillover.errors import UnknownModel
from spillover.protocols.usage_answers import UsageForm

AUTO: Final = "auto"
DEFAULT: Final = "default"


class UsageEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a provider says what is left of an account, at the endpoint's own origin."""

    url: str
    form: UsageForm


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The far end of one profile: its addresses, and the credential that goes there alone."""

    profile: str
    protocol: Protocol
    base_url: str
    chat_url: str
    completions_url: str
    embeddings_url: str
    auth_header: str
    auth_scheme: str | None
    """Word before the key (`Bearer`); None: the bare key."""
    secret: Secret | None
    extra_headers: tuple[tuple[str, Secret], ...] = ()
    stream_usage: StreamUsage = StreamUsage.ASK
    first_token_s: float | None = None
    """How long the first token may take here, where the catalogue knows it takes longer."""
    errors_in_text: bool = False
    """It tells errors as the assistant's words, inside answers of 200."""
    probe_every_s: float | None = None
    """How often it is probed while nothing else is heard of it; None: never by itself."""
    is_loopback: bool = False
    """It is on this machine: the proxy variables of the environment don't count."""
    usage: UsageEndpoint | None = None
    """None: there is none that is read, or no key to ask with."""
    key_print: str = ""
    """Fingerprint of the key; another one ends `failed`."""
    config_print: str = ""
    """Fingerprint of the profile's settings and key; another one ends `failed`."""

    def headers(self) -> dict[str, str]:
        """Return the headers that authenticate a request, in the clear: for this origin alone."""
        found = {name: value.reveal() for name, value in self.extra_headers}
        if self.secret is not None:
            key = self.secret.reveal()
            found[self.auth_header] = f"{self.auth_scheme} {key}" if self.auth_scheme else key
        return found


class ManagedServer(msgspec.Struct, frozen=True, kw_only=True):
    """A local server to run, what its environment adds, and the profiles that it serves."""

    spec: Managed
    env: tuple[tuple[str, Secret], ...]
    profiles: tuple[str, ...]

    def environ(self) -> dict[str, str]:
        """Return what the configuration adds to its environment, in the clear: for it alone."""
        return {name: value.reveal() for name, value in self.env}


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """A client's model name, or a glob of them, and the chain or profile it stands for."""

    pattern: str
    target: str


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that serving needs of a configuration."""

    profiles: dict[str, Profile]
    chains: dict[str, Chain]
    """The written ones, in order."""
    endpoints: dict[str, Endpoint]
    """By profile."""
    alone: dict[str, Chain]
    """By profile: the chain of it alone, for clients that name it."""
    aliases: tuple[Alias, ...] = ()
    managed: tuple[ManagedServer, ...] = ()
    """The local servers to run, each once."""
    default: str = DEFAULT
    """The chain for `auto` and for requests that name no model."""

    def resolve(self, model: str | None) -> Chain:
        """Return the chain a client's model means; raises UnknownModel.

        Looked up as chain, profile (alone, without fallback), alias in the order written;
        `auto` and none mean the default chain.
        """
        if not model:
            return self.chains[self.default]
        found = self._named(model)
        if found is not None:
            return found
        if model == AUTO:
            return self.chains[self.default]
        for alias in self.aliases:
            if alias.pattern == model or fnmatchcase(model, alias.pattern):
                target = self._named(alias.target)
                if target is not None:
                    return target
        names = self.names()
        raise UnknownModel(model, names=names, nearest=nearest(model, names))

    def is_private(self, name: str) -> bool:
        """Return whether only local profiles may serve a chain, or a profile named alone.

        One that is gone is bound by what is said of all.
        """
        found = self._named(name)
        said = self.alone.values() if found is None else (found,)
        return any(each.privacy or each.routing_policy is RoutingPolicy.LOCAL_ONLY for each in said)

    def _named(self, name: str) -> Chain | None:
        return self.chains.get(name) or self.alone.get(name)

    def names(self) -> tuple[str, ...]:
        """Return what clients may name: chains, profiles, and aliases that are no globs."""
        plain = (alias.pattern for alias in self.aliases if not set(alias.pattern) & set("*?["))
        return tuple(dict.fromkeys((*self.chains, *self.profiles, *plain)))
