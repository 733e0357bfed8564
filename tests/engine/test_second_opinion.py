"""What providers say of their limits, over real sockets: the lower word wins, and drift is told once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from spillover.core.health import Cooldown, Health, subject_of_profile
from spillover.core.values import Confidence, Source, Status
from spillover.engine.second_opinion import QUIET_S, SecondOpinion
from spillover.events import Bus, LedgerDrift
from spillover.ledger.entries import HealthChanged
from spillover.simulator import ProviderSpec
from spillover.simulator.spec import Allowance, Metric, Pool
from tests.core.making import profile
from tests.engine.staging import HELLO, Stage, plays, staged
from tests.simulator.asking import KEY, chat, fetch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REQUESTS = 20
LIMITS: dict[str, tuple[Allowance, ...]] = {
    "groq": (
        Allowance(metric=Metric.REQUESTS, amount=REQUESTS, per="day"),
        Allowance(metric=Metric.TOKENS, amount=100_000, per="minute"),
    ),
    "openai": (Allowance(metric=Metric.REQUESTS, amount=REQUESTS, per="day"),),
    "cerebras": (Allowance(metric=Metric.REQUESTS, amount=REQUESTS, per="day"),),
    "openrouter": (Allowance(metric=Metric.REQUESTS, amount=REQUESTS, per="day"),),
    "mistral": (Allowance(metric=Metric.REQUESTS, amount=REQUESTS, per="minute"),),
}
TELLING = pytest.mark.parametrize("flavour", ["groq", "openai", "cerebras", "mistral"])
"""Those whose answers tell what is left."""


def provider(flavour: str) -> ProviderSpec:
    return ProviderSpec(flavour=flavour, limits=LIMITS[flavour])


@asynccontextmanager
async def played(flavour: str, **own: Any) -> AsyncIterator[Stage]:
    """A provider of a flavour with its limits, and one without any behind it."""
    profiles = {"p0": {"api_key": KEY, **own}}
    async with staged(provider(flavour), "generic", profiles=profiles) as stage:
        yield stage


async def somebody_else_asks(stage: Stage, times: int) -> None:
    """Use the first profile's own key and model from elsewhere."""
    asked = chat(model="model-0", max_tokens=5)
    for _ in range(times):
        got = await asyncio.to_thread(fetch, stage.first, body=asked)
        assert got.status == 200


def limit_of(stage: Stage, metric: str) -> Any:
    stage.engine.ledger.catch_up()
    return next(each for each in stage.status("p0")["limits"] if each["metric"] == metric)


def heard(stage: Stage) -> set[tuple[str, int | None, int | None]]:
    """What was last said of each limit."""
    stage.engine.ledger.catch_up()
    said = stage.engine.ledger.book.counters.heard.values()
    found = [each.stated for limits in said for each in limits.values()]
    return {(each.name, each.limit, each.remaining) for each in found}


@TELLING
@plays
async def test_profile_whose_quota_somebody_else_used_is_left_before_a_refusal(
    flavour: str,
) -> None:
    async with played(flavour) as stage:
        first = await stage.ask()
        await somebody_else_asks(stage, REQUESTS - 4)

        served = [(await stage.ask()).profile for _ in range(8)]

        assert first.profile == "p0"
        assert served == ["p0"] * 3 + ["p1"] * 5
        assert stage.first.counters().refused == 0


@pytest.mark.parametrize("flavour", ["groq", "openai", "cerebras"])
@plays
async def test_heads_of_streams_are_heard_too(flavour: str) -> None:
    async with played(flavour) as stage:
        await somebody_else_asks(stage, REQUESTS - 3)

        served = [(await stage.stream()).profile for _ in range(4)]

        assert served == ["p0"] * 3 + ["p1"]
        assert stage.first.counters().refused == 0


@plays
async def test_one_refusal_of_a_provider_that_tells_nothing_else_is_enough() -> None:
    async with played("openrouter") as stage:
        await somebody_else_asks(stage, REQUESTS)

        served = [(await stage.ask()).profile for _ in range(3)]

        assert served == ["p1"] * 3
        assert stage.first.counters().refused == 1
        assert heard(stage) == {("requests_per_day", REQUESTS, 0)}


