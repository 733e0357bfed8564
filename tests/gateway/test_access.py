"""Who may come in: attacks on the name, the origin and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.config.secrets import MissingSecret, Secret
from spillover.gateway.access import Access, Arrival, Denial, Door
from spillover.gateway.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

OPEN = Access(Settings())
NAMED = Access(
    Settings(
        host="llm.example",
        allowed_hosts=("gpt.example:8443", "10.1.2.3", "[fd00::5]:80", "fd00::6"),
    )
)
KEYED = Access(
    Settings(client_keys=(Secret("first-key"), Secret("second-kéy")), admin_key=Secret("admin-key"))
)


def denied(
    access: Access,
    *,
    host: str = "127.0.0.1:4400",
    method: str = "POST",
    door: Door = Door.PROTOCOL,
    query: str = "",
    headers: Mapping[str, str] | None = None,
) -> Denial | None:
    sent = {name.encode(): value.encode() for name, value in (headers or {}).items()}
    if host:
        sent[b"host"] = host.encode("latin-1")
    return access.deny(Arrival(method, sent, query.encode()), door)


# --- the name it was called by ---


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:4400",
        "127.0.0.1:80",
        "127.1.2.3:4400",
        "127.0.0.1.",
        "localhost",
        "localhost:4400",
        "LocalHost:4400",
        "localhost.",
        "localhost.:4400",
        "spillover.localhost:4400",
        "[::1]",
        "[::1]:4400",
        "[0:0:0:0:0:0:0:1]:4400",
        "[::ffff:127.0.0.1]:4400",
    ],
)
def test_this_machines_own_names_are_answered(host: str) -> None:
    assert denied(OPEN, host=host) is None
    assert denied(OPEN, host=host) is None, "the second time too, when it is remembered"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:4400",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1.nip.io:4400",
        "evil-localhost",
        "notlocalhost:4400",
        "localhost..",
        "localhost:4400:4400",
        "localhost:",
        "localhost:99999x",
        "localhost:123456",
        "localhost/evil",
        "user@localhost",
        "localhost@evil.example",
        "localhost, evil.example",
        "localhost evil.example",
        " localhost",
        "localhost\t",
        "0.0.0.0:4400",
        "[::]:4400",
        "192.168.1.5:4400",
        "[fe80::1]:4400",
        "[::1%25lo]:4400",
        "[::1]evil.example",
        "[::1",
        "::1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "localhost\x00.evil.example",
        "löcalhost",
    ],
)
def test_any_other_name_is_refused(host: str) -> None:
    denial = denied(OPEN, host=host)

    assert denial is not None
    assert (denial.status, denial.code) == (403, "host_not_allowed")


@pytest.mark.parametrize(
    "host",
    [
        "llm.example",
        "LLM.example:443",
        "gpt.example.",
        "10.1.2.3:8080",
        "[fd00::5]",
        "[fd00:0::6]:1",
    ],
)
def test_names_of_the_configuration_are_answered(host: str) -> None:
    assert denied(NAMED, host=host) is None


def test_a_name_below_an_allowed_one_is_refused() -> None:
    assert denied(NAMED, host="evil.llm.example") is not None


def test_behind_a_wildcard_any_address_is_answered_but_no_name() -> None:
    access = Access(Settings(host="0.0.0.0", client_keys=(Secret("k"),)))

    assert denied(access, host="192.168.1.5:4400", headers={"authorization": "Bearer k"}) is None
    assert denied(access, host="evil.example", headers={"authorization": "Bearer k"}) is not None


def test_the_refusal_shows_no_more_than_printable_text() -> None:
    denial = denied(OPEN, host="e\x1b[31mvil" + "x" * 500)

    assert denial is not None
    assert "\x1b" not in denial.message
    assert len(denial.message) < 300


def test_only_so_many_spellings_are_remembered() -> None:
    access = Access(Settings())

    for number in range(1_000):
        assert denied(access, host=f"127.0.0.1:{number}") is None

    assert len(access._known) < 300


# --- the page it was sent by ---


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:3000",
        "http://localhost:4400",
        "https://127.0.0.1",
        "null",
        "",
        "file://",
        "app://obsidian.md",
        "chrome-extension://abcdefgh",
        "http://127.0.0.1:4400.evil.example",
        "http://127.0.0.1:4400@evil.example",
        "http://evil.example#127.0.0.1:4400",
        "http://127.0.0.1:4400, http://evil.example",
        "http://127.0.0.1:4400/",
        "127.0.0.1:4400",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_page_of_another_origin_is_refused(origin: str, method: str) -> None:
    denial = denied(OPEN, headers={"origin": origin}, method=method)

    assert denial is not None
    assert (denial.status, denial.code) == (403, "origin_not_allowed")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:4400", "http://127.0.0.1:4400"),
        ("localhost:4400", "http://LOCALHOST:4400"),
        ("[::1]:4400", "http://[::1]:4400"),
        ("localhost", "http://localhost"),
        ("localhost:80", "http://localhost"),
        ("localhost", "https://localhost:443"),
    ],
)
def test_our_own_pages_may_call(host: str, origin: str) -> None:
    assert denied(OPEN, host=host, headers={"origin": origin}) is None


def test_a_page_of_an_allowed_host_may_call_through_a_proxy_that_names_us_otherwise() -> None:
    assert denied(NAMED, host="127.0.0.1:4400", headers={"origin": "https://gpt.example"}) is None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "same-origin, cross-site"])
def test_a_foreign_page_is_known_without_an_origin_too(site: str) -> None:
    denial = denied(OPEN, headers={"sec-fetch-site": site}, method="GET")

    assert denial is not None
    assert denial.code == "origin_not_allowed"


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_pages_and_typed_addresses_are_answered(site: str) -> None:
    assert denied(OPEN, headers={"sec-fetch-site": site}, method="GET") is None


def test_a_link_on_a_foreign_page_may_be_followed() -> None:
    link = {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }

    assert denied(OPEN, method="GET", headers=link) is None


def test_a_foreign_form_may_not_be_sent() -> None:
    form = {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }

    assert denied(OPEN, method="POST", headers=form) is not None


def test_a_foreign_page_may_not_frame_us() -> None:
    frame = {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "iframe",
    }

    assert denied(OPEN, method="GET", headers=frame) is not None


# --- keys ---


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer first-key"},
        {"authorization": "bearer first-key"},
        {"authorization": "BEARER  second-kéy "},
        {"x-api-key": "first-key"},
        {"x-goog-api-key": "first-key"},
        {"authorization": "Bearer wrong", "x-api-key": "first-key"},
    ],
)
def test_a_client_key_opens_the_protocol_routes_wherever_its_protocol_puts_it(
    headers: dict[str, str],
) -> None:
    assert denied(KEYED, headers=headers) is None


@pytest.mark.parametrize("query", ["key=first-key", "a=b&key=first-key&c=d", "key=second-k%C3%A9y"])
def test_a_client_key_may_stand_in_the_query(query: str) -> None:
    assert denied(KEYED, query=query) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "first-key"},
        {"authorization": "Basic first-key"},
        {"authorization": "Bearer first-ke"},
        {"authorization": "Bearer first-key2"},
        {"authorization": "Bearer FIRST-KEY"},
        {"authorization": "Bearer first-key, Bearer first-key"},
        {"authorization": "Bearer admin-key"},
        {"x-api-key": ""},
        {"cookie": "key=first-key"},
    ],
)
def test_anything_else_opens_nothing(headers: dict[str, str]) -> None:
    denial = denied(KEYED, headers=headers)

    assert denial is not None
    assert (denial.status, denial.code) == (401, "invalid_client_key")


@pytest.mark.parametrize(
    "query", ["key=", "key=wrong", "xkey=first-key", "key=wrong&key=first-key"]
)
def test_a_query_without_the_key_opens_nothing(query: str) -> None:
    assert denied(KEYED, query=query) is not None


def test_the_refusal_of_a_key_does_not_repeat_it() -> None:
    denial = denied(KEYED, headers={"authorization": "Bearer sk-someone-elses-key"})

    assert denial is not None
    assert "someone" not in denial.message


def test_the_admin_key_opens_the_rest() -> None:
    assert denied(KEYED, door=Door.ADMIN, headers={"authorization": "Bearer admin-key"}) is None


@pytest.mark.parametrize("key", ["first-key", "wrong", ""])
def test_no_other_key_opens_the_rest(key: str) -> None:
    denial = denied(KEYED, door=Door.ADMIN, headers={"authorization": f"Bearer {key}"})

    assert denial is not None
    assert (denial.status, denial.code) == (401, "invalid_admin_key")


@pytest.mark.parametrize("key", ["", "CK is not set", "any"])
def test_a_client_key_that_is_missing_opens_nothing(key: str) -> None:
    access = Access(Settings(client_keys=(MissingSecret("CK is not set"),)))

    denial = denied(access, headers={"authorization": f"Bearer {key}"} if key else {})

    assert denial is not None
    assert denial.status == 401


def test_a_missing_client_key_leaves_the_others_in_force() -> None:
    keys = (MissingSecret("CK is not set"), Secret("first-key"))
    access = Access(Settings(client_keys=keys, admin_key=Secret("admin-key")))

    assert denied(access, headers={"authorization": "Bearer first-key"}) is None
    assert denied(access, headers={"authorization": "Bearer other"}) is not None


def test_the_admin_key_is_not_taken_from_the_query() -> None:
    assert denied(KEYED, door=Door.ADMIN, query="key=admin-key") is not None


@pytest.mark.parametrize(
    "settings",
    [
        Settings(client_keys=(Secret("first-key"),)),
        Settings(admin_key=MissingSecret("ADMIN is not set")),
    ],
)
def test_without_an_admin_key_nobody_passes_where_one_is_needed(settings: Settings) -> None:
    denial = denied(
        Access(settings), door=Door.ADMIN, headers={"authorization": "Bearer first-key"}
    )

    assert denial is not None
    assert "not set" in denial.message


def test_health_needs_no_key_but_a_name_of_ours() -> None:
    assert denied(KEYED, door=Door.OPEN, method="GET") is None
    assert denied(KEYED, door=Door.OPEN, method="GET", host="evil.example") is not None


def test_without_keys_every_door_is_open() -> None:
    assert [denied(OPEN, door=door) for door in Door] == [None, None, None]
