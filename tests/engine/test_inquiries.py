"""Asking usage endpoints beside the requests, over real sockets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from spillover.catalogue import load
from spillover.config.loader import load_document
from spillover.config.overrides import Own
from spillover.core.values import FailureClass
from spillover.engine import EngineOptions, open_engine
from spillover.engine.attempt import Means
from spillover.engine.inquiries import AGAIN_S, EVERY_S, Inquiries
from spillover.engine.rounds import Rounds
from spillover.engine.second_opinion import SecondOpinion
from spillover.events import Bus, LedgerDrift
from spillover.protocols.usage_answers import UsageForm, read_usage_answer
from spillover.simulator import ProviderSpec, SimulatedProvider, simulate
from spillover.upstream import HttpUpstream
from tests.core.making import failure
from tests.engine.staging import Client, document, plays, upstream_of
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from spillover.config.loader import LoadedConfig
    from spillover.engine import Engine

GOOD = "sk-or-good-0123456789"
PRICE = {"input": 100.0, "output": 100.0}
PATHS = {"openrouter": "/api/v1/key", "deepseek": "/user/balance"}


def loaded(flavour: str, base_url: str, **own: Any) -> LoadedConfig:
    """A configuration of one profile of a provider whose own address is a simulated one's."""
    packaged = load()
    entry = replace(packaged.providers[flavour], base_url=base_url)
    catalogue = packaged.changed({flavour: entry}, {}, by="test")
    key = {"api_key": GOOD, "price": PRICE, **own}
    written = document([base_url], flavours=[flavour], profiles={"p0": key})
    return load_document(written, environ={}, own=Own(catalogue=catalogue, files=()))


@asynccontextmanager
async def serving(
    flavour: str = "openrouter", *, serves: bool = True, keys: str = GOOD, **spec: Any
) -> AsyncIterator[tuple[Client, SimulatedProvider]]:
    """An engine over one provider that has a usage endpoint."""
    full = ProviderSpec(flavour=flavour, keys=frozenset({keys}), **spec)
    async with simulate(full) as provider:
        options = EngineOptions(in_memory=True, serves=serves)
        engine = await open_engine(loaded(flavour, provider.base_url), options)
        client = Client(engine)
        engine.events.listen(client.seen.append)
        try:
            yield client, provider
        finally:
            await engine.close(grace_s=0.0)


def asked(provider: SimulatedProvider) -> int:
    """How often its usage endpoint was asked."""
    return sum(each.path in PATHS.values() for each in provider.records)


def said(client: Client) -> list[dict[str, Any]]:
    client.engine.ledger.catch_up()
    limits: list[dict[str, Any]] = client.status("p0")["provider_limits"]
    return limits


@pytest.mark.parametrize("flavour", PATHS)
@plays
async def test_new_key_is_asked_about_at_once_and_what_is_left_is_shown(flavour: str) -> None:
    async with serving(flavour, balance_usd=4.0) as (client, provider):
        await eventually(lambda: bool(said(client)))

        (balance,) = said(client)
        state = client.status("p0")["usage_endpoint"]
        assert (balance["metric"], balance["per"], balance["remaining"]) == ("cost", "balance", 4.0)
        assert state["asked_at"] is not None
        assert state["problem"] is None
        (record,) = provider.records
        assert (record.method, record.path, record.key) == ("GET", PATHS[flavour], GOOD)


@pytest.mark.parametrize("flavour", PATHS)
@plays
async def test_spent_account_is_not_asked_for_what_costs(flavour: str) -> None:
    async with serving(flavour, balance_usd=0.0) as (client, provider):
        await eventually(lambda: bool(said(client)))

        got = await client.ask()

        assert (got.status, got.code) == (429, "all_exhausted")
        assert client.status("p0")["source"] == "header"
        assert provider.counters().accepted == 0


@plays
async def test_who_only_looks_asks_nothing() -> None:
    async with serving(serves=False) as (client, provider):
        await client.ask()

        assert asked(provider) == 0
        assert client.status("p0")["usage_endpoint"] == {"asked_at": None, "problem": None}


@plays
async def test_failure_is_silent_but_for_the_status() -> None:
    async with serving(keys="another") as (client, _):
        await eventually(lambda: client.status("p0")["usage_endpoint"]["problem"] is not None)

        assert client.status("p0")["usage_endpoint"]["problem"] == "answered 401"
        assert client.status("p0")["status"] == "active"
        assert client.seen == []


@plays
async def test_another_address_than_the_providers_own_is_never_asked() -> None:
    async with simulate(ProviderSpec(flavour="openrouter")) as provider:
        elsewhere = document([provider.base_url], flavours=["openrouter"])
        engine = await open_engine(
            load_document(elsewhere, environ={}), EngineOptions(in_memory=True)
        )
        client = Client(engine)

        await client.ask()

        assert client.status("p0")["usage_endpoint"] is None
        assert asked(provider) == 0
        await engine.close(grace_s=0.0)


@plays
async def test_less_than_is_counted_is_told_as_drift() -> None:
    async with simulate(ProviderSpec(flavour="openrouter")) as provider:
        body = b'{"data": {"limit": 5, "limit_remaining": 1.25, "limit_reset": "daily"}}'
        own = {"limits": {"cost_per_day": 3}}
        engine = await open_engine(
            loaded("openrouter", provider.base_url, **own), EngineOptions(in_memory=True)
        )
        client = Client(engine)
        engine.events.listen(client.seen.append)
        opinion = SecondOpinion(engine.ledger, engine.events)
        now = engine.clock.now()
        limits = read_usage_answer(UsageForm.OPENROUTER_KEY, body, now)
        opinion.hear_account(list(engine.routing.profiles.values()), limits, now)
        engine.ledger.catch_up()

        (drift,) = client.events(LedgerDrift)
        (limit,) = client.status("p0")["limits"]
        assert (drift.limit, drift.counted, drift.stated) == ("cost_per_day", 3.0, 1.25)
        assert (limit["amount"], limit["provider_limit"]) == (3.0, 5.0)
        assert limit["provider_remaining"] == 1.25
        await engine.close(grace_s=0.0)


