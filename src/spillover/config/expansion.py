"""Put environment variables, key rings and files in the place of what names them.

Expansion comes after parsing and touches string values alone, so a variable can neither add keys
nor change the structure. Refuses to know which fields there are, but for those that hold secrets.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.config.findings import Finding, KeyPath, is_at
from spillover.config.secrets import MissingSecret, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE: Final = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\{[^}]*\}?)")
_NAMES_A_VARIABLE: Final = re.compile(
    r"(?:\$|\{|)(?P<name>(?<=[${])[A-Za-z_][A-Za-z0-9_]*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:KEY|TOKEN))\}?"
)
"""What people write for `${NAME}`: `$NAME`, `{NAME}`, `NAME_KEY`. No provider's keys look so."""
_LARGEST_SECRET: Final = 65_536

SECRET_PLACES: Final = (
    ("server", "client_keys", "*"),
    ("server", "admin_key"),
    ("accounts", "*", "api_key"),
    ("profiles", "*", "api_key"),
    ("accounts", "*", "headers", "*"),
    ("profiles", "*", "headers", "*"),
    ("accounts", "*", "upstream", "env", "*"),
    ("profiles", "*", "upstream", "env", "*"),
    ("notify", "*"),
    ("notify", "*", "to"),
)
"""Where a string is a credential, or may hold one: it is kept as a `Secret`."""


class Expanded(msgspec.Struct, frozen=True, kw_only=True):
    """A document with everything expanded, and what went wrong on the way."""

    document: Any
    faults: tuple[Finding, ...]
    """Strings that can't be expanded."""
    files: tuple[Path, ...]
    """Files that secrets were read from: to be watched."""
    warnings: tuple[Finding, ...]


class Unset(ValueError):
    """A variable without a default is not set."""

    def __init__(self, variable: str) -> None:
        self.variable = variable
        super().__init__(f"{variable} is not set")


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Return the text with `${VAR}`, `${VAR:-default}` and `$$` put in place.

    The default holds where the variable is unset or empty. Raises Unset, or ValueError for a
    malformed `${…}`.
    """

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name, default = match[1], match[2]
        if name is None:
            raise ValueError("${VARIABLE} or ${VARIABLE:-default}")
        found = environ.get(name, "")
        if found or default is not None:
            return found or default or ""
        raise Unset(name)

    return _VARIABLE.sub(value, text)


def expand_document(document: Any, environ: Mapping[str, str], *, folder: Path) -> Expanded:
    """Return the document with every string value expanded; `file:` is relative to the folder."""
    walk = _Walk(environ, folder)
    expanded = walk.value(document, ())
    return Expanded(
        document=expanded,
        faults=tuple(walk.faults),
        files=tuple(walk.files),
        warnings=tuple(walk.warnings),
    )


class _Walk:
    """One pass over a document, gathering faults."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self.faults: list[Finding] = []
        self.warnings: list[Finding] = []
        self.files: list[Path] = []

    def value(self, value: Any, path: KeyPath) -> Any:
        match value:
            case dict():
                return {key: self.value(entry, (*path, key)) for key, entry in value.items()}
            case list():
                return [self.value(entry, (*path, place)) for place, entry in enumerate(value)]
            case str() if is_secret(path):
                return self._secret(value, path)
            case str() if "$" in value:
                return self._plain(value, path)
            case _:
                return value

    def _plain(self, text: str, path: KeyPath) -> str:
        try:
            return expand(text, self._environ)
        except Unset as unset:
            expected = f"the environment variable {unset.variable} to be set"
        except ValueError as error:
            expected = str(error)
        self.faults.append(Finding(path=path, found=repr(text), expected=expected))
        return text

    def _secret(self, text: str, path: KeyPath) -> Secret | MissingSecret | None:
        """A credential; None where it is written as nothing."""
        named = _NAMES_A_VARIABLE.fullmatch(text.strip())
        if named:
            meant = f"${{{named['name']}}}"
            expected = f"{meant}, which stands for that variable's value"
            self.faults.append(Finding(path=path, found=repr(text), expected=expected))
            return None
        try:
            source = expand(text, self._environ).strip()
        except Unset as unset:
            return self._missing(str(unset), path)
        except ValueError as error:
            self.faults.append(Finding(path=path, found=repr(text), expected=str(error)))
            return None
        kind, _, name = source.partition(":")
        try:
            if kind == "keyring" and name:
                return Secret(from_keyring(name))
            if kind == "file" and name:
                return Secret(self._from_file(name, path))
        except LookupError as error:
            return self._missing(str(error.args[0]), path)
        except ValueError as error:
            self.faults.append(Finding(path=path, found=repr(source), expected=str(error)))
            return None
        return Secret(source) if source else None

    def _missing(self, wanted: str, path: KeyPath) -> MissingSecret:
        """A key may be missing, for what it opens stays shut; the rest is refused."""
        if path[0] == "notify" or "headers" in path or path[2:4] == ("upstream", "env"):
            self.faults.append(Finding(path=path, found=wanted, expected="a value"))
        return MissingSecret(wanted)

    def _from_file(self, name: str, path: KeyPath) -> str:
        file = self._folder / Path(name).expanduser()
        self.files.append(file)
        try:
            with file.open("rb") as opened:
                content = opened.read(_LARGEST_SECRET + 1)
            mode = file.stat().st_mode
        except OSError as error:
            raise LookupError(f"file {name} can't be read ({error.strerror})") from None
        if len(content) > _LARGEST_SECRET:
            raise ValueError("a file of 64 KiB at most that holds one secret")
        if mode & 0o004:
            advice = f"a file that others can't read (chmod 600 {name})"
            self.warnings.append(Finding(path=path, found=f"file {name}", expected=advice))
        try:
            text = content.decode().strip()
        except UnicodeDecodeError:
            raise ValueError("a file of UTF-8 text") from None
        if not text:
            raise LookupError(f"file {name} is empty")
        return text


def from_keyring(name: str) -> str:
    """Return a secret of the machine's key ring, service `spillover`.

    Raises LookupError where it holds none, ValueError where there is no key ring to ask.
    """
    try:
        import keyring  # noqa: PLC0415 (an extra, loaded when a configuration asks for it)
        from keyring.errors import KeyringError  # noqa: PLC0415 (the same)
    except ImportError:
        raise ValueError('the extra "keyring" (pip install "spillover[keyring]")') from None
    try:
        found = keyring.get_password("spillover", name)
    except KeyringError as error:
        raise ValueError(f"a key ring that answers ({error})") from None
    if not found:
        raise LookupError(f"the key ring holds no {name!r} for the service 'spillover'")
    return found


def is_secret(path: KeyPath) -> bool:
    """Return whether a credential stands at a place, or may."""
    return any(is_at(path, place) for place in SECRET_PLACES)
