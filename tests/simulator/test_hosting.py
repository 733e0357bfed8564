"""Providers on real sockets: in a loop, in a thread, refusing, and under real clients."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from spillover.simulator.hosting import running, simulate
from spillover.simulator.spec import Model, ProviderSpec, limits
from tests import own_time
from tests.simulator.asking import KEY, SECONDS, Clock, chat, fetch
from tests.waiting import wait_until

ANY_PORT = 0


def test_a_provider_serves_within_its_context_and_not_after() -> None:
    async def main() -> int:
        async with simulate(ProviderSpec(flavour="groq")) as provider:
            assert provider.base_url == f"{provider.origin}/openai/v1"
            got = await asyncio.to_thread(fetch, provider, body=chat())
            assert got.status == 200
            return int(provider.origin.rpartition(":")[2])

    port = asyncio.run(main())

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_threads_host_several_providers_for_code_that_is_not_async() -> None:
    before = threading.active_count()
    with running(ProviderSpec(answer="one"), ProviderSpec(flavour="gemini", answer="two")) as both:
        texts = [
            fetch(provider, body=chat()).json["choices"][0]["message"]["content"]
            for provider in both
        ]

    assert texts == ["one", "two"]
    assert threading.active_count() == before


def test_a_mistake_in_a_spec_is_told_to_who_started_it() -> None:
    with pytest.raises(ValueError, match="no flavour"), running(ProviderSpec(flavour="grok")):
        pass


def test_a_clock_of_the_test_moves_the_windows() -> None:
    clock = Clock()
    with running(ProviderSpec(limits=limits("requests=1/hour")), clock=clock) as (provider,):
        statuses = [fetch(provider, body=chat()).status for _ in range(2)]
        clock.at += 3_600
        statuses.append(fetch(provider, body=chat()).status)

    assert statuses == [200, 429, 200]


def test_fifty_calls_at_once_against_a_limit_of_ten_let_exactly_ten_through() -> None:
    with (
        running(ProviderSpec(limits=limits("requests=10/minute"))) as (provider,),
        ThreadPoolExecutor(50) as pool,
    ):
        statuses = list(pool.map(lambda _: fetch(provider, body=chat()).status, range(50)))
        most = provider.most_requests(60)

    assert sorted(statuses) == [200] * 10 + [429] * 40
    assert most == 10


def test_calls_in_flight_are_counted_at_their_peak() -> None:
    with (
        ThreadPoolExecutor(3) as pool,
        running(ProviderSpec(limits=limits("concurrency=3"))) as (provider,),
    ):
        provider.script("silence", times=3)
        for _ in range(3):
            pool.submit(fetch, provider, body=chat())
        wait_until(lambda: provider.counters().in_flight == 3)
        statuses = [fetch(provider, body=chat()).status for _ in range(3)]
        peak = provider.counters().concurrent_peak

    assert statuses == [429] * 3
    assert peak == 3


def test_a_provider_refuses_connections_until_it_accepts_again() -> None:
    with running(ProviderSpec()) as (provider,):
        provider.refuse()
        with pytest.raises(ConnectionRefusedError):
            fetch(provider, body=chat())
        provider.accept()
        provider.accept()

        assert fetch(provider, body=chat()).status == 200


def test_idle_connections_are_dropped_and_answers_under_way_go_on_while_it_refuses() -> None:
    with (
        ThreadPoolExecutor(1) as pool,
        running(ProviderSpec(events=100_000, events_per_s=50)) as (provider,),
    ):
        port = int(provider.origin.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as idle:
            under_way = pool.submit(fetch, provider, body=chat(stream=True))
            wait_until(lambda: provider.counters().in_flight == 1 and provider.connections == 2)
            provider.refuse()

            assert idle.recv(1) == b""
            assert not under_way.done()
            assert (provider.counters().in_flight, provider.connections) == (1, 1)


def test_refusing_over_http_ends_by_itself() -> None:
    asked = b'POST /_control/refuse HTTP/1.1\r\ncontent-length: 14\r\n\r\n{"for_s": 0.3}'

    async def main() -> None:
        async with simulate(ProviderSpec()) as provider:
            place = "127.0.0.1", int(provider.origin.rpartition(":")[2])
            reader, writer = await asyncio.open_connection(*place)
            writer.write(asked)
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200 ")
            writer.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*place)

            await asyncio.sleep(0.35)

            got = await asyncio.to_thread(fetch, provider, body=chat())
            assert got.status == 200

    own_time.run(main())


def test_a_refusal_is_cancelled_by_accepting_and_by_leaving() -> None:
    async def main() -> None:
        async with simulate(ProviderSpec()) as provider:
            provider.refuse(60)
            provider.accept()
            got = await asyncio.to_thread(fetch, provider, body=chat())
            provider.refuse(60)
            assert got.status == 200

    asyncio.run(main())


def test_the_control_interface_is_no_request_of_a_client() -> None:
    with running(ProviderSpec(keys=frozenset({"right"}))) as (provider,):
        first = fetch(provider, "/_control/counters")

    assert (first.status, first.json["received"]) == (200, 0)
    assert provider.control_url == f"{provider.origin}/_control"


def test_a_port_that_is_taken_is_an_error_of_who_asked_for_it() -> None:
    async def main(port: int) -> None:
        async with simulate(ProviderSpec(), port=port):
            pass

    with (
        socket.create_server(("127.0.0.1", ANY_PORT)) as taken,
        pytest.raises(OSError, match="in use"),
    ):
        asyncio.run(main(taken.getsockname()[1]))


def test_the_official_client_chats_streams_calls_tools_and_embeds() -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    models = {"m": Model(), "v": Model(dimensions=6)}
    spec = ProviderSpec(flavour="openai", models=models, keys=frozenset({KEY}), answer="a b c")
    user = {"role": "user", "content": "hello"}
    with (
        running(spec) as (provider,),
        openai.OpenAI(base_url=provider.base_url, api_key=KEY, max_retries=0) as client,
    ):
        whole = client.chat.completions.create(model="m", messages=[user])  # type: ignore[list-item]
        called = client.chat.completions.create(  # type: ignore[call-overload]
            model="m", messages=[user], tools=[tool], tool_choice="required"
        )
        chunks = list(
            client.chat.completions.create(  # type: ignore[call-overload]
                model="m",
                messages=[user],
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        vectors = client.embeddings.create(model="v", input=["one", "two"])
        listed = [model.id for model in client.models.list()]
        provider.script("rate_limited")
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="m", messages=[user])  # type: ignore[list-item]

    assert whole.choices[0].message.content == "a b c"
    assert called.choices[0].message.tool_calls[0].function.name == "look_up"
    streamed = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    assert streamed == "a b c"
    assert chunks[-1].usage.total_tokens == 4
    assert [len(one.embedding) for one in vectors.data] == [6, 6]
    assert listed == ["m", "v"]
