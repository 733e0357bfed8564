"""The description of the HTTP interface names every route, every word and every setting there is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from spillover.config.summary import CHAIN_SETTINGS, PROFILE_SETTINGS
from spillover.core.values import LimitScope
from spillover.events.kinds import Event, Notice
from spillover.gateway.desk import ROUTES
from spillover.gateway.dialects import PATHS
from spillover.gateway.openapi import WORDS, description
from spillover.gateway.proxy import OPERATIONS

if TYPE_CHECKING:
    from tests.serving import Served

DOCUMENT = description("1.2.3")
SCHEMAS = DOCUMENT["components"]["schemas"]


PROGRAMS = ("/api/", "/v1", "/health")
"""Where the routes for programs begin; the others are pages for people, and their parts."""


def routes() -> set[tuple[str, str]]:
    """Every method and path that the gateway answers to programs."""
    served = {
        (route.method, route.path.replace(":path", ""))
        for route in ROUTES
        if route.path.startswith(PROGRAMS)
    }
    spoken = (*OPERATIONS, *PATHS, *(path.replace("v1beta", "v1") for path in PATHS))
    return served | {("POST", path) for path in spoken} | {("GET", "/metrics")}


def test_the_routes_described_are_those_that_there_are() -> None:
    described = {
        (method.upper(), path)
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
    }

    assert described == routes()


def test_every_reference_leads_somewhere_and_every_part_is_referred_to() -> None:
    referred = set(re.findall(r'"#/components/(\w+)/([^"]+)"', json.dumps(DOCUMENT)))
    there = {
        (kind, name)
        for kind, parts in DOCUMENT["components"].items()
        for name in parts
        if kind != "securitySchemes"
    }

    assert referred == there


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    operations = [each for path in DOCUMENT["paths"].values() for each in path.values()]

    assert len({each["operationId"] for each in operations}) == len(operations)
    assert all(each["summary"] for each in operations)
    assert {tag for each in operations for tag in each["tags"]} == {
        tag["name"] for tag in DOCUMENT["tags"]
    }


@pytest.mark.parametrize("name", WORDS)
def test_the_words_of_answers_are_the_codes(name: str) -> None:
    assert SCHEMAS[name] == {"type": "string", "enum": [str(word) for word in WORDS[name]]}


@pytest.mark.parametrize(
    ("settings", "shapes"),
    [
        (PROFILE_SETTINGS, ("ProfileConfig", "ProfileWritten", "ProfileAdded")),
        (CHAIN_SETTINGS, ("ChainConfig", "ChainWritten", "ChainAdded")),
    ],
    ids=["profile", "chain"],
)
def test_the_settings_of_a_form_are_those_of_the_file(
    settings: tuple[str, ...], shapes: tuple[str, ...]
) -> None:
    beside = {"key", "fixed", "chains", "implicit", "revision", "name", "chain", "position"}

    for shape in shapes:
        assert set(SCHEMAS[shape]["properties"]) - beside == set(settings), shape


def test_events_are_described_as_they_are_told() -> None:
    told = {SCHEMAS[each["$ref"].rpartition("/")[2]]["title"] for each in SCHEMAS["Told"]["anyOf"]}
    done = SCHEMAS["ToldRequestDone"]["properties"]
    fallback = SCHEMAS["ToldRequestFallback"]["properties"]

    assert told == {kind.__name__ for kind in Event.__args__}
    assert done["type"] == {"enum": ["request.done"]}
    assert done["at"] == {"type": "string", "format": "date-time"}
    assert {"type": "null"} in fallback["until"]["anyOf"]


def test_a_notice_of_the_list_has_the_fields_of_its_event() -> None:
    fields = {field.encode_name for field in msgspec.structs.fields(Notice)}

    assert set(SCHEMAS["KeptNotice"]["properties"]) == fields


def test_an_entry_of_the_catalogue_has_its_models_and_its_age() -> None:
    properties = SCHEMAS["CatalogueEntry"]["properties"]

    assert {"id", "free", "models", "oldest_as_of", "stale", "changed_by"} <= properties.keys()
    assert SCHEMAS["CatalogueLimitScope"]["enum"] == sorted(LimitScope)


def test_the_gateway_serves_it_with_its_own_version(served: Served) -> None:
    answer: dict[str, Any] = served.get("/api/openapi.json").json

    assert answer["openapi"].startswith("3.1")
    assert answer["info"]["version"] == served.get("/api/status").json["version"]
    assert answer["paths"] == DOCUMENT["paths"]
