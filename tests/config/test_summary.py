"""Forms see what the file says, and of keys no more than where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.config.loader import load, load_document
from spillover.config.summary import chain, notice, notices, profile, summary, unmasked
from tests.config.rings import ring_in_use

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {"GROQ_API_KEY": "gsk_0123456789abcdef", "OTHER": "other-0123456789"}


def key_of(written: dict[str, Any]) -> dict[str, Any]:
    with ring_in_use() as ring:
        ring.held["spillover", "mine"] = "ring-0123456789"
        loaded = load_document({"profiles": {"p": {"model": "m", **written}}}, environ=ENVIRON)
    found: dict[str, Any] = profile(loaded, "p")["key"]
    return found


@pytest.mark.parametrize(
    ("written", "kind", "reference", "found"),
    [
        ({"provider": "groq"}, "default", "${GROQ_API_KEY}", True),
        ({"provider": "openai"}, "default", "${OPENAI_API_KEY}", False),
        ({"provider": "ollama"}, "none", None, True),
        ({"provider": "groq", "api_key": "${OTHER}"}, "env", "${OTHER}", True),
        ({"provider": "groq", "api_key": "${NO:-sk-default-key}"}, "env", "${NO:-…}", True),
        ({"provider": "groq", "api_key": "sk-literal-${OTHER}-abcd"}, "env", "…${OTHER}…", True),
        ({"provider": "groq", "api_key": "keyring:mine"}, "keyring", "keyring:mine", True),
        ({"provider": "groq", "api_key": "file:nowhere"}, "file", "file:nowhere", False),
        ({"provider": "groq", "api_key": "gsk_literal0123456789"}, "written", "gsk_…6789", True),
    ],
    ids=str,
)
def test_a_key_is_shown_as_a_reference(
    written: dict[str, Any], kind: str, reference: str | None, *, found: bool
) -> None:
    key = key_of(written)

    assert (key["kind"], key["reference"], key["found"]) == (kind, reference, found)
    assert key["origin"].startswith("http")


def test_settings_are_shown_as_written(tmp_path: Path) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(
        """
accounts: {lab: {base_url: "https://lab.example/v1?key=abcdefghijkl", api_key: "${OTHER}"}}
profiles:
  groq: {provider: groq, limits: {tokens_per_hour: 5K}, headers: {x-key: "${OTHER}"}}
  lab: {account: lab, model: "${MODEL:-m}", title: "not gsk_0123456789abcdef"}
chains:
  default: [groq, lab]
  long: {profiles: [{profile: lab, weight: 3}], strategy: weighted}
notify: [desktop, "ntfy://a-secret-topic", {to: "ntfy://other-secret-topic", events: [failed]}]
"""
    )
    loaded = load(path, environ=ENVIRON)

    found = summary(loaded)

    assert found["profiles"]["groq"]["limits"] == {"tokens_per_hour": "5K"}
    assert (found["profiles"]["groq"]["fixed"], found["profiles"]["groq"]["chains"]) == (
        ["headers"],
        ["default"],
    )
    assert found["profiles"]["lab"]["model"] == "${MODEL:-m}"
    assert found["profiles"]["lab"]["key"]["kind"] == "account"
    assert found["chains"]["long"]["profiles"] == [{"profile": "lab", "weight": 3}]
    assert chain(loaded, "default")["profiles"] == [{"profile": "groq"}, {"profile": "lab"}]
    assert (found["accounts"], found["notify"][0]) == (["lab"], "desktop")
    assert found["notify"][2] == {"to": "ntfy://othe…opic", "events": ["failed"]}
    for secret in ("gsk_0123456789abcdef", "other-0123456789", "secret-topic"):
        assert secret not in str(found)


def test_the_chain_of_all_profiles_is_told_as_such() -> None:
    loaded = load_document({"profiles": {"groq": {"provider": "groq"}}}, environ=ENVIRON)

    assert summary(loaded)["chains"]["default"]["implicit"] is True
    assert profile(loaded, "groq")["chains"] == ["default"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("desktop", "desktop"),
        ("ntfy://topic", "ntfy://…"),
        ("slack://a/very/long/token/1234", "slack://a/ve…1234"),
        ("${WHERE}", "${WHERE}"),
    ],
)
def test_addresses_of_notices_hide_their_tokens(written: str, shown: str) -> None:
    assert notice(written) == shown


def test_places_that_look_alike_are_told_apart() -> None:
    document = {"notify": ["ntfy://one", {"to": "ntfy://two", "events": ["failed"]}, "ntfy://3"]}

    shown = notices(document)

    assert shown == ["ntfy://…", {"to": "ntfy://… (2)", "events": ["failed"]}, "ntfy://… (3)"]
    assert [unmasked(each, document) for each in shown] == document["notify"]


def test_a_place_that_is_shown_without_its_token_is_found_again() -> None:
    document = {"notify": ["desktop", {"to": "ntfy://a-topic-of-mine", "events": ["failed"]}]}
    shown = notice("ntfy://a-topic-of-mine")

    assert unmasked(shown, document) == "ntfy://a-topic-of-mine"
    assert unmasked({"to": shown, "events": ["budget"]}, document) == {
        "to": "ntfy://a-topic-of-mine",
        "events": ["budget"],
    }
    assert [unmasked(each, document) for each in ("desktop", "ntfy://new")] == [
        "desktop",
        "ntfy://new",
    ]
    assert unmasked("desktop", {}) == "desktop"
