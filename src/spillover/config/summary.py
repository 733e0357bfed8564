"""Say what a configuration file says, for forms: each setting as written, keys as references alone.

Refuses to show a credential, and to know how things stand at run time.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from spillover.config.edits import chains_with, is_implicit, member_name, members_of
from spillover.config.guard import FILE_ALONE, origin_of
from spillover.config.routing import DEFAULT
from spillover.config.schema import Chain, Profile
from spillover.config.secrets import masked
from spillover.config.upstreams import upstream_of
from spillover.config.versions import revision_of_entry
from spillover.core.notices import DESKTOP

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.config.loader import LoadedConfig

_Kind = TypeVar("_Kind")

PROFILE_SETTINGS: Final = tuple(name for name in Profile.model_fields if name not in FILE_ALONE)
CHAIN_SETTINGS: Final = tuple(Chain.model_fields)
_VARIABLE: Final = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\}")


def summary(loaded: LoadedConfig) -> dict[str, Any]:
    """Return everything that forms show."""
    document = loaded.document
    found = {
        "routing_policy": loaded.config.routing_policy.value,
        "privacy": loaded.config.privacy,
        "aliases": dict(document.get("aliases") or {}),
        "notify": notices(document),
        "accounts": list(loaded.config.accounts),
        "profiles": {name: _profile(loaded, name) for name in loaded.config.profiles},
        "chains": {name: _chain(loaded, name) for name in loaded.config.chains or (DEFAULT,)},
    }
    return _redacted(found, loaded.redactor.redact)


def profile(loaded: LoadedConfig, name: str) -> dict[str, Any]:
    """Return a profile's settings as written, where its key comes from, and its chains."""
    return _redacted(_profile(loaded, name), loaded.redactor.redact)


def chain(loaded: LoadedConfig, name: str) -> dict[str, Any]:
    """Return a chain's settings as written, its profiles each in the long form."""
    return _redacted(_chain(loaded, name), loaded.redactor.redact)


def _profile(loaded: LoadedConfig, name: str) -> dict[str, Any]:
    written = (loaded.document.get("profiles") or {}).get(name) or {}
    chains = chains_with(loaded.document, name)
    return {
        **{setting: written.get(setting) for setting in PROFILE_SETTINGS},
        "key": _key(loaded, name, written),
        "fixed": [each for each in ("headers", "upstream") if written.get(each)],
        "chains": [DEFAULT] if is_implicit(loaded.document) else list(chains),
        "revision": revision_of_entry(loaded.document, "profiles", name),
    }


def _chain(loaded: LoadedConfig, name: str) -> dict[str, Any]:
    implicit = is_implicit(loaded.document)
    everyone = list(loaded.document.get("profiles") or {})
    written = everyone if implicit else loaded.document["chains"][name]
    settings = written if isinstance(written, dict) else {}
    return {
        **{setting: settings.get(setting) for setting in CHAIN_SETTINGS},
        "profiles": [
            member if isinstance(member, dict) else {"profile": member_name(member)}
            for member in members_of(written)
        ],
        "implicit": implicit,
        "revision": revision_of_entry(loaded.document, "chains", name),
    }


def notices(document: dict[str, Any]) -> list[Any]:
    """Return the places that notices go to, each as `notice` has it.

    Addresses that look alike without their tokens are numbered, so that each is found again.
    """
    found: list[Any] = []
    seen: Counter[str] = Counter()
    for written in document.get("notify") or ():
        shown = notice(written)
        address = str(_address(shown))
        seen[address] += 1
        if seen[address] > 1:
            numbered = f"{address} ({seen[address]})"
            shown = {**shown, "to": numbered} if isinstance(shown, dict) else numbered
        found.append(shown)
    return found


def notice(written: Any) -> Any:
    """Return where notices go, without the token that the address may hold."""
    if isinstance(written, dict):
        return {**written, "to": notice(written.get("to"))}
    text = str(written)
    scheme, found, rest = text.partition("://")
    if not found:
        return text if text == DESKTOP else _reference(text)
    return f"{scheme}://{masked(rest)}"


def unmasked(shown: Any, document: dict[str, Any]) -> Any:
    """Return where notices are to go, with the address that the document has for what is shown."""
    if isinstance(shown, dict):
        return {**shown, "to": unmasked(shown.get("to"), document)}
    for written, known in zip(document.get("notify") or (), notices(document), strict=True):
        if _address(known) == shown:
            return _address(written)
    return shown


def _address(place: Any) -> Any:
    return place.get("to") if isinstance(place, dict) else place


def _key(loaded: LoadedConfig, name: str, written: dict[str, Any]) -> dict[str, Any]:
    far = upstream_of(
        loaded.config.profiles[name],
        loaded.config,
        catalogue=loaded.catalogue,
        environ=loaded.environ,
    )
    raw = written.get("api_key")
    if far.account is not None:
        kind, reference = "account", far.account
    elif raw is not None:
        kind, reference = _kind(str(raw)), _reference(str(raw))
    elif far.entry is not None and far.entry.key_env and (far.secret or far.missing):
        kind = "default"
        held = [each for each in far.entry.key_env if loaded.environ.get(each)]
        reference = f"${{{(held or far.entry.key_env)[0]}}}"
    else:
        return {"kind": "none", "reference": None, "found": True, "origin": origin_of(loaded, name)}
    return {
        "kind": kind,
        "reference": reference,
        "found": far.secret is not None,
        "origin": origin_of(loaded, name),
    }


def _kind(raw: str) -> str:
    if "${" in raw:
        return "env"
    kind = raw.partition(":")[0]
    return kind if kind in {"keyring", "file"} and ":" in raw else "written"


def _reference(raw: str) -> str:
    """How the file refers to a credential; one that stands there itself is masked."""
    if raw.startswith(("keyring:", "file:")):
        return raw
    parts, end = [], 0
    for variable in _VARIABLE.finditer(raw):
        between = raw[end : variable.start()]
        default = ":-…" if variable["default"] else ""
        parts += [masked(between) if between else "", f"${{{variable['name']}{default}}}"]
        end = variable.end()
    rest = raw[end:]
    return "".join([*parts, masked(rest) if rest else ""])


def _redacted(value: _Kind, redact: Callable[[str], str]) -> _Kind:
    redacted: Any = _masked(value, redact)
    return cast("_Kind", redacted)


def _masked(value: Any, redact: Callable[[str], str]) -> Any:
    match value:
        case str():
            return redact(value)
        case dict():
            return {key: _masked(entry, redact) for key, entry in value.items()}
        case list():
            return [_masked(entry, redact) for entry in value]
        case _:
            return value
