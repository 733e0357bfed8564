"""Paths find their routes, and bodies of changes their shape."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from spillover.errors import RequestError
from spillover.gateway.access import Door
from spillover.gateway.routes import SMALL_BODY, Inquiry, Route, Routes

if TYPE_CHECKING:
    from spillover.gateway.asgi import Message


async def answer(_inquiry: Inquiry) -> None: ...


def route(method: str, path: str) -> Route:
    return Route(method, path, Door.ADMIN, answer)


TABLE = Routes(
    [
        route("GET", "/api/things"),
        route("GET", "/api/things/{thing}"),
        route("DELETE", "/api/things/{thing}"),
        route("POST", "/api/things/{thing}/mend"),
        route("GET", "/v1/models/{model:path}"),
    ]
)


@pytest.mark.parametrize(
    ("path", "methods", "names"),
    [
        ("/api/things", ["GET"], {}),
        ("/api/things/a.b", ["GET", "DELETE"], {"thing": "a.b"}),
        ("/api/things/a/mend", ["POST"], {"thing": "a"}),
        ("/v1/models/a/b c", ["GET"], {"model": "a/b c"}),
        ("/v1/models/two\nlines", ["GET"], {"model": "two\nlines"}),
    ],
)
def test_a_path_finds_its_routes(path: str, methods: list[str], names: dict[str, str]) -> None:
    found = TABLE.at(path)

    assert [each.method for each, _ in found] == methods
    assert found[0][1] == names


@pytest.mark.parametrize(
    "path",
    ["", "/", "/api", "/api/things/", "/api/things/a/b", "/api/things/a/mend/", "/apixthings"],
)
def test_a_path_that_is_no_route_finds_none(path: str) -> None:
    assert TABLE.at(path) == []


def test_a_misspelt_path_has_a_nearest_one() -> None:
    assert TABLE.nearest("/api/thing") == "/api/things"
    assert TABLE.nearest("/wp-login.php") is None


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    often: int = 1


class FakeVisit:
    """A visit that sends one body."""

    def __init__(self, body: bytes, **headers: str) -> None:
        self._body = body
        self.headers = {name.replace("_", "-").encode(): v.encode() for name, v in headers.items()}

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self._body, "more_body": False}


def fields_of(body: bytes, **headers: str) -> Shape:
    visit = cast("Any", FakeVisit(body, **headers))
    return asyncio.run(Inquiry(cast("Any", None), visit, {}).fields(Shape))


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", ""])
def test_a_body_of_json_is_read(kind: str) -> None:
    assert fields_of(b'{"name": "a"}', content_type=kind) == Shape(name="a")


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("body", [b"", b"  \r\n"])
def test_no_body_is_an_empty_object(body: bytes, kind: str) -> None:
    assert fields_of(body, content_type=kind) == Shape()


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
    ],
)
def test_what_a_foreign_form_could_send_is_refused_though_it_is_json(kind: str) -> None:
    with pytest.raises(RequestError) as caught:
        fields_of(b'{"name": "a"}', content_type=kind)

    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("body", "culprit"),
    [
        (b"{", "truncated"),
        (b"[]", "object"),
        (b'{"name": 5}', "name"),
        (b'{"nmae": "a"}', "nmae"),
        (b'{"often": "x"}', "often"),
        (b'{"name": "\xff"}', "can't be used"),
    ],
)
def test_a_body_of_another_shape_is_refused_with_what_is_wrong(body: bytes, culprit: str) -> None:
    with pytest.raises(RequestError, match=culprit) as caught:
        fields_of(body)

    assert (caught.value.status, caught.value.code) == (400, "invalid_request")


def test_a_body_that_names_things_is_small() -> None:
    with pytest.raises(RequestError) as caught:
        fields_of(b'{"name": "%s"}' % (b"a" * SMALL_BODY))

    assert caught.value.status == 413
