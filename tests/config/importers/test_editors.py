"""Each provider of the editors is somebody whom the catalogue knows, or has an address, or a reason."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.catalogue import load
from spillover.config.importers.drafting import Drafter, Far
from spillover.config.importers.editors import UNREACHABLE, WAYS, far_of


def far(**settings: Any) -> Far:
    found = far_of(settings, load())
    assert isinstance(found, Far)
    return found


@pytest.mark.parametrize("provider", WAYS)
def test_every_provider_can_be_drawn_up(provider: str) -> None:
    way = WAYS[provider]
    url = {way.url: "https://llm.example.com/v1"} if way.url else {}
    draft = Drafter(load(), {})

    found = far(apiProvider=provider, **{way.key: "of-the-tests", way.model: "m"}, **url)

    assert draft.profile("one", found) == "one", draft.plan().unmapped
    assert found.key == "of-the-tests"
    assert found.model == "m"


@pytest.mark.parametrize("provider", UNREACHABLE)
def test_a_provider_without_keys_is_left_out_with_the_reason(provider: str) -> None:
    assert far_of({"apiProvider": provider}, load()) == UNREACHABLE[provider]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "it names no provider"),
        ({"apiProvider": 5}, "it names no provider"),
        ({"apiProvider": "nobody"}, "nobody here knows its provider"),
    ],
)
def test_who_is_not_known_is_left_out(settings: dict[str, Any], why: str) -> None:
    assert far_of(settings, load()) == why


def test_a_provider_that_the_catalogue_alone_knows_is_taken() -> None:
    found = far(apiProvider="novita", novitaApiKey="k", apiModelId="m")

    assert (found.provider, found.key, found.model) == ("novita", "k", "m")


def test_a_server_of_ones_own_keeps_what_is_known_of_its_model() -> None:
    known = {
        "contextWindow": 1000,
        "maxTokens": -1,
        "supportsImages": False,
        "supportsNativeTools": False,
        "inputPrice": 0,
        "outputPrice": 2,
    }

    found = far(apiProvider="openai", openAiBaseUrl="https://h/v1", openAiCustomModelInfo=known)

    assert found.settings == {
        "context_tokens": 1000,
        "lacks": ["vision", "tools"],
        "price": {"output": 2.0},
    }


def test_azure_and_the_lines_of_zai_have_addresses_of_their_own() -> None:
    assert far(apiProvider="openai", openAiUseAzure=True).provider == "azure"
    assert "coding" in far(apiProvider="zai", zaiApiLine="international_coding").base_url
    assert far(apiProvider="zai", zaiApiLine="international_api").base_url == ""


def test_what_the_client_goes_on_sending_is_told() -> None:
    assert far(apiProvider="groq", modelTemperature=0.2).left_out == ("temperature",)
