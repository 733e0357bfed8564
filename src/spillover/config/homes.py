"""Say where a known provider's key belongs, and which profiles send one elsewhere.

Refuses to see keys: it goes by the names of the variables that hold them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from spillover.config.addresses import is_loopback, origin
from spillover.config.dialects import NATIVE
from spillover.config.findings import Finding
from spillover.config.schema import Profile
from spillover.config.upstreams import upstream_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spillover.catalogue import Catalogue, Provider
    from spillover.config.schema import Account, Config

_PLACE: Final = re.compile(r"\\\{[^}]*\\\}")
"""What a template of an address leaves open, as `re.escape` writes it: a part of the host's name."""
_REFERENCE: Final = re.compile(r"\$\$|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)")


def variables_in(text: str) -> list[str]:
    """Return the variables that a text of the configuration stands for."""
    return [each["name"] for each in _REFERENCE.finditer(text) if each["name"]]


def owner_of(variable: str, catalogue: Catalogue) -> Provider | None:
    """Return the provider whose key a variable holds by its name; the first of several."""
    return next((each for each in catalogue.providers.values() if variable in each.key_env), None)


def is_home(variable: str, url: str, catalogue: Catalogue) -> bool:
    """Whether an address is one of those that the variable's key is for."""
    where = origin(url)
    return any(
        _has(entry, where) for entry in catalogue.providers.values() if variable in entry.key_env
    )


def _has(entry: Provider, where: str) -> bool:
    """Whether a provider has an origin, in any of its dialects."""
    known = [entry.base_url, *(url for (name, _), url in NATIVE.items() if name == entry.id)]
    patterns = (_PLACE.sub("[a-z0-9-]+", re.escape(origin(each))) for each in known)
    return any(re.fullmatch(each, where) for each in patterns)


def astray(variable: str, url: str, catalogue: Catalogue) -> Provider | None:
    """Return whose key would go to an address that is not theirs; None: nobody's, or to this machine."""
    if is_loopback(url) or is_home(variable, url, catalogue):
        return None
    return owner_of(variable, catalogue)


def warnings(
    document: dict[str, Any], config: Config, catalogue: Catalogue, environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield where a known provider's key goes to somebody else's address."""
    sources: list[tuple[str, str, Account | Profile]] = [
        *(("accounts", name, each) for name, each in config.accounts.items()),
        *(("profiles", name, each) for name, each in config.profiles.items()),
    ]
    for section, name, source in sources:
        entry = document[section].get(name)  # a name may be written as a number
        written = entry.get("api_key") if isinstance(entry, dict) else None
        if source.base_url is None or not isinstance(written, str):
            continue
        profile = Profile(account=name) if section == "accounts" else config.profiles[name]
        url = upstream_of(profile, config, catalogue=catalogue, environ=environ).base_url
        for variable in variables_in(written):
            owner = astray(variable, url, catalogue)
            if owner is not None:
                yield Finding(
                    path=(section, name, "api_key"),
                    found=f"{variable}, the key of {owner.id}, for {origin(url)}, which is not theirs",
                    expected="a variable of another name, if this key may go there",
                )
