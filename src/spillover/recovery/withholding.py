"""Take the secrets out of a configuration's text: each becomes a variable to set.

A secret is what stands where secrets belong, what is in every place alike and what looks like one.
What can't be read as YAML has everything masked that may be one.
Refuses to know where the text goes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.config.document import parse
from spillover.config.findings import dotted
from spillover.config.rewriting import Unwritable, rewritten
from spillover.config.secrets import MASK, Redactor, Secret
from spillover.core.notices import DESKTOP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spillover.config.findings import KeyPath

_SHORTEST: Final = 6
"""Shorter values open nothing: `any`, `none`, `-`."""
_ELSEWHERE: Final = ("keyring:", "file:")
_BESIDE: Final = re.compile(r"\$\{[A-Za-z_]\w*(?::-)?\}|^\s*(?:Bearer|Basic)\s|\s", re.IGNORECASE)
"""What is no secret itself within one: variables without a default, and how a header begins."""
_HARMLESS_HEADERS: Final = frozenset(
    {"accept", "anthropic-beta", "anthropic-version", "content-type", "http-referer", "user-agent"}
    | {"openai-organization", "openai-project", "x-title"}
)
_IN_ADDRESS: Final = re.compile(r"://(?!\$\{[A-Za-z_]\w*\}@)[^/@\s]+@")
_CALLED: Final = re.compile(
    r"(?i)-*(?:[\w-]*[_-])?(?:api-?key|key|token|secret|password|passwd|auth)|-{1,2}authorization"
)
"""What programs call the arguments that hold secrets."""
_AFTER_NAME: Final = re.compile(
    r"""(?im)^(?P<before>.*?\b[\w-]*(?:key|keys|token|secret|password|authorization)["']?\s*:\s*)
    (?P<value>(?!\s*(?:\$\{[A-Za-z_]\w*\}|["']\$\{[A-Za-z_]\w*\}["'])\s*(?:\#.*)?$)\S.*)$""",
    re.VERBOSE,
)


def masked(source: bytes) -> bytes:
    """Return a text that takes no variables, with all masked that may be a secret."""
    return _masked(source.decode("utf-8-sig", "replace")).encode()


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that was left out."""

    name: str
    """What to set for it."""
    key: str
    """Where it stood: `profiles.groq.api_key`."""


class Withheld(msgspec.Struct, frozen=True, kw_only=True):
    """A text without secrets."""

    source: bytes
    variables: tuple[Variable, ...] = ()
    readable: bool = True
    """False: it is no YAML; what may be a secret is masked, and can't be put back."""


def withhold(source: bytes, environ: Mapping[str, str]) -> Withheld:
    """Return a configuration's text without secrets.

    `environ` says which variables have values already: none of them is given another meaning.
    """
    parsed = parse(source, file="")
    text = source.decode("utf-8-sig", "replace")
    if parsed.problems or not isinstance(parsed.document, dict):
        return Withheld(source=_masked(text).encode(), readable=False)
    taking = _Taking(text, environ)
    wanted = taking.taken(parsed.document, ())
    masks = Redactor(taking.values)
    try:
        changed = masks.redact(rewritten(text, parsed.document, wanted))
    except Unwritable:
        return Withheld(source=masks.redact(_masked(text)).encode(), readable=False)
    if parse(changed.encode(), file="").problems:
        return Withheld(source=_masked(changed).encode(), readable=False)
    return Withheld(source=changed.encode(), variables=tuple(taking.variables))


def _masked(text: str) -> str:
    """Mask what looks like a secret, and what stands behind a name of one."""
    text = _IN_ADDRESS.sub(f"://{MASK}@", text)
    return Redactor().redact(_AFTER_NAME.sub(rf"\g<before>{MASK}", text))


class _Taking:
    """One walk over a document."""

    def __init__(self, text: str, environ: Mapping[str, str]) -> None:
        self.variables: list[Variable] = []
        self._names: dict[str, str] = {}
        """By value: equal secrets share a variable."""
        self._environ = environ
        self._used = set(re.findall(r"\$\{(\w+)", text))

    @property
    def values(self) -> Iterator[Secret]:
        return map(Secret, self._names)

    def taken(self, value: Any, path: KeyPath) -> Any:
        """Return a value with its secrets replaced by references."""
        match value:
            case dict():
                return {key: self.taken(each, (*path, key)) for key, each in value.items()}
            case list():
                named = path[-2:] == ("upstream", "command") and [False, *map(_names_secret, value)]
                return [
                    self._taken_out(each, (*path, place))
                    if named and named[place] and isinstance(each, str) and _is_literal(each)
                    else self.taken(each, (*path, place))
                    for place, each in enumerate(value)
                ]
            case str() if _is_secret(value, path):
                return self._taken_out(value, path)
            case _:
                return value

    def _taken_out(self, value: str, path: KeyPath) -> str:
        """Return the reference to what is left out."""
        name = self._names.get(value) or self._name(value, path)
        self._names[value] = name
        self.variables.append(Variable(name=name, key=dotted(path)))
        return f"${{{name}}}"

    def _name(self, value: str, path: KeyPath) -> str:
        """A variable's name that means nothing else here."""
        words = path[1:] if path[0] in {"profiles", "accounts"} else ("spillover", *path[-2:])
        kept = [str(each + 1) if isinstance(each, int) else each for each in words]
        name = re.sub(r"\W+", "_", "_".join(kept)).upper()
        name = name if name[0].isalpha() else f"KEY_{name}"
        taken = self._used | set(self._names.values())
        number, free = 1, name
        while free in taken or self._environ.get(free, value) != value:
            number += 1
            free = f"{name}_{number}"
        return free


def _names_secret(argument: object) -> bool:
    """Whether a program's argument says that the next one is a secret: `--api-key`."""
    return isinstance(argument, str) and _CALLED.fullmatch(argument) is not None


def _is_literal(value: str) -> bool:
    """Whether a value holds more than references to where its secret is."""
    return not value.startswith(_ELSEWHERE) and bool(_BESIDE.sub("", value))


def _is_secret(value: str, path: KeyPath) -> bool:
    if _IN_ADDRESS.search(value) or Redactor().redact(value) != value:
        return True
    match path:
        case ("server", "admin_key") | ("server", "client_keys", _):
            return _is_literal(value)
        case (("profiles" | "accounts"), _, "api_key"):
            pass
        case (("profiles" | "accounts"), _, "headers", header):
            if str(header).lower() in _HARMLESS_HEADERS:
                return False
        case (("profiles" | "accounts"), _, "upstream", "env", _):
            pass
        case (("profiles" | "accounts"), _, "upstream", "command", _):
            name, sign, value = value.partition("=")
            return bool(sign) and _names_secret(name) and _is_literal(value)
        case ("notify", _) | ("notify", _, "to"):
            if value == DESKTOP or ("${" in value and ":-" not in value):
                return False
        case _:
            return False
    return _is_literal(value) and len(_BESIDE.sub("", value)) >= _SHORTEST
