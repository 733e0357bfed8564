"""Carry a provider's signature of the model's thinking through a protocol that is not its own.

Rules of this file:
- A seal is never changed: its provider refuses what differs by one byte.
- Clients hand back what they were given. A seal in a foreign protocol is marked with its origin, so
  that it finds home whichever upstream the conversation has passed through meanwhile.
- A seal never goes to a provider that did not make it.

Refuses to know what is sealed.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from enum import StrEnum
from typing import Final

from spillover.core.values import Value

_MARK: Final = b"spillover/1:"
"""As long as base64 needs to write it alike, whatever follows."""
MARK: Final = b64encode(_MARK)
"""What every marked seal starts with."""
_PLAIN: Final = str.maketrans("-_", "+/")
"""Google's SDK hands signatures back in the alphabet of URLs."""


class Dialect(StrEnum):
    """A protocol that clients and upstreams speak."""

    CHAT = "chat"
    RESPONSES = "responses"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"


class Seal(Value, frozen=True, kw_only=True):
    """A signature of thinking, or the thinking itself, encrypted."""

    origin: Dialect
    value: str
    redacted: bool = False
    """The thinking itself is withheld (Anthropic's `redacted_thinking`)."""
    id: str | None = None
    """Of the item that is sealed, where its provider names it (OpenAI's Responses)."""


def marked(seal: Seal, dialect: Dialect) -> str:
    """Return a seal as a client of `dialect` gets it: as it is at home, else marked."""
    if seal.origin is dialect:
        return seal.value
    fields = (seal.origin.value, "r" if seal.redacted else "", seal.id or "", seal.value)
    return b64encode(_MARK + "\n".join(fields).encode()).decode()


def unmarked(text: str, dialect: Dialect, *, redacted: bool = False) -> Seal:
    """Return the seal that a client of `dialect` hands back."""
    if text.startswith(MARK.decode()):
        try:
            inner = b64decode(text.translate(_PLAIN), validate=True).removeprefix(_MARK).decode()
            origin, flag, item, value = inner.split("\n", 3)
            return Seal(origin=Dialect(origin), value=value, redacted=flag == "r", id=item or None)
        except ValueError:
            pass  # somebody else's, or cut: whoever it is sent to will say so
    return Seal(origin=dialect, value=text, redacted=redacted)


def carries_marks(body: bytes) -> bool:
    """Return whether a request holds a marked seal: even its own protocol must read and write it anew."""
    return MARK in body
