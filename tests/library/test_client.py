"""The library inside a program: answers from the first profile with room, counted and explained."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from spillover.errors import (
    AllAttemptsFailed,
    ConfigError,
    LedgerError,
    NoProfileAvailable,
    RequestError,
    StreamInterrupted,
    UnknownModel,
)
from spillover.simulator import ProviderSpec
from tests.library.setting import FIRST, Setting, ask, two_providers, with_library
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.library import ChatAnswer, ChatStream, Spillover

MESSAGES = [{"role": "system", "content": "be short"}, {"role": "user", "content": "hi"}]


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path) as setting:
        yield setting


def test_an_answer_tells_what_was_said_who_said_it_and_what_it_used(setting: Setting) -> None:
    async def run(llm: Spillover) -> ChatAnswer[Any]:
        return await llm.chat(MESSAGES)

    answer = with_library(setting.path, run)

    assert answer.text == "This is first, answering with first-model, in words."
    assert answer.profile == "first"
    assert [(sent.profile, sent.outcome) for sent in answer.trail] == [("first", "ok")]
    assert answer.usage is not None
    assert answer.usage.output_tokens == answer.raw["usage"]["completion_tokens"] > 0
    assert answer.raw["object"] == "chat.completion"


def test_requests_beyond_the_first_profiles_limit_are_served_by_the_second(
    setting: Setting,
) -> None:
    served = ask(setting.path, times=4)

    assert served == ["first", "first", "second", "second"]
    assert setting.first.counters().received == 2


def test_limits_hold_over_one_opening_and_the_next(setting: Setting) -> None:
    served = ask(setting.path, times=2) + ask(setting.path, times=1)

    assert served == ["first", "first", "second"]


def test_parallel_requests_share_the_limit_exactly(setting: Setting) -> None:
    async def run(llm: Spillover) -> list[ChatAnswer[Any]]:
        return await asyncio.gather(*(llm.chat("hi") for _ in range(20)))

    answers = with_library(setting.path, run)

    assert sum(answer.profile == "first" for answer in answers) == 2
    assert setting.first.counters().received == 2


def test_a_model_names_a_chain_or_a_profile_alone(setting: Setting) -> None:
    assert ask(setting.path, model="default") == ["first"]
    assert ask(setting.path, model="second") == ["second"]


def test_fields_reach_the_provider_as_they_were_given(setting: Setting) -> None:
    async def run(llm: Spillover) -> None:
        await llm.chat(MESSAGES, max_tokens=5, temperature=0.5, extra={"top_k": 3})

    with_library(setting.path, run)

    body = json.loads(setting.first.records[0].body)
    assert body == {
        "messages": MESSAGES,
        "max_tokens": 5,
        "temperature": 0.5,
        "top_k": 3,
        "model": "first-model",
    }


def test_an_unknown_model_is_refused_with_the_nearest_name(setting: Setting) -> None:
    with pytest.raises(UnknownModel, match="did you mean 'default'"):
        ask(setting.path, model="defualt")


def test_a_spent_chain_raises_who_is_in_the_way_and_for_how_long(tmp_path: Path) -> None:
    second_limits = "{requests_per_hour: 1}"

    with (
        two_providers(tmp_path, limit=1, second_limits=second_limits) as setting,
        pytest.raises(NoProfileAvailable) as refused,
    ):
        ask(setting.path, times=3)

    error = refused.value
    assert (error.code, error.status) == ("all_exhausted", 429)
    assert [(each.profile, each.reason) for each in error.profiles] == [
        ("first", "limit"),
        ("second", "limit"),
    ]
    assert error.retry_after is not None
    assert 1 <= error.retry_after <= 61


def test_a_chain_that_is_down_raises_every_send(setting: Setting) -> None:
    setting.first.script("overloaded", times=None)
    setting.second.script("overloaded", times=None)

    with pytest.raises(AllAttemptsFailed) as failed:
        ask(setting.path)

    assert [(sent.profile, sent.outcome) for sent in failed.value.trail] == [
        ("first", "overloaded"),
        ("second", "overloaded"),
    ]
    assert failed.value.status == 503


def test_a_request_that_providers_refuse_raises_their_words(setting: Setting) -> None:
    setting.first.script("content_filter", times=None)

    with pytest.raises(RequestError) as refused:
        ask(setting.path)

    assert refused.value.code == "content_filter"
    assert setting.second.counters().received == 0


def test_a_stream_adds_up_to_the_answer_and_tells_of_itself_at_its_end(setting: Setting) -> None:
    async def run(llm: Spillover) -> tuple[str, ChatStream[Any]]:
        stream = llm.stream(MESSAGES)
        return "".join([chunk.text async for chunk in stream]), stream

    text, stream = with_library(setting.path, run)

    assert text == "This is first, answering with first-model, in words."
    assert stream.profile == "first"
    assert [(sent.profile, sent.outcome) for sent in stream.trail] == [("first", "ok")]
    assert stream.usage is not None
    assert stream.usage.output_tokens > 0
    assert stream.request_id


class Weather(msgspec.Struct):
    """What an answer may be."""

    place: str
    degrees: int = 0


PARAMETERS = {"type": "object", "properties": {"place": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}]


def test_an_answer_is_of_the_type_that_was_asked_for(setting: Setting) -> None:
    async def run(llm: Spillover) -> tuple[Weather | None, Weather | None]:
        answer = await llm.chat("weather?", response_format=Weather)
        stream = llm.stream("weather?", response_format=Weather)
        async for _ in stream:
            pass
        return answer.parsed, stream.answer.parsed

    whole, streamed = with_library(setting.path, run)

    assert whole == streamed == Weather(place="simulated", degrees=1)


def test_a_conversation_with_a_tool_goes_on_with_what_it_found(setting: Setting) -> None:
    async def run(llm: Spillover) -> tuple[ChatAnswer[Any], ChatAnswer[Any]]:
        messages: list[dict[str, Any]] = [{"role": "user", "content": "use the weather tool"}]
        asked = await llm.chat(messages, tools=TOOLS)
        (call,) = asked.tool_calls
        messages += [asked.message, call.result(f"sunny in {call.arguments['place']}")]
        return asked, await llm.chat(messages, tools=TOOLS)

    asked, told = with_library(setting.path, run)

    assert (asked.text, asked.finish_reason) == ("", "tool_calls")
    assert (told.tool_calls, told.finish_reason) == ((), "stop")
    sent = json.loads(setting.first.records[1].body)["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert sent[2]["content"] == "sunny in simulated"


def test_a_streams_calls_come_whole_at_its_end(setting: Setting) -> None:
    async def run(llm: Spillover) -> ChatStream[Any]:
        stream = llm.stream("use the weather tool", tools=TOOLS)
        with pytest.raises(RuntimeError, match="not been read"):
            _ = stream.answer
        chunks = [chunk async for chunk in stream]
        ends = [chunk for chunk in chunks if chunk.finish_reason]
        assert [chunk.tool_calls for chunk in ends] == [stream.answer.tool_calls]
        return stream

    stream = with_library(setting.path, run)

    (call,) = stream.answer.tool_calls
    assert (call.name, call.arguments) == ("weather", {"place": "simulated"})
    assert stream.answer.profile == stream.profile == "first"
    assert stream.answer.usage == stream.usage
    assert stream.answer.trail == stream.trail


def test_a_stream_that_was_not_begun_knows_nothing_and_sends_nothing(setting: Setting) -> None:
    async def run(llm: Spillover) -> ChatStream[Any]:
        stream = llm.stream("hi")
        await stream.aclose()
        return stream

    stream = with_library(setting.path, run)

    assert (stream.profile, stream.trail, stream.usage) == (None, (), None)
    assert setting.first.counters().received == 0


def test_a_stream_falls_back_unseen_before_its_first_content(setting: Setting) -> None:
    setting.first.script("cut_before_content", times=None)

    async def run(llm: Spillover) -> tuple[str, ChatStream[Any]]:
        stream = llm.stream("hi")
        return "".join([chunk.text async for chunk in stream]), stream

    text, stream = with_library(setting.path, run)

    assert text == "This is second, answering with second-model, in words."
    assert stream.profile == "second"


def test_a_stream_that_breaks_off_raises_after_what_came(setting: Setting) -> None:
    setting.first.script("cut")
    got: list[str] = []

    async def run(llm: Spillover) -> None:
        async for chunk in llm.stream("hi"):
            got.append(chunk.text)  # noqa: PERF401 - what came before the break is wanted

    with pytest.raises(StreamInterrupted) as broken:
        with_library(setting.path, run)

    assert "".join(got).startswith("This is")
    assert (broken.value.profile, broken.value.cause) == ("first", "network")


def test_a_stream_that_nobody_can_serve_raises_as_a_chat_would(setting: Setting) -> None:
    setting.first.script("overloaded", times=None)
    setting.second.script("overloaded", times=None)

    async def run(llm: Spillover) -> None:
        async for _ in llm.stream("hi"):
            pass

    with pytest.raises(AllAttemptsFailed):
        with_library(setting.path, run)


def test_a_stream_is_read_once(setting: Setting) -> None:
    async def run(llm: Spillover) -> None:
        stream = llm.stream("hi")
        async for _ in stream:
            pass
        async for _ in stream:
            pass

    with pytest.raises(RuntimeError, match="once"):
        with_library(setting.path, run)


def slow(name: str) -> ProviderSpec:
    return ProviderSpec(name=name, events=400, events_per_s=100.0)


def in_flight(status: dict[str, Any], profile: str) -> int:
    """Return the calls in flight, as the concurrency limit shows them."""
    limits = status["profiles"][profile]["limits"]
    return sum(limit["reserved"] for limit in limits if limit["metric"] == "concurrency")


CONCURRENCY = "{concurrency: 2}"


def test_leaving_a_stream_early_ends_it_at_the_provider_and_counts_what_came(
    tmp_path: Path,
) -> None:
    async def run(llm: Spillover) -> dict[str, Any]:
        async for chunk in llm.stream("hi", model="second"):
            if chunk.text:
                break
        await eventually(lambda: setting.second.counters().in_flight == 0)
        return await llm.status()

    with two_providers(tmp_path, FIRST, slow("second"), second_limits=CONCURRENCY) as setting:
        status = with_library(setting.path, run)

    assert in_flight(status, "second") == 0
    assert status["profiles"]["second"]["usage"]["minute"]["requests"] == 1
    assert 0 < status["profiles"]["second"]["usage"]["minute"]["tokens"] < 400


def test_a_stream_can_be_closed_from_outside_of_its_loop(tmp_path: Path) -> None:
    async def run(llm: Spillover) -> dict[str, Any]:
        stream = llm.stream("hi", model="second")
        chunks = aiter(stream)
        await anext(chunks)
        await stream.aclose()
        await eventually(lambda: setting.second.counters().in_flight == 0)
        return await llm.status()

    with two_providers(tmp_path, FIRST, slow("second"), second_limits=CONCURRENCY) as setting:
        status = with_library(setting.path, run)

    assert in_flight(status, "second") == 0


def test_cancelling_a_chat_ends_it_at_the_provider_and_frees_what_it_held(tmp_path: Path) -> None:
    waiting = ProviderSpec(name="second", delay_s=60.0)

    async def run(llm: Spillover) -> dict[str, Any]:
        task = asyncio.create_task(llm.chat("hi", model="second"))
        await eventually(lambda: setting.second.counters().in_flight == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: setting.second.counters().in_flight == 0)
        return await llm.status()

    with two_providers(tmp_path, FIRST, waiting, second_limits=CONCURRENCY) as setting:
        status = with_library(setting.path, run)

    assert in_flight(status, "second") == 0
    assert status["profiles"]["second"]["usage"]["minute"]["requests"] == 1


def test_the_status_tells_what_was_used_and_who_is_next(setting: Setting) -> None:
    async def run(llm: Spillover) -> dict[str, Any]:
        for _ in range(2):
            await llm.chat("hi")
        return await llm.status()

    status = with_library(setting.path, run)

    assert status["chains"]["default"]["serving"] == "second"
    first = status["profiles"]["first"]
    assert (first["status"], first["reason"]) == ("exhausted", "limit")
    assert first["usage"]["minute"]["requests"] == 2
    assert first["limits"][0]["remaining"] == 0


def test_an_explanation_sends_nothing(setting: Setting) -> None:
    async def run(llm: Spillover) -> dict[str, Any]:
        return await llm.explain(MESSAGES, max_tokens=100)

    document = with_library(setting.path, run)

    assert document["serves"] == "first"
    assert document["estimate"]["output_tokens"] == 100
    assert setting.first.counters().received == 0


def test_a_broken_configuration_raises_all_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("profiles: {a: {provider: grok}}\nchains: {default: [b]}\n", "utf-8")

    with pytest.raises(ConfigError) as broken:
        ask(path)

    assert len(broken.value.problems) >= 2


def test_a_ledger_that_cannot_be_kept_stops_a_configuration_that_says_fail_closed(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a file where the folder should be"
    blocked.write_text("", "utf-8")
    monkeypatch.setenv("SPILLOVER_STATE_DIR", str(blocked))
    text = setting.path.read_text("utf-8")
    setting.path.write_text(text + "on_ledger_error: fail_closed\n", "utf-8")

    with pytest.raises(LedgerError):
        ask(setting.path)
