"""Take a key that comes with an edit: where it is, how the file refers to it, where it may go.

Over HTTP a variable or an entry of the key ring may go to its own provider alone; a key that is
pasted goes where the profile goes, for whoever pastes it has it already.
Refuses to show a key.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.config.expansion import from_keyring
from spillover.config.guard import bindings, origin_of, own_origin
from spillover.config.keeping import forget, keep
from spillover.config.secrets import Secret
from spillover.errors import EditRefused, RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spillover.catalogue import Provider
    from spillover.config.loader import LoadedConfig

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_ENTRY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/-]{0,199}")


class KeyKind(StrEnum):
    """Where a key that is given is."""

    ENV = "env"
    KEYRING = "keyring"
    PASTE = "paste"


class GivenKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that comes with an edit."""

    kind: KeyKind
    name: str = ""
    """Of the variable, or of the key ring's entry."""
    secret: Secret | None = None
    """One that was pasted."""

    def reference(self, profile: str, *, folder: Path) -> str:
        """Return how a file in `folder` refers to it; one that was pasted is kept first."""
        match self.kind:
            case KeyKind.ENV:
                return f"${{{self.name}}}"
            case KeyKind.KEYRING:
                return f"keyring:{self.name}"
            case KeyKind.PASTE:
                return keep(self.secret or Secret(""), profile, folder=folder)

    def drop(self, reference: str, *, folder: Path) -> None:
        """Take it away again, if it was kept for an edit that came to nothing."""
        if self.kind is KeyKind.PASTE:
            forget(reference, folder=folder)


def read_key(given: object) -> GivenKey | None:
    """Return the key of a body: `{"env": …}`, `{"keyring": …}` or `{"paste": …}`, None of null.

    Raises RequestError, which does not repeat what was given.
    """
    if given is None:
        return None
    expected = 'one of {"env": "NAME"}, {"keyring": "NAME"} and {"paste": "…"}'
    if not isinstance(given, dict) or len(given) != 1:
        raise RequestError(f"key: expected {expected}", param="key")
    ((kind, value),) = given.items()
    if kind not in set(KeyKind) or not isinstance(value, str):
        raise RequestError(f"key: expected {expected}", param="key")
    if kind == KeyKind.PASTE:
        return GivenKey(kind=KeyKind.PASTE, secret=Secret(value))
    form = _VARIABLE if kind == KeyKind.ENV else _ENTRY
    if form.fullmatch(value) is None:
        raise RequestError(f"key.{kind}: expected a plain name", param="key")
    return GivenKey(kind=KeyKind(kind), name=value)


def check_grant(loaded: LoadedConfig, profile: str, given: GivenKey) -> None:
    """Refuse a key that would go where it must not, in the configuration as edited.

    Raises EditRefused.
    """
    if given.kind is KeyKind.PASTE:
        return
    where = origin_of(loaded, profile)
    own = own_origin(loaded, profile)
    if own is None or where != own:
        raise _refused(given, "goes to its provider's own address alone: paste the key for another")
    entry = loaded.catalogue.provider(loaded.config.profiles[profile].provider or "")
    _check_name(entry, given)
    if given.kind is KeyKind.KEYRING:
        reference = f"keyring:{given.name}"
        if any(at != where for known, at in bindings(loaded) if known == reference):
            raise _refused(given, "goes elsewhere already")


def secret_of(
    given: GivenKey | None, entry: Provider, loaded: LoadedConfig, environ: Mapping[str, str]
) -> Secret | None:
    """Return a key itself, to ask its own provider with; None where none was given.

    Raises EditRefused and RequestError.
    """
    if given is None:
        return None
    if given.kind is KeyKind.PASTE:
        return given.secret
    _check_name(entry, given)
    if given.kind is KeyKind.ENV:
        value = environ.get(given.name, "").strip()
        if not value:
            raise RequestError(f"{given.name} is not set", param="key")
        return Secret(value)
    reference = f"keyring:{given.name}"
    theirs = {
        at
        for name, profile in loaded.config.profiles.items()
        if (loaded.catalogue.provider(profile.provider or "") or entry).id == entry.id
        for at in [own_origin(loaded, name)]
    }
    if any(known == reference and at not in theirs for known, at in bindings(loaded)):
        raise _refused(given, "is another provider's")
    try:
        return Secret(from_keyring(given.name))
    except (LookupError, ValueError) as error:
        raise RequestError(str(error.args[0]), param="key") from None


def _check_name(entry: Provider | None, given: GivenKey) -> None:
    if given.kind is KeyKind.ENV and (entry is None or given.name not in entry.key_env):
        known = ", ".join(entry.key_env) if entry is not None else ""
        raise _refused(given, f"is not this provider's variable ({known or 'it has none'})")


def _refused(given: GivenKey, why: str) -> EditRefused:
    return EditRefused("not_by_api", f"the {given.kind} key {given.name!r} {why}", status=403)


def key_settings(reference: str | None) -> dict[str, Any]:
    """Return the setting that refers to a key."""
    return {} if reference is None else {"api_key": reference}
