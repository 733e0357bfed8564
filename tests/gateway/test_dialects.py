"""What addresses mean to clients of Anthropic, Gemini and OpenAI's Responses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from spillover.gateway.dialects import (
    PATHS,
    dialect_at,
    passed_headers,
    passed_query,
    way_of,
)
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.openai_chat import InvalidRequest

if TYPE_CHECKING:
    from spillover.simulator import SimulatedProvider
    from tests.serving import Served

CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
CLAUDE = {"messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize("path", PATHS)
def test_every_path_that_is_named_means_something(path: str) -> None:
    assert way_of(path.format(model="m")) is not None


@pytest.mark.parametrize("path", ["/v1/message", "/v1/models/m", "/v1beta/models/m:embedContent"])
def test_others_mean_nothing(path: str) -> None:
    assert way_of(path) is None


@pytest.mark.parametrize(
    ("verb", "query", "stream", "array"),
    [
        ("generateContent", b"", False, False),
        ("streamGenerateContent", b"", True, True),
        ("streamGenerateContent", b"alt=json&key=x", True, True),
        ("streamGenerateContent", b"key=x&alt=sse", True, False),
    ],
)
def test_geminis_address_says_the_model_and_how_to_answer(
    verb: str, query: bytes, *, stream: bool, array: bool
) -> None:
    way = way_of(f"/v1/models/with/slash:{verb}")

    assert way is not None
    asked = way.read(json.dumps(CONTENTS).encode(), query)
    assert (asked.model, asked.stream, asked.array) == ("with/slash", stream, array)
    assert way.dialect is Dialect.GEMINI


def test_a_name_of_two_lines_is_a_name() -> None:
    way = way_of("/v1beta/models/two\nlines:generateContent")

    assert way is not None
    assert way.read(json.dumps(CONTENTS).encode(), b"").model == "two\nlines"


def test_what_is_only_counted_may_leave_out_what_is_not() -> None:
    claude, gemini = way_of("/v1/messages/count_tokens"), way_of("/v1/models/m:countTokens")
    assert claude is not None
    assert gemini is not None
    assert claude.weighed is not None
    assert gemini.weighed is not None

    asked = claude.read(json.dumps(CLAUDE).encode(), b"")
    wrapped = gemini.read(json.dumps({"generateContentRequest": CONTENTS}).encode(), b"")

    assert asked.request.turns == wrapped.request.turns
    assert claude.weighed(7) == {"input_tokens": 7}
    assert gemini.weighed(7) == {"totalTokens": 7}
    for way in (claude, gemini):
        with pytest.raises(InvalidRequest):
            way.read(b"<html>", b"")


def test_models_are_told_in_the_dialect_of_who_asks() -> None:
    assert dialect_at("/v1beta/models", {}) is Dialect.GEMINI
    assert dialect_at("/v1/models", {b"x-goog-api-key": b"1"}) is Dialect.GEMINI
    assert dialect_at("/v1/models", {b"anthropic-version": b"1"}) is Dialect.ANTHROPIC
    assert dialect_at("/api/status", {b"anthropic-version": b"1"}) is Dialect.CHAT


def test_only_a_protocols_own_headers_and_query_pass() -> None:
    headers = {b"anthropic-version": b"1", b"openai-beta": b"2", b"x-api-key": b"3"}

    assert passed_headers(headers, Dialect.ANTHROPIC) == {"anthropic-version": "1"}
    assert passed_headers(headers, Dialect.RESPONSES) == {"openai-beta": "2"}
    assert passed_headers(headers, Dialect.GEMINI) == {}
    assert passed_query(b"beta=true&key=secret", Dialect.ANTHROPIC) == "beta=true"
    assert passed_query(b"beta=true", Dialect.CHAT) == ""
    assert passed_query(b"beta=1%26x", Dialect.ANTHROPIC) == ""


def test_a_wrong_method_is_refused_in_the_clients_shape(served: Served) -> None:
    refused = served.get("/v1/messages", anthropic_version="2023-06-01")

    assert (refused.status, refused.json["type"]) == (405, "error")
    assert refused.headers["allow"] == "POST"


def test_geminis_models_are_listed_in_its_shape(served: Served) -> None:
    listed = served.get("/v1beta/models").json["models"]
    one = served.get("/v1beta/models/one").json

    assert [model["name"] for model in listed][:2] == ["models/default", "models/one"]
    assert one["name"] == "models/one"
    assert "generateContent" in one["supportedGenerationMethods"]
    assert served.get("/v1beta/models/oen").error["status"] == "NOT_FOUND"
    assert served.get("/v1beta/nothing").error["status"] == "NOT_FOUND"


def test_a_broken_off_answer_of_the_gateways_own_is_in_the_clients_shape(
    served: Served, both: tuple[SimulatedProvider, ...]
) -> None:
    both[0].script("server_error", times=None)
    both[1].script("server_error", times=None)

    reply = served.post("/v1/messages", {**CLAUDE, "max_tokens": 5})

    assert (reply.status, reply.error["type"]) == (503, "overloaded_error")
    assert reply.error["code"] == "all_failed"
