"""What happened in the latest requests is kept, and nothing of what was said."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from spillover.core.refusals import EndKind
from spillover.core.values import FailureClass, Operation
from spillover.engine.traces import KEPT, PACES_KEPT, Trace
from tests.engine.staging import HELLO, Client, document, opened, plays, staged

if TYPE_CHECKING:
    from collections.abc import Iterable


def only(client: Client) -> Trace:
    (trace,) = client.engine.traces.latest()
    return trace


@plays
async def test_a_trace_has_each_look_send_and_fallback_with_its_times() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script("overloaded")
        await stage.stream()
        trace = only(stage)

    failed, served = trace.sends
    assert [look[2].passed for look in trace.looks] == [(), ()]
    assert [skip.profile for skip in trace.looks[1][1]] == ["p0"]
    assert failed.failure is not None
    assert failed.failure.failure is FailureClass.OVERLOADED
    assert (failed.first_at, failed.usage) == (None, None)
    times = (
        trace.began_at,
        failed.began_at,
        failed.connected_at,
        failed.ended_at,
        served.began_at,
        served.connected_at,
        served.first_at,
        served.ended_at,
    )
    assert [at for at in times if at is not None] == sorted(at for at in times if at is not None)
    assert None not in times
    assert served.usage is not None
    assert served.reported
    assert [(each.source, each.to) for each in trace.fallbacks] == [("p0", "p1")]


@plays
async def test_an_abandoned_stream_has_what_it_used_until_then() -> None:
    async with staged("generic") as stage:
        answer = await stage.engine.answer(stage.call({**HELLO, "stream": True}))
        await answer.aclose()
        trace = only(stage)

    assert trace.ending is not None
    assert trace.ending.kind is EndKind.CANCELLED
    assert trace.sends[0].ended_at is not None
    assert trace.sends[0].usage is not None


@plays
async def test_a_client_that_leaves_before_anything_was_sent_leaves_a_trace_without_sends() -> None:
    async with opened(document(["http://127.0.0.1:9/v1"])) as client:
        await client.engine.set_disabled("p0", disabled=True)
        await client.ask()
        trace = only(client)

    assert (trace.sends, trace.looks) == ([], [])
    assert trace.done is not None
    assert trace.done.outcome == "refused"


@plays
async def test_the_latest_requests_are_kept_and_found_by_id() -> None:
    async with opened(document(["http://127.0.0.1:9/v1"])) as client:
        await client.engine.set_disabled("p0", disabled=True)
        for _ in range(KEPT + 1):
            await client.ask()
        traces = client.engine.traces
        latest = [each.request_id for each in traces.latest()]

    assert len(traces) == len(latest) == KEPT
    found = traces.get(latest[3])
    assert found is not None
    assert found.request_id == latest[3]
    assert traces.get("nobody") is None


@plays
async def test_pace_is_kept_of_the_latest_answers_alone() -> None:
    async with staged("generic") as stage:
        for _ in range(PACES_KEPT):
            await stage.ask()
        await stage.stream()
        stage.first.script("overloaded")
        await stage.ask()
        found = stage.engine.traces.pace("p0")
        none = stage.engine.traces.pace("nobody")

    assert [len(array) for array in found.values()] == [PACES_KEPT] * 3
    assert found["ttft_ms"][0] is None
    assert found["ttft_ms"][-1] is not None
    assert all(rate and rate > 0 for rate in found["tokens_per_s"][:-1])
    assert none == {"at": [], "ttft_ms": [], "tokens_per_s": []}


@plays
async def test_answers_without_tokens_have_no_rate() -> None:
    async with staged("generic") as stage:
        body = {"model": "default", "input": "hello"}
        await stage.ask(body, operation=Operation.EMBEDDINGS)

        assert stage.engine.traces.pace("p0")["tokens_per_s"] == [None]


@plays
async def test_a_trace_holds_nothing_of_what_was_said_and_little_memory() -> None:
    secret = "the text of the conversation " * 100
    async with staged("generic", "generic") as stage:
        messages = [{"role": "user", "content": secret}]
        await stage.ask({"model": "default", "messages": messages})
        stage.first.script("overloaded")
        await stage.ask({"model": "default", "messages": messages})
        fell_back, plain = stage.engine.traces.latest()
    sizes = [sum(map(sys.getsizeof, _own(trace))) for trace in (plain, fell_back)]

    assert secret[:20] not in repr((plain, fell_back))
    assert sizes[0] < 3_000
    assert sizes[1] < 6_000


def _own(trace: Trace) -> Iterable[Any]:
    """Everything that a trace holds and does not share with the configuration."""
    seen = [trace, trace.looks, trace.sends, trace.fallbacks, trace.demand, trace.done]
    seen += [trace.ending, *trace.looks, *trace.sends, *trace.fallbacks]
    for sent in trace.sends:
        seen += [sent.candidate, sent.candidate.need, sent.failure, sent.usage]
    for each in tuple(seen):
        if isinstance(each, msgspec.Struct):
            fields = (getattr(each, name) for name in each.__struct_fields__)
            seen += [value for value in fields if isinstance(value, str | float | int | tuple)]
    return seen
