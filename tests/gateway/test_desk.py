"""Everything but the proxy routes: doors, methods, paths that don't exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.gateway.access import Door
from spillover.gateway.desk import ROUTES
from spillover.simulator import ProviderSpec, running
from tests.serving import CHAT, HELLO, Served, document_for, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = {"client_keys": ["a-client-key"], "admin_key": "an-admin-key"}


@pytest.fixture(scope="module")
def keyed() -> Iterator[Served]:
    """A gateway with keys."""
    with (
        running(ProviderSpec()) as (provider,),
        serving(document_for(provider, server=KEYS)) as served,
    ):
        yield served


@pytest.mark.parametrize("path", ["/api/nothing", "/v2/chat/completions", "/favicon.ico", "//"])
def test_there_is_nothing_at_other_paths(served: Served, path: str) -> None:
    reply = served.get(path)

    assert (reply.status, reply.error["code"]) == (404, "not_found")
    assert reply.error["request_id"] == reply.headers["x-spillover-request-id"]


@pytest.mark.parametrize(
    "path", ["/chat/completions", "/v1/v1/chat/completions", "/v1/chat/completion"]
)
def test_a_base_url_that_is_a_little_wrong_is_told_the_right_one(served: Served, path: str) -> None:
    reply = served.post(path, HELLO)

    assert reply.status == 404
    assert f"did you mean {CHAT}?" in reply.error["message"]


def test_a_path_that_can_not_stand_in_a_message_breaks_nothing(served: Served) -> None:
    reply = served.get("/%00%ff%0d%0aset-cookie:x" + "y" * 1_000)

    assert reply.status == 404
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/status", "GET"),
        ("GET", "/api/usage/clear", "POST"),
        ("DELETE", "/health", "GET"),
    ],
)
def test_other_methods_are_refused(served: Served, method: str, path: str, allowed: str) -> None:
    reply = served.ask(method, path)

    assert (reply.status, reply.headers["allow"]) == (405, allowed)


def test_head_is_answered_like_get_without_a_body(served: Served) -> None:
    reply = served.ask("HEAD", "/health")

    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize(
    "route", [r for r in ROUTES if r.door is Door.ADMIN], ids=lambda r: f"{r.method} {r.path}"
)
def test_every_admin_route_needs_the_admin_key(keyed: Served, route: object) -> None:
    names = {"profile": "one", "chain": "default", "provider": "groq", "id": "r", "client": "curl"}
    path = getattr(route, "path").format_map(names)  # noqa: B009
    method = getattr(route, "method")  # noqa: B009
    without = keyed.ask(method, path)
    clients = keyed.ask(method, path, headers={"authorization": "Bearer a-client-key"})

    assert without.status == clients.status == 401
    assert without.error["code"] == "invalid_admin_key"
    assert without.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/status", "/api/nothing"])
def test_the_admin_key_opens_them(keyed: Served, path: str) -> None:
    reply = keyed.get(path, authorization="Bearer an-admin-key")

    assert reply.status == (404 if path == "/api/nothing" else 200)


def test_client_keys_open_the_protocol_routes_alone(keyed: Served) -> None:
    key = {"authorization": "Bearer a-client-key"}

    assert keyed.post(CHAT, HELLO, **key).status == 200
    assert keyed.get("/v1/models", **key).status == 200
    assert keyed.get("/v1/models?key=a-client-key").status == 200
    assert keyed.post(CHAT, HELLO).status == 401
    assert keyed.get("/v1/models").status == 401
    assert keyed.get("/v1/nothing").status == 401


def test_health_needs_no_key(keyed: Served) -> None:
    assert [keyed.get(path).status for path in ("/health", "/health/live", "/health/ready")] == [
        200
    ] * 3


def test_a_re_pointed_name_reaches_nothing(served: Served) -> None:
    for method, path in (("GET", "/api/status"), ("POST", CHAT), ("GET", "/health"), ("GET", "/x")):
        reply = served.ask(method, path, headers={"host": "evil.example:4400"})

        assert (reply.status, reply.error["code"]) == (403, "host_not_allowed")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example", "content-type": "application/x-www-form-urlencoded"},
        {"origin": "null", "content-type": "text/plain"},
        {"sec-fetch-site": "cross-site", "content-type": "application/json"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
    ],
)
def test_no_foreign_page_changes_anything(served: Served, headers: dict[str, str]) -> None:
    served.chat()

    reply = served.ask("POST", "/api/usage/clear", b'{"profile": "one"}', headers=headers)

    assert reply.status in {403, 415}
    usage = served.get("/api/status").json["profiles"]["one"]["usage"]
    assert usage["minute"]["requests"] == 1


def test_no_page_is_granted_a_look(served: Served) -> None:
    reply = served.get(
        "/api/status", origin=served.address, host=served.address.removeprefix("http://")
    )

    assert reply.status == 200
    assert not [name for name in reply.headers if name.startswith("access-control")]


def test_a_preflight_is_refused(served: Served) -> None:
    reply = served.ask(
        "OPTIONS",
        "/api/usage/clear",
        headers={"origin": "http://evil.example", "access-control-request-method": "POST"},
    )

    assert reply.status == 403


def test_two_hosts_are_none(served: Served) -> None:
    answer = served.raw(
        b"GET /health HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n"
    )

    assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400"))
