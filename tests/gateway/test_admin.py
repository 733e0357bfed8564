"""The admin API: how things stand, and what users change by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.serving import HELLO, Served

if TYPE_CHECKING:
    from spillover.simulator import SimulatedProvider


def test_status_shows_chains_and_profiles(served: Served) -> None:
    served.chat()

    document = served.get("/api/status").json

    assert document["version"]
    assert document["chains"]["default"]["profiles"] == ["one", "two"]
    assert document["chains"]["default"]["serving"] == "one"
    assert document["chains"]["default"]["last_served"] == "one"
    profile = document["profiles"]["one"]
    assert profile["status"] == "active"
    assert profile["usage"]["minute"]["requests"] == 1
    assert profile["limits"][0]["remaining"] == 999
    assert "key-of-one" not in str(document)


def test_nobody_keeps_the_answers(served: Served) -> None:
    assert served.get("/api/status").headers["cache-control"] == "no-store"


def test_profiles_and_chains_are_shown_alone_too(served: Served) -> None:
    assert list(served.get("/api/profiles").json["profiles"]) == ["one", "two"]
    assert served.get("/api/profiles/two").json["model"] == "model-two"
    assert list(served.get("/api/chains").json["chains"]) == ["default"]
    assert served.get("/api/chains/default").json["strategy"] == "priority"


@pytest.mark.parametrize(
    ("method", "path", "near"),
    [
        ("GET", "/api/profiles/onee", "'one'"),
        ("GET", "/api/chains/defult", "'default'"),
        ("POST", "/api/profiles/onee/enable", "'one'"),
        ("POST", "/api/profiles/onee/disable", "'one'"),
        ("POST", "/api/profiles/onee/clear-cooldown", "'one'"),
        ("GET", "/api/catalogue/grok2", "groq"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    served: Served, method: str, path: str, near: str
) -> None:
    reply = served.ask(method, path)

    assert (reply.status, reply.error["code"]) == (404, "not_found")
    assert near in reply.error["message"]


def test_an_unknown_name_that_is_like_none_is_answered_with_all(served: Served) -> None:
    assert "there are: one, two" in served.get("/api/profiles/xyz").error["message"]
    assert served.get("/api/catalogue/%F0%9F%99%82").status == 404


def test_a_disabled_profile_is_passed_by_until_it_is_enabled(served: Served) -> None:
    disabled = served.post("/api/profiles/one/disable").json
    while_disabled = served.chat().headers["x-spillover-profile"]
    enabled = served.post("/api/profiles/one/enable", {}).json
    afterwards = served.chat().headers["x-spillover-profile"]

    assert (disabled["name"], disabled["status"], enabled["status"]) == (
        "one",
        "disabled",
        "active",
    )
    assert (while_disabled, afterwards) == ("two", "one")


def test_a_cleared_cooldown_ends_at_once(served: Served, one: SimulatedProvider) -> None:
    one.script("overloaded")
    served.chat()
    cooling = served.get("/api/profiles/one").json["status"]

    cleared = served.post("/api/profiles/one/clear-cooldown").json

    assert (cooling, cleared["status"]) == ("cooldown", "active")
    assert served.chat().headers["x-spillover-profile"] == "one"


def test_a_probe_is_answered_with_what_came_of_it_and_how_the_profile_stands(
    served: Served, one: SimulatedProvider
) -> None:
    one.script("overloaded")
    served.chat()

    found = served.post("/api/profiles/one/probe").json
    unknown = served.post("/api/profiles/nobody/probe")

    assert (found["name"], found["status"]) == ("one", "active")
    assert (found["probe"]["answered"], found["probe"]["outcome"]) == (True, "ok")
    assert (unknown.status, unknown.error["code"]) == (404, "not_found")


def test_a_pinned_profile_comes_first(served: Served) -> None:
    pinned = served.post("/api/chains/default/pin", {"profile": "two"}).json
    with_pin = served.chat().headers["x-spillover-profile"]
    unpinned = served.post("/api/chains/default/pin", {"profile": None}).json
    without = served.chat().headers["x-spillover-profile"]

    assert (pinned["pinned"], unpinned["pinned"]) == ("two", None)
    assert (with_pin, without) == ("two", "one")


def test_a_strict_pin_lets_nobody_else_serve(served: Served, two: SimulatedProvider) -> None:
    two.script("overloaded", times=None)

    document = served.post("/api/chains/default/pin", {"profile": "two", "strict": True}).json

    assert document["pinned_strictly"] is True
    assert served.chat().status == 503


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/chains/default/pin", {"profile": "three"}, 404),
        ("/api/chains/nobody/pin", {"profile": "one"}, 404),
        ("/api/chains/default/pin", {}, 400),
        ("/api/chains/default/pin", {"profile": 5}, 400),
        ("/api/chains/default/pin", {"profile": "one", "strickt": True}, 400),
        ("/api/usage/clear", {"profile": "three"}, 404),
        ("/api/usage/clear", {"profiles": "one"}, 400),
        ("/api/usage/clear", [], 400),
        ("/api/profiles/one/disable", {"for": "5m"}, 400),
    ],
)
def test_a_change_that_can_not_be_made_is_refused(
    served: Served, path: str, body: object, status: int
) -> None:
    reply = served.post(path, body)

    assert reply.status == status
    assert reply.error["message"]


def test_cleared_usage_is_zero(served: Served) -> None:
    served.chat()
    served.chat(model="two")

    one_cleared = served.post("/api/usage/clear", {"profile": "one"}).json
    left = served.get("/api/status").json["profiles"]
    all_cleared = served.post("/api/usage/clear", {}).json
    nothing_left = served.get("/api/status").json["profiles"]

    assert (one_cleared, all_cleared) == ({"cleared": ["one"]}, {"cleared": ["one", "two"]})
    assert [left[name]["usage"]["day"]["requests"] for name in ("one", "two")] == [0, 1]
    assert [nothing_left[name]["usage"]["day"]["requests"] for name in ("one", "two")] == [0, 0]


def test_explaining_says_who_would_serve_and_sends_nothing(
    served: Served, one: SimulatedProvider, two: SimulatedProvider
) -> None:
    served.post("/api/profiles/one/disable")

    document = served.post("/api/explain", HELLO).json

    assert (document["chain"], document["serves"]) == ("default", "two")
    assert [(each["profile"], each["reason"]) for each in document["skipped"]] == [
        ("one", "disabled")
    ]
    assert document["candidates"][0]["profile"] == "two"
    assert document["estimate"]["tokens"] > 0
    assert (one.records, two.records) == ((), ())


def test_explaining_takes_the_routing_headers(served: Served) -> None:
    document = served.post("/api/explain", HELLO, x_spillover_policy="byok-paid").json

    assert document["serves"] == "one"


def test_what_can_not_be_explained_is_refused(served: Served) -> None:
    assert served.post("/api/explain", b"{").status == 400
    assert served.post("/api/explain", {**HELLO, "model": "nobody"}).status == 404


def test_local_servers_are_restarted_by_a_declared_request_alone(served: Served) -> None:
    restarted = served.post("/api/upstreams/restart", {})
    other = served.post("/api/upstreams/restart", b"{}", content_type="text/plain")

    assert (restarted.status, restarted.json) == (202, {"restarting": []})
    assert other.status == 415


def test_the_catalogue_is_shown(served: Served) -> None:
    document = served.get("/api/catalogue").json
    groq = served.get("/api/catalogue/groq").json

    assert len(document["providers"]) > 50
    assert (groq["id"], groq["key_env"][0]) == ("groq", "GROQ_API_KEY")
    assert groq["models"]
    assert groq in document["providers"]
