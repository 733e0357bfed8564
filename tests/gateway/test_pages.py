"""Pages over HTTP: what they hold, who may see them, and what browsers may do with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from spillover.dashboard.assets import assets
from spillover.gateway.guesses import MOST, WITHIN_S
from spillover.gateway.sessions import COOKIE
from tests.serving import document_for, read_until, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.simulator import SimulatedProvider
    from tests.serving import Served

HTML = "text/html,application/xhtml+xml"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def guarded(both: tuple[SimulatedProvider, ...]) -> Iterator[Served]:
    """A gateway that asks for keys."""
    server = {"client_keys": ["client-key-1"], "admin_key": "admin-key-1"}
    with serving(document_for(*both, server=server)) as found:
        yield found


def test_the_frame_of_the_overview_goes_ahead_of_what_takes_its_time(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        ahead = read_until(connection, b"<main")

    assert b"style." in ahead
    assert b'id="card-' not in ahead.split(b"<main")[0]


def test_the_front_page_shows_who_serves(served: Served) -> None:
    served.post("/api/profiles/one/disable")

    reply = served.get("/")
    page = reply.body.decode()

    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert re.search(r'id="card-default-one" class="card is-disabled passed"', page)
    assert re.search(r'id="card-default-two" class="card is-active serves"', page)


def test_a_browser_may_run_and_load_nothing_but_our_own(served: Served) -> None:
    headers = served.get("/").headers
    policy = headers["content-security-policy"]

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"


def test_files_are_kept_for_ever_under_the_name_of_their_content(served: Served) -> None:
    reply = served.get(assets().addresses["style.css"])

    assert reply.headers["content-type"] == "text/css; charset=utf-8"
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert served.get("/static/style.css").status == 404


def test_language_and_theme_are_the_readers(served: Served) -> None:
    by_browser = served.get("/", accept_language="zh-CN,zh;q=0.9").body.decode()
    by_cookie = served.get("/", cookie="spillover_lang=zh; spillover_theme=dark").body.decode()
    by_none = served.get("/", cookie="spillover_theme=purple").body.decode()

    assert '<html lang="zh-Hans" data-theme="auto">' in by_browser
    assert '<html lang="zh-Hans" data-theme="dark">' in by_cookie
    assert '<html lang="en" data-theme="auto">' in by_none


def test_an_open_page_is_told_what_it_shows(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET /live?view=overview HTTP/1.1\r\nhost: localhost\r\n\r\n")
        told = read_until(connection, b"card-default-two")

    assert b"event: clock\ndata: 20" in told
    assert b"event: parts\ndata: " in told


def test_a_page_is_told_when_a_status_changes(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET /live?view=overview HTTP/1.1\r\nhost: localhost\r\n\r\n")
        read_until(connection, b"card-default-two")
        served.post("/api/profiles/two/disable")
        told = read_until(connection, b"is-disabled")

    assert b'id="card-default-two" class="card is-disabled' in told
    assert b'"type":"profile.status"' in told


def test_without_the_key_a_browser_is_asked_for_it(guarded: Served) -> None:
    reply = guarded.get("/history", accept=HTML)

    assert reply.status == 401
    assert b'<form method="post" action="/login"' in reply.body


def test_programs_are_told_in_their_own_way(guarded: Served) -> None:
    assert guarded.get("/").error["code"] == "invalid_admin_key"
    assert guarded.get("/api/status", accept=HTML).error["code"] == "invalid_admin_key"


def login(guarded: Served, key: str) -> str | None:
    reply = guarded.post("/login", f"key={key}".encode(), content_type=FORM)
    assert (reply.status == 303) == ("set-cookie" in reply.headers)
    return reply.headers.get("set-cookie")


def test_the_admin_key_opens_pages_and_api_to_a_browser(guarded: Served) -> None:
    given = login(guarded, "admin-key-1")
    assert given is not None
    cookie = given.partition(";")[0]

    assert guarded.get("/", cookie=cookie).status == 200
    assert guarded.get("/api/status", cookie=f"x=1; {cookie}").status == 200
    assert guarded.post("/v1/chat/completions", {}, cookie=cookie).status == 401
    assert guarded.get("/", cookie=cookie + "0", accept=HTML).status == 401
    for attribute in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert attribute in given


@pytest.mark.parametrize("key", ["client-key-1", "wrong", ""])
def test_no_other_key_does(guarded: Served, key: str) -> None:
    assert login(guarded, key) is None


def test_a_gateway_without_an_admin_key_says_so_in_place_of_a_form(
    both: tuple[SimulatedProvider, ...],
) -> None:
    document = document_for(
        *both, server={"client_keys": ["k"], "admin_key": "${NOT_SET_ANYWHERE}"}
    )
    with serving(document) as keyless:
        reply = keyless.get("/", accept=HTML)

    assert reply.status == 401
    assert b"no admin key yet" in reply.body
    assert b'action="/login"' not in reply.body


@pytest.mark.parametrize("path", ["/nothing", "/trace/none", "/parts/client/none"])
def test_a_browser_gets_a_page_where_there_is_none(served: Served, path: str) -> None:
    reply = served.get(path, accept=HTML)

    assert reply.status == 404
    assert b"<h1>Not found</h1>" in reply.body
    assert b"frame-ancestors 'none'" in reply.headers["content-security-policy"].encode()
    assert served.get(path).error["code"] == "not_found", "programs get JSON"


def test_a_title_of_several_lines_can_not_end_a_message(
    both: tuple[SimulatedProvider, ...],
) -> None:
    document = document_for(*both)
    document["chains"]["default"] = {
        "profiles": ["one", "two"],
        "title": "a\rdata: b\r\n\r\nevent: reload\rc",
    }
    with serving(document) as found, found.connect() as connection:
        connection.sendall(b"GET /live?view=overview HTTP/1.1\r\nhost: localhost\r\n\r\n")
        told = read_until(connection, b"card-default-two")

    assert b"\r" not in told.partition(b"event: parts")[2].replace(b"\r\n", b"")
    assert b"\nevent: reload" not in told
    assert b"data: data: b\n" in told


def test_a_foreign_page_can_not_log_anybody_in(guarded: Served) -> None:
    reply = guarded.post(
        "/login", b"key=admin-key-1", content_type=FORM, origin="http://evil.example"
    )

    assert reply.status == 403


def test_who_guesses_at_the_key_waits_and_who_is_in_stays(
    both: tuple[SimulatedProvider, ...],
) -> None:
    server = {"client_keys": ["client-key-1"], "admin_key": "admin-key-1"}
    with serving(document_for(*both, server=server)) as braked:
        cookie = str(login(braked, "admin-key-1")).partition(";")[0]
        for number in range(MOST // 2):
            assert login(braked, f"guess-{number}") is None
            assert braked.get("/api/status", authorization=f"Bearer other-{number}").status == 401

        page = braked.post("/login", b"key=admin-key-1", content_type=FORM)
        refusal = braked.get("/api/status", authorization="Bearer admin-key-1")

        assert page.status == refusal.status == 429
        assert b"Too many wrong keys" in page.body
        assert refusal.error["code"] == "too_many_guesses"
        assert 1 <= int(page.headers["retry-after"]) <= WITHIN_S
        assert 1 <= int(refusal.headers["retry-after"]) <= WITHIN_S
        assert braked.get("/api/status", cookie=cookie).status == 200
        assert braked.get("/api/status", x_api_key="guess-0").status == 401, "known to be wrong"

        braked.gateway.apply(braked.gateway.settings, str)

        assert braked.get("/api/status", x_api_key="admin-key-1").status == 429, (
            "other settings forgive nothing"
        )


def test_who_logs_out_has_no_cookie_left(guarded: Served) -> None:
    reply = guarded.post("/logout", b"", content_type=FORM)

    assert reply.headers["set-cookie"].startswith(f"{COOKIE}=; Max-Age=0")


def test_a_cookie_that_was_logged_out_opens_nothing_any_more(guarded: Served) -> None:
    kept = str(login(guarded, "admin-key-1")).partition(";")[0]
    others = str(login(guarded, "admin-key-1")).partition(";")[0]
    assert guarded.get("/api/status", cookie=kept).status == 200

    guarded.post("/logout", b"", content_type=FORM, cookie=kept)

    assert guarded.get("/api/status", cookie=kept).status == 401
    assert guarded.get("/api/status", cookie=others).status == 200
