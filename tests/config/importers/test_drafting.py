"""A profile is drawn up from what a file says of its far end, or left out with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.catalogue import load
from spillover.config.importers.drafting import Drafter, Far, Variable
from spillover.config.secrets import Secret

if TYPE_CHECKING:
    from spillover.config.importers.plan import Plan

KEY = "of-the-tests-0001"


def drafted(far: Far, source: str = "one", values: Any = None) -> Plan:
    draft = Drafter(load(), values if values is not None else {"apiKey": KEY})
    draft.profile(source, far)
    return draft.plan()


def settings(**far: Any) -> dict[str, Any]:
    """Return the settings of the only profile, which must have been taken over."""
    plan = drafted(Far(**{"provider": None, "model": "m", **far}))
    assert plan.unmapped == ()
    (found,) = plan.profiles.values()
    return found


def refusal(**far: Any) -> str:
    plan = drafted(Far(**{"provider": None, "model": "m", **far}))
    assert plan.profiles == {}
    (left,) = plan.unmapped
    return left.why


def test_a_known_provider_needs_no_address() -> None:
    assert settings(provider="groq", key=KEY) == {
        "provider": "groq",
        "api_key": Secret(KEY),
        "model": "m",
    }


def test_an_address_says_whose_it_is() -> None:
    assert settings(base_url="https://api.groq.com/openai/v1/") == {
        "provider": "groq",
        "model": "m",
    }
    assert (
        settings(base_url="https://api.groq.com/openai/v1/chat/completions")["provider"] == "groq"
    )
    assert settings(base_url="https://llm.example.com/v1") == {
        "base_url": "https://llm.example.com/v1",
        "model": "m",
    }


def test_a_provider_at_another_address_keeps_both() -> None:
    found = settings(provider="anthropic", base_url="https://c.example.com", versioned=True)

    assert found["provider"] == "anthropic"
    assert found["base_url"] == "https://c.example.com/v1"
    assert settings(provider="ollama", base_url="http://h:1/v2", versioned=True)[
        "base_url"
    ].endswith("h:1/v2")


def test_azures_old_addresses_become_the_one_that_speaks_openais_protocol() -> None:
    old = "https://mine.openai.azure.com/openai/deployments/x?api-version=2024-02-01"

    assert settings(provider="azure", base_url=old)["base_url"] == (
        "https://mine.openai.azure.com/openai/v1"
    )


def test_a_key_in_an_address_or_a_header_is_the_key() -> None:
    for far in (
        {"base_url": f"https://llm.example.com/v1?key={KEY}"},
        {"base_url": f"https://user:{KEY}@llm.example.com/v1"},
        {"base_url": "https://llm.example.com/v1", "headers": {"Authorization": f"Bearer {KEY}"}},
    ):
        found = settings(**far)
        assert found["api_key"] == Secret(KEY)
        assert found["base_url"] == "https://llm.example.com/v1"
        assert "headers" not in found


def test_headers_are_kept_as_secrets_but_for_those_of_the_request_itself() -> None:
    plan = drafted(
        Far(
            provider="groq",
            model="m",
            headers={"X-Team": " t ", "Host": "h", "bad name": "x", "X-File": "file:/etc/passwd"},
        )
    )

    assert plan.profiles["one"]["headers"] == {"X-Team": Secret("t")}
    assert "without the header Host, the header bad name, the header X-File" in plan.mapped[0].told


@pytest.mark.parametrize(
    ("far", "why"),
    [
        ({}, "it has no address"),
        ({"base_url": "ftp://host"}, "its address is none"),
        ({"base_url": "https://[broken"}, "its address is none"),
        ({"base_url": "https://host:99999/v1"}, "its address is none"),
        ({"base_url": "https://ho st/v1"}, "spaces"),
        ({"base_url": f"https://{KEY}.example.com/v1"}, "it holds a secret"),
        ({"base_url": "https://host/v1", "model": ""}, "it names no model"),
        ({"provider": "groq", "model": "gpt-*"}, "it stands for many models"),
        ({"provider": "groq", "model": f"m-{KEY}"}, "its model can't be one's name"),
        ({"provider": "groq", "model": "m\n"}, "its model can't be one's name"),
        ({"provider": "azure"}, "its address needs AZURE_RESOURCE_NAME"),
        ({"provider": "groq", "key": "file:/etc/passwd"}, "it names a place"),
        ({"provider": "groq", "key": "keyring:other"}, "it names a place"),
        ({"provider": "groq", "key": "${OPENAI_API_KEY}"}, "it names a place"),
        ({"provider": "groq", "key": "two words"}, "holds signs no key has"),
        ({"provider": "groq", "key": "k" * 9_000}, "is too long"),
    ],
)
def test_what_can_not_be_a_profile_is_left_out(far: dict[str, Any], why: str) -> None:
    assert why in refusal(**far)


@pytest.mark.parametrize("key", ["", "ollama", None, [], True, {}])
def test_what_is_no_key_is_none(key: Any) -> None:
    assert "api_key" not in settings(provider="ollama", key=key)


def test_a_variable_that_the_file_may_name_is_referred_to() -> None:
    assert settings(provider="groq", key=Variable("MY_KEY"))["api_key"] == "${MY_KEY}"


def test_a_dollar_sign_stands_for_itself() -> None:
    found = settings(base_url="https://h.example.com/${HOME}", model="${OPENAI_API_KEY}")

    assert found == {"base_url": "https://h.example.com/$${HOME}", "model": "$${OPENAI_API_KEY}"}


def test_a_name_that_is_not_legal_is_kept_as_the_title() -> None:
    plan = drafted(Far(provider="groq", model="m"), source="My Groq")

    assert plan.profiles["My-Groq"]["title"] == "My Groq"


def test_a_secret_becomes_no_name_and_no_title() -> None:
    plan = drafted(Far(provider="groq", model="m"), source=KEY)

    assert plan.profiles == {"profile": {"provider": "groq", "model": "m"}}
    assert KEY not in plan.mapped[0].source


def test_the_tightest_limits_hold_where_there_are_several() -> None:
    draft = Drafter(load(), {})
    draft.profile("one", Far(provider="groq", model="m"))

    several = [
        draft.limit("one", limits)
        for limits in ({}, {"tokens_per_hour": 5}, {"tokens_per_hour": 9, "requests_per_day": 1})
    ]

    assert several == [False, False, True]
    assert draft.plan().profiles["one"]["limits"] == {"tokens_per_hour": 5, "requests_per_day": 1}


def test_an_alias_is_added_once_and_never_under_the_name_of_something_else() -> None:
    draft = Drafter(load(), {"apiKey": KEY})
    draft.profile("one", Far(provider="groq", model="m"))
    for alias in ("code", "code", "one", KEY, "", "a\n"):
        draft.alias(alias, "one")

    assert draft.plan().aliases == {"code": "one"}
    assert len(draft.plan().unmapped) == 3


def test_a_providers_key_for_somebody_elses_address_is_warned_of() -> None:
    key = Variable("OPENAI_API_KEY")
    there = drafted(Far(provider=None, model="m", base_url="https://elsewhere.example/v1", key=key))
    home = drafted(Far(provider=None, model="m", base_url="https://api.openai.com/v1", key=key))

    assert "WARNING: OPENAI_API_KEY is the key of openai" in there.mapped[0].told
    assert "https://elsewhere.example:443 is not theirs" in there.mapped[0].told
    assert "WARNING" not in home.mapped[0].told
