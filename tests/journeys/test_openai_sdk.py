"""The official OpenAI SDK against a gateway: what its users do, done unchanged."""

from __future__ import annotations

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from spillover.simulator import ProviderSpec, running
from tests.serving import Served, document_for, serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.chat import ChatCompletionMessageParam

    from spillover.simulator import SimulatedProvider

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather at a place.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    },
}


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[SimulatedProvider, ...]]:
    with running(ProviderSpec(name="one"), ProviderSpec(name="two")) as both:
        yield both


@pytest.fixture(scope="module")
def served(pair: tuple[SimulatedProvider, ...]) -> Iterator[Served]:
    with serving(document_for(*pair, aliases={"gpt-*": "default", "text-*": "two"})) as gateway:
        yield gateway


@pytest.fixture
def client(served: Served, pair: tuple[SimulatedProvider, ...]) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{served.address}/v1", api_key="any", max_retries=0) as found:
        yield found
    for provider in pair:
        provider.reset()
    for name in ("one", "two"):
        served.run(served.engine.set_disabled(name, disabled=False))


def test_a_chat(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=HELLO)

    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0


def test_a_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)

    chunks = list(stream)

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert not any(chunk.usage for chunk in chunks)


def test_a_stream_with_usage(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )

    *_, last = stream

    assert last.usage is not None
    assert last.usage.completion_tokens > 0


def test_tools(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "call weather"}],
        tools=[WEATHER],
        tool_choice="required",
    )

    calls = answer.choices[0].message.tool_calls
    assert calls
    assert calls[0].type == "function"
    assert calls[0].function.name == "weather"


def test_tools_in_a_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "call weather"}],
        tools=[WEATHER],
        tool_choice="required",
        stream=True,
    )

    deltas = [
        call.function.name
        for chunk in stream
        for call in chunk.choices[0].delta.tool_calls or []
        if call.function and call.function.name
    ]

    assert deltas == ["weather"]


def test_several_answers_at_once(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=HELLO, n=3)

    assert [choice.index for choice in answer.choices] == [0, 1, 2]


def test_several_answers_in_a_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-4o", messages=HELLO, n=2, stream=True)

    finished = {
        choice.index for chunk in stream for choice in chunk.choices if choice.finish_reason
    }

    assert finished == {0, 1}


def test_logprobs(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4o", messages=HELLO, logprobs=True, top_logprobs=2
    )

    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content


def test_images(client: OpenAI, pair: tuple[SimulatedProvider, ...]) -> None:
    url = "data:image/png;base64," + base64.b64encode(b"\x89PNG" * 1_000).decode()

    answer = client.chat.completions.create(
        model="gpt-4o",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is it?"},
                    {"type": "image_url", "image_url": {"url": url}},
                ],
            }
        ],
    )

    assert answer.choices[0].message.content
    assert pair[0].carried(url) == 1


def test_fields_the_sdk_does_not_know(client: OpenAI, pair: tuple[SimulatedProvider, ...]) -> None:
    client.chat.completions.create(
        model="gpt-4o", messages=HELLO, extra_body={"chat_template_kwargs": {"thinking": False}}
    )

    assert pair[0].carried('"chat_template_kwargs"') == 1


def test_embeddings(client: OpenAI) -> None:
    answer = client.embeddings.create(model="two", input=["a", "b"])

    assert len(answer.data) == 2
    assert all(isinstance(number, float) for number in answer.data[0].embedding)


def test_legacy_completions(client: OpenAI) -> None:
    answer = client.completions.create(model="text-davinci", prompt="once")
    stream = client.completions.create(model="text-davinci", prompt="once", stream=True)

    assert answer.choices[0].text
    assert "".join(chunk.choices[0].text for chunk in stream)


def test_models(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["default", "one", "two"]
    assert client.models.retrieve("default").owned_by == "spillover"


def test_headers_of_the_answer(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=HELLO)

    assert raw.headers["x-spillover-profile"] == "one"
    assert raw.parse().choices[0].message.content


def test_errors_are_those_the_sdk_knows(
    client: OpenAI, pair: tuple[SimulatedProvider, ...]
) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="nobody", messages=HELLO)
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(model="gpt-4o", messages=HELLO, n=0)
    for provider in pair:
        provider.script("rate_limited", times=None)
    with pytest.raises(openai.RateLimitError) as spent:
        client.chat.completions.create(model="gpt-4o", messages=HELLO)

    assert unknown.value.code == "model_not_found"
    assert bad.value.param == "n"
    assert spent.value.code == "all_exhausted"
    assert spent.value.response.headers["retry-after"]


def test_a_stream_that_is_cut_raises(client: OpenAI, pair: tuple[SimulatedProvider, ...]) -> None:
    pair[0].script("cut")

    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))


def test_the_asynchronous_client_in_parallel(served: Served) -> None:
    async def ask() -> list[str]:
        async with AsyncOpenAI(base_url=f"{served.address}/v1", api_key="any") as client:

            async def one(number: int) -> str:
                if number % 2:
                    stream = await client.chat.completions.create(
                        model="gpt-4o", messages=HELLO, stream=True
                    )
                    texts = [c.choices[0].delta.content or "" async for c in stream if c.choices]
                    return "".join(texts)
                answer = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
                return answer.choices[0].message.content or ""

            return await asyncio.gather(*(one(number) for number in range(40)))

    assert all("one" in text for text in asyncio.run(ask()))


def test_a_stream_that_is_left_is_settled(
    client: OpenAI, served: Served, pair: tuple[SimulatedProvider, ...]
) -> None:
    pair[0].change(ProviderSpec(name="one", events=10_000, events_per_s=100))
    with client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True) as stream:
        next(iter(stream))

    wait_until(lambda: served.engine.in_flight == 0)
    pair[0].change(ProviderSpec(name="one"))


def test_eight_requests_against_a_limit_of_five_a_minute() -> None:
    with (
        running(ProviderSpec(name="one"), ProviderSpec(name="two")) as (one, two),
        serving(document_for(one, two, limits={"requests_per_minute": 5})) as served,
        OpenAI(base_url=f"{served.address}/v1", api_key="any", max_retries=0) as client,
    ):
        for _ in range(8):
            client.chat.completions.create(model="default", messages=HELLO)

        assert (one.counters().accepted, two.counters().accepted) == (5, 3)


def test_fifty_parallel_requests_against_a_limit_of_ten_a_minute() -> None:
    with (
        running(ProviderSpec(name="one"), ProviderSpec(name="two")) as (one, two),
        serving(document_for(one, two, limits={"requests_per_minute": 10})) as served,
        OpenAI(base_url=f"{served.address}/v1", api_key="any", max_retries=0) as client,
        ThreadPoolExecutor(50) as pool,
    ):
        asked = [
            pool.submit(client.chat.completions.create, model="default", messages=HELLO)
            for _ in range(50)
        ]
        answers = [each.result() for each in asked]

        assert len(answers) == 50
        assert (one.counters().accepted, two.counters().accepted) == (10, 40)
