"""Answers of OpenAI's Responses are shown and forgotten by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.serving import Served


def an_answer(served: Served) -> str:
    found: str = served.post("/v1/responses", {"model": "default", "input": "hi"}).json["id"]
    return found


def test_what_was_said_before_is_listed_in_pages(served: Served) -> None:
    address = f"/v1/responses/{an_answer(served)}/input_items"

    page = served.get(address).json

    (item,) = page["data"]
    assert item["content"] == [{"type": "input_text", "text": "hi"}]
    assert (page["first_id"], page["has_more"]) == (item["id"], False)
    assert served.get(f"{address}?after={item['id']}").json["data"] == []


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("/input_items?limit=0", "limit"),
        ("/input_items?limit=x", "limit"),
        ("?stream=true", "stream"),
    ],
)
def test_what_makes_no_sense_is_refused(served: Served, query: str, param: str) -> None:
    reply = served.get(f"/v1/responses/{an_answer(served)}{query}")

    assert (reply.status, reply.error["param"]) == (400, param)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/responses/x"),
        ("DELETE", "/v1/responses/x"),
        ("GET", "/v1/responses/x/input_items"),
    ],
)
def test_what_is_not_remembered_is_not_found(served: Served, method: str, path: str) -> None:
    reply = served.ask(method, path)

    assert (reply.status, reply.error["code"]) == (404, "response_not_found")


def test_other_methods_are_refused(served: Served) -> None:
    reply = served.ask("PUT", "/v1/responses/x")

    assert (reply.status, reply.headers["allow"]) == (405, "DELETE, GET")
