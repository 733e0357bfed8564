"""In which dialect an upstream is spoken to, where, and with which header for its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.config.assemble import assemble
from spillover.config.dialects import NATIVE, PATHS, protocol_of, spoken_by
from spillover.config.loader import load_document
from spillover.config.schema import Profile
from spillover.core.values import Protocol
from spillover.errors import ConfigError

if TYPE_CHECKING:
    from spillover.config.routing import Endpoint

KEY = "key-0123456789"


def the_endpoint(**profile: Any) -> Endpoint:
    written = {"profiles": {"p": {"model": "m", "api_key": KEY, **profile}}}
    loaded = load_document(written, environ={})
    return assemble(loaded, load_catalogue()).endpoints["p"]


@pytest.mark.parametrize(
    ("profile", "url", "headers"),
    [
        (
            {"provider": "anthropic"},
            "https://api.anthropic.com/v1/messages",
            {"x-api-key": KEY},
        ),
        (
            {"provider": "anthropic", "base_url": "https://api.anthropic.com/v1"},
            "https://api.anthropic.com/v1/messages",
            {"x-api-key": KEY},
        ),
        (
            {"provider": "anthropic", "base_url": "https://proxy.example/v1"},
            "https://proxy.example/v1/chat/completions",
            {"Authorization": f"Bearer {KEY}"},
        ),
        (
            {"provider": "gemini", "protocol": "gemini"},
            "https://generativelanguage.googleapis.com/v1beta/models",
            {"x-goog-api-key": KEY},
        ),
        (
            {"provider": "gemini"},
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
            {"Authorization": f"Bearer {KEY}"},
        ),
        (
            {"provider": "openai", "protocol": "openai-responses"},
            "https://api.openai.com/v1/responses",
            {"Authorization": f"Bearer {KEY}"},
        ),
        (
            {"base_url": "https://x.example/api/anthropic/v1", "protocol": "anthropic"},
            "https://x.example/api/anthropic/v1/messages",
            {"x-api-key": KEY},
        ),
        (
            {"base_url": "https://x.example/v1", "protocol": "openai-responses"},
            "https://x.example/v1/responses",
            {"Authorization": f"Bearer {KEY}"},
        ),
    ],
)
def test_an_upstream_has_its_dialects_address_and_header(
    profile: dict[str, Any], url: str, headers: dict[str, str]
) -> None:
    endpoint = the_endpoint(**profile)

    assert (endpoint.chat_url, endpoint.headers()) == (url, headers)


def test_an_account_says_the_dialect_of_its_profiles() -> None:
    written = {
        "accounts": {"a": {"provider": "gemini", "protocol": "gemini", "api_key": KEY}},
        "profiles": {"p": {"account": "a", "model": "m"}},
    }

    routing = assemble(load_document(written, environ={}), load_catalogue())

    assert routing.endpoints["p"].protocol is Protocol.GEMINI


def test_every_dialect_has_a_path_and_every_native_address_a_provider() -> None:
    catalogue = load_catalogue()

    assert set(PATHS) == set(Protocol)
    assert all(catalogue.provider(provider) is not None for provider, _ in NATIVE)
    assert protocol_of(Profile(base_url="https://x.example/v1"), None) is Protocol.OPENAI


BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com"
VERTEX = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l"


@pytest.mark.parametrize(
    ("profile", "round_by"),
    [
        ({"provider": "bedrock", "protocol": "anthropic"}, "provider: bedrock alone"),
        ({"provider": "vertex", "protocol": "gemini"}, "provider: vertex alone"),
        ({"base_url": f"{BEDROCK}/v1", "protocol": "anthropic"}, "provider: bedrock alone"),
        ({"base_url": BEDROCK}, "provider: bedrock alone"),
        ({"base_url": VERTEX}, "provider: vertex alone"),
        ({"protocol": "bedrock", "base_url": BEDROCK}, "provider: bedrock goes to"),
        ({"protocol": "vertex-ai", "base_url": VERTEX}, "provider: vertex goes to"),
    ],
)
def test_protocols_that_are_not_spoken_are_refused_with_the_way_round(
    profile: dict[str, Any], round_by: str
) -> None:
    with pytest.raises(ConfigError, match=round_by):
        the_endpoint(**profile)


@pytest.mark.parametrize(
    "base_url", [f"{BEDROCK}/openai/v1", f"{VERTEX}/endpoints/openapi"], ids=["bedrock", "vertex"]
)
def test_their_compatible_addresses_are_taken(base_url: str) -> None:
    assert the_endpoint(base_url=base_url).protocol is Protocol.OPENAI


def test_a_provider_is_not_asked_in_a_dialect_without_an_address() -> None:
    with pytest.raises(ConfigError, match="where groq speaks it"):
        the_endpoint(provider="groq", protocol="anthropic")


def test_a_provider_is_one_account_whatever_dialect_it_is_spoken_to_in() -> None:
    gemini = {"provider": "gemini", "api_key": KEY, "model": "m"}
    written = {"profiles": {"p": gemini, "q": {**gemini, "protocol": "gemini"}}}

    profiles = assemble(load_document(written, environ={}), load_catalogue()).profiles

    assert profiles["p"].account == profiles["q"].account


@pytest.mark.parametrize(
    ("provider", "spoken"),
    [
        ("groq", ["openai"]),
        ("anthropic", ["anthropic", "openai"]),
        ("gemini", ["openai", "gemini"]),
        ("openai", ["openai", "openai-responses"]),
    ],
)
def test_the_usual_dialect_of_a_provider_comes_first(provider: str, spoken: list[str]) -> None:
    entry = load_catalogue().provider(provider)

    assert entry is not None
    assert list(spoken_by(entry)) == spoken
