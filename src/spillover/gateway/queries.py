"""Read what follows the `?` of an address: as it comes, or each parameter known and of its kind.

Refuses to know what is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from spillover.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spillover.gateway.visit import Visit

_SHOWN: int = 40


def asked(visit: Visit) -> dict[str, str]:
    """Return the parameters as they come, the last of a name; what is left blank is left out."""
    return dict(parse_qsl(_text(visit)))


class Query:
    """The parameters of one request, each known and given once."""

    def __init__(self, visit: Visit, known: Iterable[str]) -> None:
        """Read them; raises `RequestError` for one that is not `known`, or given twice."""
        names = tuple(known)
        self._given: dict[str, str] = {}
        for name, value in parse_qsl(_text(visit), keep_blank_values=True):
            if name not in names:
                raise RequestError(
                    f"there is no parameter {name[:_SHOWN]!r} (there are: {', '.join(names)})"
                )
            if name in self._given:
                raise RequestError(f"{name} is given twice")
            self._given[name] = value

    def text(self, name: str) -> str | None:
        """Return a parameter as it was given, None if it was not."""
        return self._given.get(name)

    def number(self, name: str, usual: int, most: int) -> int:
        """Return a whole number from 1 to `most`."""
        written = self._given.get(name)
        if written is None:
            return usual
        if not written.isascii() or not written.isdigit() or not 0 < int(written[:19]) <= most:
            raise RequestError(
                f"{name} must be a number from 1 to {most}, not {written[:_SHOWN]!r}"
            )
        return int(written)

    def choice(self, name: str, choices: Iterable[str], usual: str) -> str:
        """Return one of some words."""
        written = self._given.get(name, usual)
        words = tuple(choices)
        if written not in words:
            raise RequestError(
                f"{name} must be one of {', '.join(words)}, not {written[:_SHOWN]!r}"
            )
        return written


def _text(visit: Visit) -> str:
    text: str = visit.scope["query_string"].decode("latin-1")
    return text
