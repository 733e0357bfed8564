"""Fold bursts of notices: the first is told at once, what comes on its heels together.

Rules of this file:
- After a notice there is quiet for `QUIET_S`; what comes meanwhile is told as one at its end.
- While things go on and on the quiet doubles, up to `longest_s`, until nothing came for `CALM_S`.
- What is grave waits for `QUIET_S` at most.
- Every notice is in exactly one that is told.

Refuses to know what notices are about, the clock, and whom they go to.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from spillover.core.notices import GRAVE, gravest
from spillover.events.kinds import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

QUIET_S: Final = 10.0
LONGEST_S: Final = 600.0
CALM_S: Final = 600.0
LINES_MOST: Final = 5
"""Lines of a folded notice; more are counted."""

_SHARED: Final = ("chain", "profile", "source", "to", "cause", "until")


class Fold:
    """The notices on their way to one place."""

    def __init__(self, *, shortest_s: float = QUIET_S, longest_s: float = LONGEST_S) -> None:
        """Begin in quiet, so that the first notice is told at once."""
        self._shortest_s = shortest_s
        self._longest_s = longest_s
        self._quiet_s = shortest_s
        self._told_at: float | None = None
        self._held: list[Notice] = []

    def offer(self, notice: Notice, now: float) -> Notice | None:
        """Return `notice` if it is to be told now; else it is held until `due_at`."""
        ends_at = self._ends_at()
        if ends_at is not None and (now < ends_at or self._held):
            self._held.append(notice)
            return None
        goes_on = ends_at is not None and now - ends_at < CALM_S
        self._begin_quiet(now, goes_on=goes_on)
        return notice

    @property
    def due_at(self) -> float | None:
        """When what is held is to be told; None: nothing is held."""
        if not self._held or self._told_at is None:
            return None
        is_grave = any(notice.kind in GRAVE for notice in self._held)
        return self._told_at + (self._shortest_s if is_grave else self._quiet_s)

    def take(self, now: float) -> Notice | None:
        """Return all that is held as one, if it is due by `now`."""
        due_at = self.due_at
        if due_at is None or now < due_at:
            return None
        held, self._held = self._held, []
        self._begin_quiet(now, goes_on=True)
        return folded(held)

    def _ends_at(self) -> float | None:
        return None if self._told_at is None else self._told_at + self._quiet_s

    def _begin_quiet(self, now: float, *, goes_on: bool) -> None:
        self._told_at = now
        longer_s = min(self._quiet_s * 2, self._longest_s)
        self._quiet_s = longer_s if goes_on else self._shortest_s


def folded(notices: Sequence[Notice]) -> Notice:
    """Return several notices as one: a line each, the gravest kind, and what all of them share."""
    if len(notices) == 1:
        return notices[0]
    last = notices[-1]
    lines = [text if n == 1 else f"{text} (×{n})" for text, n in _lines(notices)]
    if len(lines) > LINES_MOST:
        lines[LINES_MOST - 1 :] = [f"and {len(lines) - LINES_MOST + 1} more"]
    shared = {
        name: getattr(last, name)
        for name in _SHARED
        if all(getattr(each, name) == getattr(last, name) for each in notices)
    }
    return Notice(
        at=last.at,
        kind=gravest([each.kind for each in notices]),
        text="\n".join(lines),
        count=sum(each.count for each in notices),
        **shared,
    )


def _lines(notices: Sequence[Notice]) -> list[tuple[str, int]]:
    """Return the texts in their order, the grave ones first, each once with its number."""
    counted = Counter(notice.text for notice in notices)
    grave = {notice.text for notice in notices if notice.kind in GRAVE}
    return sorted(counted.items(), key=lambda line: line[0] not in grave)
