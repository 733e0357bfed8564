"""What clients may name as their model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.serving import Served

NAMES = ["default", "one", "two", "plain-name", "with/slash"]


def test_chains_profiles_and_plain_aliases_are_listed_in_openais_shape(served: Served) -> None:
    document = served.get("/v1/models").json

    assert document["object"] == "list"
    assert [model["id"] for model in document["data"]] == NAMES
    assert {model["object"] for model in document["data"]} == {"model"}
    assert [model["owned_by"] for model in document["data"]][:2] == ["spillover", "custom"]
    assert all(isinstance(model["created"], int) for model in document["data"])


def test_they_are_listed_in_anthropics_shape_for_its_clients(served: Served) -> None:
    document = served.get("/v1/models", anthropic_version="2023-06-01").json

    assert [model["id"] for model in document["data"]] == NAMES
    assert {model["type"] for model in document["data"]} == {"model"}
    assert (document["first_id"], document["last_id"]) == (NAMES[0], NAMES[-1])
    assert document["has_more"] is False
    assert document["data"][0]["display_name"] == "default"
    assert document["data"][0]["created_at"].endswith("Z")


@pytest.mark.parametrize("name", [*NAMES, "gpt-4o", "auto"])
def test_whatever_can_be_asked_for_is_found_by_its_name(served: Served, name: str) -> None:
    reply = served.get(f"/v1/models/{name}")

    assert (reply.status, reply.json["id"]) == (200, name)


def test_one_model_is_shown_in_anthropics_shape_too(served: Served) -> None:
    assert served.get("/v1/models/one", anthropic_version="2023-06-01").json["type"] == "model"


def test_a_model_that_does_not_exist_is_refused_with_the_nearest(served: Served) -> None:
    reply = served.get("/v1/models/defautl")

    assert (reply.status, reply.error["code"]) == (404, "model_not_found")
    assert "did you mean 'default'" in reply.error["message"]
