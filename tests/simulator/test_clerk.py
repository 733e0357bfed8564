"""The order in which requests are checked, and what counts."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.simulator.spec import Model, limits
from tests.simulator.asking import KEY, a_provider, a_request, ask, chat, perform

MODELS = {"m": Model(), "vectors": Model(dimensions=4)}


def test_a_wrong_key_is_refused_before_all_else_and_does_not_count() -> None:
    provider = a_provider(keys=frozenset({"right"}), limits=limits("requests=0/day"))

    got = perform(provider, a_request(b"not json", "/nowhere"))

    assert got.status == 401
    assert provider.counters().outcomes == {"unauthorized": 1}
    assert provider.counters().accepted == 0


def test_the_right_key_opens_and_no_keys_need_none() -> None:
    keyed = a_provider(keys=frozenset({KEY, "other"}))

    assert ask(keyed).status == 200
    assert perform(a_provider(), a_request(headers=())).status == 200


@pytest.mark.parametrize(
    ("path", "method", "body", "status"),
    [
        ("/v1/nowhere", "POST", chat(), 404),
        ("/chat/completions", "POST", chat(), 404),
        ("/v1/chat/completions", "PUT", chat(), 405),
        ("/v1/chat/completions", "POST", b"{", 400),
        ("/v1/chat/completions", "POST", chat(model="unknown"), 404),
        ("/v1/chat/completions", "POST", chat(model="vectors"), 404),
        ("/v1/embeddings", "POST", {"model": "m", "input": "a"}, 404),
        ("/v1/models/unknown", "GET", b"", 404),
    ],
)
def test_what_can_not_be_served_is_refused_before_it_counts(
    path: str, method: str, body: Any, status: int
) -> None:
    provider = a_provider(models=MODELS, limits=limits("requests=0/day"))

    got = perform(provider, a_request(body, path, method=method))

    assert got.status == status
    assert provider.counters().outcomes == {"rejected": 1}


def test_a_field_at_fault_is_named() -> None:
    got = ask(a_provider(), n=0)

    assert (got.status, got.json["error"]["param"]) == (400, "n")


def test_models_are_listed_and_found_one_by_one() -> None:
    provider = a_provider(models=MODELS)

    listed = perform(provider, a_request(path="/v1/models?limit=5", method="GET")).json
    one = perform(provider, a_request(path="/v1/models/m", method="GET")).json
    any_one = perform(a_provider(), a_request(path="/v1/models/x", method="GET")).json

    assert [model["id"] for model in listed["data"]] == ["m", "vectors"]
    assert (one["id"], any_one["id"]) == ("m", "x")


def test_each_choice_reserves_its_own_output_where_output_is_reserved() -> None:
    provider = a_provider(flavour="groq", limits=limits("tokens=1000/minute"))

    assert ask(provider, max_tokens=400, n=3).status == 413
    assert ask(provider, max_tokens=400, n=2).status == 200


def test_embeddings_reserve_no_output() -> None:
    provider = a_provider(flavour="groq", limits=limits("tokens=10/minute"))
    request = a_request({"model": "m", "input": "hello"}, "/openai/v1/embeddings")

    assert perform(provider, request).status == 200
