"""Say what a configuration from elsewhere would get hold of that the one in force does not have.

Programs that a gateway starts, and keys of this machine that go to another address. Known providers'
own keys go to their own addresses unasked. Refuses to know who is asked, and to show a key.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from spillover.config.addresses import is_loopback, origin
from spillover.config.findings import dotted
from spillover.config.homes import is_home, variables_in
from spillover.config.schema import Profile
from spillover.config.upstreams import upstream_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from spillover.catalogue import Catalogue
    from spillover.config.findings import KeyPath
    from spillover.config.loader import LoadedConfig

_ELSEWHERE: Final = ("keyring:", "file:")
_SECTIONS: Final = ("accounts", "profiles")

Use: TypeAlias = tuple[str, str]
"""A reference to a secret as written, and where it is sent."""


class Demands(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, in words."""

    commands: tuple[str, ...] = ()
    """Programs, as a shell has them."""
    keys: tuple[str, ...] = ()
    """Which key goes where."""

    def __bool__(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self.commands or self.keys)


def demands(
    new: LoadedConfig, old: LoadedConfig | None, own: Catalogue, *, unset: Collection[str]
) -> Demands:
    """Return what `new` would have that `old` has not.

    `own` is this machine's catalogue: what the other says of addresses proves nothing. Variables that
    are `unset` have no value here, and give nothing away.
    """
    known = set() if old is None else set(_programs(old))
    ran = [each for each in dict.fromkeys(_programs(new)) if each not in known]
    used = {} if old is None else dict(_uses(old))
    sent = {use: place for use, place in _uses(new) if use not in used}
    return Demands(
        commands=tuple(ran),
        keys=tuple(
            f"{text} goes to {where} ({place})"
            for (text, where), place in sent.items()
            if _is_given(text, unset) and not _is_usual(text, where, own)
        ),
    )


def _programs(loaded: LoadedConfig) -> Iterator[str]:
    """Yield each program with its arguments, its variables and its log, as they are written."""
    for section in _SECTIONS:
        for entry in _mapping(loaded.document.get(section)).values():
            server = _mapping(_mapping(entry).get("upstream"))
            if server:
                given = _mapping(server.get("env")).items()
                words = [
                    *(f"{name}={value}" for name, value in given),
                    *map(str, server["command"]),
                ]
                log = f" >> {shlex.quote(str(server['log']))}" if server.get("log") else ""
                yield shlex.join(words) + log


def _uses(loaded: LoadedConfig) -> Iterator[tuple[Use, str]]:
    """Yield each reference to a secret with where it is sent, and the setting in which it stands."""
    for section in _SECTIONS:
        for name, entry in _mapping(loaded.document.get(section)).items():
            where = _address(loaded, section, str(name))
            for path, text in _strings(entry, (section, str(name))):
                if path[2] != "upstream" and _is_reference(text):
                    yield (text, where), dotted(path)
    for name in loaded.config.profiles:
        where = _address(loaded, "profiles", name)
        for variable in _implied(loaded, name):
            yield (f"${{{variable}}}", where), dotted(("profiles", name))
    for path, text in _strings(loaded.document.get("notify"), ("notify",)):
        if _is_reference(text):
            yield (text, "notices"), dotted(path)


def _address(loaded: LoadedConfig, section: str, name: str) -> str:
    """Return where an entry's requests go; an address that holds a variable is shown as written."""
    config = loaded.config
    profile = Profile(account=name) if section == "accounts" else config.profiles[name]
    source = config.accounts.get(profile.account or "") or profile
    place = ("accounts", profile.account) if profile.account else (section, name)
    written = _mapping(_mapping(loaded.document.get(place[0])).get(place[1])).get("base_url")
    if source.base_url is not None and "${" in str(written):
        return str(written)
    far = upstream_of(profile, config, catalogue=loaded.catalogue, environ=loaded.environ)
    return origin(far.base_url)


def _implied(loaded: LoadedConfig, name: str) -> Iterator[str]:
    """Yield the variable that a profile without a key of its own takes its key from."""
    config = loaded.config
    profile = config.profiles[name]
    source = config.accounts.get(profile.account or "") or profile
    far = upstream_of(profile, config, catalogue=loaded.catalogue, environ=loaded.environ)
    if source.api_key is None and far.secret is not None and far.entry is not None:
        yield next(each for each in far.entry.key_env if loaded.environ.get(each))


def _is_reference(text: str) -> bool:
    return bool(variables_in(text)) or text.strip().startswith(_ELSEWHERE)


def _is_given(text: str, unset: Collection[str]) -> bool:
    """Whether there is a secret here behind a reference."""
    names = variables_in(text)
    return not names or any(each not in unset for each in names)


def _is_usual(text: str, where: str, own: Catalogue) -> bool:
    """Whether a known provider's key goes where it belongs, or nothing leaves this machine."""
    if "${" in where:
        return False
    if where.partition("://")[1] and is_loopback(where):
        return True
    names = variables_in(text)
    return text == f"${{{''.join(names)}}}" and is_home(names[0], where, own)


def _strings(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for key, entry in value.items():
                yield from _strings(entry, (*path, str(key)))
        case list():
            for number, entry in enumerate(value):
                yield from _strings(entry, (*path, number))
        case _:
            pass


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
