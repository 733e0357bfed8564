"""Shorten what is kept while storage fails, so that a long failure costs no count and little memory.

Refuses to know storage, and when it fails.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from msgspec.structs import replace

from spillover.core.values import Usage
from spillover.ledger.entries import (
    Alive,
    Cleared,
    Entry,
    HealthChanged,
    Jumped,
    Keyed,
    Pinned,
    Presumed,
    Released,
    Reserved,
    Settled,
    Stuck,
    Switched,
)

SUMMED_S: Final = 3_600.0
"""Calls that ended within such a span are summed: they count later than they were by at most this."""

_Call: TypeAlias = tuple[Reserved, Settled | Released]

_ORDERED = Jumped | Cleared | Presumed
"""What bears on all entries before it, and on none after."""
_SETS = Alive | HealthChanged | Keyed | Pinned | Stuck | Switched
"""What sets something, named by its first field: the last word counts."""


def shortened(entries: list[Entry]) -> list[Entry]:
    """Return fewer entries that count the same as `entries`, never earlier and a little later.

    Calls that both began and ended among them become one call an hour and profile, which teaches
    nothing of tokens and times. What ends a call of before stays, and so does a call in flight.
    """
    short: list[Entry] = []
    span: list[Entry] = []
    for entry in entries:
        if isinstance(entry, _ORDERED):
            short += [*_span(span), entry]
            span = []
        else:
            span.append(entry)
    return short + _span(span)


def _span(entries: list[Entry]) -> list[Entry]:
    """Shorten entries whose order bears on nothing but what each sets."""
    last = {_name(entry): entry for entry in entries if isinstance(entry, _SETS)}
    in_flight: dict[str, Reserved] = {}
    over: set[str] = set()
    calls: dict[tuple[str, str, str, int], list[_Call]] = {}
    kept: list[Entry] = []
    for entry in entries:
        if isinstance(entry, Reserved):
            in_flight[entry.id] = entry
        if isinstance(entry, Settled | Released) and entry.id in in_flight:
            began = in_flight.pop(entry.id)
            over.add(entry.id)
            key = began.profile, began.model, began.account, int(entry.at // SUMMED_S)
            calls.setdefault(key, []).append((began, entry))
        elif not isinstance(entry, _SETS) or last[_name(entry)] is entry:
            kept.append(entry)
    left = [each for each in kept if not (isinstance(each, Reserved) and each.id in over)]
    return [*left, *(entry for each in calls.values() for entry in _sum(each))]


def _name(entry: Entry) -> tuple[type, str]:
    return type(entry), getattr(entry, entry.__struct_fields__[0])


def _sum(calls: list[_Call]) -> tuple[Reserved, Settled]:
    """Return calls of one profile as one, dated by the last of each kind of instant.

    One stands for calls that used nothing too: that its profile was ever used is worth knowing.
    """
    began, ended = calls[-1]
    settled = [each for _, each in calls if isinstance(each, Settled)]
    requests = sum(
        begun.need.requests
        for begun, each in calls
        if isinstance(each, Settled) or each.keep_request
    )
    sent_at = max(
        max(begun.at, min(each.sent_at, each.at) if isinstance(each, Settled) else 0.0)
        for begun, each in calls
    )
    usage = {
        name: sum(getattr(each.usage, name) for each in settled) for name in Usage.__struct_fields__
    }
    return (
        replace(began, at=sent_at, need=Usage(requests=requests), probe=None),
        Settled(
            ended.id,
            max(each.at for _, each in calls),
            began.profile,
            began.model,
            began.account,
            Usage(**usage),
        ),
    )
