"""Each kind of event, as JSON has it."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from spillover.core.notices import NoticeKind
from spillover.events import (
    BudgetReached,
    ConfigRejected,
    ConfigReloaded,
    Event,
    LedgerDrift,
    LedgerTrouble,
    LimitReached,
    Notice,
    ProfileStatus,
    RequestDone,
    RequestFallback,
    UpstreamStatus,
    to_json,
)
from spillover.events.kinds import instant, iso

AT = 1_790_000_000.25
SHOWN = "2026-09-21T14:13:20.250Z"

EXAMPLES: list[tuple[Event, dict[str, object]]] = [
    (
        RequestFallback(
            at=AT, request_id="r", chain="c", source="a", to="b", cause="limit", until=AT + 1
        ),
        {
            "type": "request.fallback",
            "request_id": "r",
            "chain": "c",
            "from": "a",
            "to": "b",
            "cause": "limit",
            "until": "2026-09-21T14:13:21.250Z",
            "waited_ms": 0.0,
        },
    ),
    (
        RequestDone(at=AT, request_id="r", chain="c", profile="a", outcome="served", took_ms=1.5),
        {
            "type": "request.done",
            "request_id": "r",
            "chain": "c",
            "profile": "a",
            "outcome": "served",
            "code": None,
            "trail": "",
            "took_ms": 1.5,
            "ttft_ms": None,
            "reserve_ms": 0.0,
            "input_tokens": 0,
            "output_tokens": 0,
            "reported": True,
            "garbage_events": 0,
        },
    ),
    (
        ProfileStatus(at=AT, profile="a", source="active", to="cooldown", reason="timeout"),
        {
            "type": "profile.status",
            "profile": "a",
            "from": "active",
            "to": "cooldown",
            "reason": "timeout",
            "until": None,
        },
    ),
    (
        UpstreamStatus(at=AT, upstream="litellm", state="waiting", reason="it was killed"),
        {
            "type": "upstream.status",
            "upstream": "litellm",
            "state": "waiting",
            "reason": "it was killed",
            "pid": None,
        },
    ),
    (
        LimitReached(at=AT, profile="a", limit="requests_per_day", amount=5, available_at=AT),
        {
            "type": "limit.reached",
            "profile": "a",
            "limit": "requests_per_day",
            "amount": 5,
            "available_at": SHOWN,
        },
    ),
    (
        BudgetReached(
            at=AT,
            profile="a",
            scope="account",
            limit="cost_per_day",
            percent=80,
            used=0.81,
            amount=1.0,
            until=AT,
        ),
        {
            "type": "budget.reached",
            "profile": "a",
            "scope": "account",
            "limit": "cost_per_day",
            "percent": 80,
            "used": 0.81,
            "amount": 1.0,
            "until": SHOWN,
        },
    ),
    (
        LedgerTrouble(at=AT, failing=True, message="disk full"),
        {"type": "ledger.trouble", "failing": True, "message": "disk full"},
    ),
    (
        LedgerDrift(at=AT, profile="a", limit="requests_per_day", counted=5, stated=2),
        {
            "type": "ledger.drift",
            "profile": "a",
            "limit": "requests_per_day",
            "counted": 5,
            "stated": 2,
        },
    ),
    (ConfigReloaded(at=AT, path="p"), {"type": "config.reloaded", "path": "p"}),
    (
        ConfigRejected(at=AT, path="p", problems=("a", "b")),
        {"type": "config.rejected", "path": "p", "problems": ["a", "b"]},
    ),
    (
        Notice(at=AT, id=7, kind=NoticeKind.FAILED, text="a failed", profile="a", until=AT),
        {
            "type": "notice",
            "id": 7,
            "kind": "failed",
            "text": "a failed",
            "count": 1,
            "chain": None,
            "profile": "a",
            "from": None,
            "to": None,
            "cause": None,
            "until": SHOWN,
        },
    ),
]


@pytest.mark.parametrize(
    ("event", "fields"), EXAMPLES, ids=[type(event).__name__ for event, _ in EXAMPLES]
)
def test_an_event_is_one_line_of_json_with_its_type(
    event: Event, fields: dict[str, object]
) -> None:
    line = to_json(event)

    assert b"\n" not in line
    assert msgspec.json.decode(line) == {**fields, "at": SHOWN}


def test_every_kind_has_its_example() -> None:
    assert {type(event) for event, _ in EXAMPLES} == set(get_args(Event))


def test_instants_are_shown_in_utc_to_the_millisecond() -> None:
    assert iso(0.0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize("at", [0.0, 1_790_000_000.125])
def test_an_instant_is_read_as_it_was_written(at: float) -> None:
    assert instant(iso(at)) == at


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    assert instant("2026-07-01T02:00:00+02:00") == instant("2026-07-01T00:00:00Z")
