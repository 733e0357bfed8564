"""The entries' encoding, which is the file format."""

from __future__ import annotations

import msgspec
import pytest

from spillover.core.budgets import Told
from spillover.core.health import shifted
from spillover.core.ladder import Pin, Sticky
from spillover.core.stated import Stated
from spillover.core.values import Calendar, CalendarUnit, Metric, Refill, Rolling, Usage
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
    decode,
    encode,
    moved,
)
from tests.core.laddering import DOWN
from tests.core.making import NOON

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
