"""Streams that end otherwise than they should: half an answer never looks whole, a whole one does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from spillover.events import RequestDone
from spillover.simulator import Break, Fault, ProviderSpec
from tests.engine.staging import (
    DONE,
    HELLO,
    STREAM_HEAD,
    content,
    document,
    finish,
    opened,
    plays,
    read,
    short,
    staged,
    upstream_of,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.engine.staging import Got

ONCE = {"retries": {"server_error": 0, "bad_gateway": 0, "network": 0}}
PACED = ProviderSpec(events_per_s=200.0)
"""Slow enough that content has left before the stream breaks."""


@plays
async def test_garbage_among_the_events_is_dropped_and_counted() -> None:
    async with staged("generic") as stage:
        stage.first.script("event_not_json")

        got = await stage.stream()

        assert got.is_whole
        assert b"this is not JSON" not in got.body
        assert stage.events(RequestDone)[0].garbage_events == 1


@plays
async def test_a_whole_stream_without_sentinel_is_given_one() -> None:
    async with staged("generic") as stage:
        stage.first.script("no_done")

        got = await stage.stream()

        assert got.is_whole
        assert stage.events(RequestDone)[0].outcome == "served"


@plays
async def test_a_stream_is_whole_once_its_sentinel_came_whatever_follows() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + content("hi") + finish() + DONE)
        await reader.read()  # until the client leaves

    async with upstream_of(answer) as base_url, opened(document([base_url])) as client:
        got = await client.stream()

        assert got.is_whole
        assert client.settled


def assert_broken(got: Got, done: RequestDone, cause: str) -> None:
    error = got.documents[-1]["error"]
    assert got.status == 200
    assert b"[DONE]" not in got.body
    assert sum("error" in each for each in got.documents) == 1
    assert error["type"] == "spillover_error"
    assert error["code"] == "stream_interrupted"
    assert error["message"].startswith("p0 broke off its answer: ")
    assert (done.outcome, done.trail, done.profile) == ("broken", f"p0:{cause}", "p0")


@pytest.mark.parametrize(
    ("fault", "cause", "says"),
    [
        ("cut", "network", "the answer was cut off"),
        ("reset", "network", "connection reset"),
        ("stall", "timeout", "the stream stalled"),
        ("error_after_content", "server_error", "The server had an error"),
        ("no_finish_reason", "network", "the stream ended without a finish reason"),
    ],
)
@pytest.mark.parametrize("flavour", ["generic", "gemini", "openrouter"])
@plays
async def test_what_breaks_after_content_ends_in_one_typed_error(
    flavour: str, fault: str, cause: str, says: str
) -> None:
    if flavour == "openrouter" and fault == "error_after_content":
        cause, says = "bad_gateway", "Provider returned error"

    spec = msgspec.structs.replace(PACED, flavour=flavour)
    chain = {**ONCE, **short(stall="100ms")}
    async with staged(spec, "generic", chain=chain) as stage:
        stage.first.script(fault)

        got = await stage.stream()
        after = await stage.ask()

        done = stage.events(RequestDone)[0]
        assert_broken(got, done, cause)
        assert says in got.documents[-1]["error"]["message"]
        assert got.text.startswith("This is simulated")
        assert stage.status("p0")["reason"] == cause
        assert after.trail == "p1:ok"
        requests, spent, written = stage.used("p0")
        assert (requests, spent > 0, written > 0) == (1, True, True)
        assert done.reported is (flavour == "gemini" or fault == "no_finish_reason")
        assert stage.settled


@plays
async def test_the_usage_that_a_broken_stream_reported_is_what_counts() -> None:
    cut = content("some", usage={"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12})

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + cut)

    async with upstream_of(answer) as base_url, opened(document([base_url])) as client:
        got = await client.stream()

        assert got.documents[-1]["error"]["code"] == "stream_interrupted"
        assert client.used("p0") == (1, 9, 3)
        assert client.events(RequestDone)[0].reported


@plays
async def test_an_endless_event_breaks_the_stream() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + content("hi"))
        await writer.drain()
        for _ in range(17):
            writer.write(b"x" * (1 << 20))
            await writer.drain()

    async with upstream_of(answer) as base_url, opened(document([base_url])) as client:
        got = await client.stream()

        assert got.documents[-1]["error"]["code"] == "stream_interrupted"


@plays
async def test_an_attempt_as_a_whole_has_its_time_limit() -> None:
    spec = ProviderSpec(events=100, events_per_s=50.0)

    async with staged(spec, chain=short(total="200ms")) as stage:
        got = await stage.stream()

        assert_broken(got, stage.events(RequestDone)[0], "timeout")
        assert "took too long" in got.documents[-1]["error"]["message"]


# A slow reader.


@plays
async def test_a_slow_reader_pauses_the_provider_and_is_no_stall() -> None:
    event = content("x" * 65_536)
    progress = {"written": 0, "waiting": False}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(STREAM_HEAD)
        for _ in range(600):
            writer.write(event)
            progress["waiting"] = True
            await writer.drain()
            progress["waiting"] = False
            progress["written"] += 1
        writer.write(finish() + DONE)

    async with (
        upstream_of(answer) as base_url,
        opened(document([base_url], chain=short(stall="100ms"))) as client,
    ):
        answered = await client.engine.answer(client.call({**HELLO, "stream": True}))
        chunks = aiter(answered)
        first = await anext(chunks)
        loop = asyncio.get_running_loop()
        paused_at = [0.0, -1.0]

        def paused() -> bool:
            """Say whether the provider has not got on for longer than a stall takes."""
            if progress["written"] != paused_at[1]:
                paused_at[:] = [loop.time(), progress["written"]]
            return loop.time() - paused_at[0] > 0.3

        await eventually(paused)
        held = progress["written"]
        rest = b"".join([chunk async for chunk in chunks])

        assert progress["written"] == 600
        assert held < 300, "the kernel holds some MiB, we hold one"
        assert (first + rest).endswith(finish() + DONE)
        assert len(first + rest) == 600 * len(event) + len(finish() + DONE)
        assert client.settled


@plays
async def test_a_stall_while_the_client_reads_is_one() -> None:
    spec = ProviderSpec(events=20, events_per_s=100.0)

    async with staged(spec, chain=short(stall="100ms")) as stage:
        stage.first.script(Fault(break_=Break.STALL, after=10))

        got = await read(await stage.engine.answer(stage.call({**HELLO, "stream": True})))

        assert_broken(got, stage.events(RequestDone)[0], "timeout")
        await eventually(lambda: stage.first.connections == 0)


@plays
async def test_an_event_that_comes_slowly_but_steadily_is_no_stall() -> None:
    event = content("slow " * 8)

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + content("quick"))
        for start in range(0, len(event), 12):
            writer.write(event[start : start + 12])
            await asyncio.sleep(0.06)
        writer.write(finish() + DONE)

    async with (
        upstream_of(answer) as base_url,
        opened(document([base_url], chain=short(stall="200ms"))) as client,
    ):
        got = await client.stream()

    assert got.is_whole
    assert got.body == content("quick") + event + finish() + DONE
