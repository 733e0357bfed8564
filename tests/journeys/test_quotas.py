"""A quota is spent to its end and not beyond, traffic spills over, and comes back when it can."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

from openai import AsyncOpenAI

from tests.cli.terminal import spillover
from tests.journeys.processes import ASKED, Gateway, document, gateway, write
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.processes import Provider

WINDOW_S = 2
TOKENS = 5_000


def test_eight_requests_of_the_sdk_are_five_and_three(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second, limits={"requests_per_hour": 5}))

    with gateway(config) as served, served.client() as client:
        answers = [
            client.chat.completions.create(model="default", messages=ASKED) for _ in range(8)
        ]

    assert all(answer.choices[0].message.content for answer in answers)
    assert (first.accepted, second.accepted) == (5, 3)
    assert first.counters()["refused"] == 0


def test_traffic_is_back_on_the_first_when_its_window_frees(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second, limits=[{"requests": 5, "per": f"{WINDOW_S}s"}]))

    with gateway(config) as served, ThreadPoolExecutor(6) as pool:

        def at_once() -> list[str]:
            return [*pool.map(lambda _: served.served_by(), range(6))]

        wait_until(lambda: "second" in at_once())
        told = served.told("limit.reached")[0]
        wait_until(lambda: served.status()["chains"]["default"]["serving"] == "first")
        back = at_once()

    assert (told["profile"], told["amount"]) == ("first", 5)
    assert "first" in back


def test_a_free_account_of_5000_tokens_an_hour_is_spent_before_the_paid_one(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second, limits={"tokens_per_hour": TOKENS}))
    for each in (first, second):
        each.change(answer="word " * 100)

    with gateway(config) as served, served.client() as client:

        def spend() -> None:
            while not second.accepted:
                client.chat.completions.create(model="default", messages=ASKED)

        spend()
        spent, largest = first.tokens, first.tokens // first.accepted
        counted = served.used()["tokens"]
        cleared = spillover("usage", "clear", "first", "--config", config)
        back = served.served_by()
        first.make_new()
        second.make_new()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: spend(), range(16)))

    assert counted == spent <= TOKENS
    assert spent > TOKENS - 3 * largest, "what is free is used before what is paid"
    assert (cleared.returncode, back) == (0, "first")
    assert first.tokens <= TOKENS


def test_fifty_at_once_against_ten_a_minute_are_ten(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second, limits={"requests_per_hour": 10}))

    async def ask_all(address: str) -> int:
        async with AsyncOpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0) as client:
            asked = [
                client.chat.completions.create(model="default", messages=ASKED) for _ in range(50)
            ]
            return len(await asyncio.gather(*asked))

    with gateway(config) as served:
        answered = asyncio.run(ask_all(served.address))

    assert answered == 50
    assert (first.counters()["received"], second.accepted) == (10, 40)


def test_a_crowd_that_is_refused_teaches_how_many_are_taken_at_once(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second))
    first.change(limits=["concurrency=4"], first_token_s=1.5)  # it refuses at once

    async def ask_all(address: str) -> int:
        async with AsyncOpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0) as client:

            async def read() -> str:
                said = ""
                async for chunk in await client.chat.completions.create(
                    model="default", messages=ASKED, stream=True
                ):
                    said += chunk.choices[0].delta.content or "" if chunk.choices else ""
                return said

            return sum(map(bool, await asyncio.gather(*(read() for _ in range(50)))))

    with gateway(config) as served:
        answered = asyncio.run(ask_all(served.address))
        taught = first.counters()["refused"]
        shown = served.profile()["limits"]
        wait_until(lambda: served.profile()["status"] == "active")
        answered += asyncio.run(ask_all(served.address))
        refused = first.counters()["refused"] - taught

    assert answered == 100
    assert taught > 0
    assert refused == 0
    (learned,) = [each for each in shown if each["source"] == "refusals"]
    assert (learned["metric"], learned["amount"]) == ("concurrency", 4)


def test_four_gateways_on_one_ledger_let_forty_of_two_hundred_through(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second, limits={"requests_per_hour": 40}))

    with ExitStack() as stack, ThreadPoolExecutor(200) as pool:
        started = [pool.submit(stack.enter_context, gateway(config)) for _ in range(4)]
        gateways: list[Gateway] = [each.result() for each in started]
        asked = [pool.submit(gateways[number % 4].served_by) for number in range(200)]
        served = [each.result() for each in asked]
        counted = [each.used()["requests"] for each in gateways]

    assert (served.count("first"), served.count("second")) == (40, 160)
    assert (first.counters()["received"], second.accepted) == (40, 160)
    assert max(counted) == 40
