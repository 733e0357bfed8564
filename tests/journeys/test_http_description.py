"""The gateway does what `/api/openapi.json` says: each example of it is served, and whatever else is asked is answered as described.

Its examples are asked in their order, then Schemathesis asks what fits and what does not. Left out:
`GET /api/events`, which never ends (tests/gateway/test_feed.py reads it).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from spillover.config.loader import load
from spillover.gateway.openapi import description
from spillover.simulator import ProviderSpec, running
from tests.serving import CHAT, HELLO, Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis.schemas import APIOperation

CONFIG = """\
storage: memory
profiles:
  one: {{base_url: "{one}", model: m1, api_key: key-of-one}}
  two: {{base_url: "{two}", model: m2, api_key: key-of-two, limits: {{requests_per_day: 10K}}}}
chains: {{default: [one, two]}}
"""
ENDLESS = "/api/events"
EXAMPLES = 5
"""Requests of each kind to each operation: more take longer than they find."""
SHAPED = frozenset({"limit", "span", "format", "outcome"})
"""Parameters that are more than any text."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DOCUMENT = description("1")
NAMES = {"profile": ["one", "two"], "chain": ["default"], "model": ["default", "one"]}


def known(document: dict[str, Any]) -> dict[str, Any]:
    """Add the names that there are, so that what is asked at random finds something."""
    parameters = document["components"]["parameters"]
    changed = {
        name: {**parameters[name], "schema": {"anyOf": [{"enum": names}, {"type": "string"}]}}
        for name, names in NAMES.items()
    }
    components = {**document["components"], "parameters": {**parameters, **changed}}
    return {**document, "components": components}


SCHEMA = schemathesis.openapi.from_dict(known(DOCUMENT))
OPERATIONS: dict[str, APIOperation[Any, Any, Any, Any]] = {
    found.ok().label: found.ok()
    for found in SCHEMA.get_all_operations()
    if isinstance(found, Ok) and found.ok().path != ENDLESS
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway over a file and two simulated providers."""
    path = tmp_path_factory.mktemp("described") / "spillover.yaml"
    with running(ProviderSpec(name="one"), ProviderSpec(name="two")) as (one, two):
        path.write_text(CONFIG.format(one=one.base_url, two=two.base_url), "utf-8")
        with serving(load(path, environ={})) as found:
            found.gateway.simulated = {"one": one, "two": two}
            yield found


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Connections that no proxy variable leads elsewhere."""
    with requests.Session() as found:
        found.trust_env = False
        yield found


def example(operation: dict[str, Any]) -> dict[str, Any]:
    """The request that an operation's own examples make."""
    shared = DOCUMENT["components"]["parameters"]
    given_: dict[str, Any] = {"path": {}, "query": {}, "header": {}}
    for each in operation.get("parameters", ()):
        found = shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        if "example" in found:
            value = found["example"]
            given_[found["in"]][found["name"]] = "true" if value is True else value
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    request = {"path_parameters": given_["path"], "query": given_["query"]}
    return {**request, **({"body": body["example"]} if "example" in body else {})}


def test_every_operation_but_the_endless_one_is_asked() -> None:
    described = {
        f"{method.upper()} {path}"
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
    }

    assert OPERATIONS.keys() == described - {f"GET {ENDLESS}"}


def test_every_example_is_served_as_described(served: Served, session: requests.Session) -> None:
    served.post(CHAT, HELLO, x_spillover_request_id="known")
    response = served.post("/v1/responses", {"input": "hi"}).json["id"]
    for label, operation in OPERATIONS.items():
        request = example(operation.definition.raw)
        if "response" in request["path_parameters"]:
            request["path_parameters"]["response"] = response
        media_type = "application/json" if "body" in request else None
        case = operation.Case(**request, media_type=media_type)

        answer = case.call(base_url=served.address, session=session)

        assert answer.status_code < 300, f"{label}: {answer.text}"
        case.validate_response(answer, checks=CHECKS)


def modes(operation: APIOperation[Any, Any, Any, Any]) -> list[schemathesis.GenerationMode]:
    """What can be asked: what fits and, where a body or a parameter has a shape, what does not."""
    raw = operation.definition.raw
    named = json.dumps(raw.get("parameters", [])).replace("#/components/parameters/", "")
    has_shape = "requestBody" in raw or any(f'"{name}"' in named for name in SHAPED)
    return list(schemathesis.GenerationMode)[: 2 if has_shape else 1]


@pytest.mark.parametrize(
    ("label", "mode"),
    [(label, mode) for label, operation in OPERATIONS.items() for mode in modes(operation)],
)
def test_whatever_is_asked_is_answered_as_described(
    label: str, mode: schemathesis.GenerationMode, served: Served, session: requests.Session
) -> None:
    @seed(6)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def asked(case: schemathesis.Case[Any]) -> None:
        answer = case.call(base_url=served.address, session=session)
        case.validate_response(answer, checks=CHECKS)

    asked()