# When it is asked.


class Elapsed:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@asynccontextmanager
async def inquiring(engine: Engine, elapsed: Elapsed | None = None) -> AsyncIterator[Inquiries]:
    """Inquiries of their own about an engine's accounts."""
    upstream = HttpUpstream()
    means = Means(upstream=upstream, clock=engine.clock, rounds=Rounds())
    found = Inquiries(
        engine.ledger, means, SecondOpinion(engine.ledger, Bus()), elapsed or Elapsed()
    )
    found.adopt(engine.routing)
    found.start()
    try:
        yield found
    finally:
        await found.close()
        await upstream.close()


@pytest.mark.parametrize(
    ("kind", "after_s", "times"),
    [
        (FailureClass.QUOTA_EXHAUSTED, AGAIN_S, 2),
        (FailureClass.PAYMENT_REQUIRED, AGAIN_S, 2),
        (FailureClass.PAYMENT_REQUIRED, AGAIN_S - 1.0, 1),
        (FailureClass.RATE_LIMITED, AGAIN_S, 1),
    ],
)
@plays
async def test_refusal_that_says_spent_has_it_asked_again(
    kind: FailureClass, after_s: float, times: int
) -> None:
    elapsed = Elapsed()
    async with (
        serving(serves=False) as (client, provider),
        inquiring(client.engine, elapsed) as inquiries,
    ):
        profile = client.engine.routing.profiles["p0"]
        await eventually(lambda: asked(provider) == 1)
        elapsed.at += after_s

        inquiries.failed(profile, failure(kind))
        inquiries.failed(replace(profile, account="another"), failure(kind))

        await settled(inquiries, client, provider, times)


async def settled(
    inquiries: Inquiries, client: Client, provider: SimulatedProvider, times: int
) -> None:
    """Wait until it was asked so often, and no more."""
    for _ in range(5):  # turns in which it begins to ask if it has to
        await asyncio.sleep(0)
    account = client.engine.routing.profiles["p0"].account
    began = inquiries.status(account)
    await eventually(lambda: asked(provider) >= times)
    assert (asked(provider), inquiries.status(account)) == (times, began)


@pytest.mark.parametrize(
    ("is_used", "left", "after_s", "times"),
    [
        (True, 4.0, EVERY_S, 2),
        (True, 4.0, EVERY_S - 1.0, 1),
        (False, 4.0, EVERY_S, 1),
        (False, 0.0, EVERY_S, 2),
    ],
)
@plays
async def test_account_in_use_or_spent_is_asked_about_now_and_then(
    left: float, after_s: float, times: int, *, is_used: bool
) -> None:
    elapsed = Elapsed()
    async with (
        serving(serves=False, balance_usd=left) as (client, provider),
        inquiring(client.engine, elapsed) as inquiries,
    ):
        if is_used:
            await client.ask()
        await eventually(lambda: bool(said(client)))
        elapsed.at += after_s

        inquiries.adopt(client.engine.routing)

        await settled(inquiries, client, provider, times)


@plays
async def test_changed_key_is_asked_about_at_once_and_the_same_one_is_not() -> None:
    async with (
        serving(serves=False) as (client, provider),
        inquiring(client.engine) as inquiries,
    ):
        await eventually(lambda: asked(provider) == 1)

        await client.engine.reload(loaded("openrouter", provider.base_url))
        inquiries.adopt(client.engine.routing)
        await settled(inquiries, client, provider, 1)
        await client.engine.reload(loaded("openrouter", provider.base_url, api_key="sk-new-9876"))
        inquiries.adopt(client.engine.routing)

        await settled(inquiries, client, provider, 2)


@plays
async def test_profiles_of_one_account_are_asked_about_once() -> None:
    async with simulate(ProviderSpec(flavour="openrouter")) as provider:
        one = loaded("openrouter", provider.base_url)
        written = document(
            [provider.base_url] * 2,
            flavours=["openrouter"] * 2,
            profiles={name: {"api_key": GOOD} for name in ("p0", "p1")},
        )
        own = Own(catalogue=one.catalogue, files=())
        engine = await open_engine(
            load_document(written, environ={}, own=own), EngineOptions(in_memory=True)
        )
        client = Client(engine)

        await eventually(lambda: bool(said(client)))

        assert client.status("p1")["provider_limits"] == client.status("p0")["provider_limits"]
        assert asked(provider) == 1
        await engine.close(grace_s=0.0)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", "answered 302"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", "the answer can't be read"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n" + b"x" * 99_999, "larger than"),
        (b"", "the connection was closed"),
    ],
)
@plays
async def test_answer_that_is_none_is_a_problem(answer: bytes, problem: str) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async with upstream_of(speak) as base_url:
        options = EngineOptions(in_memory=True)
        engine = await open_engine(loaded("openrouter", base_url), options)
        client = Client(engine)
        await eventually(lambda: client.status("p0")["usage_endpoint"]["problem"] is not None)

        assert problem in client.status("p0")["usage_endpoint"]["problem"]
        assert said(client) == []
        await engine.close(grace_s=0.0)


@plays
async def test_closing_does_not_wait_for_an_answer() -> None:
    async with serving(delay_s=5.0) as (client, provider):
        await eventually(lambda: asked(provider) == 1)

        await client.engine.close(grace_s=0.0)
