"""Each event that a person should see has its line."""

from __future__ import annotations

import typing

import pytest

from spillover.cli.telling import sentence
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
)
from tests.cli.documents import NOW

FELL_BACK = RequestFallback(
    at=NOW,
    request_id="r",
    chain="default",
    source="groq",
    to="glm",
    cause="rate_limited",
    until=NOW + 42,
)
GAVE_UP = RequestFallback(
    at=NOW, request_id="r", chain="default", source="glm", to=None, cause="overloaded"
)
SERVED = RequestDone(
    at=NOW,
    request_id="r",
    chain="default",
    profile="glm",
    outcome="served",
    took_ms=12.3,
    input_tokens=5,
    output_tokens=7,
)
REFUSED = RequestDone(
    at=NOW,
    request_id="r",
    chain="default",
    profile=None,
    outcome="refused",
    code="all_exhausted",
    took_ms=0.4,
)
BENCHED = ProfileStatus(
    at=NOW, profile="groq", source="active", to="cooldown", reason="rate_limited", until=NOW + 42
)
BUDGET = BudgetReached(
    at=NOW,
    profile="paid",
    scope="profile",
    limit="cost_per_day",
    percent=80,
    used=0.81,
    amount=1.0,
    until=NOW + 42,
)
CREDIT = BudgetReached(
    at=NOW,
    profile="deepseek",
    scope="account",
    limit="tokens_per_lifetime",
    percent=100,
    used=5_000_000,
    amount=5_000_000,
)
BACK = ProfileStatus(at=NOW, profile="groq", source="cooldown", to="active")

OF_REQUESTS: list[tuple[Event, str]] = [
    (FELL_BACK, "groq ▸ glm  rate limited, back in 42 s"),
    (GAVE_UP, "glm ▸ nobody  overloaded"),
    (SERVED, "glm  served, 12 tokens, 12 ms"),
    (REFUSED, "all exhausted  refused, 0 tokens, 0 ms"),
]
OF_STATE: list[tuple[Event, str]] = [
    (BENCHED, "groq is cooldown  rate limited, back in 42 s"),
    (BACK, "groq is active"),
    (
        UpstreamStatus(at=NOW, upstream="litellm", state="waiting", reason="it was killed"),
        "upstream litellm is waiting  it was killed",
    ),
    (
        UpstreamStatus(at=NOW, upstream="litellm", state="running"),
        "upstream litellm is running",
    ),
    (BUDGET, "paid has used 80 % of cost per day  $0.81 of $1.00, back in 42 s"),
    (CREDIT, "account of deepseek has used 100 % of tokens per lifetime  5M of 5M"),
    (ConfigReloaded(at=NOW, path="/c.yaml"), "/c.yaml was taken over"),
    (
        ConfigRejected(at=NOW, path="/c.yaml", problems=("one", "two")),
        "/c.yaml can't be used; the one before stays in force\n          one\n          two",
    ),
    (LedgerTrouble(at=NOW, failing=True, message="disk full"), "disk full"),
    (LedgerTrouble(at=NOW, failing=False, message="written again"), "written again"),
    (
        LedgerDrift(at=NOW, profile="groq", limit="requests_per_day", counted=9, stated=4),
        "groq says that 4 of requests per day are left, we counted 9",
    ),
    (
        LedgerDrift(at=NOW, profile="or", limit="cost_per_day", counted=2.5, stated=0.25),
        "or says that $0.25 of cost per day are left, we counted $2.50",
    ),
]


@pytest.mark.parametrize(("event", "line"), OF_STATE + OF_REQUESTS)
def test_an_event_is_told_with_its_time(event: Event, line: str) -> None:
    told = sentence(event, requests=True)

    assert told is not None
    time, _, rest = told.plain.partition("  ")
    assert len(time) == len("12:00:00")
    assert rest == line


@pytest.mark.parametrize("event", [event for event, _ in OF_REQUESTS])
def test_single_requests_are_told_on_demand_only(event: Event) -> None:
    assert sentence(event, requests=False) is None


def test_a_limit_that_is_reached_is_told_by_the_profiles_status() -> None:
    event = LimitReached(at=NOW, profile="groq", limit="requests_per_day", amount=5)

    assert sentence(event, requests=True) is None


def test_no_kind_of_event_is_forgotten() -> None:
    told = {type(event) for event, _ in OF_STATE + OF_REQUESTS} | {LimitReached, Notice}

    assert told == set(typing.get_args(Event))
