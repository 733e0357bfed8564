"""Judge what processes left that were killed while they wrote: kept secrets that nothing names any more.

Refuses to know how it is found.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from spillover.core.values import Value
from spillover.doctor.findings import Finding, Level, RemoveLeftover

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SURE_AFTER_S: Final = 3_600.0
"""No write takes so long: what is older belongs to nobody any more."""


class Leftover(Value, frozen=True, kw_only=True):
    """A file or folder that Spillover made for a moment, or that nothing refers to."""

    path: Path
    what: str
    age_s: float
    """Since it was last written."""


def leftovers(found: Iterable[Leftover]) -> Iterator[Finding]:
    """Yield each leftover, or that there is none."""
    nothing = True
    for each in found:
        nothing = False
        sure = each.age_s > SURE_AFTER_S
        yield Finding(
            check="state.leftovers",
            level=Level.WARNING if sure else Level.NOTE,
            about=str(each.path),
            saw=f"{each.what}, {each.age_s / 60:.0f} minutes old",
            why="whoever wrote it was killed; it may hold secrets, and nothing needs it"
            if sure
            else "it may be in use still",
            remedy="spillover doctor --fix" if sure else "look again in an hour",
            fix=RemoveLeftover(path=each.path) if sure else None,
        )
    if nothing:
        yield Finding(check="state.leftovers", saw="nobody left anything behind")
