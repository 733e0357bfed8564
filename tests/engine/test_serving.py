"""One request from its first look to its last byte: retries, headers, refusals, clients that leave."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from spillover.core.values import Operation
from spillover.events import RequestDone, RequestFallback
from spillover.simulator import Complaint, Fault, ProviderSpec, limits
from tests.engine.staging import (
    HELLO,
    ROLE,
    STREAM_HEAD,
    content,
    document,
    never_asked,
    opened,
    plays,
    staged,
    upstream_of,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.staging import Stage

STREAM = {**HELLO, "stream": True}


# Sends.


@plays
async def test_a_failing_profile_is_sent_to_as_often_as_its_failure_is_worth() -> None:
    worth = {
        "server_error": "p0:server_error,p0:server_error,p0:server_error,p1:ok",
        "html_502": "p0:bad_gateway,p0:bad_gateway,p1:ok",
        "reset_before_head": "p0:network,p0:network,p1:ok",
        "reset": "p0:network,p0:network,p1:ok",
        "cut": "p0:network,p1:ok",
        "overloaded": "p0:overloaded,p1:ok",
        "rate_limited": "p0:rate_limited,p1:ok",
    }

    async def trail(fault: str) -> tuple[str, int]:
        async with staged("generic", "generic") as stage:
            stage.first.script(fault, times=None)
            got = await stage.ask()
            assert got.headers["x-spillover-attempts"] == str(got.trail.count(":"))
            assert stage.used("p0") == (stage.sent_to(0), 0, 0)
            return got.trail, stage.sent_to(0)

    found = await asyncio.gather(*(trail(fault) for fault in worth))

    assert dict(zip(worth, (trail for trail, _ in found), strict=True)) == worth
    assert [sends for _, sends in found] == [t.count("p0") for t in worth.values()]


@plays
async def test_sends_to_one_profile_keep_a_growing_distance() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script("server_error", times=None)

        await stage.ask()

        first, second, third = (record.at for record in stage.first.records)
        assert 0.25 <= second - first <= 0.85
        assert 0.5 <= third - second <= 1.6


@plays
async def test_what_never_reached_the_provider_counts_as_nothing() -> None:
    async with staged("generic") as stage:
        unused = "http://127.0.0.1:1/v1"
        tls = stage.first.base_url.replace("http:", "https:")
        unknown = "http://provider.invalid/v1"
        written = document([unused, tls, unknown, stage.first.base_url])
        async with opened(written) as client:
            got = await client.ask()

            assert got.trail == "p0:network,p1:network,p2:network,p3:ok"
            assert [client.used(f"p{n}")[0] for n in range(4)] == [0, 0, 0, 1]
            assert client.status("p0")["reason"] == "network"


@plays
async def test_a_profile_on_a_failing_account_is_passed_over_at_once() -> None:
    async with staged(ProviderSpec(keys=frozenset({"good"}))) as stage:
        same = {"base_url": stage.first.base_url, "api_key": "sk-the-same-wrong-key"}
        written = document(["", "", ""], profiles={"p0": same, "p1": same})
        written["profiles"]["p2"] |= {"base_url": stage.first.base_url, "api_key": "good"}
        async with opened(written) as client:
            got = await client.ask()

            assert got.trail == "p0:auth_invalid,p2:ok"


# What the provider and the client get to see.


@plays
async def test_the_provider_gets_its_own_key_and_model_and_no_header_of_the_client() -> None:
    body = {
        **HELLO,
        "n": 2,
        "logprobs": True,
        "seed": 7,
        "x_unknown": {"deep": [1, 2.50, "é"]},
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}},
                ],
            }
        ],
    }

    async with staged("generic") as stage:
        passed = {"openai-beta": "assistants=v2", "Authorization": "Bearer stolen"}

        got = await stage.ask(body, headers=passed)

        record = stage.first.records[0]
        assert stage.last_sent() == {**body, "model": "model-0"}
        assert record.key == "sk-key-of-0-0123456789"
        assert set(record.headers) == {
            "host",
            "authorization",
            "content-type",
            "content-length",
            "accept",
            "accept-encoding",
            "user-agent",
            "openai-beta",
        }
        assert len(got.json["choices"]) == 2
        assert got.json["choices"][0]["logprobs"]["content"]


@plays
async def test_an_answers_head_says_who_served_it_and_how() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script("overloaded")

        got = await stage.ask()

        serial = got.headers.pop("x-upstream-request-id")
        assert serial.startswith("sim-")
        assert got.headers == {
            "content-type": "application/json",
            "x-spillover-request-id": got.answer.headers["x-spillover-request-id"],
            "x-spillover-chain": "default",
            "x-spillover-profile": "p1",
            "x-spillover-attempts": "2",
            "x-spillover-trail": "p0:overloaded,p1:ok",
        }


@plays
async def test_legacy_completions_and_embeddings_are_served_too() -> None:
    async with staged("generic") as stage:
        prompt = {"model": "default", "prompt": "once"}
        texts = {"model": "default", "input": ["a", "b"]}

        completion = await stage.ask(prompt, operation=Operation.COMPLETIONS)
        streamed = await stage.ask({**prompt, "stream": True}, operation=Operation.COMPLETIONS)
        vectors = await stage.ask(texts, operation=Operation.EMBEDDINGS)

        assert "model-0" in completion.json["choices"][0]["text"]
        assert streamed.is_whole
        assert len(vectors.json["data"]) == 2
        assert [record.path for record in stage.first.records] == [
            "/v1/completions",
            "/v1/completions",
            "/v1/embeddings",
        ]


@plays
async def test_vectors_of_another_space_are_never_a_fallback() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script("overloaded")

        got = await stage.ask({"model": "default", "input": "a"}, operation=Operation.EMBEDDINGS)

        assert (got.status, got.code) == (503, "all_failed")
        assert stage.sent_to(1) == 0


# Refusals.


@plays
async def test_a_providers_refusal_of_the_request_is_handed_on_at_once() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script(Fault(error=Complaint.BAD_REQUEST, headers={"x-request-id": "up-1"}))
        stage.first.script("content_filter")

        bad = await stage.ask()
        filtered = await stage.stream()

        assert (bad.status, bad.json["error"]["message"]) == (400, "Invalid request.")
        assert bad.headers["x-upstream-request-id"] == "up-1"
        assert bad.profile == "p0"
        assert (filtered.status, filtered.code) == (400, "content_filter")
        assert filtered.headers["content-type"] == "application/json"
        assert stage.sent_to(1) == 0
        assert stage.status("p0")["status"] == "active"


@plays
async def test_a_too_long_request_goes_to_another_model_or_ends_in_the_providers_words() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script("context_length", times=2)
        stage.second.script("context_length")

        both = await stage.ask()
        other = await stage.ask()

        assert (both.status, both.code) == (400, "context_length_exceeded")
        assert both.trail == "p0:context_length,p1:context_length"
        assert other.trail == "p0:context_length,p1:ok"


@plays
async def test_a_spent_chain_says_when_to_come_back_and_means_it() -> None:
    spent = {"limits": [{"requests": 1, "per": "1s"}]}
    profiles = {"p0": spent, "p1": {"limits": {"requests_per_hour": 1}}}

    async with staged("generic", "generic", profiles=profiles) as stage:
        await stage.ask_all(2)

        refused = await stage.ask()
        wait_s = int(refused.headers["retry-after"])
        await asyncio.sleep(wait_s)
        after = await stage.ask()

        assert (refused.status, refused.code) == (429, "all_exhausted")
        assert refused.headers["content-type"] == "application/json"
        assert 1 <= wait_s <= 2
        assert "x-should-retry" not in refused.headers
        assert [each["reason"] for each in refused.json["error"]["profiles"]] == ["limit", "limit"]
        assert after.trail == "p0:ok"


@plays
async def test_a_long_wait_is_not_to_be_retried_by_the_clients_sdk() -> None:
    async with staged("generic", profiles={"p0": {"limits": {"requests_per_hour": 1}}}) as stage:
        await stage.ask()

        refused = await stage.ask()

        assert 3_000 < int(refused.headers["retry-after"]) <= 3_661
        assert refused.headers["x-should-retry"] == "false"


@plays
async def test_a_chain_that_just_failed_says_when_its_first_profile_is_back() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script(Fault(status=503, headers={"retry-after": "7"}, body="busy"))
        stage.second.script("overloaded")

        refused = await stage.ask()

        assert (refused.status, refused.code) == (503, "all_failed")
        assert int(refused.headers["retry-after"]) in {6, 7}
        assert all(each["available_at"] for each in refused.json["error"]["profiles"])


@plays
async def test_fallbacks_and_ends_are_told() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script("rate_limited")

        await stage.ask()
        await stage.ask()

        first, second = stage.events(RequestFallback)
        assert (first.source, first.to, first.cause) == ("p0", "p1", "rate_limited")
        assert (second.source, second.to, second.cause) == ("p0", "p1", "rate_limited")
        assert first.until == second.until
        done = stage.events(RequestDone)[0]
        assert (done.outcome, done.profile, done.chain) == ("served", "p1", "default")
        assert done.input_tokens == 2
        assert done.took_ms > 0


# Clients that leave.


async def ask_and_leave(stage: Stage, body: dict[str, Any], *, once: Any) -> None:
    """Send a request, cancel it once it is under way, and see that nothing is left of it."""
    before = len(stage.events(RequestDone))
    task = asyncio.create_task(stage.ask(body))
    await eventually(once)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await stage.settles()
    done = stage.events(RequestDone)
    assert [each.outcome for each in done[before:]] == ["cancelled"]


@pytest.mark.parametrize("fault", ["silence", "stall_before_content", "keepalive_only", "stall"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("durable", [True, False])
@plays
async def test_a_client_that_leaves_frees_everything_and_pays_what_was_sent(
    fault: str, tmp_path: Path, *, stream: bool, durable: bool
) -> None:
    ledger = tmp_path / "ledger.db" if durable else None

    async with staged("generic", ledger=ledger) as stage:
        stage.first.script(fault)

        await ask_and_leave(
            stage,
            {**HELLO, "stream": stream},
            once=lambda: stage.first.counters().in_flight == 1,
        )

        requests, spent, _ = stage.used("p0")
        assert (requests, spent) == (1, 5)
        assert stage.status("p0")["status"] == "active"
        assert stage.status("p0")["estimated_calls"] == 1


@plays
async def test_a_client_may_leave_before_anything_was_sent() -> None:
    profiles = {"p0": {"limits": [{"requests": 1, "per": "3s"}]}}
    chain = {"when_exhausted": {"wait": "4s"}, "patience": "0s"}

    async with staged("generic", profiles=profiles, chain=chain) as stage:
        reserving = asyncio.create_task(stage.ask())
        await asyncio.sleep(0)
        reserving.cancel()
        await asyncio.gather(reserving, return_exceptions=True)
        assert stage.used("p0") == (0, 0, 0)
        await stage.ask()

        await ask_and_leave(stage, HELLO, once=lambda: stage.engine.in_flight == 1)

        assert stage.used("p0")[0] == 1
        assert stage.sent_to(0) == 1


@plays
async def test_a_client_may_leave_between_two_sends() -> None:
    async with staged("generic") as stage:
        stage.first.script("server_error", times=None)

        await ask_and_leave(
            stage,
            HELLO,
            once=lambda: stage.sent_to(0) == 1 and not stage.first.counters().in_flight,
        )

        assert stage.used("p0") == (1, 0, 0)


@plays
async def test_a_client_may_leave_while_its_request_connects() -> None:
    async with upstream_of(never_asked) as base_url:
        written = document([base_url.replace("http:", "https:")])
        async with opened(written) as client:
            task = asyncio.create_task(client.ask())
            await eventually(lambda: bool(client.engine.ledger.book.open))

            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

            await eventually(lambda: client.settled)
            assert client.used("p0") == (0, 0, 0), "nothing was sent"


@plays
async def test_a_stream_left_while_its_client_is_slow_is_settled_with_what_was_relayed() -> None:
    closed = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + ROLE + content("x" * 400))
        await reader.read()
        closed.set()

    async with upstream_of(answer) as base_url, opened(document([base_url])) as client:
        answered = await client.engine.answer(client.call(STREAM))
        chunks = aiter(answered)
        await anext(chunks)
        assert not client.settled

        await answered.aclose()

        await closed.wait()
        await eventually(lambda: client.settled)
        assert client.used("p0") == (1, 5, 100)
        assert answered.ending is not None
        assert answered.ending.kind == "cancelled"


@plays
async def test_a_stream_that_is_never_read_is_let_go_of() -> None:
    async with staged("generic") as stage:
        stage.first.script("stall")
        answered = await stage.engine.answer(stage.call(STREAM))

        await answered.aclose()
        await answered.aclose()

        await stage.settles()
        assert stage.used("p0")[0] == 1


@plays
async def test_many_clients_may_leave_at_any_moment() -> None:
    spec = ProviderSpec(events=20, events_per_s=400.0, limits=limits("requests=40/minute"))
    profiles = {"p0": {"limits": {"tokens_per_hour": "1M", "concurrency": 100}}}

    async with staged(spec, "generic", profiles=profiles) as stage:

        async def visit(turns: int) -> None:
            task = asyncio.create_task(stage.stream())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        await asyncio.gather(*(visit(turns) for turns in range(0, 160, 2)))

        await stage.settles()
        assert [limit["reserved"] for limit in stage.status("p0")["limits"]] == [0, 0]
        assert stage.used("p0")[0] >= stage.first.counters().received


@plays
async def test_a_client_may_leave_at_any_moment_of_a_fallback() -> None:
    chain = {"failback": "sticky", "retries": {"server_error": 0}}

    async def visit(turns: int) -> str:
        async with staged("generic", "generic", chain=chain) as stage:
            stage.first.script("server_error")
            task = asyncio.create_task(stage.ask())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

            await stage.settles()
            for number in (0, 1):
                assert stage.used(f"p{number}")[0] >= stage.sent_to(number)
            (done,) = stage.events(RequestDone)
            return str(done.outcome)

    found = [await visit(turns) for turns in range(1, 50)]

    assert set(found) == {"cancelled", "served"}
