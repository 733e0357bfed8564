"""Which profiles share an account, and what its id gives away."""

from __future__ import annotations

from typing import Any

from spillover.catalogue import load
from spillover.config.accounts import Identity, accounts_of, fingerprint, key_print
from spillover.config.secrets import Secret
from spillover.config.upstreams import Upstream


def an_upstream(provider: str = "groq", key: str | None = "k1", **changes: Any) -> Upstream:
    entry = load().provider(provider)
    assert entry is not None
    given: dict[str, Any] = {
        "provider": provider,
        "entry": entry,
        "base_url": entry.base_url,
        "account": None,
        "secret": None if key is None else Secret(key),
        "missing": None,
        "headers": (),
    }
    return Upstream(**(given | changes))


def identities(
    upstreams: dict[str, Upstream], written: dict[str, Upstream] | None = None
) -> dict[str, Identity]:
    return accounts_of(upstreams, written or {})


def test_the_same_provider_address_and_key_is_one_account() -> None:
    found = identities({"a": an_upstream(), "b": an_upstream()})

    assert found["a"] == found["b"]
    assert found["a"].name == "groq"
    assert found["a"].id.startswith("groq#")


def test_another_key_is_another_account_with_a_number() -> None:
    found = identities({"a": an_upstream(key="k1"), "b": an_upstream(key="k2")})

    assert found["a"].id != found["b"].id
    assert [found["a"].name, found["b"].name] == ["groq", "groq-2"]


def test_another_address_is_another_account() -> None:
    found = identities({"a": an_upstream(), "b": an_upstream(base_url="http://127.0.0.1:1/v1")})

    assert found["a"].id != found["b"].id


def test_keys_of_a_project_count_as_one_account() -> None:
    found = identities({"a": an_upstream("gemini", "k1"), "b": an_upstream("gemini", "k2")})

    assert found["a"] == found["b"]


def test_keys_behind_one_ip_address_count_as_one_account() -> None:
    found = identities({"a": an_upstream("kilo", "k1"), "b": an_upstream("kilo", None)})

    assert found["a"] == found["b"]


def test_a_named_account_keeps_its_name_as_its_id() -> None:
    found = identities({"a": an_upstream(account="mine")}, {"mine": an_upstream()})

    assert found["a"] == Identity(id="mine", name="mine")


def test_a_profile_with_a_written_accounts_credential_is_on_it() -> None:
    found = identities({"a": an_upstream()}, {"mine": an_upstream()})

    assert found["a"] == Identity(id="mine", name="mine")


def test_a_written_account_without_a_key_draws_nobody_in() -> None:
    found = identities({"a": an_upstream(key=None)}, {"mine": an_upstream(key=None)})

    assert found["a"].name == "groq"


def test_two_projects_are_told_apart_by_naming_their_accounts() -> None:
    found = identities(
        {"a": an_upstream("gemini", "k1", account="one"), "b": an_upstream("gemini", "k2")},
        {"one": an_upstream("gemini", "k1")},
    )

    assert found["a"].id != found["b"].id


def test_an_implicit_account_never_takes_a_written_name() -> None:
    found = identities({"a": an_upstream(key="k2")}, {"groq": an_upstream(key="k1")})

    assert found["a"].name == "groq-2"


def test_profiles_without_a_key_share_an_account() -> None:
    found = identities({"a": an_upstream("ollama", None), "b": an_upstream("ollama", None)})

    assert found["a"] == found["b"]


def test_a_fingerprint_is_salted_with_provider_and_address_and_tells_nothing() -> None:
    here, there = an_upstream(), an_upstream(base_url="http://127.0.0.1:1/v1")
    other = an_upstream("cerebras", base_url=here.base_url)

    assert fingerprint(here, "gsk_secret") == fingerprint(an_upstream(), "gsk_secret")
    assert len({fingerprint(each, "gsk_secret") for each in (here, there, other)}) == 3
    assert fingerprint(here, "x", "y") != fingerprint(here, "xy", "")
    assert "secret" not in fingerprint(here, "gsk_secret")
    assert key_print(here) == fingerprint(here, "key", "k1")
    assert key_print(an_upstream(key=None)) == fingerprint(here, "key", "")


def test_an_account_that_is_told_is_the_one_whatever_the_key() -> None:
    keyless = {name: an_upstream(key=None) for name in "abc"} | {"d": an_upstream(account="hers")}
    told = {"a": "groq#12345678", "b": "mine", "c": None, "d": "mine"}
    written = {"mine": an_upstream(), "hers": an_upstream(key="k3")}

    found = accounts_of(keyless, written, told=told)

    assert found["a"] == Identity(id="groq#12345678", name="groq")
    assert found["b"] == Identity(id="mine", name="mine")
    assert found["c"] == Identity(
        id=identities({"x": an_upstream(key=None)})["x"].id, name="groq-2"
    )
    assert found["d"] == Identity(id="hers", name="hers")


def test_an_accounts_id_is_stable_and_holds_no_key() -> None:
    first, second = (identities({"a": an_upstream(key="gsk_1")})["a"] for _ in range(2))

    assert first == second
    assert "gsk_1" not in first.id