@plays
async def test_what_a_refusal_says_in_words_is_heard() -> None:
    tokens = (Allowance(metric=Metric.TOKENS, amount=1_000, per="day"),)
    spec = ProviderSpec(flavour="groq", limits=tokens)
    async with staged(spec, "generic", profiles={"p0": {"api_key": KEY}}) as stage:
        await somebody_else_asks(stage, 1)

        got = await stage.ask(HELLO | {"max_tokens": 997})

        assert got.profile == "p1"
        ((name, limit, left),) = heard(stage)
        assert (name, limit) == ("tokens_per_day", 1_000)
        assert left is not None
        assert 900 < left < 1_000


@plays
async def test_difference_is_told_once_and_shown() -> None:
    limits = {"requests_per_day": 50}
    async with played("groq", limits=limits) as stage:
        await stage.ask()
        agreeing = stage.events(LedgerDrift)
        await somebody_else_asks(stage, 15)
        for _ in range(3):
            await stage.ask()

        (drift,) = stage.events(LedgerDrift)[len(agreeing) :] or agreeing
        shown = limit_of(stage, "requests")

        assert (drift.profile, drift.limit) == ("p0", "requests_per_day")
        assert drift.counted > drift.stated
        assert shown["remaining"] == 46
        assert (shown["provider_remaining"], shown["provider_limit"]) == (1, REQUESTS)
        assert shown["provider_resets_at"] is not None


@plays
async def test_answers_that_follow_the_trend_cost_no_record() -> None:
    async with played("groq") as stage:
        await stage.ask()
        stage.engine.ledger.catch_up()
        before = stage.engine.ledger.book.counters.heard
        first = {name: dict(said) for name, said in before.items()}
        for _ in range(4):
            await stage.ask()

        assert stage.engine.ledger.book.counters.heard == first
        (said,) = [
            each for each in stage.status("p0")["provider_limits"] if each["metric"] == "requests"
        ]
        assert (said["per"], said["amount"], said["remaining"]) == ("day", REQUESTS, 15)


@plays
async def test_spent_by_the_providers_word_is_exhausted_and_says_whose_word_it_is() -> None:
    async with played("groq") as stage:
        await somebody_else_asks(stage, REQUESTS - 1)
        await stage.ask()

        shown = stage.status("p0")
        explained = stage.engine.explain(stage.call())

        assert (shown["status"], shown["source"], shown["confidence"]) == (
            "exhausted",
            "header",
            "stated",
        )
        assert [(each["reason"], each["detail"]) for each in explained["skipped"]] == [
            ("exhausted", "requests_per_day")
        ]


