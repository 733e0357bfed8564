"""What goes into the engine and what comes out, apart from how it is carried."""

from __future__ import annotations

import msgspec

from spillover.core.values import Operation, RoutingPolicy
from spillover.engine import Answer, Call
from spillover.protocols.openai_chat import read_request
from tests.engine.staging import HELLO, plays, staged


def test_a_call_tells_the_core_what_routing_needs() -> None:
    asked = read_request(msgspec.json.encode(HELLO), Operation.CHAT)
    call = Call(
        asked=asked, request_id="r", session="s", policy=RoutingPolicy.LOCAL_ONLY, spend=True
    )

    demand = call.demand()

    assert (demand.session, demand.policy, demand.spend_allowed) == (
        "s",
        RoutingPolicy.LOCAL_ONLY,
        True,
    )
    assert demand.chars == asked.chars


@plays
async def test_an_answer_without_a_request_behind_it_is_its_body() -> None:
    answer = Answer(404, {}, body=b"no such thing")

    chunks = [chunk async for chunk in answer]
    await answer.aclose()

    assert chunks == [b"no such thing"]
    assert answer.ending is None
    assert answer.usage is None


@plays
async def test_a_whole_answer_is_settled_when_it_is_there() -> None:
    async with staged("generic") as stage:
        answer = await stage.engine.answer(stage.call())

        assert answer.ending is not None
        assert answer.ending.kind == "served"
        assert answer.usage is not None
        assert answer.usage.input_tokens == 2
        assert [chunk async for chunk in answer] == [answer.body]
        assert stage.settled


@plays
async def test_a_streams_ending_and_usage_are_known_when_it_has_been_read() -> None:
    async with staged("generic") as stage:
        answer = await stage.engine.answer(stage.call({**HELLO, "stream": True}))
        before = (answer.body, answer.ending, answer.usage)

        chunks = [chunk async for chunk in answer]

        assert before == (None, None, None)
        assert chunks[-1] == b"data: [DONE]\n\n"
        assert answer.ending is not None
        assert answer.ending.profile == "p0"
        assert answer.usage is not None
        assert answer.usage.output_tokens > 0
