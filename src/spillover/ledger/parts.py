"""Write a book as named parts and read it back: the whole record, without the way it came about.

Refuses to know where parts are kept. The encoding is part of the file format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from spillover.core.budgets import Told
from spillover.core.crowding import Crowd
from spillover.core.health import Health
from spillover.core.ladder import Pin, Sticky
from spillover.core.limits import Tally
from spillover.ledger.counters import Counters
from spillover.ledger.entries import Heard, Open
from spillover.ledger.learned import Learned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spillover.ledger.book import Book


class _Rest(msgspec.Struct):
    """Everything that is not counted per owner."""

    open: dict[str, Open]
    presumed: dict[str, Open]
    healths: dict[str, Health]
    disabled: dict[str, float]
    pins: dict[str, Pin]
    stickies: dict[str, Sticky]
    prints: dict[str, str]
    members: dict[str, tuple[str, str]]
    learned: dict[str, Learned]
    alive: dict[str, float]
    moved: set[str] = msgspec.field(default_factory=set)
    serving: dict[str, dict[str, str | None]] = msgspec.field(default_factory=dict)
    offset: float | None = None
    heard: dict[str, dict[str, Heard]] = msgspec.field(default_factory=dict)
    alerts: dict[str, Told] = msgspec.field(default_factory=dict)
    crowds: dict[str, Crowd] = msgspec.field(default_factory=dict)


_REST = "rest"
_encoder = msgspec.msgpack.Encoder()
_tallies = msgspec.msgpack.Decoder(Tally)
_rests = msgspec.msgpack.Decoder(_Rest)


def dump(book: Book, owners: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of everything but the owners' counters, and of the counters of `owners`."""
    for owner in owners:
        tally = book.counters.tallies.get(owner)
        if tally is not None:
            yield owner, _encoder.encode(tally)
    rest = _Rest(
        open=book.open,
        presumed=book.presumed,
        healths=book.healths,
        disabled=book.disabled,
        pins=book.pins,
        stickies=book.stickies,
        prints=book.prints,
        members=book.counters.members,
        learned=book.learned,
        alive=book.alive,
        moved=book.counters.moved,
        serving=book.serving,
        offset=book.offset,
        heard=book.counters.heard,
        alerts=book.alerts,
        crowds=book.counters.crowds,
    )
    yield _REST, _encoder.encode(rest)


def load(book: Book, parts: Iterable[tuple[str, bytes]]) -> None:
    """Make `book` hold what `parts` say.

    Raises `msgspec.MsgspecError` on bytes that are none; the book is then as it was.
    """
    counters = Counters()
    rest = _Rest({}, {}, {}, {}, {}, {}, {}, {}, {}, {})
    for name, body in parts:
        if name == _REST:
            rest = _rests.decode(body)
        else:
            counters.tallies[name] = _tallies.decode(body)
    book.counters = counters
    for field in msgspec.structs.fields(_Rest):
        target = counters if field.name in {"members", "moved", "heard", "crowds"} else book
        setattr(target, field.name, getattr(rest, field.name))
    book.rebind()
