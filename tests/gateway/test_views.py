"""The dashboard's further views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from spillover.simulator import SimulatedProvider
    from tests.serving import Served


@pytest.mark.parametrize("path", ["/history", "/trace", "/playground", "/setup"])
def test_every_view_is_a_page(served: Served, path: str) -> None:
    reply = served.get(path)

    assert reply.status == 200
    assert f'<a href="{path}" aria-current="page">' in reply.body.decode()


def test_a_requests_page_draws_its_sends(served: Served, one: SimulatedProvider) -> None:
    one.script("overloaded")
    request_id = served.chat().headers["x-spillover-request-id"]

    page = served.get(f"/trace/{request_id}").body.decode()

    assert page.count('<td class="lane">') == 2
    assert "no capacity there" in page


def test_a_request_that_is_not_kept_is_not_found(served: Served) -> None:
    assert served.get("/trace/never").status == 404


def test_the_playground_asks_as_any_client_does(served: Served) -> None:
    reply = served.post("/api/ask", {"messages": [{"role": "user", "content": "hi"}]})

    assert reply.text
    assert reply.headers["x-spillover-profile"] == "one"


def test_the_playground_walks_the_chain_that_is_asked_for(served: Served) -> None:
    assert 'data-profile="two"' in served.get("/playground?chain=two").body.decode()
    assert 'data-profile="one"' not in served.get("/playground?chain=two").body.decode()
    assert 'data-profile="one"' in served.get("/playground?chain=nonsense").body.decode()


def test_a_simulated_provider_fails_when_told_to(served: Served, one: SimulatedProvider) -> None:
    served.gateway.simulated = {"one": one}
    try:
        reply = served.post("/api/simulated/one/fail", {"fault": "rate_limited"})
        trail = served.chat().headers["x-spillover-trail"]

        assert reply.json["profile"] == "one"
        assert trail == "one:rate_limited,two:ok"
        assert served.post("/api/simulated/one/fail", {"fault": "nonsense"}).status == 400
        assert served.post("/api/simulated/two/fail", {"fault": "rate_limited"}).status == 404
    finally:
        served.gateway.simulated = {}


def test_a_real_provider_is_never_made_to_fail(served: Served) -> None:
    assert served.post("/api/simulated/one/fail", {"fault": "rate_limited"}).status == 404
