"""Match a method and a path with what answers them.

Refuses to know what the answers are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import msgspec

from spillover.errors import RequestError
from spillover.gateway.bodies import read_body

if TYPE_CHECKING:
    from spillover.engine import Engine
    from spillover.gateway.access import Door
    from spillover.gateway.app import Gateway
    from spillover.gateway.visit import Visit

_T = TypeVar("_T")

_PLACE: Final = re.compile(r"\{(\w+)(:path)?\}")
_JSON_TYPES: Final = frozenset({b"", b"application/json"})
SMALL_BODY: Final = 1 << 16
"""Bytes of a body that names things, as all but the proxy's do."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A request that found its route."""

    gateway: Gateway
    visit: Visit
    names: dict[str, str]
    """The parts of the path that the route leaves open."""

    @property
    def engine(self) -> Engine:
        """The engine behind the gateway."""
        return self.gateway.engine

    async def fields(self, shape: type[_T]) -> _T:
        """Return the body's JSON object as `shape`; an empty body is an empty object.

        Raises `RequestError`: 415 for a body that is not declared as JSON (a page of another site
        can send any other kind without asking), 400 for one that has another shape.
        """
        visit = self.visit
        body = await read_body(visit.receive, visit.headers, most=SMALL_BODY)
        if body.strip():
            kind = visit.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
            if kind not in _JSON_TYPES:
                raise RequestError(
                    f"the body is declared as {kind.decode('ascii', 'replace')!r}: "
                    "send JSON with 'content-type: application/json'",
                    status=415,
                )
        try:
            return msgspec.json.decode(body.strip() or b"{}", type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RequestError(f"the body can't be used: {error}") from None


Endpoint: TypeAlias = Callable[[Inquiry], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a path with `{names}` for its open parts, the door before it, what answers."""

    method: str
    path: str
    door: Door
    endpoint: Endpoint


class Routes:
    """A table of routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._plain: dict[str, list[Route]] = {}
        self._open: list[tuple[re.Pattern[str], Route]] = []
        self.paths: list[str] = []
        for route in routes:
            self.paths.append(route.path)
            if "{" in route.path:
                self._open.append((_pattern(route.path), route))
            else:
                self._plain.setdefault(route.path, []).append(route)

    def at(self, path: str) -> list[tuple[Route, dict[str, str]]]:
        """Return the routes of a path, one for each method, with the names found in it."""
        if path in self._plain:
            return [(route, {}) for route in self._plain[path]]
        return [
            (route, match.groupdict())
            for pattern, route in self._open
            if (match := pattern.fullmatch(path))
        ]

    def nearest(self, path: str) -> str | None:
        """Return the path that is most like one that does not exist."""
        near = difflib.get_close_matches(path, self.paths, n=1, cutoff=0.7)
        return near[0] if near else None


def _pattern(path: str) -> re.Pattern[str]:
    parts, end = [], 0
    for place in _PLACE.finditer(path):
        parts += [re.escape(path[end : place.start()])]
        parts += [f"(?P<{place[1]}>{'.+' if place[2] else '[^/]+'})"]
        end = place.end()
    # A name is looked up whatever it is made of, lines and all.
    return re.compile("".join(parts) + re.escape(path[end:]), re.DOTALL)
