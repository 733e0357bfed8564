"""Take over what Kilo Code exports: Roo Code's export, with virtual quota fallbacks in it.

Such a provider lists others by id, in their order, each with amounts per minute, hour and day
(virtualQuotaFallbackSchema in packages/types/src/provider-settings.ts there): a chain, and limits.
Refuses to know the usage that Kilo Code has counted: it is not in the export.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spillover.config.importers.reading import entries, mapping, whole
from spillover.config.importers.roo import VIRTUAL, Export
from spillover.config.routing import DEFAULT
from spillover.errors import RequestError

if TYPE_CHECKING:
    from spillover.catalogue import Catalogue
    from spillover.config.importers.plan import Plan

_LIMITS: Final = {
    f"{metric}Per{per.title()}": f"{metric}_per_{per}"
    for metric in ("tokens", "requests")
    for per in ("minute", "hour", "day")
}
"""0 and blank are no limit, as there."""


_MOST_ENTRIES: Final = 20_000
"""Of all chains together: more than anybody lists, and than a configuration may hold."""


def plan(source: bytes, catalogue: Catalogue) -> Plan:
    """Return what an export of Kilo Code comes to; raises RequestError if it is none."""
    export = Export(source, catalogue, tool="Kilo Code")
    virtual = [name for name in export.configs if export.provider(name) == VIRTUAL]
    # Clients that name no model are answered by the first chain: the one in use comes first.
    virtual.sort(key=lambda name: name != export.current)
    reserved = {
        name: export.chain if name == DEFAULT else export.draft.reserve(name) for name in virtual
    }
    export.take_profiles()
    chains = 0
    looked_at = _Bound(_MOST_ENTRIES)
    for name in virtual:
        members = _members(export, name, looked_at)
        if not members:
            export.draft.leave(name, "none of its profiles could be taken over")
            continue
        export.draft.chain(name, reserved[name], members)
        export.taken[name] = reserved[name]
        chains += 1
    if not chains:
        export.chain_all()
    elif export.current in export.taken and export.provider(export.current) != VIRTUAL:
        current = export.taken[export.current]
        export.draft.note(
            f"the current profile {current} is no fallback: a client gets it by naming it as its "
            "model; without a name, the first chain answers"
        )
    export.alias_modes()
    return export.plan()


class _Bound:
    """Counts what is looked at, lest fallbacks within fallbacks multiply."""

    def __init__(self, most: int) -> None:
        self._left = most

    def count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise RequestError(f"its fallbacks list more than {_MOST_ENTRIES:,} profiles")


def _members(export: Export, virtual: str, looked_at: _Bound) -> list[str]:
    """Return the profiles that a fallback comes to, and give them its limits.

    The profiles of a fallback within it stand in that one's place.
    """
    draft, within = export.draft, {virtual}
    found: dict[str, None] = {}
    waiting = _listed(export, virtual)
    while waiting:
        looked_at.count()
        wanted = mapping(waiting.pop())
        member = export.named(wanted.get("profileId"), wanted.get("profileName"))
        if member is None:
            draft.leave(f"an entry of {virtual}", "it names no configuration of the file")
        elif member in within:
            draft.leave(
                f"{member} within {virtual}", "it stands there already, or leads in a circle"
            )
        elif export.provider(member) == VIRTUAL:
            within.add(member)
            draft.note(f"{member} is a fallback within {virtual}: its profiles stand in its place")
            waiting += _listed(export, member)
        elif member in export.taken:
            name = export.taken[member]
            found[name] = None
            if draft.limit(name, _amounts(wanted.get("profileLimits"))):
                draft.note(f"{name} has several limits in the file: the tightest of each kind hold")
    return list(found)


def _listed(export: Export, virtual: str) -> list[Any]:
    """The entries of a fallback, the last one first."""
    return entries(mapping(export.configs[virtual]).get("profiles"))[::-1]


def _amounts(written: Any) -> dict[str, int]:
    limits = {
        _LIMITS[key]: whole(value) for key, value in mapping(written).items() if key in _LIMITS
    }
    return {key: amount for key, amount in limits.items() if amount is not None}
