"""Plays the worked timelines of a page: the limit of each YAML example against the table that follows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from spillover.config.assemble import assemble
from spillover.config.loader import load_document
from spillover.core.limits import Tally, admit, gauge, reading
from spillover.core.values import METRIC_INDEX, NOTHING, Calendar
from spillover.core.windows import new_series

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.core.values import Amounts, Limit

_TIMELINE = re.compile(
    r"^```yaml\n(?P<yaml>(?:(?!```).*\n)*)```\n\n\| at \| asks \| counts \| answer \|\n\| [-| ]+ \|\n"
    r"(?P<rows>(?:\|.*\n)+)",
    re.MULTILINE,
)
_DAY = "2026-11-20 "
"""Of instants that are written without one, in UTC."""


@dataclass(frozen=True)
class Timeline:
    """A limit, and who asked it for room when."""

    limit: Limit
    rows: tuple[tuple[str, ...], ...]

    @property
    def zone(self) -> tzinfo:
        """Where its clock stands."""
        window = self.limit.window
        return ZoneInfo(window.zone) if isinstance(window, Calendar) else UTC

    def played(self) -> Iterator[tuple[str, ...]]:
        """Yield each row as it really is: what counts then, and whether there is room."""
        limit = self.limit
        assert limit.window is not None
        series = new_series(limit.window, limit.metric, limit.amount)
        found = gauge(limit, Tally(), series)
        for at, asks, *_ in self.rows:
            now = _instant(at)
            need = _need(limit, asks)
            counts = f"{reading(found, now)[0]:,} of {found.capacity:,}"
            block = admit([found], need, now)
            if block is None:
                series.add(now, need)
                yield at, asks, counts, "served"
            elif block.available_at is None:
                yield at, asks, counts, "goes on, for good"
            else:
                yield at, asks, counts, f"goes on; room at {self._shown(block.available_at, at)}"

    def _shown(self, instant: float, like: str) -> str:
        moment = datetime.fromtimestamp(instant, self.zone)
        if len(like) <= len("10:00:00"):
            parts = "milliseconds" if moment.microsecond else "seconds"
            return moment.time().isoformat(timespec=parts)
        return moment.isoformat(" ", "minutes")


def timelines(page: str) -> list[Timeline]:
    """List the timelines of a page."""
    found = []
    for each in _TIMELINE.finditer(page):
        document = YAML(typ="safe").load(each["yaml"])
        loaded = load_document(document, environ={})
        (profile,) = assemble(loaded, loaded.catalogue).profiles.values()
        (limit,) = profile.limits
        rows = [tuple(cell.strip() for cell in row.strip("|").split("|"))
                for row in each["rows"].splitlines()]  # fmt: skip
        found.append(Timeline(limit, tuple(rows)))
    return found


def _instant(at: str) -> float:
    dated = at if at.count("-") > 1 else f"{_DAY}{at}+00:00"
    return datetime.fromisoformat(dated).timestamp()


def _need(limit: Limit, asks: str) -> Amounts:
    amounts = list(NOTHING)
    amounts[METRIC_INDEX[limit.metric]] = int(asks.partition(" ")[0].replace(",", ""))
    return tuple(amounts)  # type: ignore[return-value]
