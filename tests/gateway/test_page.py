"""The page that a person sees who opens the gateway in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.gateway.page import _page

if TYPE_CHECKING:
    from tests.serving import Served


def test_it_says_what_serves_and_where_to_look(served: Served) -> None:
    served.post("/api/profiles/two/disable")

    reply = served.get("/")
    page = reply.body.decode()

    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "<td>default</td><td>one</td>" in page
    assert "<td>two</td><td>disabled</td>" in page
    assert 'href="/api/status"' in page


def test_a_chain_that_nobody_serves_says_so(served: Served) -> None:
    served.post("/api/profiles/one/disable")
    served.post("/api/profiles/two/disable")

    assert "nothing can serve now" in served.get("/").body.decode()


def test_no_page_may_frame_it_and_it_runs_no_scripts(served: Served) -> None:
    headers = served.get("/").headers

    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]


def test_names_can_not_become_markup() -> None:
    profile = {"status": "<b>", "reason": "<script>alert(1)</script>", "until": None}

    page = _page({"version": "1", "chains": {}, "profiles": {'<img src="x">': profile}})

    assert "<script>" not in page
    assert "<img" not in page
