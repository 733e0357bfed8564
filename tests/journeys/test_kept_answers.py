"""A chain that keeps answers gives them again to the same client, in its own dialect, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.protocols.conversation.seals import Dialect
from spillover.simulator import ProviderSpec, running
from tests.journeys.dialects import Sent, a_request
from tests.serving import Reply, Served, document_for, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.simulator import SimulatedProvider

CHAIN = {"profiles": ["one"], "cache": {"ttl": "10m", "max_size": "8MB"}}


@pytest.fixture(scope="module", name="far")
def _far() -> Iterator[SimulatedProvider]:
    with running(ProviderSpec(name="far")) as (far,):
        yield far


@pytest.fixture(scope="module", name="served")
def _served(far: SimulatedProvider) -> Iterator[Served]:
    with serving(document_for(far) | {"chains": {"default": CHAIN}}) as served:
        yield served


def ask(served: Served, sent: Sent, **headers: str) -> Reply:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return served.ask("POST", sent.path, sent.body, headers=sent.headers | told)


def cached(*replies: Reply) -> list[str | None]:
    return [reply.headers.get("x-spillover-cache") for reply in replies]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("dialect", Dialect)
def test_the_very_same_is_given_again(
    served: Served, far: SimulatedProvider, dialect: Dialect, *, stream: bool
) -> None:
    sent = a_request(dialect, f"say it {stream}", stream=stream)
    before = far.counters().received

    first, again = ask(served, sent), ask(served, sent)

    assert cached(first, again) == ["miss", "hit"]
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert far.counters().received == before + 1


@pytest.mark.parametrize(
    "headers", [{"x_spillover_cache": "no"}, {"cache_control": "max-age=0, no-store"}]
)
def test_a_client_may_ask_anew(served: Served, headers: dict[str, Any]) -> None:
    sent = a_request(Dialect.CHAT, f"anew {headers}")

    replies = [ask(served, sent), ask(served, sent, **headers), ask(served, sent)]

    assert cached(*replies) == ["miss", None, "hit"]


def test_another_key_gets_its_own_wherever_it_is_shown(served: Served) -> None:
    sent = a_request(Dialect.GEMINI, "whose?")
    bare = Sent(f"{sent.path}?key=mine", sent.body, {})

    replies = [
        ask(served, bare),
        ask(served, Sent(f"{sent.path}?key=theirs", sent.body, {})),
        ask(served, Sent(sent.path, sent.body, {"x-goog-api-key": "mine"})),
    ]

    assert cached(*replies) == ["miss", "miss", "hit"]


def test_a_conversation_that_goes_on_is_asked_anew(served: Served) -> None:
    first = ask(served, a_request(Dialect.RESPONSES, "first")).json["id"]
    sent = a_request(Dialect.RESPONSES, "and then?")
    sent.body["previous_response_id"] = first

    assert cached(ask(served, sent), ask(served, sent)) == [None, None]


def test_hits_are_counted_where_users_look(served: Served) -> None:
    sent = a_request(Dialect.CHAT, "count me")
    before = served.get("/api/status").json["chains"]["default"]["cache"]["hits"]

    for _ in range(2):
        ask(served, sent)

    assert served.get("/api/status").json["chains"]["default"]["cache"]["hits"] == before + 1
    metrics = served.get("/metrics").body.decode()
    assert 'spillover_requests_total{chain="default",outcome="cached",profile="one"}' in metrics