@pytest.mark.parametrize(
    ("left", "later_s", "is_read"),
    [
        (100, 0.5, False),
        (80, 0.5, False),
        (75, 0.5, False),
        (74, 0.5, True),
        (80, QUIET_S, True),
        (80, -60.0, True),
    ],
)
@plays
async def test_headers_are_read_whole_once_a_second_or_when_a_quarter_of_the_rest_is_gone(
    left: int, later_s: float, *, is_read: bool
) -> None:
    async with staged("generic") as stage:
        ledger, now = stage.engine.ledger, stage.engine.clock.now()
        opinion, who = SecondOpinion(ledger, Bus()), profile("a")
        headers = {"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "100"}
        opinion.hear(who, headers, now)
        ledger.catch_up()

        headers["x-ratelimit-remaining-requests"] = str(left)
        opinion.hear(who, headers, now + later_s)

        expected = left if is_read else 100
        assert heard(stage) == {("requests_per_day", 100, expected)}


@plays
async def test_tokens_that_appear_later_are_read_at_once() -> None:
    async with staged("generic") as stage:
        now = stage.engine.clock.now()
        opinion, who = SecondOpinion(stage.engine.ledger, Bus()), profile("a")
        headers = {"x-ratelimit-remaining-requests": "100"}
        opinion.hear(who, headers, now)

        opinion.hear(who, headers | {"x-ratelimit-remaining-tokens": "9"}, now)

        assert heard(stage) == {("requests_per_day", None, 100), ("tokens_per_minute", None, 9)}


@plays
async def test_profile_whose_provider_is_changed_is_heard_by_both() -> None:
    async with staged("generic") as stage:
        now = stage.engine.clock.now()
        opinion, headers = SecondOpinion(stage.engine.ledger, Bus()), {"ratelimit-remaining": "9"}
        headers |= {"x-ratelimit-remaining-requests": "100"}

        for provider_id in ("groq", "mistral", "custom", "groq"):  # answers of before a reload too
            opinion.hear(profile("a", provider=provider_id), headers, now)

        assert ("requests_per_day", None, 100) in heard(stage)


@plays
async def test_provider_without_such_headers_is_not_heard() -> None:
    async with staged("generic") as stage:
        await stage.ask()

        assert heard(stage) == set()
        assert stage.status("p0")["provider_limits"] == []


@plays
async def test_quota_that_gemini_names_is_proposed_and_spent_until_its_window_ends() -> None:
    spec = ProviderSpec(
        flavour="gemini", limits=(Allowance(metric=Metric.REQUESTS, amount=2, per="day"),)
    )
    own = {"api_key": KEY, "limits": {"requests_per_day": 5}}
    async with staged(spec, "generic", profiles={"p0": own}) as stage:
        served = [(await stage.ask()).profile for _ in range(3)]

        assert served == ["p0", "p0", "p1"]
        shown, limit = stage.status("p0"), limit_of(stage, "requests")
        assert (shown["status"], shown["reason"]) == ("exhausted", "quota_exhausted")
        assert (limit["amount"], limit["provider_limit"], limit["provider_remaining"]) == (5, 2, 0)
        assert limit["provider_resets_at"] == shown["until"]


@plays
async def test_what_gemini_names_spent_is_no_bar_when_its_window_turned_in_vain() -> None:
    spec = ProviderSpec(
        flavour="gemini", limits=(Allowance(metric=Metric.REQUESTS, amount=1, per="day"),)
    )
    async with staged(spec, "generic", profiles={"p0": {"api_key": KEY}}) as stage:
        await stage.ask()
        now = stage.engine.clock.now()
        turned = Cooldown(
            status=Status.EXHAUSTED, reason="quota_exhausted", since=now - 60.0, until=now - 1.0,
            probe_at=None, source=Source.CATALOGUE, confidence=Confidence.KNOWN,
        )  # fmt: skip
        record = HealthChanged(subject_of_profile("p0"), Health(exhausted=turned))
        await stage.engine.ledger.record(record)

        served = (await stage.ask()).profile

        assert served == "p1"
        assert ("requests_per_day", 1, None) in heard(stage)
        assert stage.status("p0")["probe_at"] is not None


@plays
async def test_spent_quota_of_an_unknown_window_is_proposed_alone() -> None:
    spec = ProviderSpec(
        flavour="gemini", limits=(Allowance(metric=Metric.REQUESTS, amount=1, per="hour"),)
    )
    async with staged(spec, "generic", profiles={"p0": {"api_key": KEY}}) as stage:
        await stage.ask()
        await stage.ask()

        assert heard(stage) == {("requests_per_hour", 1, None)}


CROWDED = (Allowance(metric=Metric.CONCURRENCY, amount=4, pool=Pool.KEY),)


@plays
async def test_burst_teaches_how_many_calls_are_taken_at_once() -> None:
    crowded = ProviderSpec(limits=CROWDED, first_token_s=0.2)  # it refuses at once
    streamed = {**HELLO, "stream": True}
    async with staged(crowded, ProviderSpec(delay_s=0.01)) as stage:
        first = await stage.ask_all(50, streamed)
        refused = [stage.first.counters().refused]
        learned = limit_of(stage, "concurrency")
        for _ in range(3):
            await stage.engine.clear_cooldown("p0")  # rather than wait until its 2 s are up
            assert {got.status for got in await stage.ask_all(50, streamed)} == {200}
            refused.append(stage.first.counters().refused)

        assert {got.status for got in first} == {200}
        assert {got.profile for got in first} == {"p0", "p1"}
        assert refused == [46] * 4
        assert (learned["amount"], learned["source"], learned["scope"]) == (
            4,
            "refusals",
            "account",
        )
        assert stage.first.counters().accepted == 16
        assert stage.settled
