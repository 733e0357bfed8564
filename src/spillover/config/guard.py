"""Refuse edits by the admin API that are for the file alone.

Whoever may call the API must not be able to run a command, open the gateway, read a file or a
variable, or have a key sent elsewhere than the file says. Two whole configurations are compared, so
that no detour (anchors, merged keys, a list in another order) leads past it.
Refuses to know what the edit was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spillover.config.addresses import origin
from spillover.config.rewriting import same
from spillover.config.schema import Account, Profile
from spillover.config.upstreams import upstream_of
from spillover.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.config.findings import KeyPath
    from spillover.config.loader import LoadedConfig

_ENTRIES: Final = ("profiles", "accounts")
FILE_ALONE: Final = ("api_key", "headers", "upstream")
"""Settings of profiles that only the file can change."""
_OPEN_ROOT: Final = frozenset(
    {"profiles", "chains", "routing_policy", "privacy", "aliases", "notify"}
)
_REFERENCES: Final = ("keyring:", "file:")

Bindings = set[tuple[str, str]]
"""Credentials as the file refers to them, each with an origin that it goes to."""


def refuse_foreign(old: dict[str, Any], new: dict[str, Any], *, granted: str | None) -> None:
    """Refuse what is for the file alone; `granted` is the reference to a key given with the edit.

    Raises EditRefused.
    """
    for key in old.keys() | new.keys():
        if key not in _OPEN_ROOT and not same(old.get(key), new.get(key)):
            raise _for_file(key)
    before, after = _mapping(old.get("profiles")), _mapping(new.get("profiles"))
    for name, profile in after.items():
        was = _mapping(before.get(name))
        for setting in FILE_ALONE:
            value = _mapping(profile).get(setting)
            given = setting == "api_key" and granted is not None and value == granted
            if not given and value is not None and not same(was.get(setting), value):
                raise _for_file(f"profiles.{name}.{setting}")
    known = {(_setting_of(place), text) for place, text in _expanding(old)}
    for place, text in _expanding(new):
        written = place[2:] == ("api_key",) and text == granted
        if not written and (_setting_of(place), text) not in known:
            raise _for_file(".".join(map(str, place)))


def refuse_rebinding(old: Bindings, new: Bindings, *, granted: str | None) -> None:
    """Refuse to have a credential sent elsewhere than before; raises EditRefused."""
    for reference, where in sorted(new - old):
        if reference != granted:
            raise EditRefused(
                "key_needed",
                f"a key would go to {where}, and the file does not say that it may: "
                "send the key with the change, or make it in the file",
            )


def bindings(loaded: LoadedConfig) -> Bindings:
    """Return where each written credential goes."""
    config, found = loaded.config, set()
    for section, kind in (("profiles", config.profiles), ("accounts", config.accounts)):
        written = _mapping(loaded.document.get(section))
        for name in kind:
            profile = config.profiles[name] if section == "profiles" else Profile(account=name)
            far = upstream_of(profile, config, catalogue=loaded.catalogue, environ=loaded.environ)
            sources = [written.get(name)]
            if profile.account is not None:
                sources.append(_mapping(loaded.document.get("accounts")).get(profile.account))
            for source in map(_mapping, sources):
                credentials = [source.get("api_key"), *_mapping(source.get("headers")).values()]
                found |= {(str(each), origin(far.base_url)) for each in credentials if each}
    return found


def own_origin(loaded: LoadedConfig, name: str) -> str | None:
    """Return the origin that a profile's provider itself has; None: the catalogue knows none."""
    profile = loaded.config.profiles[name]
    source: Profile | Account = loaded.config.accounts.get(profile.account or "") or profile
    if source.provider is None:
        return None
    usual = Profile(provider=source.provider, protocol=source.protocol)
    far = upstream_of(usual, loaded.config, catalogue=loaded.catalogue, environ=loaded.environ)
    return origin(far.base_url)


def origin_of(loaded: LoadedConfig, name: str) -> str:
    """Return the origin that a profile's requests go to."""
    far = upstream_of(
        loaded.config.profiles[name],
        loaded.config,
        catalogue=loaded.catalogue,
        environ=loaded.environ,
    )
    return origin(far.base_url)


def _for_file(place: str) -> EditRefused:
    return EditRefused(
        "not_by_api",
        f"{place} can't be set so over HTTP: commands, addresses to listen on, keys, headers and "
        "what stands for a variable or a file are for the file alone",
        status=403,
    )


def _expanding(document: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield every string that stands for something else: a variable, an entry of a key ring, a file."""
    for place, text in _strings(document, ()):
        secret = place[2:3] in {("api_key",), ("headers",)} or place[:1] == ("notify",)
        if "${" in text or (secret and text.strip().startswith(_REFERENCES)):
            yield place, text


def _setting_of(place: KeyPath) -> KeyPath:
    """The setting in which a string stands, wherever in it that is."""
    return place[:3] if place[0] in {*_ENTRIES, "chains"} else place[:1]


def _strings(value: Any, place: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    match value:
        case str():
            yield place, value
        case dict():
            for key, entry in value.items():
                yield from _strings(entry, (*place, key))
        case list():
            for number, entry in enumerate(value):
                yield from _strings(entry, (*place, number))
        case _:
            pass


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
