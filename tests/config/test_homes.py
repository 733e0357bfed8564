"""A known provider's key belongs to its own addresses."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.config.homes import astray, is_home, variables_in
from spillover.config.loader import load_document

CATALOGUE = load_catalogue()
FAR = "https://elsewhere.example/v1"


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("OPENAI_API_KEY", "https://api.openai.com/v1"),
        ("GROQ_API_KEY", "https://api.groq.com:443/any/path"),
        ("ANTHROPIC_API_KEY", "https://api.anthropic.com/v1"),
        ("AZURE_OPENAI_API_KEY", "https://my-own.openai.azure.com/openai/v1"),
    ],
)
def test_a_provider_is_at_home_at_its_own_origins(variable: str, url: str) -> None:
    assert is_home(variable, url, CATALOGUE)
    assert astray(variable, url, CATALOGUE) is None


@pytest.mark.parametrize(
    "url",
    [FAR, "http://api.openai.com/v1", "https://api.openai.com.elsewhere.example", "https://api.openai.com@x.example"],
)  # fmt: skip
def test_any_other_address_is_astray(url: str) -> None:
    owner = astray("OPENAI_API_KEY", url, CATALOGUE)

    assert owner is not None
    assert owner.id == "openai"


def test_this_machine_and_unknown_variables_are_nobodys_business() -> None:
    assert astray("OPENAI_API_KEY", "http://localhost:4000/v1", CATALOGUE) is None
    assert astray("MY_PROXY_KEY", FAR, CATALOGUE) is None


def test_variables_are_read_as_the_configuration_reads_them() -> None:
    assert variables_in("a ${ONE} $${TWO} ${THREE:-d} $FOUR") == ["ONE", "THREE"]


@pytest.mark.parametrize(
    "document",
    [
        {"profiles": {"a": {"base_url": FAR, "model": "m", "api_key": "${OPENAI_API_KEY}"}}},
        {
            "accounts": {"x": {"base_url": FAR, "api_key": "${OPENAI_API_KEY}"}},
            "profiles": {"a": {"account": "x", "model": "m"}},
        },
    ],
)
def test_a_configuration_that_sends_a_key_astray_is_warned_of(document: dict[str, Any]) -> None:
    (warning,) = load_document(document, environ={"OPENAI_API_KEY": "x"}).warnings

    assert "OPENAI_API_KEY, the key of openai, for https://elsewhere.example:443" in str(warning)
    assert warning.key.endswith(".api_key")
