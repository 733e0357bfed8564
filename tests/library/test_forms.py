"""What `response_format` may be, what of it is sent, and how the answer is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import msgspec
import pydantic
import pytest

from spillover.errors import MalformedAnswer
from spillover.library.forms import Form, form_of


class Place(msgspec.Struct):
    """A struct."""

    name: str
    kind: Literal["town", "village"] = "town"


class Trip(msgspec.Struct):
    """A struct with others within."""

    places: list[Place]
    days: int | None = None


class Node(msgspec.Struct):
    """A struct within itself."""

    children: list[Node] = []


@dataclass
class Spot:
    """A dataclass."""

    name: str
    kind: str = "town"


class Point(TypedDict):
    """A typed dict."""

    name: str


class Weather(pydantic.BaseModel):
    """A model of Pydantic's."""

    name: str
    degrees: float = 0.0


class Scores(msgspec.Struct):
    """A struct with fields that nobody foresaw."""

    by_name: dict[str, int]


def a_form(asked: Any) -> Form[Any]:
    form = form_of(asked)
    assert form is not None
    return form


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Place, Place(name="x")),
        (Spot, Spot(name="x")),
        (Point, {"name": "x"}),
        (Weather, Weather(name="x")),
    ],
    ids=["struct", "dataclass", "typed dict", "pydantic"],
)
def test_a_type_is_asked_for_by_its_schema_and_the_answer_is_of_it(kind: Any, value: Any) -> None:
    form = a_form(kind)

    described = form.wire["json_schema"]
    assert form.wire["type"] == "json_schema"
    assert (described["name"], described["strict"]) == (kind.__name__, True)
    assert described["schema"]["type"] == "object"
    assert described["schema"]["additionalProperties"] is False
    assert described["schema"]["required"] == list(described["schema"]["properties"])
    assert form.read('{"name": "x"}', finish_reason="stop") == value


def test_types_within_a_type_are_closed_too() -> None:
    schema = a_form(Trip).wire["json_schema"]["schema"]

    assert schema["required"] == ["places", "days"]
    assert schema["$defs"]["Place"]["required"] == ["name", "kind"]
    assert "default" not in json.dumps(schema)
    assert "Trip" not in schema["$defs"]


def test_a_type_within_itself_can_be_found_from_within() -> None:
    schema = a_form(Node).wire["json_schema"]["schema"]

    assert schema["type"] == "object"
    assert schema["$defs"]["Node"]["additionalProperties"] is False


def test_a_type_that_is_open_is_not_said_to_be_strict() -> None:
    assert a_form(Scores).wire["json_schema"]["strict"] is False


def test_a_type_whose_values_are_no_objects_is_refused() -> None:
    with pytest.raises(TypeError, match="no JSON object"):
        form_of(list[int])


CLOSED = {
    "title": "Spot",
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("change", "strict"),
    [
        ({}, True),
        ({"additionalProperties": True}, False),
        ({"required": []}, False),
        ({"properties": {"name": {"type": "object"}}}, False),
        ({"properties": {"name": {"anyOf": [{"type": "null"}, {"type": "object"}]}}}, False),
    ],
    ids=["closed", "open", "optional", "open within", "open among several"],
)
def test_a_schema_is_sent_as_it_is_and_strict_where_it_is(
    change: dict[str, Any], *, strict: bool
) -> None:
    schema = CLOSED | change

    form = a_form(schema)

    assert form.wire == {
        "type": "json_schema",
        "json_schema": {"name": "Spot", "schema": schema, "strict": strict},
    }
    assert form.read('{"name": "x"}', finish_reason="stop") == {"name": "x"}


def test_what_openais_format_has_is_sent_as_it_is() -> None:
    asked = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}

    form = a_form(asked)

    assert form.wire is asked
    assert form.read("{}", finish_reason="stop") == {}
    assert a_form({"type": "text"}).read("{}", finish_reason="stop") is None
    assert form_of(None) is None


@pytest.mark.parametrize("kind", [Place, Weather], ids=["struct", "pydantic"])
@pytest.mark.parametrize("text", ["{", '{"name": 1}', "sorry"])
def test_what_is_not_of_the_type_raises(kind: Any, text: str) -> None:
    with pytest.raises(MalformedAnswer, match=f"is no {kind.__name__}"):
        a_form(kind).read(text, finish_reason="stop")
