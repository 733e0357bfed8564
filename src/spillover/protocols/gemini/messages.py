"""Read objects as Google reads the JSON of its protocol buffers.

A number may be written as text, and a list of one object as that object, as Google's own examples have
it. Refuses to know what any field means.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from spillover.protocols.conversation.fields import Fields


class Message(Fields):
    """An object, and which of its fields have been read."""

    __slots__ = ()

    def number(self, name: str) -> float | None:
        """Return a number."""
        found = self.all().get(name)
        number = _number_in(found) if isinstance(found, str) else None
        if number is None:
            return super().number(name)
        self.value(name)
        return number

    def items(self, name: str) -> list[Any]:
        """Return a list as it is; empty where it is absent."""
        found = self.all().get(name)
        if isinstance(found, dict):
            self.value(name)
            return [found]
        return super().items(name)


def _number_in(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
