"""What a route would answer, learned without a wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.errors import RequestError, UnknownName
from spillover.gateway import admin, past
from spillover.gateway.overheard import overhear
from spillover.gateway.routes import Inquiry
from spillover.gateway.visit import RequestIds, Visit

if TYPE_CHECKING:
    from spillover.gateway.routes import Endpoint
    from tests.serving import Served


def heard(served: Served, endpoint: Endpoint, **asked: Any) -> Any:
    """Overhear an endpoint in the gateway's loop."""

    async def nothing(*_: Any) -> Any:
        raise AssertionError("an overheard request never reads or writes")

    scope = {
        "method": "GET",
        "path": "/",
        "headers": [(b"host", b"localhost")],
        "query_string": b"",
    }
    visit = Visit(scope, nothing, nothing, ids=RequestIds(lambda: 0.0))
    inquiry = Inquiry(served.gateway, visit, {})
    return served.run(overhear(endpoint, inquiry, **asked))


def test_it_is_what_the_api_answers(served: Served) -> None:
    assert (
        heard(served, admin.profile, names={"profile": "one"})
        == served.get("/api/profiles/one").json
    )


def test_a_query_goes_with_it(served: Served) -> None:
    served.chat(model="one")
    served.chat(model="two")

    found = heard(served, past.requests, query={"profile": "two", "limit": "1"})

    assert [each["profile"] for each in found["requests"]] == ["two"]


def test_a_body_goes_with_it(served: Served) -> None:
    heard(served, admin.pin, names={"chain": "default"}, body={"profile": "two"})

    assert served.get("/api/chains/default").json["pinned"] == "two"


def test_errors_are_raised(served: Served) -> None:
    with pytest.raises(UnknownName):
        heard(served, admin.profile, names={"profile": "nobody"})
    with pytest.raises(RequestError):
        heard(served, admin.pin, names={"chain": "default"}, body={"nonsense": 1})


def test_what_is_no_document_is_an_error(served: Served) -> None:
    with pytest.raises(RequestError):
        heard(served, past.history, query={"format": "csv"})
