"""Find the credentials in a file to be imported, wherever in it they stand.

They are told by what they are called (`openRouterApiKey`, `Authorization`), by where they stand (in
headers and addresses) and by how they look (`sk-…`). Refuses to know what the file says otherwise.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from spillover.config.secrets import Redactor, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

_CALLED: Final = re.compile(
    r"apikey|secret|passw|credential|authori[sz]ation|bearer|cookie|headers|(?:key|token|auth)$"
)
"""What credentials are called, without signs and capitals. `maxTokens`, `tokensPerDay` are not."""
_SIGNS: Final = re.compile(r"[^a-z0-9]+")
_NO_SECRETS: Final = frozenset(
    [
        "any",
        "bearer",
        "basic",
        "dummy",
        "empty",
        "example",
        "false",
        "local",
        "lm-studio",
        "lmstudio",
        "no-key",
        "nokey",
        "none",
        "noop",
        "not-needed",
        "notneeded",
        "null",
        "ollama",
        "placeholder",
        "true",
        "unused",
        "your-api-key",
    ]
)
"""What people type where a server wants any key at all, and words that stand before one."""
_SHORTEST: Final = 6
_REFERENCE: Final = re.compile(r"os\.environ/\w+|\$\{(?:env:)?\w+\}")
"""Names a variable: what that holds is not in the file."""


class Concealer:
    """Masks every credential of a file in any text, and says which texts hold one."""

    def __init__(self, values: Any) -> None:
        """Remember the credentials of a file's values."""
        self._known: dict[str, list[str]] = {}
        """By how they begin: an export may hold thousands, of which a text holds few."""
        for each in set(_credentials(values)):
            self._known.setdefault(each[:_SHORTEST], []).append(each)

    def holds(self, text: str) -> bool:
        """Whether a text holds a credential, or what looks like one."""
        return any(True for _ in self._in(text)) or Redactor().redact(text) != text

    def redact(self, text: str) -> str:
        """Return a text with every credential masked."""
        return Redactor(map(Secret, self._in(text))).redact(text)

    def _in(self, text: str) -> Iterator[str]:
        for place in range(len(text) - _SHORTEST + 1):
            for each in self._known.get(text[place : place + _SHORTEST], ()):
                if text.startswith(each, place):
                    yield each


def is_placeholder(text: str) -> bool:
    """Return whether a key is none: what is typed where any will do."""
    return text.lower() in _NO_SECRETS


def is_reference(text: str) -> bool:
    """Return whether a key names a variable that holds it."""
    return _REFERENCE.fullmatch(text) is not None


def in_address(url: str) -> tuple[str, ...]:
    """Return what stands in an address where credentials do: before the @, and behind the ?."""
    try:
        parts = urlsplit(url)
        held = [parts.username or "", parts.password or ""]
        held += [value for _, value in parse_qsl(parts.query)]
    except ValueError:
        return ()
    return tuple(dict.fromkeys(text for each in held for text in (each, unquote(each)) if text))


def is_called_secret(name: object) -> bool:
    """Return whether a setting of this name is a credential."""
    return not _is_name(name) and _CALLED.search(_SIGNS.sub("", str(name).lower())) is not None


def _is_name(name: object) -> bool:
    """Whether a setting says what something is called: `litellm_credential_name`."""
    return str(name).lower().endswith("name")


def _credentials(values: Any) -> Iterator[str]:
    """Yield every text that is a credential, or may be one."""
    stack: list[tuple[Any, bool]] = [(values, False)]
    while stack:
        each, secret = stack.pop()
        match each:
            case dict():
                stack += [
                    (part, is_called_secret(key) or (secret and not _is_name(key)))
                    for key, part in each.items()
                ]
            case list():
                stack += [(part, secret) for part in each]
            case str():
                yield from filter(_is_one, in_address(each) if "://" in each else ())
                if secret:
                    stack += [(part, True) for part in _written_in(each)]
                    yield from filter(_is_one, {each.strip(), *each.split()})
            case int() if secret and not isinstance(each, bool):
                yield from filter(_is_one, [str(each)])
            case _:
                pass


def _written_in(text: str) -> list[Any]:
    """The values of a text that is JSON itself, as CortexIDE keeps headers."""
    if not text.lstrip().startswith("{"):
        return []
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return []


def _is_one(text: str) -> bool:
    return (
        len(text) >= _SHORTEST
        and not is_placeholder(text)
        and not is_reference(text)
        and not text.startswith(("http://", "https://"))
    )
