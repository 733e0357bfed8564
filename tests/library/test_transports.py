"""SDKs get a client whose requests never leave the process; they notice no difference."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from spillover.library import Spillover
from spillover.library.transports import client_library
from spillover.simulator import ProviderSpec
from tests.library.setting import FIRST, Setting, two_providers, with_library
from tests.waiting import eventually, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from openai.types.chat import ChatCompletionMessageParam

    from spillover.library import SyncSpillover

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
SLOW = ProviderSpec(name="second", events=100_000, events_per_s=100.0)
WAITING = ProviderSpec(name="second", delay_s=600.0)

async_doors = pytest.mark.parametrize(
    "door", [Spillover.httpx_client, Spillover.httpx2_client], ids=["httpx", "httpx2"]
)


def sync_door(name: str) -> Callable[[SyncSpillover], Any]:
    return lambda llm: getattr(llm, name)()


sync_doors = pytest.mark.parametrize(
    "door", [sync_door("httpx_client"), sync_door("httpx2_client")], ids=["httpx", "httpx2"]
)


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path) as setting:
        yield setting


def sdk(http_client: Any, **options: Any) -> AsyncOpenAI:
    return AsyncOpenAI(
        base_url="http://spillover/v1",
        api_key="-",
        http_client=http_client,
        max_retries=0,
        **options,
    )


def sync_sdk(http_client: Any, **options: Any) -> OpenAI:
    return OpenAI(
        base_url="http://spillover/v1",
        api_key="-",
        http_client=http_client,
        max_retries=0,
        **options,
    )


@async_doors
def test_the_official_sdk_gets_answers_by_fallback_and_streams(
    setting: Setting, door: Callable[[Spillover], Any]
) -> None:
    async def run(llm: Spillover) -> list[str]:
        async with sdk(door(llm)) as client:
            said = []
            for _ in range(3):
                answer = await client.chat.completions.create(model="default", messages=HI)
                said.append(answer.choices[0].message.content or "")
            stream = await client.chat.completions.create(model="default", messages=HI, stream=True)
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return [*said, "".join(pieces)]

    said = with_library(setting.path, run)

    assert [text.split()[2] for text in said] == ["first,", "first,", "second,", "second,"]
    assert setting.first.carried("Bearer -") == 0


@async_doors
def test_a_streams_chunks_come_as_they_are_made(
    tmp_path: Path, door: Callable[[Spillover], Any]
) -> None:
    async def run(llm: Spillover) -> int:
        async with sdk(door(llm)) as client:
            stream = await client.chat.completions.create(model="second", messages=HI, stream=True)
            await anext(aiter(stream))
            under_way = setting.second.counters().in_flight
            await stream.close()
            await eventually(lambda: setting.second.counters().in_flight == 0)
            return under_way

    with two_providers(tmp_path, FIRST, SLOW) as setting:
        under_way = with_library(setting.path, run)

    assert under_way == 1


@async_doors
@pytest.mark.parametrize(
    ("model", "fault", "error"),
    [
        ("nobody", None, openai.NotFoundError),
        ("default", "overloaded", openai.InternalServerError),
        ("default", "content_filter", openai.BadRequestError),
    ],
    ids=["unknown model", "down", "refused"],
)
def test_errors_are_those_that_the_sdk_raises_over_a_network(
    setting: Setting,
    door: Callable[[Spillover], Any],
    *,
    model: str,
    fault: str | None,
    error: type[openai.APIStatusError],
) -> None:
    for provider in (setting.first, setting.second):
        if fault is not None:
            provider.script(fault, times=None)

    async def run(llm: Spillover) -> openai.APIStatusError:
        async with sdk(door(llm)) as client:
            with pytest.raises(error) as raised:
                await client.chat.completions.create(model=model, messages=HI)
            return raised.value

    raised = with_library(setting.path, run)

    assert "x-spillover-request-id" in raised.response.headers


def test_a_spent_chain_is_a_rate_limit_with_the_time_to_wait(tmp_path: Path) -> None:
    async def run(llm: Spillover) -> openai.RateLimitError:
        async with sdk(llm.httpx_client()) as client:
            for _ in range(2):
                await client.chat.completions.create(model="default", messages=HI)
            with pytest.raises(openai.RateLimitError) as raised:
                await client.chat.completions.create(model="default", messages=HI)
            return raised.value

    with two_providers(tmp_path, limit=1, second_limits="{requests_per_hour: 1}") as setting:
        raised = with_library(setting.path, run)

    assert raised.code == "all_exhausted"
    assert int(raised.response.headers["retry-after"]) >= 1


async def _rest(stream: AsyncIterator[Any]) -> None:
    async for _ in stream:
        pass


@async_doors
def test_a_stream_that_breaks_off_raises_in_the_sdk(
    setting: Setting, door: Callable[[Spillover], Any]
) -> None:
    setting.first.script("cut")

    async def run(llm: Spillover) -> str | None:
        async with sdk(door(llm)) as client:
            stream = await client.chat.completions.create(model="first", messages=HI, stream=True)
            first = await anext(aiter(stream))
            with pytest.raises(openai.APIError):
                await _rest(stream)
            return first.choices[0].delta.role

    assert with_library(setting.path, run) == "assistant"


@async_doors
def test_cancelling_a_call_ends_it_at_the_provider(
    tmp_path: Path, door: Callable[[Spillover], Any]
) -> None:
    async def run(llm: Spillover) -> None:
        async with sdk(door(llm)) as client:
            call = client.chat.completions.create(model="second", messages=HI)
            task = asyncio.ensure_future(call)
            await eventually(lambda: setting.second.counters().in_flight == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await eventually(lambda: setting.second.counters().in_flight == 0)

    with two_providers(tmp_path, FIRST, WAITING) as setting:
        with_library(setting.path, run)


@async_doors
def test_a_read_time_limit_holds_as_over_a_network(
    tmp_path: Path, door: Callable[[Spillover], Any]
) -> None:
    async def run(llm: Spillover) -> None:
        async with sdk(door(llm), timeout=0.1) as client:
            with pytest.raises(openai.APITimeoutError):
                await client.chat.completions.create(model="second", messages=HI)
            await eventually(lambda: setting.second.counters().in_flight == 0)

    with two_providers(tmp_path, FIRST, WAITING) as setting:
        with_library(setting.path, run)


def test_models_are_listed_as_over_a_network(setting: Setting) -> None:
    async def run(llm: Spillover) -> list[str]:
        async with sdk(llm.httpx_client()) as client:
            return [model.id async for model in await client.models.list()]

    names = with_library(setting.path, run)

    assert names == ["default", "first", "second"]


def test_a_request_may_be_made_without_an_sdk(setting: Setting) -> None:
    async def run(llm: Spillover) -> httpx.Response:
        async with llm.httpx_client() as client:
            body = {"model": "default", "messages": HI}
            return await client.post("/v1/chat/completions", json=body)

    response = with_library(setting.path, run)

    assert response.status_code == 200
    assert response.headers["x-spillover-profile"] == "first"


@sync_doors
def test_the_synchronous_sdk_gets_answers_and_streams(
    setting: Setting, door: Callable[[SyncSpillover], Any]
) -> None:
    with Spillover.open_sync(setting.path) as llm, sync_sdk(door(llm)) as client:
        answer = client.chat.completions.create(model="default", messages=HI)
        stream = client.chat.completions.create(model="default", messages=HI, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    assert answer.choices[0].message.content == text
    assert text == "This is first, answering with first-model, in words."


@sync_doors
def test_the_synchronous_sdk_leaves_a_stream_early(
    tmp_path: Path, door: Callable[[SyncSpillover], Any]
) -> None:
    with (
        two_providers(tmp_path, FIRST, SLOW) as setting,
        Spillover.open_sync(setting.path) as llm,
        sync_sdk(door(llm)) as client,
    ):
        stream = client.chat.completions.create(model="second", messages=HI, stream=True)
        next(iter(stream))
        under_way = setting.second.counters().in_flight
        stream.close()
        wait_until(lambda: setting.second.counters().in_flight == 0)

    assert under_way == 1


@sync_doors
def test_the_synchronous_sdk_raises_its_own_errors(
    tmp_path: Path, door: Callable[[SyncSpillover], Any]
) -> None:
    with (
        two_providers(tmp_path, FIRST, WAITING) as setting,
        Spillover.open_sync(setting.path) as llm,
        sync_sdk(door(llm)) as client,
    ):
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="nobody", messages=HI)
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model="second", messages=HI, timeout=0.1)


def test_the_clients_are_of_the_libraries_they_are_named_for(setting: Setting) -> None:
    async def run(llm: Spillover) -> None:
        async with llm.httpx_client() as one, llm.httpx2_client() as two:
            assert isinstance(one, httpx.AsyncClient)
            assert isinstance(two, httpx2.AsyncClient)

    with_library(setting.path, run)


def test_a_library_that_is_not_installed_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)

    with pytest.raises(ImportError, match="pip install httpx2"):
        client_library("httpx2")
