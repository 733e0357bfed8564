"""The official OpenAI SDK's Responses against a gateway over upstreams of every dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest
from openai import OpenAI

from spillover.protocols.conversation.seals import Dialect
from spillover.simulator import Break, Fault, ProviderSpec, running
from tests.journeys.dialects import FLAVOURS, SCHEMA, a_profile
from tests.serving import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.responses import FunctionToolParam, Response

    from spillover.simulator import SimulatedProvider

WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "weather",
    "description": "The weather at a place.",
    "parameters": SCHEMA,
    "strict": False,
}


@pytest.fixture(scope="module")
def providers() -> Iterator[dict[Dialect, SimulatedProvider]]:
    specs = [ProviderSpec(flavour=FLAVOURS[each], events_per_s=200.0) for each in Dialect]
    with running(*specs) as found:
        yield dict(zip(Dialect, found, strict=True))


@pytest.fixture(scope="module")
def served(providers: dict[Dialect, SimulatedProvider]) -> Iterator[Served]:
    profiles = {each.value: a_profile(providers[each], each) for each in Dialect}
    with serving({"storage": "memory", "profiles": profiles}) as gateway:
        yield gateway


@pytest.fixture
def client(served: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{served.address}/v1", api_key="any", max_retries=0) as found:
        yield found


@pytest.mark.parametrize("upstream", Dialect)
def test_an_answer_whole_and_streamed(client: OpenAI, upstream: Dialect) -> None:
    whole = client.responses.create(model=upstream.value, input="hello")
    with client.responses.stream(model=upstream.value, input="hello") as stream:
        final = list(stream)[-1]

    assert "answering" in whole.output_text
    assert whole.usage is not None
    assert final.type == "response.completed"
    assert final.response.output_text == whole.output_text


@pytest.mark.parametrize("upstream", Dialect)
def test_a_turn_with_a_tool_goes_on_by_the_answers_id(client: OpenAI, upstream: Dialect) -> None:
    first = client.responses.create(
        model=upstream.value, input="use the weather tool", tools=[WEATHER]
    )
    call = first.output[0]
    assert call.type == "function_call"
    assert call.name == "weather"

    second = client.responses.create(
        model=upstream.value,
        previous_response_id=first.id,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}],
        tools=[WEATHER],
    )

    assert second.status == "completed"
    assert "answering" in second.output_text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_answer_is_shown_again_until_it_is_forgotten(client: OpenAI, *, stream: bool) -> None:
    if stream:
        with client.responses.stream(model="anthropic", input="hello") as events:
            first: Response = events.get_final_response()
    else:
        first = client.responses.create(model="anthropic", input="hello")
    second = client.responses.create(
        model="chat", input="and?", previous_response_id=first.id, instructions="be brief"
    )

    shown = client.responses.retrieve(first.id)
    items = list(client.responses.input_items.list(second.id, limit=2, order="asc"))
    client.responses.delete(first.id)

    assert (shown.id, shown.output_text) == (first.id, first.output_text)
    assert [getattr(item, "role", None) for item in items] == ["user", "assistant", "user"]
    with pytest.raises(openai.NotFoundError, match="is remembered"):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError, match="is remembered"):
        client.responses.create(model="chat", input="and?", previous_response_id=first.id)


def test_nobody_is_shown_anothers_answer(served: Served, client: OpenAI) -> None:
    mine = client.responses.create(model="chat", input="hello")

    with (
        OpenAI(base_url=f"{served.address}/v1", api_key="other", max_retries=0) as other,
        pytest.raises(openai.NotFoundError) as refused,
    ):
        other.responses.retrieve(mine.id)

    assert refused.value.code == "response_not_found"


@pytest.mark.parametrize("upstream", Dialect)
def test_a_broken_stream_raises(
    client: OpenAI, providers: dict[Dialect, SimulatedProvider], upstream: Dialect
) -> None:
    providers[upstream].script(Fault(break_=Break.CLOSE, after=2))

    with pytest.raises(openai.APIError, match="broke off its answer"):
        list(client.responses.create(model=upstream.value, input="hello", stream=True))


def test_an_unknown_answer_raises(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="is remembered"):
        client.responses.create(model="chat", input="and?", previous_response_id="resp_0")
