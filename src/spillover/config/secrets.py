"""Keep credentials out of sight: a type that won't print them, and a filter that masks them.

Refuses to know where a credential comes from (`spillover.config.expansion` does) and to write one
anywhere: `Secret.reveal` is the only way to the value, so that its uses can be found and counted.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK: Final = "…"
_SHOWN_FROM: Final = 12
"""Secrets shorter than this show nothing: a few letters would be much of them."""
_SMALLEST: Final = 6
"""Values shorter than this are not masked in texts: they would blot out ordinary words."""


class Secret:
    """A credential that shows as `gsk_…x9Qf` and can't be printed, pickled or encoded."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the credential itself: for a request's header, or a fingerprint."""
        return self._value

    def __str__(self) -> str:
        return masked(self._value)

    def __repr__(self) -> str:
        return f"Secret({masked(self._value)})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(("secret", self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled or copied")


class MissingSecret:
    """A credential that the configuration asks for and nothing provides."""

    __slots__ = ("wanted",)

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        """What is missing, for people: `GROQ_API_KEY is not set`."""

    def __repr__(self) -> str:
        return f"MissingSecret({self.wanted!r})"

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MissingSecret) and other.wanted == self.wanted

    def __hash__(self) -> int:
        return hash(self.wanted)


def masked(value: str) -> str:
    """Return a credential's first and last four characters; nothing of a short one."""
    if len(value) < _SHOWN_FROM:
        return MASK
    return f"{value[:4]}{MASK}{value[-4:]}"


_LOOKS_LIKE_KEY: Final = re.compile(
    r"""
    (?P<word>\bBearer\s+|\bBasic\s+|[?&](?:key|api_key|token)=)(?P<after>[A-Za-z0-9._~+/=-]{8,})
    | (?P<login>://[^/@\s:'"]*:)(?P<password>[^/@\s'"]+)(?=@)   # in an address
    | (?P<key>
        \b(?:sk|pk|rk)-[A-Za-z0-9_-]{12,}        # OpenAI, Anthropic, OpenRouter and kin
        | \bgsk_[A-Za-z0-9]{12,}                 # Groq
        | \bAIza[A-Za-z0-9_-]{20,}               # Google
        | \bhf_[A-Za-z0-9]{12,}                  # Hugging Face
        | \bnvapi-[A-Za-z0-9_-]{12,}             # NVIDIA
        | \bcsk-[A-Za-z0-9]{12,}                 # Cerebras
        | \bxai-[A-Za-z0-9]{12,}                 # xAI
        | \b(?:fw|cpk|ghp|gho|github_pat)_[A-Za-z0-9_.]{12,}
        | \bAKIA[A-Z0-9]{16}\b                   # AWS
        | \beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}   # JSON Web Tokens
      )
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Redactor:
    """Mask every known credential, and what looks like one, in any text."""

    __slots__ = ("_known",)

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        values = {secret.reveal() for secret in secrets}
        # Longer ones first: a key that begins with another must not leave its tail in sight.
        known = sorted((value for value in values if len(value) >= _SMALLEST), key=len)[::-1]
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def redact(self, text: str) -> str:
        """Return the text with each credential masked; texts without any come back as they are."""
        if self._known is not None:
            text = self._known.sub(lambda match: masked(match[0]), text)
        return _LOOKS_LIKE_KEY.sub(_masked_match, text)


def _masked_match(match: re.Match[str]) -> str:
    if match["key"]:
        return masked(match["key"])
    if match["login"]:
        return match["login"] + MASK
    return match["word"] + masked(match["after"])
