"""What is remembered of the requests that came."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from spillover.simulator.records import Log, Outcome, Record, view
from tests.simulator.asking import KEY, NOON


def a_record(at: float = NOON, **fields: Any) -> Record:
    values: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/chat/completions?a=1",
        "raw_headers": (("authorization", f"Bearer {KEY}"), ("x-other", "kept")),
        "body": b"{}",
        "model": "m",
        "key": KEY,
    }
    return Record(at=at, **{**values, **fields})


def settled(log: Log, record: Record, **fields: Any) -> None:
    log.receive(record)
    log.accept(record)
    for name, value in fields.items():
        setattr(record, name, value)
    log.settle(record, record.at)


def test_a_records_secrets_are_masked_and_the_rest_is_shown() -> None:
    record = a_record()

    shown = view(record)

    assert shown.headers == {"authorization": "sk-…89", "x-other": "kept"}
    assert shown.key == "sk-…89"
    assert shown.digest == hashlib.sha256(b"{}").hexdigest()
    assert view(a_record(key="")).key == ""


@pytest.mark.parametrize("text", [KEY, "x-other", "a=1", "{}"])
def test_a_record_tells_what_it_carried_wherever_it_stood(text: str) -> None:
    assert a_record().carries(text)


def test_a_record_carries_nothing_else() -> None:
    assert not a_record().carries("sk-client")


def test_sums_are_kept_though_records_are_dropped() -> None:
    log = Log(keep=2)
    for number in range(5):
        settled(
            log,
            a_record(NOON + number, path=f"/{number}"),
            outcome=Outcome.ANSWERED,
            input_tokens=2,
            output_tokens=3,
        )

    counters = log.counters()

    assert [record.path for record in log.records] == ["/3", "/4"]
    assert (counters.received, counters.accepted, counters.tokens) == (5, 5, 25)
    assert counters.outcomes == {"answered": 5}
    assert (counters.by_model, counters.by_key) == ({"m": 5}, {"sk-…89": 5})


def test_large_bodies_push_old_records_out() -> None:
    log = Log(keep=10, keep_bytes=100)
    for size in (60, 60, 500):
        log.receive(a_record(body=b"x" * size))

    assert [len(record.body) for record in log.records] == [500]


def test_nothing_is_kept_where_nothing_is_to_be() -> None:
    log = Log(keep=0)
    log.receive(a_record())

    assert log.records == ()
    assert log.counters().received == 1


def test_the_peak_is_the_most_calls_at_once() -> None:
    log = Log(keep=10)
    first, second = a_record(), a_record()
    log.accept(first)
    log.accept(second)
    log.settle(first, NOON)
    third = a_record()
    log.accept(third)

    assert (log.counters().in_flight, log.counters().concurrent_peak) == (2, 2)


def test_a_cleared_log_still_knows_what_is_in_flight() -> None:
    log = Log(keep=10)
    log.accept(a_record())
    log.turn_away(a_record(outcome=Outcome.REFUSED))
    before = log.counters().refused
    log.clear()

    assert before == 1
    assert (log.counters().in_flight, log.counters().concurrent_peak) == (1, 1)
    assert (log.counters().accepted, log.counters().refused) == (0, 0)


def test_the_most_within_any_span_is_found() -> None:
    log = Log(keep=10)
    for second in (0, 30, 59, 60, 61, 200):
        settled(log, a_record(NOON + second), input_tokens=10)

    assert log.most_requests(60) == 4
    assert log.most_requests(1) == 1
    assert log.most_tokens(60) == 40
    assert Log(keep=1).most_requests(60) == 0
