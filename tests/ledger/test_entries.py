"""The entries' encoding, which is the file format."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from spillover.core.budgets import Told
from spillover.core.health import shifted
from spillover.core.ladder import Pin, Sticky
from spillover.core.limits import Granted
from spillover.core.stated import Stated
from spillover.core.values import Calendar, CalendarUnit, Metric, Refill, Rolling, Usage
from spillover.errors import LedgerError
from spillover.ledger.entries import (
    Alerted,
    Alive,
    Cleared,
    Crowded,
    Entry,
    HealthChanged,
    Heard,
    Jumped,
    Keyed,
    Pinned,
    Presumed,
    Released,
    Reserved,
    Settled,
    Stuck,
    Switched,
    Tracked,
    Unwritable,
    check,
    decode,
    encode,
    moved,
)
from tests.core.laddering import DOWN
from tests.core.making import NOON
from tests.ledger.keeping import candidate, granted, limited, opened, run, settled, used

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.ledger.ledger import Trouble

USAGE = Usage(requests=1, input_tokens=60, output_tokens=40, cost_nanousd=7, microneurons=3)
SAID = Stated(metric=Metric.REQUESTS, per="day", limit=9, remaining=0, resets_at=NOON, full_at=NOON)
ALL: list[Entry] = [
    Reserved("r", NOON, "p", "a", "m", "key", USAGE, "profile:a"),
    Settled("r", NOON, "a", "m", "key", USAGE, True, NOON, 60, 240, 8, 1, 400.0, 90.0),
    Released("r", NOON, True),
    Alive("p", NOON, {"a": "key", "b": None}),
    Presumed("p", NOON),
    Cleared(NOON, "a", ("provider:groq",)),
    Tracked("profile:a", Rolling(seconds=60.0), Metric.TOKENS, 5, NOON),
    Tracked("profile:a", Calendar(unit=CalendarUnit.DAY, zone="Asia/Tokyo"), Metric.COST, 5, NOON),
    Tracked("profile:a", Refill(seconds=60.0, burst=9), Metric.REQUESTS, 5, NOON),
    HealthChanged("profile:a", DOWN),
    HealthChanged("profile:a", None),
    Switched("a", True, NOON),
    Pinned("default", Pin(profile="a", strict=True)),
    Stuck("default", Sticky(profile="a", at=NOON)),
    Keyed("a", "print"),
    Jumped(-3_600.0, NOON, "p", NOON - 4_000.0, True),
    Heard("model:key|m", SAID, Refill(seconds=86_400.0), NOON),
    Alerted("profile:a|cost|lifetime", Told(percent=80, amount=5, at=NOON, ends_at=NOON + 9.0)),
    Crowded("account:key", NOON + 1.0, NOON, 5),
]


def test_every_entry_is_read_back_as_it_was_written() -> None:
    assert {type(entry) for entry in ALL} == set(Entry.__args__)
    assert decode(encode(ALL)) == ALL


def test_every_entry_that_can_be_read_back_may_be_written() -> None:
    for entry in ALL:
        check(entry)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (Keyed("\ud800", "print"), "Keyed: 'utf-8' codec can't encode"),
        (Settled("r", NOON, "a", "m", "k", Usage(cost_nanousd=2**64)), "Settled: .*ints"),
        (Cleared(float("nan")), "Cleared: it would not be read back"),
        (Alive(cast("Any", 5), NOON), "Alive: Expected `str`"),
    ],
)
def test_entry_that_could_not_be_read_back_may_not_be_written(entry: Entry, why: str) -> None:
    with pytest.raises(Unwritable, match=why):
        check(entry)


def test_fields_that_a_later_version_adds_at_the_end_may_be_missing() -> None:
    older = msgspec.msgpack.encode(
        [["j", 5.0, NOON], ["c", NOON], ["s", "r", NOON, "a", "m", "k", [1]], ["a", "p", NOON]]
    )

    assert decode(older) == [
        Jumped(5.0, NOON),
        Cleared(NOON),
        Settled("r", NOON, "a", "m", "k", Usage(requests=1)),
        Alive("p", NOON),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Settled("r", NOON, "a", "m", "k", USAGE), Settled("r", NOON + 9, "a", "m", "k", USAGE)),
        (
            Settled("r", NOON, "a", "m", "k", USAGE, sent_at=NOON - 1),
            Settled("r", NOON + 9, "a", "m", "k", USAGE, sent_at=NOON + 8),
        ),
        (HealthChanged("profile:a", DOWN), HealthChanged("profile:a", shifted(DOWN, 9.0))),
        (HealthChanged("profile:a", None), HealthChanged("profile:a", None)),
        (
            Stuck("default", Sticky(profile="a", at=NOON)),
            Stuck("default", Sticky(profile="a", at=NOON + 9)),
        ),
        (Keyed("a", "print"), Keyed("a", "print")),
        (
            Alerted("b", Told(percent=50, amount=5, at=NOON)),
            Alerted("b", Told(percent=50, amount=5, at=NOON + 9)),
        ),
    ],
)
def test_entry_made_before_a_jump_moves_with_it(before: Entry, after: Entry) -> None:
    assert moved(before, 9.0) == after


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x93", msgspec.msgpack.encode([["?", 1]])])
def test_bytes_that_are_no_entries_are_an_error(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(body)


def test_call_of_a_usual_kind_is_small() -> None:
    assert len(encode(ALL[:2])) < 200


# In the record.


@pytest.fixture(params=["memory", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where a ledger of each kind is kept."""
    return None if request.param == "memory" else tmp_path / "ledger.db"


HUGE = Usage(requests=1, input_tokens=10**30)


@pytest.mark.parametrize(
    "poison",
    [
        Keyed("half a character \ud800", "print"),
        Switched("a", disabled=True, at=float("nan")),
        settled("nobody's", usage=HUGE),
    ],
    ids=lambda each: type(each).__name__,
)
def test_entry_that_can_not_be_written_is_left_out_alone(place: Path | None, poison: Entry) -> None:
    async def story() -> None:
        troubles: list[Trouble] = []
        async with opened(place, troubles=troubles) as ledger:
            call = await granted(ledger)

            await ledger.record(settled(call), poison, Keyed("a", "print"))

            assert [each.failing for each in troubles] == [False]
            assert f"left out: {type(poison).__name__}" in troubles[0].message
            assert ledger.degraded is None
            assert used(ledger) == (1, 100)
            assert ledger.book.prints == {"a": "print"}
            assert not ledger.book.disabled
        async with opened(place) as anew:
            assert place is None or used(anew) == (1, 100)

    run(story)


def test_call_whose_end_can_not_be_written_ends_and_counts_what_it_held(
    place: Path | None,
) -> None:
    async def story() -> None:
        async with opened(place) as ledger:
            call = await granted(ledger)

            await ledger.record(settled(call, usage=HUGE))

            assert used(ledger) == (1, 100)
            assert not ledger.book.open
            assert ledger.degraded is None

    run(story)


def test_need_that_can_not_be_written_is_refused_alone(place: Path | None) -> None:
    unlimited = limited("a")

    async def story() -> None:
        async with opened(place) as ledger:
            bad, good = await asyncio.gather(
                ledger.reserve([candidate(unlimited, need=HUGE)]),
                ledger.reserve([candidate(unlimited)]),
                return_exceptions=True,
            )

            assert isinstance(bad, LedgerError)
            assert isinstance(good, Granted)
            assert ledger.degraded is None

    run(story)
